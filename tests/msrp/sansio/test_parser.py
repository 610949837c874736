from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.headers import ContinuationFlag, ResponseHead
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    FramingEvent,
    Parser,
    RequestReceived,
    ResponseReceived,
)

SEND = b"MSRP d93kswow SEND\r\nContent-Type: text/plain\r\n\r\n"
END = b"\r\n-------d93kswow$\r\n"


def joined(events: list[FramingEvent]) -> list[FramingEvent]:
    """Take for one what was cut at random: the octets of a body."""
    result: list[FramingEvent] = []
    for event in events:
        if isinstance(event, BodyReceived):
            assert event.data
            if result and isinstance(result[-1], BodyReceived):
                event = BodyReceived(result.pop().data + event.data)  # type: ignore[union-attr]  # Just looked at.
        result.append(event)
    return result


def parse(*pieces: bytes, max_head_size: int = 200) -> list[FramingEvent]:
    parser = Parser(max_head_size)
    events = [event for piece in pieces for event in parser.receive_data(piece)]
    assert parser.error is None
    return joined(events)


def refuse(*pieces: bytes, max_head_size: int = 200) -> RemoteProtocolError:
    parser = Parser(max_head_size)
    for piece in pieces:
        parser.receive_data(piece)
    assert parser.error is not None
    assert parser.receive_data(SEND + END) == []  # There is no way back.
    return parser.error


def request(
    block: bytes = b"", *, method: str = "SEND", has_body: bool = False
) -> RequestReceived:
    return RequestReceived("d93kswow", method, block, has_body)


@pytest.mark.rule("MSRP-1", "MSRP-13", "MSRP-14")
def test_a_request_with_a_body_and_one_without() -> None:
    stream = b"MSRP d93kswow SEND\r\nX: y\r\n-------d93kswow$\r\n" + SEND + b"hi" + END
    assert parse(stream) == [
        request(b"X: y"),
        EndReceived(ContinuationFlag.END),
        request(b"Content-Type: text/plain", has_body=True),
        BodyReceived(b"hi"),
        EndReceived(ContinuationFlag.END),
    ]


@pytest.mark.rule("MSRP-14")
def test_an_empty_body_is_not_the_same_as_none() -> None:
    block = b"Content-Type: text/plain"
    end = EndReceived(ContinuationFlag.END)
    assert parse(SEND + END) == [request(block, has_body=True), end]
    assert parse(SEND[:-4] + END) == [request(block), end]


@pytest.mark.rule("MSRP-15")
@pytest.mark.parametrize("flag", ContinuationFlag)
def test_flags(flag: ContinuationFlag) -> None:
    end = b"\r\n-------d93kswow" + flag.value + b"\r\n"
    assert parse(SEND + b"x" + end)[-1] == EndReceived(flag)
    assert parse(b"MSRP d93kswow SEND" + end)[-1] == EndReceived(flag)


@pytest.mark.rule("MSRP-2", "MSRP-21", "FIELD-11")
@pytest.mark.parametrize(
    ("line", "head"),
    [
        pytest.param(b"MSRP abcd 200", ResponseHead("abcd", 200), id="no-comment"),
        pytest.param(b"MSRP abcd 200 ", ResponseHead("abcd", 200), id="empty-comment"),
        pytest.param(
            b"MSRP abcd 200 OK", ResponseHead("abcd", 200, "OK"), id="comment"
        ),
        pytest.param(
            "MSRP abcd 200 Óк\t!".encode(),
            ResponseHead("abcd", 200, "Óк\t!"),
            id="comment-in-utf-8",
        ),
        pytest.param(b"MSRP abcd 299", ResponseHead("abcd", 299), id="unknown-code"),
        pytest.param(b"MSRP abcd 000", ResponseHead("abcd", 0), id="no-such-code"),
    ],
)
@pytest.mark.parametrize(
    "rest", [b"", b"\r\nTo-Path: x", b"\r\nByte-Range: 1-2/2\r\nX:"]
)
def test_responses(line: bytes, head: ResponseHead, rest: bytes) -> None:
    assert parse(line + rest + b"\r\n-------abcd$\r\n") == [
        ResponseReceived(head),
        EndReceived(ContinuationFlag.END),
    ]


