from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import LocalProtocolError
from msrp.headers import ByteRange, ContinuationFlag, FailureReport, RequestHead
from msrp.sansio.chunk import LongChunk
from msrp.sansio.chunker import BodySource, BytesBody, Chunker
from msrp.sansio.parser import BodyReceived, EndReceived, Parser, RequestReceived

TO = "msrp://bob.example:2855/b;tcp"
FROM = "msrp://alice.example:2855/a;tcp"
MORE, END, ABORT = (
    ContinuationFlag.MORE,
    ContinuationFlag.END,
    ContinuationFlag.ABORT,
)


class Source:
    """A body that comes in pieces; ``None`` stands for a moment without any."""

    def __init__(self, pieces: Iterable[bytes | None], size: int | None = None) -> None:
        self.pieces = list(pieces)
        self.size = size
        self.asked: list[int] = []
        self.over = True

    def read(self, limit: int) -> bytes | None:
        self.asked.append(limit)
        if not self.pieces:
            return b"" if self.over else None
        piece = self.pieces.pop(0)
        if piece is not None and len(piece) > limit:
            self.pieces.insert(0, piece[limit:])
            piece = piece[:limit]
        return piece


@dataclass
class Read:
    """A chunk as the peer reads it."""

    head: RequestHead
    body: bytes | None
    flag: ContinuationFlag

    @property
    def byte_range(self) -> ByteRange:
        assert self.head.byte_range is not None
        return self.head.byte_range


def read(stream: bytes) -> list[Read]:
    parser = Parser()
    chunks: list[Read] = []
    head, body = None, None
    for event in parser.receive_data(stream):
        match event:
            case RequestReceived(transaction_id, method, block):
                head = RequestHead.parse(transaction_id, method, block)
                body = b"" if event.has_body else None
            case BodyReceived(data):
                assert body is not None
                body += data
            case EndReceived(flag):
                assert head is not None
                chunks.append(Read(head, body, flag))
    assert parser.error is None
    assert not parser.in_message
    return chunks


def chunker(
    body: bytes | BodySource, *, new_id: Callable[[], str] | None = None
) -> Chunker:
    source = BytesBody(body) if isinstance(body, bytes) else body
    if new_id is None:
        return Chunker("m123", "a/b", source)
    return Chunker("m123", "a/b", source, new_id=new_id)


def write(message: Chunker, max_size: int | None, budget: int = 65536) -> bytes:
    """Write a whole message; a source that isn't ready is asked again."""
    stream = b""
    while not stream.endswith(b"$\r\n"):
        chunk = message.next_chunk(TO, FROM, max_size)
        while chunk is not None and not chunk.finished:
            piece = chunk.write(budget)
            assert piece != b""
            stream += piece or b""
    return stream


@pytest.mark.rule("MSRP-46", "MSRP-47", "MSRP-49", "FIELD-2")
def test_a_short_message_is_one_chunk() -> None:
    stream = write(chunker(b"hello", new_id=lambda: "tid1"), 2048)
    assert stream == (
        b"MSRP tid1 SEND\r\n"
        b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"Byte-Range: 1-5/5\r\n"
        b"Content-Type: a/b\r\n"
        b"\r\n"
        b"hello\r\n"
        b"-------tid1$\r\n"
    )


@pytest.mark.rule("MSRP-14", "MSRP-33", "FIELD-1")
def test_a_message_without_a_body() -> None:
    message = Chunker("m123", None, BytesBody(b""), new_id=lambda: "tid1")
    assert write(message, 2048) == (
        b"MSRP tid1 SEND\r\n"
        b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"Byte-Range: 1-0/0\r\n"
        b"-------tid1$\r\n"
    )


@pytest.mark.rule("MSRP-14", "MSRP-49")
@pytest.mark.parametrize("size", [0, None])
def test_an_empty_message_is_a_chunk_with_an_empty_body(size: int | None) -> None:
    (chunk,) = read(write(chunker(Source([], size)), 2048))
    assert (chunk.byte_range, chunk.body) == (ByteRange(1, 0, 0), b"")


@pytest.mark.rule("MSRP-48", "MSRP-123")
@pytest.mark.parametrize("success", [False, True])
@pytest.mark.parametrize("failure", FailureReport)
def test_report_fields_stand_in_every_chunk_unless_default(
    success: bool, failure: FailureReport
) -> None:
    message = Chunker(
        "m123",
        "a/b",
        BytesBody(bytes(5000)),
        success_report=success,
        failure_report=failure,
        fields=(("Content-Disposition", "inline"),),
    )
    stream = write(message, 2048)
    assert stream.count(b"\r\nMSRP") == 2
    assert stream.count(b"Success-Report: yes\r\n") == (3 if success else 0)
    assert stream.count(b"Success-Report") == (3 if success else 0)
    default = failure is FailureReport.YES
    assert stream.count(b"Failure-Report") == (0 if default else 3)
    for chunk in read(stream):
        assert chunk.head.success_report == success
        assert chunk.head.failure_report is failure
        assert chunk.head.message_id == "m123"
        assert chunk.head.others == {"content-disposition": "inline"}


