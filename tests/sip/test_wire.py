from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.headers import MAX_FIELDS
from sip.message import MAX_URI_LENGTH, Request, Response, response_to
from sip.wire import KeepAlive, StreamEvent, StreamFramer, parse_message

TIES = (
    b"Via: SIP/2.0/TCP h;branch=z9hG4bKabc\r\n"
    b"From: <sip:a@b>;tag=1\r\n"
    b"To: <sip:c@d>\r\n"
    b"Call-ID: x\r\n"
    b"CSeq: 1 MESSAGE\r\n"
)


def message(body: bytes = b"", *lines: bytes, uri: bytes = b"sip:c@d") -> bytes:
    head = b"MESSAGE " + uri + b" SIP/2.0\r\n" + TIES
    for line in lines or (b"Content-Length: %d" % len(body),):
        head += line + b"\r\n"
    return head + b"\r\n" + body


def refused(data: bytes, *, datagram: bool = True) -> SipParseError:
    with pytest.raises(SipParseError) as caught:
        parse_message(data, datagram=datagram)
    return caught.value


def answerable(error: SipParseError) -> bool:
    if error.request is None:
        return False
    response = response_to(error.request, error.status, to_tag="t")
    return bytes(response).count(b"\r\n") == TIES.count(b"\r\n") + 3


# --- start lines


@pytest.mark.parametrize(
    ("line", "method", "uri"),
    [
        pytest.param(b"INVITE sip:a@b SIP/2.0", "INVITE", "sip:a@b", id="plain"),
        pytest.param(b"invite sip:a@b sip/2.0", "invite", "sip:a@b", id="case"),
        pytest.param(b"INVITE  sip:a@b  SIP/2.0", "INVITE", "sip:a@b", id="spaces"),
        pytest.param(b"INVITE sip:a@b SIP/2.0  ", "INVITE", "sip:a@b", id="trailing"),
        pytest.param(
            b"IN%56 urn:service:sos SIP/2.0", "IN%56", "urn:service:sos", id="%"
        ),
    ],
)
@pytest.mark.rule("SIP-1", "SIP-67")
def test_a_request_line_is_read(line: bytes, method: str, uri: str) -> None:
    request = parse_message(line + b"\r\n\r\n")
    assert isinstance(request, Request)
    assert (request.method, request.raw_uri) == (method, uri)
    assert request.start_line == f"{method} {uri} SIP/2.0"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(b"MESSAGE sip:a@b SIP/7.0", 505, id="version"),
        pytest.param(b"MESSAGE sip:a@b SIP/2.00", 505, id="version-spelled-otherwise"),
        pytest.param(b"MESSAGE sip:a@b; lr SIP/2.0", 400, id="space-in-uri"),
        pytest.param(b"MESSAGE sip:a@b\tx SIP/2.0", 400, id="tab-in-uri"),
        pytest.param(b"MESSAGE sip:a\n@b SIP/2.0", 400, id="LF-in-uri"),
        pytest.param(b"MESSAGE sip:a\0@b SIP/2.0", 400, id="NUL-in-uri"),
        pytest.param(
            b"MESSAGE sip:" + b"a" * MAX_URI_LENGTH + b" SIP/2.0", 414, id="long"
        ),
    ],
)
@pytest.mark.rule("SIP-1", "SIP-67", "SIP-68")
def test_a_request_line_that_is_no_good_can_be_answered(
    line: bytes, status: int
) -> None:
    error = refused(line + b"\r\n" + TIES + b"\r\n")
    assert error.status == status
    assert answerable(error)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"INVITE",
        b"INVITE sip:a@b",
        b"INVITE SIP/2.0",
        b"GET / HTTP/1.1",
        b"IN/VITE sip:a@b SIP/2.0",
        b" INVITE sip:a@b SIP/2.0",
        b"\0\x01\x00\x00!\x12\xa4B",
    ],
)
@pytest.mark.rule("SIP-1")
def test_what_isnt_sip_has_nobody_to_answer_to(line: bytes) -> None:
    assert refused(line + b"\r\n\r\n").request is None


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        pytest.param(b"SIP/2.0 200 OK", 200, "OK", id="plain"),
        pytest.param(b"sip/2.0 200 ok", 200, "ok", id="case"),
        pytest.param(b"SIP/2.0 100 ", 100, "", id="no-reason"),
        pytest.param(b"SIP/2.0 100", 100, "", id="not-even-a-space"),
        pytest.param(b"SIP/2.0 699 a  b \xc3\xa9", 699, "a  b é", id="utf8"),
    ],
)
@pytest.mark.rule("SIP-2")
def test_a_status_line_is_read(line: bytes, status: int, reason: str) -> None:
    response = parse_message(line + b"\r\n\r\n")
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (status, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"SIP/2.0 099 x",
        b"SIP/2.0 700 x",
        b"SIP/2.0 4294967301 x",
        b"SIP/2.0 20 x",
        b"SIP/2.0 -20 x",
        "SIP/2.0 ²00 x".encode(),
        b"SIP/2.0  200 OK",
        b"SIP/2.0",
        b"SIP/3.0 200 OK",
    ],
)
@pytest.mark.rule("SIP-2")
def test_a_status_line_that_is_no_good_is_to_be_dropped(line: bytes) -> None:
    assert refused(line + b"\r\n" + TIES + b"\r\n").request is None


