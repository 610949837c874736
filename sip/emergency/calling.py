"""What a caller puts into an emergency call (:rfc:`6881`, :rfc:`6442`, :rfc:`7852`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import mime
from sip.emergency.identifiers import EmergencyIdentifier
from sip.emergency.pidf import PIDF_TYPE
from sip.errors import LocalError
from sip.fields import CallInfo, ResourcePriority
from sip.name_addr import NameAddr
from sip.uri import Uri, parse_uri

__all__ = ["DataBlock", "EmergencyDetails", "describe_emergency"]

BY_REFERENCE = "by-reference;handling=optional"
"""How a location or a block of data is to be treated: as whatever refers to it says,
and not at all where that isn't known (:rfc:`7852#section-6.4`)."""


@dataclass(frozen=True, slots=True)
class DataBlock:
    """A block of additional data to send (:rfc:`7852`)."""

    kind: str
    """``"ProviderInfo"``, ``"DeviceInfo"``, ``"Comment"`` and so on."""

    value: bytes | Uri
    """The block, or the ``https:`` URI where it is to be had."""

    content_type: str | None = None
    """The media type, if it isn't ``application/EmergencyCallData.…+xml``."""

    @property
    def purpose(self) -> str:
        """What Call-Info has for it."""
        return f"EmergencyCallData.{self.kind}"


@dataclass(frozen=True, slots=True)
class EmergencyDetails:
    """What goes into the INVITE of an emergency call besides what is in any.

    ::

        call = await agent.invite(
            "urn:service:sos", media=media, headers=details.headers, parts=details.parts
        )
    """

    headers: tuple[tuple[str, str], ...]
    parts: tuple[mime.Part, ...]


def describe_emergency(
    *,
    domain: str,
    locations: Iterable[bytes | Uri | str] = (),
    data: Iterable[DataBlock] = (),
    identifiers: Iterable[EmergencyIdentifier] = (),
    routing: bool | None = True,
    priority: int | None = 1,
    new_content_id: Callable[[str], str] = mime.new_content_id,
) -> EmergencyDetails:
    """Make what an emergency call brings.

    Args:
        domain: Our domain, for the names of the parts.
        locations: Location documents, see :func:`~sip.emergency.write_pidf`, and
            URIs where locations are to be had, the best first.
        data: Blocks of data about the call.
        identifiers: What the call and the incident are called, if they are.
        routing: Whether proxies may use the location to route the call; ``None``
            says nothing.
        priority: 0 to 4, in the namespace ``esnet``: a call for help has 1; ``None``
            leaves it to the network.
        new_content_id: Makes the name of a part for a domain.

    Raises:
        LocalError: A URI isn't one, or a block by reference isn't at ``https:``, or
            the priority isn't 0 to 4.
        MimeError: The domain can't be part of a name.
    """
    composer = _Composer(domain, new_content_id)
    composer.add_locations(list(locations), routing)
    for block in data:
        composer.add_block(block)
    for identifier in identifiers:
        composer.headers.append(("Call-Info", str(identifier.call_info)))
    if priority is not None:
        if priority not in range(5):
            raise LocalError("a priority of esnet is between 0 and 4")
        value = ResourcePriority("esnet", str(priority))
        composer.headers.append(("Resource-Priority", str(value)))
    return EmergencyDetails(tuple(composer.headers), tuple(composer.parts))


class _Composer:
    """Gathers header fields and the parts that they point at."""

    def __init__(self, domain: str, new_content_id: Callable[[str], str]) -> None:
        self.headers: list[tuple[str, str]] = []
        self.parts: list[mime.Part] = []
        self._domain = domain
        self._new_content_id = new_content_id

    def add_locations(
        self, locations: list[bytes | Uri | str], routing: bool | None
    ) -> None:
        if not locations:
            return  # Nor is there anything to route by.
        values = [
            self._add_part(PIDF_TYPE, location)
            if isinstance(location, bytes)
            else _checked_uri(location)
            for location in locations
        ]
        addresses = ", ".join(str(NameAddr(None, uri)) for uri in values)
        self.headers.append(("Geolocation", addresses))
        if routing is not None:
            self.headers.append(("Geolocation-Routing", "yes" if routing else "no"))
        self.headers += (("Supported", tag) for tag in _option_tags(values))

    def add_block(self, block: DataBlock) -> None:
        if isinstance(block.value, bytes):
            content_type = block.content_type or f"application/{block.purpose}+xml"
            uri = self._add_part(content_type, block.value)
        else:
            uri = block.value
            if uri.scheme != "https":
                raise LocalError("a block of data by reference is at an https: URI")
        info = CallInfo(uri, (("purpose", block.purpose),))
        self.headers.append(("Call-Info", str(info)))

    def _add_part(self, content_type: str, content: bytes) -> Uri:
        content_id = self._new_content_id(self._domain)
        headers = [
            ("Content-Type", content_type),
            ("Content-ID", f"<{content_id}>"),
            ("Content-Disposition", BY_REFERENCE),
        ]
        self.parts.append(mime.Part(tuple(headers), content))
        return parse_uri(mime.cid_url(content_id))


def _checked_uri(location: Uri | str) -> Uri:
    if not isinstance(location, str):
        return location
    try:
        return parse_uri(location)
    except ValueError as exc:
        raise LocalError("a location is no URI") from exc


def _option_tags(uris: list[Uri]) -> Iterator[str]:
    """Yield the tags for where locations are to be had (RFC 6442 §4.4)."""
    schemes = {uri.scheme for uri in uris}
    if schemes & {"sip", "sips", "pres"}:
        yield "geolocation-sip"
    if schemes & {"http", "https"}:
        yield "geolocation-http"
