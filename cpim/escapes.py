r"""The ``\`` escapes of CPIM headers (:rfc:`3862#section-2.3`).

They stand for characters, not for octets, and are there before UTF-8 is made of
the text: no header holds a control character, so its line can be found without
knowing anything of its content.
"""

from __future__ import annotations

import re

__all__ = ["escape", "unescape"]

_NAMED = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\"}
_CONTROLS = [*map(chr, range(0x20)), "\x7f"]
_ANYWHERE = str.maketrans({c: rf"\u{ord(c):04X}" for c in _CONTROLS} | _NAMED)
_IN_STRING = _ANYWHERE | str.maketrans({'"': r"\""})

_NAMED_BACK = {"b": "\b", "t": "\t", "n": "\n", "r": "\r"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.)|\Z)", re.DOTALL)


def escape(text: str, *, in_string: bool = False) -> str:
    """Return the text with what must be escaped escaped, and nothing else.

    Args:
        text: Any text.
        in_string: It will stand between double quotes.
    """
    return text.translate(_IN_STRING if in_string else _ANYWHERE)


def unescape(text: str) -> str:
    r"""Return the text that an escaped one stands for.

    An escape that isn't known stands for the character after the backslash, a
    lone backslash at the end for nothing.  ``\u`` is for UCS-2: two of them may
    make one character beyond it, and half a pair makes ``U+FFFD``.
    """
    plain = _ESCAPE.sub(_replacement, text) if "\\" in text else text
    if plain.isascii():
        return plain
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _replacement(match: re.Match[str]) -> str:
    if match[1] is not None:
        return chr(int(match[1], 16))
    return _NAMED_BACK.get(match[2], match[2]) if match[2] is not None else ""