@pytest.mark.rule("MSRP-49", "MSRP-50", "MSRP-51", "MSRP-52")
def test_short_chunks_say_where_they_end() -> None:
    body = bytes(range(256)) * 20
    chunks = read(write(chunker(body), 2048))
    assert [(str(c.byte_range), len(c.body or b""), c.flag) for c in chunks] == [
        ("1-2048/5120", 2048, MORE),
        ("2049-4096/5120", 2048, MORE),
        ("4097-5120/5120", 1024, END),
    ]
    assert len({c.head.transaction_id for c in chunks}) == 3


@pytest.mark.rule("MSRP-50", "MSRP-51")
@pytest.mark.parametrize("max_size", [None, 10_000])
def test_long_chunks_are_interruptible(max_size: int | None) -> None:
    chunks = read(write(chunker(bytes(25_000)), max_size, budget=1500))
    expected = (
        [("1-*/25000", 25_000, END)]
        if max_size is None
        else [
            ("1-*/25000", 10_000, MORE),
            ("10001-*/25000", 10_000, MORE),
            ("20001-*/25000", 5_000, END),
        ]
    )
    assert [(str(c.byte_range), len(c.body or b""), c.flag) for c in chunks] == expected


@pytest.mark.rule("MSRP-49", "MSRP-50")
@pytest.mark.parametrize("max_size", [None, 10_000])
def test_what_is_left_of_a_message_says_where_it_ends_if_it_is_short(
    max_size: int | None,
) -> None:
    (chunk,) = read(write(chunker(bytes(2048)), max_size))
    assert str(chunk.byte_range) == "1-2048/2048"
    (chunk,) = read(write(chunker(bytes(2049)), max_size))
    assert str(chunk.byte_range) == "1-*/2049"


@pytest.mark.rule("MSRP-49")
def test_the_total_is_unknown_until_the_source_ends() -> None:
    pieces = [bytes(1500), bytes(1500), bytes(1500)]
    chunks = read(write(chunker(Source(pieces)), 2048))
    assert [(str(c.byte_range), c.flag) for c in chunks] == [
        ("1-2048/*", MORE),
        ("2049-4096/*", MORE),
        ("4097-4500/4500", END),
    ]
    chunks = read(write(chunker(Source(pieces)), None))
    assert [(str(c.byte_range), c.flag) for c in chunks] == [("1-*/*", END)]


@pytest.mark.rule("MSRP-49", "MSRP-67")
def test_a_source_that_turns_out_to_be_over_ends_with_an_empty_chunk() -> None:
    source = Source([b"abc"])
    source.over = False
    message = chunker(source)
    chunk = message.next_chunk(TO, FROM, 2048)
    assert chunk is not None
    first = chunk.write(65536)
    assert first is not None
    assert chunk.flag is MORE  # The source might have more.
    assert message.next_chunk(TO, FROM, 2048) is None
    source.over = True
    one, two = read(first + write(message, 2048))
    assert (str(one.byte_range), one.body, one.flag) == ("1-3/*", b"abc", MORE)
    assert (str(two.byte_range), two.body, two.flag) == ("4-3/3", b"", END)


@pytest.mark.rule("MSRP-51")
def test_a_chunk_isnt_begun_before_there_is_something_to_put_into_it() -> None:
    message = chunker(Source([None, b"a", None, b"b", None, bytes(2046)], 2048))
    for _ in range(3):
        # The size is known: what there is would be needlessly short.
        assert message.next_chunk(TO, FROM, 2048) is None
    chunk = message.next_chunk(TO, FROM, 2048)
    assert chunk is not None
    assert chunk.write(1) is not None
    assert chunk.stop == 2048

    assert chunker(Source([None])).next_chunk(TO, FROM, 2048) is None


@pytest.mark.rule("MSRP-51", "MSRP-53")
def test_a_long_chunk_takes_what_the_source_has() -> None:
    # Else it could be interrupted without an octet in it, over and over again.
    message = chunker(Source([bytes(3000), None, bytes(97_000)], 100_000))
    chunk = message.next_chunk(TO, FROM, None)
    assert isinstance(chunk, LongChunk)
    piece = chunk.write(65536)
    assert piece is not None
    assert chunk.stop == 3000
    assert chunk.written == 3000


