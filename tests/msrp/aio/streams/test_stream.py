from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams import stream as stream_module
from msrp.aio.streams.stream import StreamProtocol
from msrp.events import CoreEvent, SessionOver
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

PEER = msrp.MsrpUri("msrp", "127.0.0.1", 9, "peer")


class FakeTransport(asyncio.Transport):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.calls: list[str] = []
        self.closing = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.1", 2855) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.calls.append("close")
        self.closing = True

    def abort(self) -> None:
        self.calls.append("abort")
        self.closing = True

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")


class Owner:
    """Has a session, and takes what happens in it."""

    def __init__(self, config: msrp.SessionConfig | None = None) -> None:
        uri = msrp.MsrpUri("msrp", "127.0.0.1", 2855, "own")
        self.session = Session(uri, (PEER,), is_active=True, config=config)
        self.stream: StreamProtocol | None = None
        self.events: list[CoreEvent] = []
        self.reading_wanted = True

    def carried_by(self, stream: StreamProtocol) -> None:
        self.stream = stream

    def events_arrived(self, events: list[CoreEvent]) -> None:
        self.events += events

    wants_tap = False

    def session_tap(self) -> None:
        return None

    def taps_changed(self) -> None:
        pass

    def send(self, size: int) -> None:
        body = BytesBody(bytes(size))
        self.session.send(Outgoing("abcdefgh", "x/y", body))


def opened(
    owner: Owner, *, limits: msrp.Limits | None = None
) -> tuple[StreamProtocol, FakeTransport]:
    """Make a stream that carries a session, which is open."""
    stream, transport = StreamProtocol(limits=limits), FakeTransport()
    stream.connection_made(transport)
    stream.attach(owner.session, owner)
    (binding,) = transport.written
    answer(stream, binding)
    assert owner.session.state is SessionState.OPEN
    transport.written.clear()
    return stream, transport


def answer(stream: StreamProtocol, request: bytes, code: int = 200) -> None:
    name = request.split(b" ", 2)[1].decode()
    stream.data_received(
        f"MSRP {name} {code}\r\nTo-Path: {PEER}\r\nFrom-Path: {PEER}\r\n"
        f"-------{name}$\r\n".encode()
    )


def lose(stream: StreamProtocol) -> None:
    stream.connection_lost(None)


@pytest.mark.rule("FIELD-3")
async def test_a_short_message_leaves_in_one_write() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    owner.send(500)
    stream.flush()
    (written,) = transport.written
    assert written.startswith(b"MSRP ")
    assert written.endswith(b"$\r\n")
    assert written.count(b"MSRP ") == 1
    lose(stream)


@pytest.mark.rule("FIELD-3")
async def test_nagle_is_off_on_both_sides(board: Board) -> None:
    active, passive = await board.pair()
    for end in (active, passive):
        stream = end._started().stream
        assert stream is not None
        assert stream._transport is not None
        sock = stream._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_no_octet_is_asked_for_while_the_transport_is_full() -> None:
    config = msrp.SessionConfig(chunk_size=None, max_message_length=10**9)
    owner = Owner(config)
    stream, transport = opened(owner)
    stream.pause_writing()
    owner.send(1_000_000)
    stream.flush()
    assert transport.written == []
    stream.resume_writing()
    assert sum(map(len, transport.written)) >= 1_000_000
    assert all(len(piece) < 300_000 for piece in transport.written)
    lose(stream)


async def test_other_work_of_the_loop_gets_its_turn() -> None:
    owner = Owner(msrp.SessionConfig(chunk_size=None))
    stream, transport = opened(owner)
    owner.send(3_000_000)
    stream.flush()
    first = sum(map(len, transport.written))
    assert first < 1_500_000
    for _ in range(5):
        await asyncio.sleep(0)
    assert sum(map(len, transport.written)) >= 3_000_000
    lose(stream)


async def test_reading_pauses_and_resumes_with_its_owners_wish() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    owner.reading_wanted = False
    stream.update_reading()
    stream.update_reading()
    owner.reading_wanted = True
    stream.update_reading()
    stream.update_reading()
    assert transport.calls == ["pause_reading", "resume_reading"]
    lose(stream)
    stream.update_reading()
    assert transport.calls == ["pause_reading", "resume_reading"]


async def test_owners_are_not_asked_at_each_read() -> None:
    class Asked(Owner):
        def __init__(self) -> None:
            self.times = 0
            super().__init__()

        @property
        def reading_wanted(self) -> bool:
            self.times += 1
            return True

        @reading_wanted.setter
        def reading_wanted(self, wanted: bool) -> None: ...

    owner = Asked()
    stream, _ = opened(owner)
    before = owner.times
    for _ in range(10):
        stream.data_received(b"\r\n")
        stream.flush()
    assert owner.times == before
    lose(stream)


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, msrp.CloseReason.BY_THEM), (OSError("x"), msrp.CloseReason.LOST)],
)
async def test_a_connection_that_is_lost_ends_its_sessions(
    error: Exception | None, reason: msrp.CloseReason
) -> None:
    owner = Owner()
    stream, _ = opened(owner)
    stream.connection_lost(error)
    over = owner.events[-1]
    assert isinstance(over, SessionOver)
    assert over.reason is reason
    assert stream.owners == {}
    await stream.wait_closed()


