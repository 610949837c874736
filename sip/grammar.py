"""The pieces of grammar that header fields share (:rfc:`3261#section-25.1`).

Everything here takes time proportional to the length of its input: the regular
expressions repeat possessively, over classes that don't overlap.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from sip.errors import SipParseError

__all__ = [
    "MAX_PORT",
    "WSP",
    "end_of_quoted_string",
    "is_one_line",
    "is_token",
    "list_elements",
    "parse_host",
    "parse_host_port",
    "parse_number",
    "quote",
    "split_list",
    "unquote",
]

WSP = " \t"
"""What is left of linear white space once a header field is unfolded."""

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]++")

# quoted-string = DQUOTE *(qdtext / quoted-pair) DQUOTE
_QUOTED_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)

_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

# Control characters are legal in a quoted-pair only; CR and LF not even there.
_NEEDS_BACKSLASH = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f"\\]')

_STOPS = {",": re.compile(r'[",<]'), ";": re.compile(r'[";<]')}

# RFC 3261 has no "_" in a host name, but names with it are in use.
_HOST_NAME = re.compile(r"[A-Za-z0-9_.\-]++")

_IPV6_CHARACTERS = re.compile(r"[0-9A-Fa-f:.]++")

MAX_PORT = 65535
"""The highest port number there is."""


# NUL is legal in a quoted-pair (RFC 4475 §3.1.1.2), and nowhere else.
_NEVER_IN_A_LINE = re.compile(r"[\r\n]|(?<!\\)\x00")


def is_one_line(text: str) -> bool:
    """Tell whether ``text`` may stand in a line without ending it.

    CR and LF end a line; NUL does so for readers written in C.
    """
    return _NEVER_IN_A_LINE.search(text) is None


def is_token(text: str) -> bool:
    """Tell whether ``text`` is one token."""
    return _TOKEN.fullmatch(text) is not None


def parse_number(text: str, maximum: int) -> int | None:
    """Read decimal digits; leading zeros don't matter.

    Returns:
        The number, or ``None`` if it is more than ``maximum``.

    Raises:
        SipParseError: There is something else than digits, or nothing.
    """
    if not (text.isascii() and text.isdigit()):
        raise SipParseError("not a number")
    if len(text) > _SHORT and len(text) > len(str(maximum)):
        # Leading zeros are legal, and int() must not see thousands of digits.
        text = text.lstrip("0") or "0"
        if len(text) > len(str(maximum)):
            return None
    number = int(text)
    return number if number <= maximum else None


_SHORT = 10  # No number is too long for int(), nor any for whoever asks.


def end_of_quoted_string(text: str, start: int) -> int:
    """Find the end of the quoted string that opens at ``start``.

    Returns:
        The offset after the closing quote.

    Raises:
        SipParseError: It is never closed.
    """
    match = _QUOTED_STRING.match(text, start)
    if match is None:
        raise SipParseError("a quoted string isn't closed")
    return match.end()


def unquote(text: str) -> str:
    """Give what a quoted string says; ``text`` includes the quotes."""
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def quote(text: str) -> str:
    """Write ``text`` as a quoted string."""
    return f'"{_NEEDS_BACKSLASH.sub(lambda match: chr(92) + match[0], text)}"'


def split_list(text: str, separator: str) -> list[str]:
    """Split at each ``separator`` outside quoted strings and ``<…>``.

    Args:
        text: An unfolded value.
        separator: A comma or a semicolon.

    Returns:
        The parts in order without the white space around them; a part may be
        empty.

    Raises:
        SipParseError: A quoted string or a ``<`` isn't closed before a
            separator.
    """
    if separator not in text:
        return [text.strip(WSP)]
    if '"' not in text and "<" not in text:
        return [part.strip(WSP) for part in text.split(separator)]
    parts: list[str] = []
    start = at = 0
    search = _STOPS[separator].search
    while (match := search(text, at)) is not None:
        here = match.start()
        if match[0] == separator:
            parts.append(text[start:here].strip(WSP))
            start = at = here + 1
        elif match[0] == '"':
            at = end_of_quoted_string(text, here)
        else:
            at = text.find(">", here) + 1
            if at == 0:
                raise SipParseError("a < isn't closed")
    parts.append(text[start:].strip(WSP))
    return parts


def list_elements(lines: Iterable[str]) -> list[str]:
    """Give the elements of comma-separated lines, in order; empty ones are left out.

    Raises:
        SipParseError: A quoted string or a ``<`` isn't closed.
    """
    return [element for line in lines for element in split_list(line, ",") if element]


def parse_host(text: str) -> str:
    """Read a host name, an IPv4 address or an IPv6 reference.

    Returns:
        The host as it was spelled, an IPv6 address without its brackets.

    Raises:
        SipParseError: It is none of these.
    """
    if _HOST_NAME.fullmatch(text) is not None:
        return text
    if not (text.startswith("[") and text.endswith("]")):
        raise SipParseError("not a host")
    # The grammar of RFC 3261 produces three colons before an embedded IPv4
    # address; RFC 5118 §4.10 asks to bear with it.
    address = text[1:-1].replace(":::", "::")
    if _IPV6_CHARACTERS.fullmatch(address) is None or not _is_ipv6(address):
        raise SipParseError("not an IPv6 address")
    return address


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read ``host[:port]``; white space around the colon is let pass.

    Raises:
        SipParseError: The host or the port isn't one.
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return parse_host(text), None
    number = parse_number(port.strip(WSP), MAX_PORT)
    if number is None:
        raise SipParseError("the port is above 65535")
    return parse_host(host.rstrip(WSP)), number


def _is_ipv6(address: str) -> bool:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