@pytest.mark.rule("MSRP-53", "MSRP-62")
def test_a_long_chunk_ends_where_it_is_interrupted() -> None:
    message = chunker(bytes(100_000))
    chunk = message.next_chunk(TO, FROM, None)
    assert isinstance(chunk, LongChunk)
    piece = chunk.write(5000)
    assert piece is not None
    stream = piece + chunk.interrupt()
    assert chunk.finished
    one, two = read(stream + write(message, None))
    assert (str(one.byte_range), len(one.body or b""), one.flag) == (
        "1-*/100000",
        5000,
        MORE,
    )
    assert (str(two.byte_range), len(two.body or b""), two.flag) == (
        "5001-*/100000",
        95_000,
        END,
    )
    assert one.head.transaction_id != two.head.transaction_id


@pytest.mark.rule("MSRP-56", "MSRP-67")
def test_a_chunk_can_end_before_its_first_octet() -> None:
    message = chunker(bytes(100_000))
    chunk = message.next_chunk(TO, FROM, None)
    assert isinstance(chunk, LongChunk)
    (aborted,) = read(chunk.interrupt(ABORT))
    assert (aborted.body, aborted.flag) == (b"", ABORT)
    assert chunk.flag is ABORT


@pytest.mark.rule("MSRP-14", "MSRP-56", "FIELD-1")
def test_between_chunks_a_message_is_given_up_with_a_request_without_a_body() -> None:
    message = Chunker(
        "m123",
        "a/b",
        BytesBody(bytes(5000)),
        success_report=True,
        fields=(("Content-Disposition", "inline"),),
        new_id=lambda: "tid1",
    )
    chunk = message.next_chunk(TO, FROM, 2048)
    assert chunk is not None
    chunk.write(65536)
    assert message.abort_chunk(TO, FROM) == (
        b"MSRP tid1 SEND\r\n"
        b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"Success-Report: yes\r\n"
        b"Byte-Range: 2049-*/5000\r\n"
        b"-------tid1#\r\n"
    )


@pytest.mark.parametrize("max_size", [2048, None])
def test_a_source_with_fewer_octets_than_it_said(max_size: int | None) -> None:
    with pytest.raises(LocalProtocolError, match="fewer octets"):
        write(chunker(Source([bytes(4000)], 5000)), max_size)


def test_a_source_with_more_octets_than_it_said() -> None:
    source = Source([bytes(9000)], 5000)
    chunks = read(write(chunker(source), 2048))
    assert sum(len(c.body or b"") for c in chunks) == 5000
    assert sum(source.asked) == 5000


@pytest.mark.rule("MSRP-51")
def test_no_more_is_asked_for_than_fits_on_the_wire_soon() -> None:
    source = Source([bytes(1_000_000)], 1_000_000)
    chunk = chunker(source).next_chunk(TO, FROM, None)
    assert chunk is not None
    chunk.write(10_000_000)
    assert sum(source.asked) <= 256 * 1024


@pytest.mark.rule("MSRP-16", "MT-9", "FIELD-7")
@pytest.mark.parametrize("max_size", [2048, None])
@pytest.mark.parametrize("budget", [1, 7, 15, 16, 65536])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"-------<id>", id="alone"),
        pytest.param(b"a\r\n-------<id>$\r\nMSRP <id> SEND\r\n", id="an-end-line"),
        pytest.param(b"-" * 30 + b"<id>", id="many-hyphens"),
        pytest.param(b"x-------<id>-------<id>+" * 9, id="again-and-again"),
        pytest.param(bytes(2042) + b"-------<id>" + bytes(2040), id="at-a-boundary"),
        pytest.param(b"-------<id>" * 1000, id="nothing-else"),
    ],
)
def test_an_id_that_occurs_in_the_body_never_goes_out_with_it(
    body: bytes, budget: int, max_size: int | None
) -> None:
    # The worst there is: a generator that knows no other id.
    body = body.replace(b"<id>", b"tid1" if max_size else b"tid1tid1")
    stream = write(chunker(body, new_id=lambda: "tid1"), max_size, budget)
    chunks = read(stream)
    assert b"".join(c.body or b"" for c in chunks) == body
    for chunk in chunks:
        assert f"-------{chunk.head.transaction_id}".encode() not in (chunk.body or b"")
    starts = [chunk.byte_range.start for chunk in chunks]
    sizes = [len(chunk.body or b"") for chunk in chunks]
    assert starts == [1 + n for n in itertools.accumulate([0, *sizes[:-1]])]


