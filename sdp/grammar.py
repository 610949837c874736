"""What every line is made of: characters, words, numbers (:rfc:`8866#section-9`).

Text is ``str``.  Octets that aren't UTF-8 are held as lone surrogates
(``surrogateescape``), and so survive the way in and out unharmed
(:rfc:`8866#section-5`: a text field may be in any character set).

No check here looks at a character twice, and none is a regular expression.
"""

from __future__ import annotations

import string

from sdp.errors import SdpError

__all__ = [
    "DIGITS",
    "check_media",
    "check_number",
    "check_text",
    "check_word",
    "encode",
    "fields",
    "is_token",
    "number",
]

MAX_DIGITS = 64
"""How long a number may be: RFC 8866 sets no end to them, RFC 3264 §5 asks for 63
bits (19 digits), and reading a decimal number takes more than linear time."""

MAX_PORT = 65535

DIGITS = string.digits
"""What a number is made of.  ``str.isdigit`` would take Devanagari too."""

_END_OF_NUMBERS = 10**MAX_DIGITS
_TOKEN_CHARS = string.ascii_letters + string.digits + "!#$%&'*+-.^_`{|}~"
_CONTROLS = frozenset(map(chr, [*range(0x21), 0x7F]))


def is_token(text: str) -> bool:
    """Tell whether ``text`` is a token: letters, digits and most punctuation."""
    # strip() stops at the first character that isn't one of these, so that it
    # leaves nothing exactly if there is none; it is the fastest test there is.
    return text != "" and not text.strip(_TOKEN_CHARS)


def check_text(text: str, what: str) -> None:
    """Refuse what no line can hold.

    Raises:
        SdpError: ``text`` is empty, has a NUL, CR or LF in it, or a character
            that has no octets.
    """
    if not text:
        raise SdpError(f"{what} is empty")
    if "\n" in text or "\r" in text or "\0" in text:
        raise SdpError(f"{what} holds NUL, CR or LF")
    if not text.isascii():
        encode(text)


def check_word(text: str, what: str) -> None:
    """Refuse what isn't a non-ws-string.

    Raises:
        SdpError: ``text`` is empty or has white space or a control in it.
    """
    check_text(text, what)
    if not _CONTROLS.isdisjoint(text):
        raise SdpError(f"{what} holds white space or a control character")


def encode(text: str) -> bytes:
    """Give the octets of ``text``, the original ones where it isn't UTF-8.

    Raises:
        SdpError: It holds a surrogate that stands for no octet.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise SdpError("a character has no octets in UTF-8") from None


def number(digits: str, what: str) -> int:
    """Read a decimal number without a sign.

    Raises:
        SdpError: It isn't one, or has more than :data:`MAX_DIGITS` digits.
    """
    if not digits or digits.strip(DIGITS):
        raise SdpError(f"{what} is not a number")
    if len(digits) > MAX_DIGITS:
        raise SdpError(f"{what} has more than {MAX_DIGITS} digits")
    return int(digits)


def check_number(value: int, what: str, least: int = 0) -> None:
    """Refuse a number that is too small, or too long to be read back.

    Raises:
        SdpError: It is.
    """
    if not least <= value < _END_OF_NUMBERS:
        raise SdpError(f"{what} is out of range")


def fields(value: str, count: int, what: str) -> list[str]:
    """Split at single spaces into exactly ``count`` fields.

    Raises:
        SdpError: There are more or fewer.
    """
    found = value.split(" ")
    if len(found) != count:
        raise SdpError(f"{what} has not {count} fields")
    return found


def check_media(
    media: str, port: int, proto: str, formats: tuple[str, ...], count: int | None
) -> None:
    """Check the fields of an ``m=`` line (:rfc:`8866#section-5.14`).

    Raises:
        SdpError: One of them breaks the grammar, or no such port exists.
    """
    if not is_token(media):
        raise SdpError("the media type is not a token")
    if not 0 <= port <= MAX_PORT:
        raise SdpError("the port is out of range")
    if count is not None:
        check_number(count, "the number of ports", 1)
    if not all(map(is_token, proto.split("/"))):
        raise SdpError("the protocol is not made of tokens")
    if not formats:
        raise SdpError("an m= line has no format")
    if not all(map(is_token, formats)):
        raise SdpError("a format is not a token")