# --- heads


@pytest.mark.rule("SIP-6")
def test_empty_lines_before_the_start_line_are_let_pass() -> None:
    assert parse_message(b"\r\n\r\n\r\n" + message()) == parse_message(message())


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0", b"\r"])
def test_a_datagram_without_a_message_is_refused(data: bytes) -> None:
    assert refused(data).request is None


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"Subject no colon", id="no-colon"),
        pytest.param(b"Sub ject: x", id="space-in-name"),
        pytest.param(b"Subject: a\nX-Evil: b", id="LF"),
        pytest.param(b"Subject: a\rX-Evil: b", id="CR"),
        pytest.param(b"Subject: a\0", id="NUL"),
        pytest.param(b"t: a\nX-Evil: b", id="LF-in-what-is-copied"),
    ],
)
@pytest.mark.rule("SIP-3", "SIP-68")
def test_a_bad_line_gets_a_400_and_isnt_repeated_in_it(line: bytes) -> None:
    error = refused(message(b"", line, b"l: 0"))
    assert error.status == 400
    assert answerable(error)
    assert error.request is not None
    assert b"Evil" not in bytes(response_to(error.request, 400))


@pytest.mark.rule("SIP-67")
def test_a_quoted_nul_is_kept() -> None:
    data = message(b"", b'Subject: "a\\\0"', b"Content-Length: 0")
    assert bytes(parse_message(data)) == data


@pytest.mark.rule("SIP-68")
def test_too_many_fields_get_a_400() -> None:
    error = refused(message(b"", *[b"X-A: b"] * MAX_FIELDS))
    assert error.status == 400
    assert answerable(error)


@pytest.mark.rule("SIP-68")
def test_an_unfinished_head_is_answered_if_it_says_to_whom() -> None:
    error = refused(b"MESSAGE sip:c@d SIP/2.0\r\n" + TIES + b"Subject: cut of")
    assert error.status == 400
    assert answerable(error)
    assert refused(b"MESSAGE sip:c@d SIP/2.").request is None


@pytest.mark.rule("SIP-6")
def test_the_empty_line_may_be_missing_where_no_body_is_announced() -> None:
    assert parse_message(message()[:-2]) == parse_message(message())
    assert answerable(refused(message(b"", b"X-A: b")[:-2]))
    assert refused(message(b"", b"l: 3")[:-2]).request is not None
    assert refused(message()[:-2], datagram=False).request is not None


# --- bodies of datagrams


@pytest.mark.rule("SIP-6")
def test_octets_after_the_body_of_a_datagram_are_ignored() -> None:
    assert parse_message(message(b"abc") + b"INVITE").body == b"abc"
    assert parse_message(message() + b"INVITE").body == b""


