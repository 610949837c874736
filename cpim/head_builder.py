"""The headers of a message to send, as octets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from cpim.address import Address
from cpim.date_time import DateTime
from cpim.errors import CpimError
from cpim.escapes import escape
from cpim.grammar import is_header_name, is_name
from cpim.header_line import Parameters, header_line
from cpim.headers import CORE_NAMESPACE, Header

__all__ = ["AddressLike", "HeaderLike", "are_apart", "build_head"]

AddressLike = Address | str
"""An :class:`Address`, or text as in a header: ``Alice <sip:alice@example.com>``, or
just the URI."""

HeaderLike = Header | tuple[str, str]
"""A :class:`Header`, or a name and a value without escapes."""


def build_head(
    *,
    sender: AddressLike,
    to: AddressLike | Iterable[AddressLike],
    date_time: datetime | DateTime | None,
    cc: AddressLike | Iterable[AddressLike],
    subject: str | None,
    language: str | None,
    namespaces: Iterable[tuple[str, str]],
    require: Iterable[str],
    headers: Iterable[HeaderLike],
) -> bytes:
    """Return the header lines, without the blank one after them.

    Namespaces are declared after the core headers, lest they change what those
    mean, and before whatever may have their prefix.

    Raises:
        CpimError: An argument can't be written, or there is no recipient.
    """
    recipients = list(_addresses(to))
    if not recipients:
        raise CpimError("a message has at least one recipient")
    lines = [header_line("From", str(_address(sender)))]
    lines += (header_line("To", str(address)) for address in recipients)
    lines += (header_line("cc", str(address)) for address in _addresses(cc))
    if date_time is not None:
        if isinstance(date_time, datetime):
            date_time = DateTime.of(date_time)
        lines.append(_text_line("DateTime", date_time.raw))
    if subject is not None:
        tags = () if language is None else (("lang", language),)
        lines.append(_text_line("Subject", subject, tags))
    lines += (_namespace(prefix, uri) for prefix, uri in namespaces)
    if names := list(require):
        if not all(map(is_header_name, names)):
            raise CpimError("a required name has characters that it can't have")
        lines.append(_text_line("Require", ",".join(names)))
    lines += map(_header, headers)
    lines.append(b"")
    return b"\r\n".join(lines)


def are_apart(
    namespaces: Collection[tuple[str, str]], headers: Collection[HeaderLike]
) -> bool:
    """Tell whether headers are in namespaces of their own, declared along with them.

    Then they neither repeat a core header nor alter what one means.
    """
    prefixes = {prefix for prefix, uri in namespaces if uri != CORE_NAMESPACE}
    if len(prefixes) < len(namespaces):
        return False
    return all(_prefix_of(header) in prefixes for header in headers)


def _prefix_of(header: HeaderLike) -> str | None:
    """Return the prefix of a name, unless it looks as if the content began there."""
    if isinstance(header, Header) or header[0].lower().startswith("content-"):
        return None
    prefix, dot, _ = header[0].partition(".")
    return prefix if dot else None


def _text_line(name: str, text: str, parameters: Parameters = ()) -> bytes:
    return header_line(name, escape(text.strip(" ")), parameters)


def _header(header: HeaderLike) -> bytes:
    if isinstance(header, Header):
        # It may be made of anything: what isn't one line must not be sent.
        return bytes(Header.parse(bytes(header), strict=True))
    return bytes(Header.build(*header))


def _address(address: AddressLike) -> Address:
    return Address.parse(address) if isinstance(address, str) else address


def _addresses(
    addresses: AddressLike | Iterable[AddressLike],
) -> Iterator[Address]:
    if isinstance(addresses, Address | str):
        addresses = (addresses,)
    return map(_address, addresses)


def _namespace(prefix: str, uri: str) -> bytes:
    if not is_name(prefix):
        raise CpimError("a namespace prefix has characters that it can't have")
    # The prefix is written where an address has its name, in the same form.
    address = Address(uri, prefix)
    if "#" in uri:
        raise CpimError("the URI of a namespace can't have a fragment")
    return header_line("NS", str(address))
