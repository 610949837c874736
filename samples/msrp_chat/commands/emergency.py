"""What makes a call a call for help: which service, and where the caller is."""

from __future__ import annotations

import datetime

import sip
from msrp_chat.command_line.options import CallOptions
from msrp_chat.events import HelpWanted
from sip.emergency import (
    Access,
    Circle,
    EmergencyCall,
    EmergencyDetails,
    Location,
    Point,
    Position,
    ServiceUrn,
    describe_emergency,
    write_pidf,
)

__all__ = ["describe_call", "help_wanted"]

_NOBODY = "pres:anonymous@anonymous.invalid"
"""Whose location it is, in the document: what is said of the caller is in the call."""


def describe_call(options: CallOptions, domain: str) -> EmergencyDetails:
    """Return what goes into the INVITE besides what is in any.

    That is nothing unless an emergency service is called, or a place was given.

    Args:
        options: What the command line says.
        domain: Ours, for the names of parts.
    """
    service = ServiceUrn.from_uri(sip.parse_uri(options.uri))
    for_help = service is not None and service.is_emergency
    if options.location is None and not for_help:
        return EmergencyDetails((), ())
    locations = [] if options.location is None else [_document(*options.location)]
    return describe_emergency(
        domain=domain, locations=locations, priority=1 if for_help else None
    )


def help_wanted(request: sip.Request) -> HelpWanted | None:
    """Return what a call for help brings; ``None`` if it is none."""
    emergency = EmergencyCall.from_request(request)
    if emergency.service is None and not emergency.locations:
        return None
    identifier = emergency.call_identifier
    return HelpWanted(
        service=None if emergency.service is None else str(emergency.service),
        test=emergency.is_test,
        locations=tuple(map(_words_for, emergency.locations)),
        languages=tuple(
            dict.fromkeys(tag for each in emergency.languages for tag in each.send)
        ),
        identifier=None if identifier is None else str(identifier.uri),
        warnings=emergency.warnings,
    )


def _document(latitude: float, longitude: float, radius: float | None) -> bytes:
    center = Position(latitude, longitude)
    now = datetime.datetime.now(datetime.UTC)
    return write_pidf(
        _NOBODY,
        shape=Point(center) if radius is None else Circle(center, radius),
        method="Manual",
        timestamp=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _words_for(location: Location) -> str:
    if location.access is not Access.VALUE:
        return f"by {location.access.value} at {location.uri}"
    places = [str(address) for address in location.addresses]
    for shape in location.shapes:
        center = shape.center
        around = f" ± {shape.radius:g} m" if isinstance(shape, Circle) else ""
        places.append(f"{center.latitude:g}, {center.longitude:g}{around}")
    return "; ".join(places) or "somewhere that can't be understood"