@pytest.mark.rule("SIP-6")
def test_a_body_without_a_length_reaches_to_the_end_of_the_datagram() -> None:
    assert parse_message(message(b"a\r\n\r\nb\0", b"X-A: b")).body == b"a\r\n\r\nb\0"


@pytest.mark.rule("SIP-3")
def test_the_same_length_twice_is_one() -> None:
    assert (
        parse_message(message(b"abcd", b"l: 3", b"Content-Length: 03")).body == b"abc"
    )


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"l: 4"], id="longer-than-the-datagram"),
        pytest.param([b"l: 9" + b"9" * 5000], id="thousands-of-digits"),
        pytest.param([b"l: -1"], id="negative"),
        pytest.param([b"l: five"], id="word"),
        pytest.param([b"l:"], id="empty"),
        pytest.param([b"l: 1, 1"], id="list"),
        pytest.param([b"l: 1", b"Content-Length: 2"], id="different"),
    ],
)
@pytest.mark.rule("SIP-3", "SIP-6")
def test_a_length_that_is_no_good_gets_a_400(lines: list[bytes]) -> None:
    error = refused(message(b"abc", *lines))
    assert (error.status, error.header) == (400, "Content-Length")
    assert answerable(error)


@pytest.mark.rule("SIP-6")
def test_a_response_that_is_cut_short_is_to_be_dropped() -> None:
    assert refused(b"SIP/2.0 200 OK\r\nl: 3\r\n\r\nab").request is None


@pytest.mark.parametrize("data", [message(b"abc", b"X-A: b"), message(b"abc") + b"d"])
@pytest.mark.rule("SIP-6")
def test_a_message_of_a_stream_has_the_length_it_says(data: bytes) -> None:
    assert answerable(refused(data, datagram=False))


# --- streams

GARBLED = b"MESSAGE sip:c@d SIP/2.0\r\n" + TIES + b"garbled\r\nl: 2\r\n\r\nab"


def summary(events: list[StreamEvent]) -> list[object]:
    return [
        event
        if isinstance(event, KeepAlive)
        else (str(event), event.status, event.request is None)
        if isinstance(event, SipParseError)
        else bytes(event)
        for event in events
    ]


def feed(framer: StreamFramer, *pieces: bytes) -> list[object]:
    return [event for piece in pieces for event in summary(framer.receive_data(piece))]


STREAM = (
    b"\r\n"
    + message(b"\r\n\r\nMESSAGE sip:c@d SIP/2.0\r\n")
    + b"\r\n\r\n"
    + message()
    + b"SIP/2.0 200 OK\r\nl: 1\r\n\r\n\0"
    + b"\r\n\r\n\r\n"
    + GARBLED
    + message(b"last")
)
EXPECTED = [
    KeepAlive.PONG,
    bytes(parse_message(message(b"\r\n\r\nMESSAGE sip:c@d SIP/2.0\r\n"))),
    KeepAlive.PONG,
    KeepAlive.PING,
    bytes(parse_message(message())),
    b"SIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\n\0",
    KeepAlive.PONG,
    KeepAlive.PING,
    KeepAlive.PONG,
    ("a line is no header field", 400, False),
    bytes(parse_message(message(b"last"))),
]


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    "octet", [b"\x16", b"\x15", b"\0", b"\n", b" ", b"<", b"\xff", b":"]
)
def test_what_cannot_begin_a_message_ends_the_stream_at_once(octet: bytes) -> None:
    framer = StreamFramer()
    # TLS, say, whose client waits for an answer as long as we for a line end.
    assert feed(framer, message() + b"\r\n", octet) == [
        bytes(parse_message(message())),
        KeepAlive.PONG,
        ("this is no SIP message", 400, True),
    ]
    assert framer.broken


@pytest.mark.rule("SIP-6", "SIP-17")
def test_any_cut_of_a_stream_gives_the_same_events() -> None:
    assert feed(StreamFramer(), STREAM) == EXPECTED
    for cut in range(len(STREAM)):
        assert feed(StreamFramer(), STREAM[:cut], STREAM[cut:]) == EXPECTED