@pytest.mark.rule("MSRP-1", "MSRP-2", "MSRP-3", "FIELD-15")
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"MSRP  abcd SEND", id="two-spaces"),
        pytest.param(b"MSRP abcd  SEND", id="two-spaces-before-the-method"),
        pytest.param(b"MSRP\tabcd SEND", id="tab"),
        pytest.param(b" MSRP abcd SEND", id="leading-space"),
        pytest.param(b"MSRP abcd SEND ", id="space-at-the-end"),
        pytest.param(b"msrp abcd SEND", id="lower-case-protocol"),
        pytest.param(b"MSRP abcd Send", id="lower-case-method"),
        pytest.param(b"MSRP abcd SEND2", id="digit-in-the-method"),
        pytest.param(b"MSRP abcd", id="no-method"),
        pytest.param(b"MSRP abcd ", id="empty-method"),
        pytest.param(b"MSRP abc SEND", id="short-id"),
        pytest.param(b"MSRP " + b"a" * 33 + b" SEND", id="long-id"),
        pytest.param(b"MSRP -bcd SEND", id="id-with-leading-hyphen"),
        pytest.param(b"MSRP a/cd SEND", id="slash-in-id"),
        pytest.param(b"MSRP abcd 20", id="two-digits"),
        pytest.param(b"MSRP abcd 2000", id="four-digits"),
        pytest.param(b"MSRP abcd 200\tOK", id="tab-before-the-comment"),
        pytest.param(b"MSRP abcd 200 \xff", id="comment-not-utf-8"),
        pytest.param(b"MSRP abcd 200 a\nb", id="bare-lf-in-the-comment"),
        pytest.param(b"MSRP abcd SEND\nTo-Path: x", id="bare-lf"),
        pytest.param("MSRP abcd ٣٣٣".encode(), id="another-script's-digits"),
        pytest.param(b"GET / HTTP/1.1", id="another-protocol"),
        pytest.param(b"\x16\x03\x01\x02\x00", id="tls"),
        pytest.param(b"\0", id="nul"),
        pytest.param(b"-------abcd$", id="end-line-alone"),
    ],
)
def test_what_is_no_start_line_ends_the_stream(line: bytes) -> None:
    error = refuse(line + b"\r\n")
    assert error.section == "4975#9"
    assert str(error) == "not an MSRP start line (RFC 4975#9)"
    after_another = b"MSRP d93kswow SEND" + END + line + b"\r\n"
    refuse(after_another)


@pytest.mark.rule("MSRP-22", "FIELD-15")
@pytest.mark.parametrize(
    "data", [b"G", b"MS ", b"MSRP\r", b"\rM", b"\r\n\r\nmsrp", b"\n"]
)
def test_junk_is_noticed_at_its_first_octets(data: bytes) -> None:
    refuse(data)


@pytest.mark.rule("FIELD-15")
def test_bare_crlf_between_messages_is_skipped() -> None:
    stream = b"\r\n\r\n" + SEND + END + b"\r\n" + SEND + END + b"\r\n"
    assert parse(stream) == parse(SEND + END + SEND + END)
    parser = Parser()
    parser.receive_data(stream)
    assert not parser.in_message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"M", True, id="first-octet"),
        pytest.param(b"\r", True, id="half-a-crlf"),
        pytest.param(b"MSRP d93kswow SEND\r\n", True, id="head"),
        pytest.param(SEND + b"x", True, id="body"),
        pytest.param(SEND + b"x" + END[:-1], True, id="all-but-one-octet"),
        pytest.param(SEND + b"x" + END, False, id="whole"),
    ],
)
def test_it_is_known_whether_something_is_unfinished(
    data: bytes, expected: bool
) -> None:
    parser = Parser()
    parser.receive_data(data)
    assert parser.in_message is expected


