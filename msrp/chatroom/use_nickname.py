"""The header field ``Use-Nickname`` (:rfc:`7701#section-7.1`)."""

from __future__ import annotations

import re

from msrp.errors import InvalidNickname

__all__ = ["MAX_NICKNAME", "read_use_nickname", "write_use_nickname"]

MAX_NICKNAME = 1023
"""Octets of a nickname in UTF-8, without quotes and escapes."""

# Any two of the alternatives begin differently, so this takes linear time.
_QUOTED = re.compile(r'"((?:[\t !#-\[\]-~\x80-\U0010ffff]|\\[\\"])*)"')
_ESCAPED = re.compile(r"\\(.)")
_TO_ESCAPE = re.compile(r'[\\"]')
_TEXT = re.compile(r"[\t -~\x80-\U0010ffff]*")


def write_use_nickname(nickname: str) -> str:
    """Return the value that asks for a nickname.

    Args:
        nickname: As it is to be shown; empty to have none any more
            (:rfc:`7701#section-7.3`).

    Raises:
        InvalidNickname: It is too long, or can't be written.
    """
    if not isinstance(nickname, str):
        raise TypeError(f"a nickname is a str, not {type(nickname).__name__}")
    _check(nickname)
    return '"' + _TO_ESCAPE.sub(r"\\\g<0>", nickname) + '"'


def read_use_nickname(value: str) -> str:
    """Return the nickname that a value asks for; empty if it is to be removed.

    Raises:
        InvalidNickname: It isn't a quoted string, or is too long.
    """
    match = _QUOTED.fullmatch(value)
    if match is None:
        raise InvalidNickname("it isn't a quoted string")
    nickname = _ESCAPED.sub(r"\1", match[1])
    _check(nickname)
    return nickname


def _check(nickname: str) -> None:
    if _TEXT.fullmatch(nickname) is None:
        raise InvalidNickname("it has a control character")
    try:
        octets = nickname.encode()
    except UnicodeEncodeError:
        raise InvalidNickname("it has half of a surrogate pair") from None
    if len(octets) > MAX_NICKNAME:
        raise InvalidNickname(f"it is longer than {MAX_NICKNAME} octets")
