"""Which nicknames there can be, and which are the same (:rfc:`7700`).

A room maps what it is asked for (:func:`enforce_nickname`), and gives no nickname twice
that differs only in case, width or spaces (:func:`is_same_nickname`).

Of the string class that nicknames are of (FreeformClass, :rfc:`7564#section-4.3`) two
things are not done: which letters may stand beside a zero width non-joiner when there
is no virama before it, and the few characters that are only for certain scripts (middle
dots, geresh, the two sorts of Arabic digits), which are taken anywhere.  What is
assigned is what Python's Unicode has assigned.
"""

from __future__ import annotations

import unicodedata

from msrp.errors import InvalidNickname

__all__ = ["comparable_nickname", "enforce_nickname", "is_same_nickname"]

_MAX_ROUNDS = 4
"""How often the rules are applied until nothing changes, as normalization can make new
spaces; a string that still changes is refused (:rfc:`8266#section-2.3`)."""

_GENERAL = frozenset("LMNPS")
"""The first letters of the categories that are taken: all that can be seen."""

_JOINERS = "\u200c\u200d"
_VIRAMA = 9
"""The combining class after which a joiner may stand."""

_NOT_FREEFORM = (
    (0x034F, 0x034F),  # Combining grapheme joiner.
    (0x1100, 0x11FF),  # Old Hangul, ...
    (0xA960, 0xA97F),
    (0xD7B0, 0xD7FF),  # ... up to here.
    (0x17B4, 0x17B5),  # What else can't be seen, though it is letter or mark.
    (0x180B, 0x180F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)


def enforce_nickname(nickname: str) -> str:
    """Return a nickname as a room keeps and shows it.

    Raises:
        InvalidNickname: Nothing is left of it, or a character can't be in one.
    """
    return _until_stable(nickname, folds_case=False)


def comparable_nickname(nickname: str) -> str:
    """Return what is the same for nicknames that are the same.

    Raises:
        InvalidNickname: Nothing is left of it, or a character can't be in one.
    """
    return _until_stable(nickname, folds_case=True)


def is_same_nickname(one: str, other: str) -> bool:
    """Tell whether two nicknames are the same; one that is none is like no other."""
    try:
        return comparable_nickname(one) == comparable_nickname(other)
    except InvalidNickname:
        return False


def _until_stable(text: str, *, folds_case: bool) -> str:
    _check_class(text)
    for _ in range(_MAX_ROUNDS):
        before, text = text, _map_spaces(text)
        if folds_case:
            text = text.casefold()
        text = unicodedata.normalize("NFKC", text)
        if text == before:
            break
    else:
        raise InvalidNickname("it can't be brought into one form")
    if not text:
        raise InvalidNickname("it is empty")
    return text


def _map_spaces(text: str) -> str:
    plain = (" " if unicodedata.category(c) == "Zs" else c for c in text)
    return " ".join(filter(None, "".join(plain).split(" ")))


def _check_class(text: str) -> None:
    before = ""
    for character in text:
        if not _is_freeform(character, before):
            raise InvalidNickname("it has a character that nicknames can't have")
        before = character


def _is_freeform(character: str, before: str) -> bool:
    if character in _JOINERS:
        return bool(before) and unicodedata.combining(before) == _VIRAMA
    category = unicodedata.category(character)
    if category[0] not in _GENERAL and category != "Zs":
        return False
    number = ord(character)
    return not any(first <= number <= last for first, last in _NOT_FREEFORM)