@pytest.mark.rule("MSRP-15", "MSRP-17", "MSRP-18", "FIELD-7")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\r\n-------d93kswo", id="transaction-id-cut-short"),
        pytest.param(b"\r\n-------d93kswowx$\r\n", id="longer-transaction-id"),
        pytest.param(b"\r\n-------d93ksWow$\r\n", id="other-case"),
        pytest.param(b"\r\n-------d93kswow!\r\n", id="unknown-flag"),
        pytest.param(b"\r\n-------d93kswow$ \r\n", id="flag-without-crlf"),
        pytest.param(b"\r\n-------d93kswow$\r", id="flag-with-half-a-crlf"),
        pytest.param(b"\r\n-------d93kswow", id="no-flag"),
        pytest.param(b"\r\n------d93kswow$\r\n", id="six-hyphens"),
        pytest.param(b"\r\n--------d93kswow$\r\n", id="eight-hyphens"),
        pytest.param(b"\r\n-------abcd$\r\n", id="another-end-line"),
        pytest.param(b"\n-------d93kswow$\r\n", id="lf-before"),
        pytest.param(b"-------d93kswow$", id="no-crlf-before"),
        pytest.param(b"\r\r\n\r\n-------", id="hyphens-only"),
        pytest.param(b"x\r", id="ends-in-cr"),
        pytest.param(b"x\r\n", id="ends-in-crlf"),
        pytest.param(b"\r\n\r\n", id="empty-lines"),
        pytest.param(bytes(range(256)), id="every-octet"),
    ],
)
def test_near_misses_of_the_end_line_are_body(body: bytes) -> None:
    stream = SEND + body + b"\r\n-------d93kswow+\r\n"
    expected = parse(stream)
    assert b"".join(e.data for e in expected if isinstance(e, BodyReceived)) == body
    assert expected[-1] == EndReceived(ContinuationFlag.MORE)
    for cut in range(len(stream)):
        assert parse(stream[:cut], stream[cut:]) == expected
    assert parse(*(bytes([octet]) for octet in stream)) == expected


@pytest.mark.rule("MSRP-15")
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"\r\n-------d93kswow!\r\n", id="unknown-flag"),
        pytest.param(b"\r\n-------d93kswow$x\r\n", id="junk-after-the-flag"),
        pytest.param(b"\r\n-------d93kswow$\rx", id="half-a-crlf"),
        pytest.param(b"\r\n-------d93kswow\r\n\r\n", id="no-flag"),
    ],
)
def test_a_malformed_end_line_in_a_head_ends_the_stream(end: bytes) -> None:
    stream = b"MSRP d93kswow SEND\r\nX: y" + end
    assert str(refuse(stream)) == "malformed end-line (RFC 4975#7.1)"
    refuse(*(bytes([octet]) for octet in stream))


@pytest.mark.rule("MSRP-18")
def test_an_end_line_before_an_empty_line_ends_the_request() -> None:
    # The empty line is a bare CRLF between messages, and not the start of a body.
    stream = b"MSRP d93kswow SEND\r\nX: y" + END + b"\r\n" + SEND + b"x" + END
    assert parse(stream)[:2] == [request(b"X: y"), EndReceived(ContinuationFlag.END)]
    assert len(parse(stream)) == 5


@pytest.mark.rule("MSRP-18")
def test_body_octets_are_passed_on_at_once() -> None:
    parser = Parser()
    parser.receive_data(SEND)
    assert parser.receive_data(b"abc") == [BodyReceived(b"abc")]
    assert parser.receive_data(b"def\r\n--") == [BodyReceived(b"def")]
    assert parser.receive_data(b"x") == [BodyReceived(b"\r\n--x")]


@pytest.mark.rule("MSRP-18")
def test_a_read_that_is_all_body_is_not_copied() -> None:
    parser = Parser()
    parser.receive_data(SEND)
    data = b"x" * 1000
    (event,) = parser.receive_data(data)
    assert isinstance(event, BodyReceived)
    assert event.data is data


@pytest.mark.rule("MSRP-22", "MT-10")
@pytest.mark.parametrize("size", [200, 201])
@pytest.mark.parametrize("end", [END, b"\r\n\r\nx" + END], ids=["end", "body"])
def test_the_bound_on_a_head_is_the_same_however_it_is_cut(
    size: int, end: bytes
) -> None:
    start = b"MSRP d93kswow SEND"
    stream = start + b"\r\nX: " + b"y" * (size - 5) + end
    cuts = [[stream], *([stream[:n], stream[n:]] for n in range(len(stream)))]
    cuts.append([bytes([octet]) for octet in stream])
    for pieces in cuts:
        if size <= 200:
            assert isinstance(parse(*pieces)[-1], EndReceived)
        else:
            assert isinstance(refuse(*pieces), LimitExceeded)


@pytest.mark.rule("MSRP-22", "MT-10")
@pytest.mark.parametrize("size", [1024, 1025])
def test_the_bound_on_a_start_line_is_the_same_however_it_is_cut(size: int) -> None:
    line = b"MSRP d93kswow 200 "
    stream = line + b"y" * (size - len(line)) + END
    cuts = [[stream], *([stream[:n], stream[n:]] for n in range(1000, 1045))]
    cuts.append([bytes([octet]) for octet in stream])
    for pieces in cuts:
        if size <= 1024:
            assert isinstance(parse(*pieces)[-1], EndReceived)
        else:
            assert str(refuse(*pieces)) == "the start line is too long"


