"""Emergency calls: what they bring, and what to make them of.

A console reads an INVITE as an :class:`EmergencyCall`::

    @agent.on_invite
    async def ring(call):
        emergency = EmergencyCall.from_request(call.request)
        for location in emergency.locations:
            print(location.access, location.shapes, location.addresses)
        await call.answer([...])

The rule here is that nothing a caller, or a network in between, got wrong costs the
call, or hides what is right: :meth:`EmergencyCall.from_request` raises nothing, gives
each thing as octets and, where they can be understood, as values, and says in
``warnings`` what is amiss.  :data:`NEVER_FOR_EMERGENCIES` are the answers such a call
doesn't get.

What comes by reference is named and not fetched; whom to ask is
:attr:`Location.access`.  XML is read without entities and within limits, see
:mod:`markup`.

The other way round, :func:`describe_emergency` makes what a caller puts into such a
call, :func:`call_back` what a PSAP puts into the call that returns it, and
:func:`transfer_target` whom it says when it hands the call on.
"""

from __future__ import annotations

from markup import Element, MarkupError, parse_markup
from sip.emergency.additional_data import AdditionalData
from sip.emergency.call import EmergencyCall, service_of
from sip.emergency.callback import PSAP_CALLBACK, Callback, call_back
from sip.emergency.caller import is_dialable, telephone_number
from sip.emergency.calling import DataBlock, EmergencyDetails, describe_emergency
from sip.emergency.civic import CivicAddress
from sip.emergency.identifiers import (
    EmergencyIdentifier,
    IdentifierKind,
    identifiers_in,
)
from sip.emergency.location import Access, Location
from sip.emergency.pidf import PIDF_TYPE, LocationObject, Pidf, write_pidf
from sip.emergency.policy import (
    EMERGENCY_CONTENT_TYPES,
    NEVER_FOR_EMERGENCIES,
    may_refuse,
)
from sip.emergency.service import EMERGENCY_SERVICES, ServiceUrn
from sip.emergency.shapes import (
    ArcBand,
    Circle,
    Ellipse,
    Ellipsoid,
    Point,
    Polygon,
    Position,
    Prism,
    Shape,
    Sphere,
)
from sip.emergency.transfer import transfer_target

__all__ = [
    "EMERGENCY_CONTENT_TYPES",
    "EMERGENCY_SERVICES",
    "NEVER_FOR_EMERGENCIES",
    "PIDF_TYPE",
    "PSAP_CALLBACK",
    "Access",
    "AdditionalData",
    "ArcBand",
    "Callback",
    "Circle",
    "CivicAddress",
    "DataBlock",
    "Element",
    "Ellipse",
    "Ellipsoid",
    "EmergencyCall",
    "EmergencyDetails",
    "EmergencyIdentifier",
    "IdentifierKind",
    "Location",
    "LocationObject",
    "MarkupError",
    "Pidf",
    "Point",
    "Polygon",
    "Position",
    "Prism",
    "ServiceUrn",
    "Shape",
    "Sphere",
    "call_back",
    "describe_emergency",
    "identifiers_in",
    "is_dialable",
    "may_refuse",
    "parse_markup",
    "service_of",
    "telephone_number",
    "transfer_target",
    "write_pidf",
]
