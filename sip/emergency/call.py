"""What an emergency call brings, as a console needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import mime
import sdp
from sip.emergency.additional_data import (
    AdditionalData,
    is_additional_data,
    purpose_of_type,
)
from sip.emergency.body import Body
from sip.emergency.caller import check_identities, is_dialable
from sip.emergency.identifiers import EmergencyIdentifier, IdentifierKind
from sip.emergency.lenient import read_values
from sip.emergency.location import Location, is_pidf, read_location
from sip.emergency.service import ServiceUrn
from sip.errors import SipParseError
from sip.fields import CallInfo, GeolocationError, HistoryInfo, ResourcePriority
from sip.fields.geolocation import parse_geolocation_routing
from sip.media import find_session_description
from sip.message import Request
from sip.name_addr import NameAddr

__all__ = ["EmergencyCall", "service_of"]

T = TypeVar("T")


def service_of(request: Request) -> ServiceUrn | None:
    """Return the emergency service that a request asks for, or ``None``.

    It is in the Request-URI; where a proxy has put the PSAP there, in To or in
    History-Info.
    """
    uris = []
    try:
        uris.append(request.uri)
    except SipParseError:
        pass
    for name in ("To", "History-Info"):
        parse = NameAddr.parse if name == "To" else _history_address
        uris += [value.uri for value in read_values(request.headers, name, parse)[0]]
    services = (ServiceUrn.from_uri(uri) for uri in uris)
    return next((found for found in services if found and found.is_emergency), None)


def _history_address(text: str) -> NameAddr:
    return HistoryInfo.parse(text).address


def _parse_reference(text: str) -> NameAddr:
    """Read a value of Geolocation, even without the angle brackets."""
    if "<" in text:
        return NameAddr.parse(text)
    info = CallInfo.parse(text)
    return NameAddr(None, info.uri, info.parameters)


@dataclass(frozen=True, slots=True)
class EmergencyCall:
    """What came with a call for help, each thing as far as it can be understood.

    Nothing that is wrong with it raises an error: it is in :attr:`warnings`.
    """

    service: ServiceUrn | None
    """Which service it asks for; ``None`` if it doesn't call one by name."""

    locations: tuple[Location, ...]
    """Where the caller is, in the order of Geolocation; after these what was found
    in the body although Geolocation doesn't name it."""

    routing_by_location: bool | None
    """What Geolocation-Routing says; ``None`` if it doesn't say."""

    data: tuple[AdditionalData, ...]
    """More about the call: those that Call-Info names, those of the access networks
    that the locations name, those that were only found in the body."""

    identifiers: tuple[EmergencyIdentifier, ...]
    """What the call and the incident are called, to be copied into whatever
    concerns the same call."""

    call_infos: tuple[CallInfo, ...]
    """All values of Call-Info, those above included."""

    identities: tuple[NameAddr, ...]
    """Who calls, the most trustworthy first: P-Asserted-Identity, then From."""

    priority: int | None
    """0 to 4 of the namespace ``esnet``; ``None`` if it has none (:rfc:`7135`)."""

    languages: tuple[sdp.Languages, ...]
    """Of each stream that is offered (:rfc:`8373`)."""

    parts: tuple[mime.Part, ...]
    """The parts of the body at all depths, those of no known type included."""

    warnings: tuple[str, ...]
    """What is wrong with the call, in words for a log."""

    @classmethod
    def from_request(
        cls, request: Request, *, trusts_peer: bool = True
    ) -> EmergencyCall:
        """Read an INVITE, or another request that may bring the same.

        Args:
            request: The request.
            trusts_peer: Whether to believe P-Asserted-Identity: the peer is an
                element of our network, such as the proxy that routes calls to a
                PSAP, and asserts nothing that it doesn't know
                (:rfc:`3325#section-8`).
        """
        return _Reader(request).read(trusts_peer=trusts_peer)

    @property
    def is_test(self) -> bool:
        """Whether it is a test call: :attr:`service` is ``test.sos``."""
        return self.service is not None and self.service.is_test

    @property
    def call_identifier(self) -> EmergencyIdentifier | None:
        """What the call is called."""
        return self._identifier(IdentifierKind.CALL)

    @property
    def incident_identifier(self) -> EmergencyIdentifier | None:
        """What the incident is called."""
        return self._identifier(IdentifierKind.INCIDENT)

    @property
    def callback_address(self) -> NameAddr | None:
        """Whom to call to reach the caller again; ``None`` if nobody can be."""
        return next((who for who in self.identities if is_dialable(who.uri)), None)

    @property
    def geolocation_error(self) -> GeolocationError | None:
        """What to tell the sender of a location that was no good, in a 2xx.

        An emergency call isn't refused with 424 for that
        (:rfc:`6442#section-4.3` lets any response have it).  ``None`` if nothing is
        wrong with a location, or Geolocation named none.
        """
        named = (found for found in self.locations if found.reference is not None)
        if not any(location.warnings for location in named):
            return None
        return GeolocationError.build(100, "Cannot Process Location")

    def _identifier(self, kind: IdentifierKind) -> EmergencyIdentifier | None:
        return next((found for found in self.identifiers if found.kind is kind), None)


