"""When two SIP URIs mean the same (:rfc:`3261#section-19.1.4`).

The functions take the parts of a URI as they are escaped on the wire, since an
escaped reserved character isn't the same as an unescaped one.
:meth:`sip.uri.SipUri.equals` puts them together.
"""

from __future__ import annotations

import ipaddress
import re

from sip.parameters import Parameters

__all__ = ["headers_key", "host_key", "normalise", "parameters_match"]

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"
)

# Parameters that never match when only one of two URIs has them (§19.1.4).
_DECISIVE_PARAMETERS = frozenset({"user", "ttl", "method", "maddr", "transport"})


def normalise(text: str) -> str:
    """Undo the escapes that make no difference, and only these."""
    return _ESCAPE.sub(_normalise_escape, text) if "%" in text else text


def _normalise_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def host_key(host: str) -> str:
    """Give what all spellings of a host have in common.

    An IPv6 address has many (:rfc:`5954#section-4.2`).
    """
    return str(ipaddress.IPv6Address(host)) if ":" in host else host.lower()


def parameters_match(one: Parameters, other: Parameters) -> bool:
    """Tell whether the parameters of two URIs let them be equivalent."""
    ours, theirs = _parameters_key(one), _parameters_key(other)
    return all(
        ours[name] == theirs[name]
        if name in ours and name in theirs
        else name not in _DECISIVE_PARAMETERS
        for name in ours.keys() | theirs.keys()
    )


def _parameters_key(parameters: Parameters) -> dict[str, str | None]:
    return {
        normalise(name).lower(): None if value is None else normalise(value).lower()
        for name, value in parameters
    }


def headers_key(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Give what the headers of equivalent URIs have in common."""
    return sorted((normalise(n).lower(), normalise(v).lower()) for n, v in headers)
