"""What an emergency call brings.

Whatever an INVITE says about the caller, and whatever is in its body:

* it is read, and nothing is raised;
* every warning is in words of ours;
* every part of the body is there, and every location has its octets;
* what is made of it is in proportion to it.
"""

from __future__ import annotations

import contextlib

from sip.emergency import (
    Access,
    EmergencyCall,
    MarkupError,
    Pidf,
    call_back,
    parse_markup,
)
from sip.errors import LocalError, SipParseError
from sip.message import Request
from sip.wire import parse_message
from tests.fuzz.weight import weigh

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"INVITE urn:service:sos SIP/2.0\r\n",
    b"From: <sip:a@b>\r\n",
    b"To: <urn:service:sos.fire>\r\n",
    b"Geolocation: <cid:l@x>\r\n",
    b"Geolocation: <geo:1,2;u=3>, <pres:a@b>\r\n",
    b"Geolocation-Routing: yes\r\n",
    b"Call-Info: <cid:d@x>;purpose=EmergencyCallData.Comment\r\n",
    b"Call-Info: <urn:emergency:uid:callid:aaaaaaaaaa:b>;purpose=emergency-CallId\r\n",
    b"P-Asserted-Identity: <tel:+12025550123>\r\n",
    b"Resource-Priority: esnet.1\r\n",
    b"Content-Type: multipart/mixed;boundary=b\r\n\r\n",
    b"Content-Type: application/pidf+xml\r\nContent-ID: <l@x>\r\n\r\n",
    b"Content-Type: application/EmergencyCallData.Comment+xml\r\n\r\n",
    b"--b\r\n",
    b"\r\n--b--\r\n",
    b"<presence>",
    b"<tuple>",
    b"<device>",
    b"<geopriv>",
    b"<location-info>",
    b"<Circle><pos>1 2</pos><radius>3</radius></Circle>",
    b"<Polygon><LinearRing><posList>1 2 3 4 5 6 1 2</posList></LinearRing></Polygon>",
    b"<civicAddress><A1>x</A1></civicAddress>",
    b"<provided-by><EmergencyCallDataValue>",
    b"<EmergencyCallData.Comment>x</EmergencyCallData.Comment>",
    b"</geopriv></tuple></presence>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
    b"<![CDATA[",
)

WEIGHT_PER_OCTET, WEIGHT_OF_NOTHING = 600, 64 * 1024
"""Octets of memory: an element of four octets costs an object with a dictionary and
a list, and a value of a header field some hundred more."""


def fuzz(data: bytes) -> None:
    with contextlib.suppress(MarkupError):
        assert parse_markup(bytes(parse_markup(data))).name
    with contextlib.suppress(MarkupError):
        Pidf.parse(data)
    try:
        request = parse_message(data)
    except SipParseError:
        return
    if isinstance(request, Request):
        check(request, len(data))


def check(request: Request, size: int) -> None:
    call = EmergencyCall.from_request(request)
    assert all(warning.isprintable() for warning in call.warnings)
    assert bool(call.parts) is bool(request.body)
    for location in call.locations:
        assert (location.raw is None) is (location.part is None)
        assert location.access is not Access.UNKNOWN or location.warnings
    for identifier in call.identifiers:
        str(identifier.call_info)
    with contextlib.suppress(LocalError):
        call_back(call, "911", "psap.example")
    assert weigh(call) <= WEIGHT_OF_NOTHING + WEIGHT_PER_OCTET * size