class _Reader:
    """Reads a request, and gathers what is wrong with it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._body = Body(request)
        self._warnings = list(self._body.warnings)

    def read(self, *, trusts_peer: bool) -> EmergencyCall:
        """Read all of it."""
        call_infos = self._values("Call-Info", CallInfo.parse)
        locations = tuple(self._read_locations())
        return EmergencyCall(
            service=service_of(self._request),
            locations=locations,
            routing_by_location=self._read_routing(),
            data=tuple(self._read_data(call_infos, locations)),
            identifiers=tuple(self._read_identifiers(call_infos)),
            call_infos=tuple(call_infos),
            identities=tuple(self._read_identities(trusts_peer=trusts_peer)),
            priority=self._read_priority(),
            languages=self._read_languages(),
            parts=self._body.parts,
            warnings=tuple(dict.fromkeys(self._warnings)),
        )

    def _values(self, name: str, parse: Callable[[str], T]) -> list[T]:
        values, warnings = read_values(self._request.headers, name, parse)
        self._warnings += warnings
        return values

    def _read_locations(self) -> Iterator[Location]:
        for reference in self._values("Geolocation", _parse_reference):
            location = read_location(reference, self._body.resolve(reference.uri))
            self._warnings += location.warnings
            yield location
        for part in filter(is_pidf, self._body.unused()):
            location = read_location(None, part)
            self._warnings += location.warnings
            yield location

    def _read_routing(self) -> bool | None:
        values = self._request.headers.get_all("Geolocation-Routing")
        if len(values) > 1:
            self._warnings.append("Geolocation-Routing is there more than once")
        return parse_geolocation_routing(values[0]) if values else None

    def _read_data(
        self, call_infos: list[CallInfo], locations: tuple[Location, ...]
    ) -> Iterator[AdditionalData]:
        for info in call_infos:
            purpose = info.purpose
            if purpose is not None and is_additional_data(purpose):
                yield self._read_block(purpose, info)
        for location in locations:
            for found in () if location.pidf is None else location.pidf.locations:
                yield from found.data
        for part in self._body.unused():
            purpose = purpose_of_type(part.content_type)
            if purpose is not None:
                text = "a block of data is in the body, but Call-Info doesn't say so"
                self._warnings.append(text)
                yield AdditionalData(purpose, None, part, part.content)

    def _read_block(self, purpose: str, info: CallInfo) -> AdditionalData:
        part = self._body.resolve(info.uri)
        if part is None and info.uri.scheme == "cid":
            text = "a block of data isn't in the body, where its cid: URI points"
            self._warnings.append(text)
        return AdditionalData(
            purpose, info.uri, part, None if part is None else part.content
        )

    def _read_identifiers(
        self, call_infos: list[CallInfo]
    ) -> Iterator[EmergencyIdentifier]:
        for info in call_infos:
            found = EmergencyIdentifier.from_call_info(info)
            if found is not None:
                if found.problem is not None:
                    text = f"an identifier of the {found.kind.name.lower()} is odd"
                    self._warnings.append(f"{text}: {found.problem}")
                yield found

    def _read_identities(self, *, trusts_peer: bool) -> Iterator[NameAddr]:
        if trusts_peer:
            asserted = self._values("P-Asserted-Identity", NameAddr.parse)
            problem = check_identities(asserted)
            if problem is not None:
                self._warnings.append(problem)
            yield from asserted
        try:
            yield self._request.from_.without_parameter("tag")
        except SipParseError as exc:
            self._warnings.append(str(exc))

    def _read_priority(self) -> int | None:
        values = self._values("Resource-Priority", ResourcePriority.parse)
        return next((v.esnet for v in values if v.esnet is not None), None)

    def _read_languages(self) -> tuple[sdp.Languages, ...]:
        try:
            offer = find_session_description(self._request)
        except sdp.SdpError as exc:
            self._warnings.append(f"the session description is malformed: {exc}")
            return ()
        except SipParseError as exc:
            self._warnings.append(str(exc))
            return ()
        return () if offer is None else tuple(map(sdp.languages_of, offer.media))