@pytest.mark.rule("MSRP-3")
def test_the_id_of_a_long_chunk_is_as_long_as_may_be() -> None:
    message = Chunker("m123", "a/b", BytesBody(bytes(9000)))
    (long,) = read(write(message, None))
    assert len(long.head.transaction_id) == 32
    (whole, *_) = read(write(chunker(bytes(9000)), 2048))
    assert len(whole.head.transaction_id) == 16


@pytest.mark.rule("MSRP-16", "MT-9")
def test_another_id_is_taken_if_there_is_one() -> None:
    ids = iter(["tid1", "tid2", "tid3"])
    body = b"-------tid1 -------tid2"
    (chunk,) = read(write(chunker(body, new_id=lambda: next(ids)), 2048))
    assert chunk.head.transaction_id == "tid3"
    assert chunk.body == body


# Bodies full of what looks like an end-line of the few ids that there are.
pieces = st.lists(
    st.sampled_from([b"-------", b"tid1", b"tid2", b"-------tid1$\r\n", b"x" * 1000])
    | st.binary(max_size=5),
    max_size=12,
)


@pytest.mark.rule("MSRP-16", "MSRP-17", "MSRP-49", "MSRP-50", "MSRP-52", "MT-9")
@given(
    data=st.data(),
    pieces=pieces,
    max_size=st.sampled_from([1, 5, 100, 2048, 2049, 5000, None]),
    budget=st.sampled_from([1, 13, 500, 65536]),
    known=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_what_arrives_is_what_was_sent(
    data: st.DataObject,
    pieces: list[bytes],
    max_size: int | None,
    budget: int,
    known: bool,
) -> None:
    body = b"".join(pieces)
    late = list(pieces)
    for at in data.draw(st.lists(st.integers(0, len(pieces)), max_size=4)):
        late.insert(at, b"")
    source = Source([each or None for each in late], len(body) if known else None)
    ids = itertools.cycle(["tid1", "tid1", "tid2", "tid1", "tid1"])
    message = chunker(source, new_id=lambda: next(ids))
    stream = b""
    while not stream.endswith(b"$\r\n"):
        chunk = message.next_chunk(TO, FROM, max_size)
        while chunk is not None and not chunk.finished:
            piece = chunk.write(budget)
            if piece is None or data.draw(st.integers(0, 9)) == 0:
                if isinstance(chunk, LongChunk) and not chunk.finished:
                    piece = (piece or b"") + chunk.interrupt()
            stream += piece or b""
    chunks = read(stream)
    assert b"".join(c.body or b"" for c in chunks) == body
    offset = 0
    for each in chunks:
        size = len(each.body or b"")
        assert each.byte_range.start == offset + 1
        offset += size
        assert each.byte_range.end in (None, offset)
        assert each.byte_range.total in (None, len(body))
        assert each.byte_range.end is None or size <= 2048
        assert max_size is None or size <= max_size
        assert (each.flag is END) == (each is chunks[-1])
        needle = b"-------" + each.head.transaction_id.encode()
        assert needle not in (each.body or b"")


def test_bytes_are_given_whole_or_in_pieces() -> None:
    data = b"abcdef"
    assert BytesBody(data).read(6) is data
    body = BytesBody(data)
    assert [body.read(4), body.read(4), body.read(4)] == [b"abcd", b"ef", b""]
    assert body.size == 6


def test_a_body_that_holds_the_first_transaction_id_goes_under_another() -> None:
    ids = iter(["clash", "second", "third"])
    message = Chunker("m123", "text/plain", BytesBody(b"-------clash$\r\n"),
                      new_id=lambda: next(ids))  # fmt: skip
    chunk = message.next_chunk(TO, FROM, 2048)
    assert chunk is not None
    octets = chunk.write(2048)
    assert octets is not None
    assert octets.startswith(b"MSRP second SEND\r\n")
    assert octets.endswith(b"\r\n\r\n-------clash$\r\n\r\n-------second$\r\n")
    assert message.at_end


def test_what_was_written_at_one_go_can_be_written_again() -> None:
    message = Chunker("m123", "text/plain", BytesBody(b"hello"))
    first = message.next_chunk(TO, FROM, None)
    message.seek(2)
    rest = message.next_chunk(TO, FROM, None)
    assert first is not None
    assert rest is not None
    assert (first.start, first.stop, rest.start, rest.stop) == (0, 5, 2, 5)
    octets = rest.write(2048)
    assert octets is not None
    assert b"Byte-Range: 3-5/5\r\n" in octets
    assert b"\r\n\r\nllo\r\n-------" in octets
