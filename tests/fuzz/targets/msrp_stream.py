"""The parser: octets of a stream in, framing events out.

Whatever the octets are:

* they are framed, or :attr:`Parser.error` says why not, and nothing is raised;
* any cut of them gives the same events, the same error, the same end;
* what has been framed is all there and in its order: written down again, the
  events are the octets that were read, and no body holds its own end;
* what is held back is bounded.
"""

from __future__ import annotations

from msrp.errors import RemoteProtocolError
from msrp.headers import ContinuationFlag
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    FramingEvent,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from tests.fuzz.weight import weigh

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"MSRP d93kswow SEND\r\n",
    b"MSRP d93kswow REPORT\r\n",
    b"MSRP d93kswow 200 OK\r\n",
    b"MSRP abcd SEND",
    b"\r\n-------d93kswow$\r\n",
    b"-------d93kswow+\r\n",
    b"\r\n-------d93kswow#\r\n",
    b"\r\n-------abcd$\r\n",
    b"\r\n-------",
    b"d93kswow",
    b"To-Path: x\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\r",
    b"-",
    b"$",
    b"\xd0\xba",
)

MAX_HEAD_SIZE = 200
MAX_WEIGHT = 8 * 1024
"""Octets of memory: a start line as text of four octets a character, a head, and
the objects around them."""

_WEIGH_EVERY = 32


def fuzz(data: bytes) -> None:
    size, stream = 1 + (data[0] % 64 if data else 0), data[1:]
    whole, cut = Parser(MAX_HEAD_SIZE), Parser(MAX_HEAD_SIZE)
    expected = joined(whole.receive_data(stream))
    check_weight(whole)
    events: list[FramingEvent] = []
    for number, at in enumerate(range(0, len(stream), size)):
        events += cut.receive_data(stream[at : at + size])
        if number % _WEIGH_EVERY == 0:
            check_weight(cut)
    assert joined(events) == expected
    assert type(cut.error) is type(whole.error)
    assert str(cut.error) == str(whole.error)
    if whole.error is None:
        assert cut.in_message == whole.in_message
    else:
        assert isinstance(whole.error, RemoteProtocolError)
        assert whole.receive_data(stream) == []
    check_nothing_lost(stream, expected)


def joined(events: list[FramingEvent]) -> list[FramingEvent]:
    """Take for one what was cut at random: the octets of a body."""
    result: list[FramingEvent] = []
    body: list[bytes] = []
    for event in events:
        if isinstance(event, BodyReceived):
            assert event.data
            body.append(event.data)
            continue
        if body:
            result.append(BodyReceived(b"".join(body)))
            body = []
        result.append(event)
    return [*result, BodyReceived(b"".join(body))] if body else result


def check_weight(parser: Parser) -> None:
    # Its error is told of, and doesn't grow.
    assert weigh(parser, without=[parser.error]) <= MAX_WEIGHT


def check_nothing_lost(stream: bytes, events: list[FramingEvent]) -> None:
    """Walk through the stream by what the events say is there."""
    at = 0
    octets = end_line = b""
    in_response_head = False
    for event in events:
        match event:
            case RequestReceived() | ResponseReceived():
                at = skip_empty_lines(stream, at)
                octets, end_line = written_head(event)
                in_response_head = isinstance(event, ResponseReceived)
            case BodyReceived(data):
                octets = data
                check_no_end(data, end_line)
                if in_response_head:
                    at = stream.index(b"\r\n\r\n", at) + 4
                    in_response_head = False
            case EndReceived(flag):
                if in_response_head:
                    at = stream.index(end_line, at)
                octets = end_line + flag.value + b"\r\n"
        assert stream.startswith(octets, at)
        at += len(octets)


def written_head(event: RequestReceived | ResponseReceived) -> tuple[bytes, bytes]:
    """Return what a message begins with, and with what its end-line does.

    The header section of a response isn't told of.
    """
    if isinstance(event, ResponseReceived):
        transaction_id = event.head.transaction_id.encode()
        octets = b"MSRP %b %03d" % (transaction_id, event.head.code)
    else:
        transaction_id = event.transaction_id.encode()
        octets = b"MSRP %b %b" % (transaction_id, event.method.encode())
        octets += b"\r\n" + event.block if event.block else b""
        octets += b"\r\n\r\n" if event.has_body else b""
    return octets, b"\r\n-------" + transaction_id


def check_no_end(body: bytes, end_line: bytes) -> None:
    for flag in ContinuationFlag:
        assert end_line + flag.value + b"\r\n" not in body


def skip_empty_lines(stream: bytes, at: int) -> int:
    while stream.startswith(b"\r\n", at):
        at += 2
    return at
