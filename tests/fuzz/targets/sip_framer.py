"""The framer of SIP over a stream.

Whatever the octets are:

* they are cut into messages, errors and keep-alives, and nothing is raised;
* any cut of them gives the same events and breaks at the same place;
* a message that comes out is the one that reads back from what it writes;
* what is held back is bounded.
"""

from __future__ import annotations

from sip.errors import SipParseError
from sip.message import Request, Response, response_to
from sip.wire import KeepAlive, StreamEvent, StreamFramer, parse_message
from tests.fuzz.weight import weigh

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"OPTIONS sip:a SIP/2.0\r\n",
    b"INVITE sip:a SIP/2.0\r\n",
    b"SIP/2.0 200 OK\r\n",
    b"Content-Length: 0\r\n\r\n",
    b"Content-Length: 3\r\n\r\nabc",
    b"l: 1\r\n",
    b"l: 0\r\nl: 0\r\n",
    b"Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\n",
    b"From: <sip:a@b>;tag=1\r\n",
    b"To: <sip:c@d>\r\n",
    b"Call-ID: 1\r\n",
    b"CSeq: 1 INVITE\r\n",
    b" folded\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
)

MAX_HEAD_SIZE = 400
MAX_BODY_SIZE = 100
MAX_WEIGHT = 40 * 1024
"""Octets of memory: a head as objects, of which a field takes some hundred, and a
buffer for what comes after."""

_WEIGH_EVERY = 32


def fuzz(data: bytes) -> None:
    size, stream = 1 + (data[0] % 64 if data else 0), data[1:]
    whole, cut = new_framer(), new_framer()
    expected = whole.receive_data(stream)
    assert weigh(whole) <= MAX_WEIGHT
    events: list[StreamEvent] = []
    for number, at in enumerate(range(0, len(stream), size)):
        events += cut.receive_data(stream[at : at + size])
        if number % _WEIGH_EVERY == 0:
            assert weigh(cut) <= MAX_WEIGHT
    assert list(map(described, events)) == list(map(described, expected))
    assert cut.broken is whole.broken
    assert cut.mid_message is whole.mid_message
    if whole.broken:
        assert isinstance(expected[-1], SipParseError)
        assert whole.receive_data(stream) == []
    for event in expected:
        check_event(event)


def new_framer() -> StreamFramer:
    return StreamFramer(max_head_size=MAX_HEAD_SIZE, max_body_size=MAX_BODY_SIZE)


def described(event: StreamEvent) -> object:
    """Return what is to be equal; errors are the same only to themselves."""
    if isinstance(event, SipParseError):
        request = None if event.request is None else bytes(event.request)
        return str(event), event.status, request
    return event


def check_event(event: StreamEvent) -> None:
    match event:
        case Request() | Response():
            written = bytes(event)
            again = parse_message(written, datagram=False)
            assert bytes(again) == written
            [framed] = StreamFramer().receive_data(written)
            assert framed == again
        case SipParseError(request=Request() as request):
            answer = bytes(response_to(request, event.status))
            assert isinstance(parse_message(answer, datagram=False), Response)
        case SipParseError() | KeepAlive():
            pass
