"""Whole SIP messages, and the values in their header fields.

Whatever the octets are:

* they are a message or a :exc:`SipParseError`; so is every value that is asked for;
* a message can be written and reads back equal, and so does each of its values;
* a request can be answered, even one that is malformed, as long as there is one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.message import Message, Request, Response, response_to
from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri, parse_uri
from sip.via import Via
from sip.wire import parse_message

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"INVITE sip:bob@b.example SIP/2.0\r\n",
    b"OPTIONS urn:service:sos SIP/2.0\r\n",
    b"SIP/2.0 180 Ringing\r\n",
    b"Via: SIP/2.0/UDP a.example;branch=z9hG4bK1;rport\r\n",
    b'v: SIP / 2.0 / TLS [::1]:5061;received="[::1]"\r\n',
    b'From: "A \\" B" <sip:a@b>;tag=1\r\n',
    b"To: sip:c@d;tag=x\r\n",
    b"Call-ID: 1@a\r\n",
    b"CSeq: 1 INVITE\r\n",
    b"Contact: <sip:a:5060;transport=tcp;lr?x=y%20z>;q=0.5, *\r\n",
    b"Route: <sip:p;lr>,<sips:q;lr>\r\n",
    b"Content-Type: application/sdp\r\n",
    b"Content-Length: 4\r\n",
    b"Max-Forwards: 70\r\n",
    b"Expires: 4294967296\r\n",
    b"Require: 100rel, timer\r\n",
    b" folded\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"%00",
    b"<",
    b">",
    b'"',
    b"\\",
    b"\0",
    b"\xff",
)

VALUES: tuple[Callable[[Message], object], ...] = (
    lambda message: message.vias,
    lambda message: message.via,
    lambda message: message.from_,
    lambda message: message.to,
    lambda message: message.call_id,
    lambda message: message.cseq,
    lambda message: message.max_forwards,
    lambda message: message.expires,
    lambda message: message.contacts,
    lambda message: message.contact_is_wildcard,
    lambda message: message.routes,
    lambda message: message.record_routes,
    lambda message: message.content_type,
    lambda message: message.require,
    lambda message: message.supported,
    lambda message: message.allow,
)


def fuzz(data: bytes) -> None:
    for datagram in (True, False):
        try:
            message = parse_message(data, datagram=datagram)
        except SipParseError as error:
            if error.request is not None:
                check_answer(error.request, error.status)
            continue
        check_message(message)


def check_message(message: Message) -> None:
    written = bytes(message)
    again = parse_message(written, datagram=False)
    assert bytes(again) == written
    assert again.start_line == message.start_line
    assert again.body == message.body
    for value in VALUES:
        outcome = outcome_of(value, message)
        assert outcome_of(value, again) == outcome
        check_value(outcome)
    if isinstance(message, Request):
        with contextlib.suppress(SipParseError):
            check_value(message.uri)
        check_answer(message, 200)
        check_answer(message, 100)


def check_value(value: object) -> None:
    """Write a value and read it back, and so what it is made of."""
    match value:
        case tuple():
            for each in value:
                check_value(each)
        case NameAddr():
            assert NameAddr.parse(str(value)) == value
            check_value(value.uri)
        case Via():
            assert Via.parse(str(value)) == value
            assert isinstance(value.rport, int | str | None)
        case CSeq():
            assert CSeq.parse(str(value)) == value
        case SipUri() | OtherUri():
            assert parse_uri(str(value)) == value
            assert value.equals(value)
            if isinstance(value, SipUri):
                assert parse_uri(str(value.for_request_line())) is not None


def outcome_of(value: Callable[[Message], object], message: Message) -> object:
    try:
        return value(message)
    except SipParseError as error:
        return str(error), error.header


def check_answer(request: Request, status: int) -> None:
    answer = response_to(request, status, to_tag="t")
    again = parse_message(bytes(answer), datagram=False)
    assert isinstance(again, Response)
    assert bytes(again) == bytes(answer)
    assert again.headers.get_all("Via") == request.headers.get_all("Via")
    assert again.headers.get("Call-ID") == request.headers.get("Call-ID")