async def test_a_session_can_be_attached_to_a_stream_that_is_gone() -> None:
    owner = Owner()
    stream = StreamProtocol()
    stream.connection_made(FakeTransport())
    stream.eof_received()
    lose(stream)
    stream.attach(owner.session, owner)
    over = owner.events[-1]
    assert isinstance(over, SessionOver)
    assert not over.was_open


async def test_the_last_octets_go_out_before_it_closes() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    stream.pause_writing()
    stream.data_received(b"nonsense\r\n")
    assert transport.calls == []  # It can't close yet.
    stream.resume_writing()
    assert transport.calls == ["close"]
    lose(stream)


async def test_a_peer_that_doesnt_read_keeps_no_connection_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream_module, "CLOSING_TIME", 0.01)
    caplog.set_level("INFO", logger="msrp.stream")
    owner = Owner()
    stream, transport = opened(owner)
    stream.pause_writing()
    stream.data_received(b"nonsense\r\n")
    stream.flush()
    stream.flush()
    await asyncio.sleep(0.05)
    assert transport.calls == ["abort"]
    lose(stream)
    assert caplog.messages == [
        "closing 192.0.2.1:2855: not an MSRP start line (RFC 4975#9)"
    ]


async def test_nothing_is_called_after_the_end() -> None:
    owner = Owner()
    stream, transport = opened(owner, limits=msrp.Limits(stall_time=0.01))
    stream.data_received(b"MSRP abcd SEND\r\n")  # Which sets a timer.
    lose(stream)
    events, calls = list(owner.events), list(transport.calls)
    stream.flush()
    stream.close()
    stream.update_reading()
    await asyncio.sleep(0.03)
    assert (owner.events, transport.calls) == (events, calls)
    assert stream.certificate is None
    assert stream.peer == "somewhere"


@pytest.mark.rule("MSRP-36")
async def test_on_a_connection_of_ours_only_its_own_session_is_called() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    paths = f"To-Path: msrp://127.0.0.1:2855/other;tcp\r\nFrom-Path: {PEER}\r\n"
    head = f"MSRP abcdefgh SEND\r\n{paths}Message-ID: 12345678\r\n"
    stream.data_received(head.encode() + b"-------abcdefgh$\r\n")
    (written,) = transport.written
    assert written.startswith(b"MSRP abcdefgh 481")
    lose(stream)


@pytest.mark.rule("MSRP-43")
async def test_an_active_side_closes_the_connection_after_its_last_session(
    board: Board,
) -> None:
    active, passive = await board.pair()
    stream = active._started().stream
    assert stream is not None
    await active.shutdown()
    await stream.wait_closed()
    assert (await passive.closed()).reason is msrp.CloseReason.BY_THEM


@pytest.mark.rule("MSRP-44")
@pytest.mark.usefixtures("time_flies")
async def test_a_passive_side_leaves_it_open_for_a_while(board: Board) -> None:
    listener = await board.listener(limits=msrp.Limits(linger=0.1))
    session = board.waiting(listener)
    await session.start()
    peer = await board.raw(listener.port)
    uri = session.negotiated.local_uri
    await peer.bind(uri)
    await session.shutdown()
    assert await peer.response_to(peer.request(uri, b"late")) == 481
    await peer.rest()


@pytest.mark.usefixtures("time_flies")
async def test_one_timer_serves_all_deadlines() -> None:
    config = msrp.SessionConfig(response_timeout=0.05)
    owner = Owner(config)
    stream = StreamProtocol(response_timeout=0.05)
    transport = FakeTransport()
    stream.connection_made(transport)
    stream.attach(owner.session, owner)
    answer(stream, transport.written[0])
    owner.send(5)
    stream.flush()
    timer = stream._timer
    assert timer is not None
    await asyncio.sleep(0.2)
    assert any(isinstance(event, msrp.MessageDeliveryFailed) for event in owner.events)
    lose(stream)
    assert stream._timer is None


async def test_the_timer_of_a_connection_without_sessions_rests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[StreamProtocol] = []
    time_out = StreamProtocol._time_out

    def look(stream: StreamProtocol) -> None:
        looks.append(stream)
        time_out(stream)

    monkeypatch.setattr(StreamProtocol, "_time_out", look)
    stream = StreamProtocol(idle_time=60.0)
    stream.connection_made(FakeTransport())
    session = Session(PEER, (PEER,), is_active=True)
    stream.attach(session, Owner())
    session.let_go()
    stream.flush()
    for _ in range(50):
        await asyncio.sleep(0)
    stream.abort(msrp.SessionClosed(msrp.CloseReason.BY_US))
    stream.connection_lost(None)
    assert len(looks) <= 2