@pytest.mark.rule("MSRP-22", "MT-10")
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"MSRP d93kswow 200 ", id="start-line"),
        pytest.param(b"MSRP d93kswow SEND\r\nX: ", id="header"),
        pytest.param(b"MSRP d93kswow SEND\r\nX: y\r\n", id="many-headers"),
    ],
)
def test_a_head_without_an_end_is_cut_off(start: bytes) -> None:
    parser = Parser()
    parser.receive_data(start)
    given = 0
    while parser.error is None:
        parser.receive_data(b"X: y\r\n" * 100 if start[-1:] == b"\n" else b"y" * 600)
        given += 600
    assert isinstance(parser.error, LimitExceeded)
    assert given <= 17 * 1024


@pytest.mark.rule("MSRP-22")
def test_each_head_has_the_whole_bound_to_itself() -> None:
    one = b"MSRP d93kswow SEND\r\nX: " + b"y" * 150 + END
    assert len(parse(one * 5)) == 10


@pytest.mark.rule("MSRP-18", "MSRP-67", "FIELD-16")
@pytest.mark.parametrize(
    ("message", "events"),
    [
        pytest.param(SEND + b"x" + END, 3, id="with-a-body"),
        pytest.param(b"MSRP d93kswow 200" + END, 2, id="without-a-body"),
    ],
)
def test_many_messages_in_one_read(message: bytes, events: int) -> None:
    # If each cost a copy of the rest, or a look through it, this would take minutes.
    assert len(Parser().receive_data(message * 50_000)) == events * 50_000


@pytest.mark.rule("MSRP-18")
def test_a_body_of_nothing_but_near_misses() -> None:
    body = b"\r\n-------d93kswow" * 50_000
    assert parse(SEND + body + END)[1] == BodyReceived(body)
    pieces = [body[n : n + 7] for n in range(0, len(body), 7)]
    parser = Parser()
    parser.receive_data(SEND)
    received = b"".join(
        event.data
        for piece in [*pieces, END]
        for event in parser.receive_data(piece)
        if isinstance(event, BodyReceived)
    )
    assert received == body


# What streams are made of: whole messages, near misses of all that means something
# to a parser, and any octets.
fragments = st.sampled_from(
    [
        SEND,
        END,
        b"MSRP d93kswow SEND",
        b"MSRP d93kswow 200 OK",
        b"MSRP abcd REPORT\r\nX: y\r\n-------abcd$\r\n",
        b"\r\n-------",
        b"d93kswow",
        b"+\r\n",
        b"$",
        b"\r",
        b"\r\n",
        b"-",
        b"X: y",
        b"x" * 190,
    ]
) | st.binary(max_size=4)
streams = st.lists(fragments, max_size=10).map(b"".join)


@pytest.mark.rule("MSRP-18", "MSRP-22")
@given(st.binary() | streams, st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=300, deadline=None)
@example(SEND + b"x" + END + b"MSRP", [3, 19, 51])
def test_any_cut_of_any_stream_gives_the_same(data: bytes, cuts: list[int]) -> None:
    whole, cut = Parser(200), Parser(200)
    expected = joined(whole.receive_data(data))
    bounds = [0, *sorted(min(each, len(data)) for each in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(bounds)]
    assert joined([e for piece in pieces for e in cut.receive_data(piece)]) == expected
    assert str(cut.error) == str(whole.error)
    assert type(cut.error) is type(whole.error)
    assert cut.in_message == whole.in_message or whole.error is not None


messages = st.lists(
    st.tuples(
        st.sampled_from(["SEND", "REPORT", "FOO"]),
        st.none() | st.binary(max_size=40) | streams,
        st.sampled_from(ContinuationFlag),
    ),
    max_size=4,
)


@pytest.mark.rule("MSRP-13", "MSRP-15", "MSRP-17")
@given(messages)
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_back(
    sent: list[tuple[str, bytes | None, ContinuationFlag]],
) -> None:
    stream = b""
    expected: list[FramingEvent] = []
    for number, (method, body, flag) in enumerate(sent):
        tid = f"other{number}"
        stream += f"MSRP {tid} {method}\r\nX: y".encode()
        stream += b"" if body is None else b"\r\n\r\n" + body
        stream += b"\r\n-------" + tid.encode() + flag.value + b"\r\n"
        expected.append(RequestReceived(tid, method, b"X: y", body is not None))
        expected += [BodyReceived(body)] if body else []
        expected.append(EndReceived(flag))
    assert parse(*(bytes([octet]) for octet in stream)) == expected