@pytest.mark.rule("SIP-6", "SIP-17")
def test_a_stream_may_come_octet_by_octet() -> None:
    octets = [STREAM[n : n + 1] for n in range(len(STREAM))]
    assert feed(StreamFramer(), *octets) == EXPECTED


@pytest.mark.rule("SIP-17")
def test_a_keep_alive_is_reported_at_once() -> None:
    framer = StreamFramer()
    assert feed(framer, b"\r\n") == [KeepAlive.PONG]
    assert feed(framer, b"\r\n") == [KeepAlive.PING]
    assert not framer.mid_message


@pytest.mark.rule("SIP-17")
def test_empty_lines_around_a_message_make_no_ping() -> None:
    events = feed(StreamFramer(), b"\r\n" + message() + b"\r\n" + message())
    assert KeepAlive.PING not in events


def test_a_message_that_has_begun_is_told_of() -> None:
    framer = StreamFramer()
    assert not framer.mid_message
    data = message(b"abc")
    for cut in (1, len(data) - 3, len(data) - 1):
        framer = StreamFramer()
        framer.receive_data(data[:cut])
        assert framer.mid_message
        framer.receive_data(data[cut:])
        assert not framer.mid_message


@pytest.mark.parametrize(
    ("data", "status", "can_answer"),
    [
        pytest.param(message(b"", b"X-A: b"), 400, True, id="no-length"),
        pytest.param(message(b"", b"l: -1"), 400, True, id="negative"),
        pytest.param(message(b"", b"l: 1", b"l: 2"), 400, True, id="different"),
        pytest.param(message(b"", b"l: 1001"), 413, True, id="body-too-long"),
        pytest.param(
            message(b"", b"l: 9" + b"9" * 500), 413, True, id="number-too-long"
        ),
        pytest.param(message(b"", b"s: " + b"x" * 1000), 513, True, id="head-too-long"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, False, id="another-protocol"),
        pytest.param(b"\x16\x03\x01" * 400, 400, False, id="no-text"),
        pytest.param(b"SIP/2.0 200 OK\r\n\r\n", 400, False, id="response"),
    ],
)
@pytest.mark.rule("SIP-6", "SIP-18", "SIP-68")
def test_a_stream_out_of_step_is_broken_for_good(
    data: bytes, status: int, can_answer: bool
) -> None:
    for size in (len(data), 7):
        framer = StreamFramer(max_head_size=1000, max_body_size=1000)
        pieces = [data[n : n + size] for n in range(0, len(data), size)]
        events = [event for piece in pieces for event in framer.receive_data(piece)]
        assert len(events) == 1
        (error,) = events
        assert isinstance(error, SipParseError)
        assert error.status == status
        assert answerable(error) is can_answer
        assert framer.broken
        assert framer.receive_data(message()) == []
        assert not framer.mid_message


@pytest.mark.rule("SIP-67", "SIP-68")
def test_a_malformed_message_with_an_end_doesnt_break_the_stream() -> None:
    framer = StreamFramer()
    bad = message(b"ab").replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1)
    drop = b"SIP/2.0 999 x\r\nl: 2\r\n\r\nab"
    first, second, third = framer.receive_data(bad + drop + message())
    assert isinstance(first, SipParseError)
    assert first.status == 505
    assert isinstance(second, SipParseError)
    assert second.request is None
    assert isinstance(third, Request)
    assert not framer.broken


def test_limits_are_met_exactly() -> None:
    data = message(b"x" * 50)
    head = len(data) - 54
    fits = StreamFramer(max_head_size=head, max_body_size=50)
    assert len(fits.receive_data(data)) == 1
    assert not fits.broken
    for framer in (
        StreamFramer(max_head_size=head - 1, max_body_size=50),
        StreamFramer(max_head_size=head, max_body_size=49),
    ):
        framer.receive_data(data)
        assert framer.broken


@pytest.mark.rule("SIP-68")
def test_what_is_held_back_is_bounded_while_a_head_has_no_end() -> None:
    framer = StreamFramer(max_head_size=1000)
    fed = 0
    while not framer.broken:
        framer.receive_data(b"x" * 100)
        fed += 100
    assert fed <= 1100
