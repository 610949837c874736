from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.sending.iterables import SizeMismatch
from msrp.headers import ContinuationFlag

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

TYPE = "application/octet-stream"

PIECE = bytes(range(250)) * 4


class Source:
    """Gives pieces, and remembers what has become of it."""

    def __init__(self, pieces: int, *, error: BaseException | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.given = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self.pieces):
                self.given += 1
                yield PIECE
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(0)  # Whoever closes it has to wait for it.
            self.closed = True

    @property
    def octets(self) -> bytes:
        return PIECE * self.pieces


class Endless:
    """Gives one piece after another, without aclose()."""

    given = 0

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> bytes:
        self.given += 1
        return PIECE


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.rule("MSRP-52")
@pytest.mark.parametrize("known", [True, False], ids=["size-known", "size-unknown"])
@pytest.mark.parametrize("chunk_size", [2048, 10_000, None])
@pytest.mark.parametrize("pieces", [0, 1, 3, 300])
async def test_what_an_iterable_gives_arrives(
    board: Board, known: bool, chunk_size: int | None, pieces: int
) -> None:
    active, passive = await board.pair(active=msrp.SessionConfig(chunk_size=chunk_size))
    source = Source(pieces)
    size = len(source.octets) if known else None
    sent = await active.send_message(TYPE, aiter(source), size=size)
    assert sent.size == size
    await sent.delivered()
    assert (await anext(passive)).contents == source.octets
    await board.until(lambda: source.closed or not source.given)


async def test_empty_pieces_and_other_buffers_are_taken(board: Board) -> None:
    active, passive = await board.pair()
    view: bytes = memoryview(b"cd")  # type: ignore[assignment]
    pieces = pieces_of(b"", b"ab", b"", view, b"")
    await (await active.send_message(TYPE, pieces)).delivered()
    assert (await anext(passive)).contents == b"abcd"


async def test_an_iterable_may_give_nothing(board: Board) -> None:
    active, passive = await board.pair()
    await (await active.send_message(TYPE, pieces_of())).delivered()
    assert (await anext(passive)).contents == b""


async def test_it_goes_into_an_envelope_if_the_peer_wants_one(board: Board) -> None:
    active, passive = await board.pair(accept_types=("message/cpim",))
    source = Source(5)
    sent = await active.send_message("text/plain", aiter(source))
    await sent.delivered()
    message = await anext(passive)
    assert message.content_type.startswith("message/cpim")
    assert message.contents.endswith(source.octets)


async def test_no_more_than_a_few_pieces_are_pulled_ahead(board: Board) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    source = Endless()
    sent = await session.send_message(TYPE, source)
    await board.turns(50)
    assert source.given <= 2  # Nobody has connected yet.
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    await peer.next()
    await asyncio.sleep(0.05)
    # The window is full of chunks without an answer: a chunk each, or two.
    assert source.given <= 3 * session._config.window
    sent.abort()


@pytest.mark.rule("MSRP-51")
async def test_a_quick_iterable_holds_nobody_up(board: Board) -> None:
    active, _ = await board.pair(active=msrp.SessionConfig(chunk_size=None))
    source = Endless()
    sent = await active.send_message(TYPE, aiter(source), size=1_000_000_000)
    most = 0
    for _ in range(300):
        before = source.given
        await asyncio.sleep(0)
        most = max(most, source.given - before)
    assert 0 < most < 10  # Pieces in one turn of the loop.
    sent.abort()


async def test_a_slow_iterable_holds_nobody_up(board: Board) -> None:
    active, passive = await board.pair(active=msrp.SessionConfig(chunk_size=None))
    go = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PIECE * 10
        await go.wait()
        yield PIECE

    sent = await active.send_message(TYPE, slow())
    await (await active.send_text("Hello?")).delivered()
    assert (await anext(passive)).contents == b"Hello?"
    go.set()
    await sent.delivered()
    assert (await anext(passive)).contents == PIECE * 11


@pytest.mark.rule("MSRP-56")
@pytest.mark.parametrize(
    ("pieces", "error", "size", "cause", "problem"),
    [
        pytest.param(0, ValueError("x"), None, ValueError, "ValueError", id="at-once"),
        pytest.param(90, ValueError("x"), None, ValueError, "ValueError", id="midway"),
        pytest.param(
            90, OSError("x"), 100_000, OSError, "OSError", id="midway-size-known"
        ),
        pytest.param(
            90, OSError("x"), 90_000, OSError, "OSError", id="after-the-last-octet"
        ),
        pytest.param(
            90,
            asyncio.CancelledError(),
            None,
            asyncio.CancelledError,
            "CancelledError",
            id="cancelled-within",
        ),
        pytest.param(90, None, 90_001, type(None), "fewer octets", id="too-few"),
        pytest.param(90, None, 89_999, SizeMismatch, "more octets", id="too-many"),
        pytest.param(90, None, 50_000, SizeMismatch, "more octets", id="far-too-many"),
    ],
)
async def test_an_iterable_that_fails_aborts_its_message_only(
    board: Board,
    pieces: int,
    error: BaseException | None,
    size: int | None,
    cause: type,
    problem: str,
) -> None:
    active, passive = await board.pair()
    log = board.log(passive)
    source = Source(pieces, error=error)
    sent = await active.send_message(TYPE, aiter(source), size=size)
    with pytest.raises(msrp.MessageAborted, match=problem) as caught:
        await sent.delivered()
    assert type(caught.value.__cause__) is cause
    await board.until(lambda: source.closed)
    await (await active.send_text("still here")).delivered()
    await board.until(lambda: log.texts)
    assert log.of(msrp.AttachmentReceived) == []
    incomplete = [event.message_id for event in log.of(msrp.IncompleteMessage)]
    assert incomplete == ([sent.message_id] if pieces else [])


