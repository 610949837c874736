"""Who calls, and whether they can be called back (NENA-STA-010, 4.20)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri, Uri

__all__ = ["check_identities", "is_dialable", "telephone_number"]

_SEPARATORS = re.compile(r"[\-.() ]")
_NUMBER = re.compile(r"\+?+[0-9]{3,15}")

# Telephones that have no number, which call from "911" and seven more digits.
_NO_NUMBER = re.compile(r"(?:\+?1)?911[0-9]{7}")

_NOBODY = frozenset({"anonymous", "restricted", "unavailable", "unknown"})


def telephone_number(uri: Uri) -> str | None:
    """Return the telephone number of a URI without separators, or ``None``.

    It may be a ``tel:`` URI, or a SIP URI with ``user=phone`` or whose user part is
    a number.
    """
    if isinstance(uri, OtherUri):
        text = uri.rest if uri.scheme == "tel" else ""
    else:
        text = uri.user or ""
    number = _SEPARATORS.sub("", text.partition(";")[0])
    return number if _NUMBER.fullmatch(number) is not None else None


def is_dialable(uri: Uri) -> bool:
    """Tell whether a call to a URI can reach who calls from there.

    A number of 911 and seven more digits stands for a telephone that has none, and
    ``anonymous.invalid`` for somebody who doesn't say.
    """
    number = telephone_number(uri)
    if number is not None:
        return _NO_NUMBER.fullmatch(number) is None
    if not isinstance(uri, SipUri):
        return False
    host = uri.host.lower().rstrip(".")
    if host == "invalid" or host.endswith(".invalid"):
        return False
    return bool(uri.user) and (uri.user or "").lower() not in _NOBODY


def check_identities(identities: Sequence[NameAddr]) -> str | None:
    """Return what is wrong with the values of P-Asserted-Identity, in words.

    There may be one, or two of which one is a ``tel:`` URI
    (:rfc:`3325#section-9.1`).
    """
    schemes = [address.uri.scheme for address in identities]
    if any(scheme not in ("sip", "sips", "tel") for scheme in schemes):
        return "an asserted identity is neither a SIP URI nor a telephone number"
    if len(schemes) > 2 or (len(schemes) == 2 and schemes.count("tel") != 1):
        return "there are too many asserted identities"
    return None
