"""More about a call: blocks of additional data (:rfc:`7852`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mime
from markup import Element, parse_markup
from sip.errors import SipParseError
from sip.uri import Uri, parse_uri

__all__ = ["AdditionalData", "provided_by", "purpose_of_type"]

_PREFIX = "emergencycalldata."


@dataclass(frozen=True, slots=True)
class AdditionalData:
    """One block: who provides a service, what device it is, a comment and so on."""

    purpose: str
    """Such as ``"EmergencyCallData.ProviderInfo"``."""

    uri: Uri | None = None
    """What Call-Info or the location has for it; ``None`` if nothing refers to it."""

    part: mime.Part | None = None
    """The part of the body that it is in, if it came with the call."""

    value: bytes | None = None
    """The block itself, if it came with the call, else ``None``: it is to be had at
    :attr:`uri`, by HTTPS."""

    @property
    def kind(self) -> str:
        """The purpose without its prefix: ``"ProviderInfo"``."""
        return self.purpose.partition(".")[2]

    @property
    def by_value(self) -> bool:
        """Whether it came with the call."""
        return self.value is not None

    @property
    def element(self) -> Element | None:
        """The block as XML; ``None`` if it didn't come with the call.

        Raises:
            MarkupError: It isn't XML, which blocks of other kinds needn't be.
        """
        return None if self.value is None else parse_markup(self.value)


def is_additional_data(purpose: str | None) -> bool:
    """Tell whether that is what Call-Info has for such a block."""
    return purpose is not None and purpose.lower().startswith(_PREFIX)


def purpose_of_type(content_type: mime.ContentType) -> str | None:
    """Return the purpose that goes with a media type; ``None`` if it is another's.

    That of ``application/EmergencyCallData.Comment+xml`` is
    ``EmergencyCallData.Comment`` (:rfc:`7852#section-6.1`); media types are
    written in lower case here.
    """
    if content_type.type != "application":
        return None
    subtype = content_type.subtype.partition("+")[0]
    if not subtype.lower().startswith(_PREFIX):
        return None
    kind = subtype[len(_PREFIX) :]
    return f"EmergencyCallData.{_KINDS.get(kind.lower(), kind)}"


# How the registry spells the kinds.
_KINDS = {
    kind.lower(): kind
    for kind in (
        "ProviderInfo",
        "ServiceInfo",
        "DeviceInfo",
        "SubscriberInfo",
        "Comment",
        "Control",
        "VEDS",
    )
}


def provided_by(geopriv: Element) -> tuple[AdditionalData, ...]:
    """Read the blocks in the ``provided-by`` of a location (§6.2 and §6.3)."""
    return tuple(
        data
        for provider in geopriv.find_all("provided-by")
        for data in _read_provider(provider)
    )


def _read_provider(provider: Element) -> Iterator[AdditionalData]:
    for reference in provider.find_all("EmergencyCallDataReference"):
        purpose = reference.attributes.get("purpose", "")
        try:
            uri = parse_uri(reference.attributes.get("ref", "").strip())
        except SipParseError:
            continue
        if is_additional_data(purpose):
            yield AdditionalData(purpose, uri)
    for value in provider.find_all("EmergencyCallDataValue"):
        for block in value.children:
            if is_additional_data(block.name):
                yield AdditionalData(block.name, value=bytes(block))