@pytest.mark.rule("MSRP-56")
async def test_the_peer_is_told_that_no_more_will_come(board: Board) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    sent = await session.send_message(TYPE, aiter(Source(3, error=ValueError())))
    flags = []
    ranges = []
    while ContinuationFlag.ABORT not in flags:
        heard = await peer.next()
        flags.append(heard.flag)
        ranges.append(heard.headers["byte-range"])
    assert {each.rpartition("/")[2] for each in ranges} == {"*"}
    with pytest.raises(msrp.MessageAborted):
        await sent.delivered()


async def test_what_isnt_bytes_fails_the_message(board: Board) -> None:
    active, _ = await board.pair()
    pieces = pieces_of(b"ab", "cd")  # type: ignore[arg-type]
    with pytest.raises(msrp.MessageAborted, match="TypeError"):
        await (await active.send_message(TYPE, pieces)).delivered()
    await (await active.send_text("still here")).delivered()


async def test_a_failure_is_known_before_anybody_has_connected(board: Board) -> None:
    session = board.waiting(await board.listener())
    await session.start()
    sent = await session.send_message(TYPE, aiter(Source(0, error=ValueError())))
    async with asyncio.timeout(5):
        with pytest.raises(msrp.MessageAborted):
            await sent.delivered()


async def test_an_iterable_without_an_end_stops_at_what_the_peer_takes(
    board: Board,
) -> None:
    active, _ = await board.pair(max_size=20_500)
    source = Endless()
    with pytest.raises(msrp.MessageAborted, match="no more than 20500 octets"):
        await (await active.send_message(TYPE, source)).delivered()
    assert source.given == 21


async def test_an_iterable_that_is_refused_is_not_touched(board: Board) -> None:
    active, _ = await board.pair(max_size=5000, accept_types=("text/plain",))
    source = Source(1)
    iterator = aiter(source)
    with pytest.raises(msrp.LocalProtocolError):
        await active.send_message("text/plain", iterator, size=5001)
    with pytest.raises(msrp.LocalProtocolError):
        await active.send_message("image/png", iterator)
    with pytest.raises(msrp.LocalProtocolError):
        await active.send_message("text/plain", iterator, message_id="x y")
    with pytest.raises(msrp.LocalProtocolError):
        await active.send_message("text/plain", iterator, size=-1)
    assert source.given == 0
    assert [piece async for piece in iterator] == [PIECE]


async def test_the_size_of_bytes_can_only_be_their_number(board: Board) -> None:
    active, _ = await board.pair()
    with pytest.raises(msrp.LocalProtocolError):
        await active.send_message(TYPE, b"abc", size=4)
    await (await active.send_message(TYPE, b"abc", size=3)).delivered()


async def aborted(
    sent: msrp.OutgoingMessage, active: msrp.MsrpConnection, peer: msrp.MsrpConnection
) -> None:
    sent.abort()


async def shut_down(
    sent: msrp.OutgoingMessage, active: msrp.MsrpConnection, peer: msrp.MsrpConnection
) -> None:
    await active.shutdown(timeout=0.0)


async def left(
    sent: msrp.OutgoingMessage, active: msrp.MsrpConnection, peer: msrp.MsrpConnection
) -> None:
    await peer.shutdown(timeout=0.0)


@pytest.mark.parametrize("end", [aborted, shut_down, left])
@pytest.mark.parametrize("held", [True, False], ids=["within", "between-pieces"])
@pytest.mark.usefixtures("time_flies")
async def test_an_iterable_is_closed_when_its_message_ends_early(
    board: Board,
    held: bool,
    end: object,
) -> None:
    assert callable(end)
    active, passive = await board.pair()
    closed = asyncio.Event()
    begun = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield PIECE
                begun.set()
                await (asyncio.Event().wait() if held else asyncio.sleep(0))
        finally:
            await asyncio.sleep(0.01)
            closed.set()

    sent = await active.send_message(TYPE, source())
    await begun.wait()
    await end(sent, active, passive)
    with pytest.raises(msrp.DeliveryError):
        await sent.delivered()
    async with asyncio.timeout(5):
        await closed.wait()


async def test_an_iterable_is_closed_when_the_peer_refuses(board: Board) -> None:
    active, _ = await board.pair(max_message_length=20_000)
    source = Source(10_000)
    sent = await active.send_message(TYPE, aiter(source))
    with pytest.raises(msrp.RequestRefused):
        await sent.delivered()
    await board.until(lambda: source.closed)
    assert source.given < source.pieces


@pytest.mark.parametrize("early", [True, False], ids=["aborted", "sent"])
async def test_an_iterable_that_cant_be_closed_is_reported(
    board: Board, early: bool
) -> None:
    class Stuck(Endless):
        async def __anext__(self) -> bytes:
            if self.given == 3 and not early:
                raise StopAsyncIteration
            return await super().__anext__()

        async def aclose(self) -> None:
            raise RuntimeError("stuck")

    active, _ = await board.pair()
    sent = await active.send_message(TYPE, Stuck())
    if early:
        sent.abort()
    else:
        await sent.delivered()
    await board.until(lambda: board.problems)
    [problem] = board.take_problems()
    assert isinstance(problem["exception"], RuntimeError)


async def test_sending_that_is_cancelled_leaves_no_iterable_open(board: Board) -> None:
    active, _ = await board.pair()
    source = Source(1000)

    async def send() -> None:
        sent = await active.send_message(TYPE, aiter(source))
        try:
            await sent.delivered()
        except asyncio.CancelledError:
            sent.abort()
            raise

    task = asyncio.create_task(send())
    await board.until(lambda: source.given > 10)
    task.cancel()
    await asyncio.wait([task])
    await board.until(lambda: source.closed)
