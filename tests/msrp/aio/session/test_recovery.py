"""Connections that break and are replaced: nothing lost, nothing shown twice."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

import msrp
from msrp.aio.session.recovery import check_same_party
from msrp.negotiation import MediaDescription, negotiate
from tests.msrp.sections import moved

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, Log

LOOPBACK = "127.0.0.1"
SIZE = 5_000_000
PATIENT = msrp.SessionConfig(recovery_time=60.0, chunk_size=None)
BRIEF = msrp.SessionConfig(recovery_time=0.05)

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


@dataclass(slots=True, eq=False)
class Cutter:
    """Carries octets between two ends until it breaks with a RST to both."""

    port: int = 0
    target: int = 0
    octets_left: int | None = None
    server: asyncio.Server | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._take, LOOPBACK, 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        self.cut()
        if self.tasks:
            await asyncio.wait(self.tasks)

    def cut(self) -> None:
        """Reset what there is; whoever connects afterwards is carried."""
        self.octets_left = None
        writers, self.writers = self.writers, []
        for writer in writers:
            sock = writer.get_extra_info("socket")
            linger = struct.pack("ii", 1, 0)
            with suppress(OSError):  # It may be closed by now.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    async def _take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        self.writers += [writer, far_writer]
        await asyncio.gather(
            self._pump(reader, far_writer), self._pump(far_reader, writer)
        )

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.octets_left is not None:
                    data = data[: self.octets_left]
                    self.octets_left -= len(data)
                writer.write(data)
                if self.octets_left == 0:
                    self.cut()
                    return
                await writer.drain()
        writer.close()


@dataclass(slots=True, eq=False)
class Line:
    """Two parties with a cutter between them."""

    board: Board
    caller: msrp.MsrpListener
    called: msrp.MsrpListener
    cutter: Cutter

    async def connect(
        self, config: msrp.SessionConfig, *, connect_timeout: float = 30.0
    ) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
        """Make the active and the passive end of a session, and start them."""
        offered, answered, seen = self.negotiate()
        one, other = (
            self.board.connection(
                offered,
                answer,
                is_incoming=is_incoming,
                listener=listener,
                config=config,
                connect_timeout=connect_timeout,
            )
            for answer, is_incoming, listener in (
                (seen, False, self.caller),
                (answered, True, self.called),
            )
        )
        await other.start()
        await one.start()
        await other.established()
        return one, other

    def negotiate(
        self, *, prefer_active: bool = False
    ) -> tuple[MediaDescription, MediaDescription, MediaDescription]:
        """Return an offer, and the answer as it was given and as it arrived."""
        offered = self.caller.offer(accept_types=("text/plain", "*"))
        answered = self.called.answer(
            offered, accept_types=("text/plain", "*"), prefer_active=prefer_active
        )
        assert answered is not None
        return offered, answered, moved(answered, LOOPBACK, self.cutter.port)

    async def reestablish(
        self, one: msrp.MsrpConnection, other: msrp.MsrpConnection
    ) -> None:
        offered, answered, seen = self.negotiate()
        await other.reestablish(offered, answered, is_incoming=True)
        await one.reestablish(offered, seen, is_incoming=False)
        await other.established()


@pytest_asyncio.fixture(params=["tcp", "tls"])
async def line(
    request: pytest.FixtureRequest, board: Board, certs: Certs
) -> AsyncIterator[Line]:
    """Give two listeners, over TCP and over TLS."""
    one, other = certs if request.param == "tls" else (None, None)
    cutter = Cutter()
    caller = await board.listener(local_cert=one)
    called = await board.listener(local_cert=other)
    cutter.target = called.port
    await cutter.start()
    yield Line(board, caller, called, cutter)
    await cutter.close()


@pytest_asyncio.fixture
async def plain(board: Board) -> AsyncIterator[Line]:
    """Give two listeners over TCP."""
    cutter = Cutter()
    caller, called = await board.listener(), await board.listener()
    cutter.target = called.port
    await cutter.start()
    yield Line(board, caller, called, cutter)
    await cutter.close()


async def lost_times(log: Log, count: int) -> None:
    async with asyncio.timeout(10):
        while len(log.of(msrp.ConnectionLost)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def logs(board: Board, *connections: msrp.MsrpConnection) -> list[Log]:
    return [board.log(connection) for connection in connections]


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-42", "MT-8")
@pytest.mark.parametrize("cuts", [[2_000_000], [3_000, 1_000_000, 4_000_000]])
async def test_big_messages_both_ways_survive_resets(
    line: Line, cuts: list[int]
) -> None:
    one, other = await line.connect(PATIENT)
    seen = logs(line.board, one, other)
    bodies = [random.Random(n).randbytes(SIZE) for n in (1, 2)]
    line.cutter.octets_left = cuts[0]
    sent = [
        await end.send_message("image/png", body)
        for end, body in zip((one, other), bodies, strict=True)
    ]
    for n, _ in enumerate(cuts, 1):
        for log in seen:
            await lost_times(log, n)
        assert [event.unconfirmed for event in seen[0].of(msrp.ConnectionLost)] == [
            (sent[0].message_id,)
        ] * n
        line.cutter.octets_left = cuts[n] if n < len(cuts) else None
        await line.reestablish(one, other)
    for message in sent:
        await message.delivered()
    for log, body in zip(reversed(seen), bodies, strict=True):
        await line.board.until(partial(log.of, msrp.AttachmentReceived))
        (shown,) = log.of(msrp.AttachmentReceived)
        assert shown.contents == body
        assert log.of(msrp.ClosedEvent) == []
    for end in (one, other):
        await end.shutdown()
    for log in seen:
        (closed,) = log.of(msrp.ClosedEvent)
        assert closed.error is None
        assert len(log.of(msrp.ConnectionEstablished)) == len(cuts)
        assert log.of(msrp.IncompleteMessage) == []
        assert log.of(msrp.MessageDeliveryFailed) == []


@pytest.mark.rule("MSRP-40", "MSRP-41", "MT-8")
@pytest.mark.parametrize("in_envelope", [False, True], ids=["bare", "in-envelope"])
@pytest.mark.usefixtures("time_flies")
async def test_a_file_survives_a_reset_into_a_file(
    line: Line, tmp_path: Path, in_envelope: bool
) -> None:
    body = random.Random(3).randbytes(SIZE)
    path = tmp_path / "big.bin"
    path.write_bytes(body)
    offered, answered, through = line.negotiate()
    one = line.board.connection(
        offered, through, is_incoming=False, listener=line.caller, config=PATIENT
    )
    other = line.board.connection(
        offered, answered, is_incoming=True, listener=line.called, config=PATIENT
    )
    arrived: list[int] = []
    for end, name in ((one, "one"), (other, "other")):
        into = msrp.IntoDirectory(
            tmp_path / name, progress=lambda done, _: arrived.append(done)
        )
        end.policy = lambda _, into=into: into
        if in_envelope:
            end.request_notifications = {msrp.Disposition.DISPLAY}
    seen = logs(line.board, one, other)
    await other.start()
    await one.start()
    await other.established()
    line.cutter.octets_left = 3_000_000
    told: list[int] = []
    sent = [
        await one.send_file(path, progress=lambda done, _: told.append(done)),
        await other.send_file(path, success_report=True),
    ]
    for log in seen:
        await lost_times(log, 1)
    await line.reestablish(one, other)
    for message in sent:
        await message.delivered()
    assert told == sorted(set(told))
    assert told[-1] == max(arrived) == SIZE
    for end, name in ((one, "one"), (other, "other")):
        await end.shutdown()
        (shown,) = seen[end is other].of(msrp.AttachmentReceived)
        assert (shown.sender is not None) is in_envelope
        (file,) = (tmp_path / name).iterdir()
        assert file.name == "big.bin"
        assert file.read_bytes() == body


@pytest.mark.rule("MSRP-41")
async def test_a_file_that_has_changed_meanwhile_is_not_sent_on(
    plain: Line, tmp_path: Path
) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(SIZE))
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    plain.cutter.octets_left = 1_000_000
    sent = await one.send_file(path)
    await lost_times(seen[0], 1)
    path.write_bytes(bytes(SIZE + 1))
    await lost_times(seen[1], 1)
    await plain.reestablish(one, other)
    with pytest.raises(msrp.MessageAborted, match="fewer octets than it said"):
        await sent.delivered()
    await plain.board.until(lambda: seen[1].of(msrp.IncompleteMessage))
    text = await one.send_text("the session lives")
    await text.delivered()


@pytest.mark.rule("MSRP-40")
async def test_what_is_sent_while_lost_arrives_afterwards(plain: Line) -> None:
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    plain.cutter.cut()
    await lost_times(seen[0], 1)
    assert not one.is_open
    waiting = asyncio.create_task(one.established())
    texts = [await one.send_text(text) for text in ("one", "two")]
    assert not waiting.done()
    # The other end had nothing under way: to it the end of the connection is a
    # reset all the same.
    await lost_times(seen[1], 1)
    await plain.reestablish(one, other)
    await waiting
    for text in texts:
        await text.delivered()
    await plain.board.until(lambda: len(seen[1].texts) == 2)
    assert seen[1].texts == ["one", "two"]


@pytest.mark.rule("MSRP-40", "MSRP-60")
async def test_when_nobody_reestablishes_it_in_time_it_ends_as_it_was_lost(
    plain: Line,
) -> None:
    one, other = await plain.connect(BRIEF)
    seen = logs(plain.board, one, other)
    plain.cutter.octets_left = 20_000
    sent = await one.send_message("image/png", bytes(100_000))
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    for end, log in zip((one, other), seen, strict=True):
        closed = await end.closed()
        await plain.board.until(partial(log.of, msrp.ClosedEvent))
        assert closed.reason is msrp.CloseReason.LOST
        (event,) = log.of(msrp.ConnectionLost)
        assert event.error is closed.error
        assert log.of(msrp.ClosedEvent) == [closed]
        assert log.of(msrp.ConnectionFailedEvent) == []
    assert len(seen[1].of(msrp.IncompleteMessage)) == 1
    with pytest.raises(msrp.SessionClosed):
        await one.send_text("late")
    offered, _, through = plain.negotiate()
    with pytest.raises(msrp.LocalProtocolError, match="is over"):
        await one.reestablish(offered, through, is_incoming=False)


@pytest.mark.rule("MSRP-40")
async def test_shutdown_of_a_lost_session_ends_it_at_once(plain: Line) -> None:
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    plain.cutter.octets_left = 20_000
    sent = await one.send_message("image/png", bytes(100_000))
    await lost_times(seen[0], 1)
    await one.shutdown()
    assert isinstance(sent.error, msrp.SessionEnded)
    (closed,) = seen[0].of(msrp.ClosedEvent)
    assert closed.error is seen[0].of(msrp.ConnectionLost)[0].error


@pytest.mark.rule("MSRP-40")
async def test_a_lost_session_that_ends_while_it_is_being_reestablished(
    plain: Line,
) -> None:
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    plain.cutter.cut()
    await lost_times(seen[0], 1)
    offered, _, through = plain.negotiate()  # Nobody adds the other end.
    trying = asyncio.create_task(one.reestablish(offered, through, is_incoming=False))
    await plain.board.turns()
    with pytest.raises(msrp.LocalProtocolError, match="already"):
        await one.reestablish(offered, through, is_incoming=False)
    await one.shutdown()
    with pytest.raises(msrp.SessionClosed):
        await trying
    assert len(seen[0].of(msrp.ClosedEvent)) == 1


@pytest.mark.rule("MSRP-40", "MSRP-41")
async def test_an_attempt_that_is_cancelled_loses_nothing(line: Line) -> None:
    one, other = await line.connect(PATIENT)
    seen = logs(line.board, one, other)
    line.cutter.octets_left = 20_000
    sent = await one.send_message("image/png", bytes(100_000))
    for log in seen:
        await lost_times(log, 1)
    for turns in (0, 1, 3, 10, 30):
        offered, _, through = line.negotiate()  # The other end isn't told.
        trying = asyncio.create_task(
            one.reestablish(offered, through, is_incoming=False)
        )
        await line.board.turns(turns)
        trying.cancel()
        await asyncio.wait([trying])
        assert trying.cancelled()
        assert not one.is_open
    assert sent.error is None
    await line.reestablish(one, other)
    await sent.delivered()
    await line.board.until(lambda: seen[1].of(msrp.AttachmentReceived))
    (shown,) = seen[1].of(msrp.AttachmentReceived)
    assert shown.contents == bytes(100_000)


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("recovery_time", [0.0, 60.0])
async def test_an_attempt_that_fails_says_why(
    plain: Line, recovery_time: float
) -> None:
    one, other = await plain.connect(replace(PATIENT, recovery_time=recovery_time))
    seen = logs(plain.board, one, other)
    sent = await one.send_text("hello")
    await sent.delivered()
    offered, answered, _ = plain.negotiate()
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        nowhere = moved(answered, LOOPBACK, unused.getsockname()[1])
        with pytest.raises(msrp.ConnectionFailed, match="refused") as caught:
            await one.reestablish(offered, nowhere, is_incoming=False)
    if not recovery_time:
        assert (await one.closed()).error is caught.value
        return
    await lost_times(seen[0], 1)
    (event,) = seen[0].of(msrp.ConnectionLost)
    assert (event.error, event.unconfirmed) == (caught.value, ())
    await plain.reestablish(one, other)
    await (await one.send_text("again")).delivered()


@pytest.mark.rule("MSRP-40")
async def test_a_passive_side_waits_again_when_nobody_came(plain: Line) -> None:
    one, other = await plain.connect(PATIENT, connect_timeout=0.1)
    seen = logs(plain.board, one, other)
    plain.cutter.cut()
    for log in seen:
        await lost_times(log, 1)
    offered, answered, _ = plain.negotiate()
    await other.reestablish(offered, answered, is_incoming=True)
    await lost_times(seen[1], 2)
    error = seen[1].of(msrp.ConnectionLost)[1].error
    assert "did not connect within 0.1 s" in str(error)
    other.connect_timeout = 30.0
    await plain.reestablish(one, other)
    await (await other.send_text("here")).delivered()
    assert seen[1].of(msrp.ConnectionFailedEvent) == []


async def test_what_goes_along_with_a_session_goes_on_with_it(plain: Line) -> None:
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    one.request_notifications = {msrp.Disposition.DISPLAY}
    sent = await one.send_text("one")
    await plain.board.until(lambda: seen[1].texts)
    [message] = seen[1].of(msrp.TextMessageReceived)
    plain.cutter.cut()
    for log in seen:
        await lost_times(log, 1)
    one.composing()  # Nobody is there to be told.
    assert await other.displayed(message)
    await plain.reestablish(one, other)
    displayed = await sent.notified(msrp.DispositionType.DISPLAY)
    assert displayed.message_id == sent.message_id
    assert not other.peer_is_composing
    one.composing()
    await plain.board.until(lambda: other.peer_is_composing)


@pytest.mark.rule("MSRP-40", "MSRP-41", "MT-15")
@pytest.mark.parametrize("config", [msrp.SessionConfig(), PATIENT], ids=["0s", "60s"])
@pytest.mark.usefixtures("time_flies")
async def test_an_open_session_moves_when_the_path_changes(
    line: Line, config: msrp.SessionConfig
) -> None:
    one, other = await line.connect(replace(config, chunk_size=None))
    seen = logs(line.board, one, other)
    bodies = [random.Random(n).randbytes(SIZE) for n in (1, 2)]
    sent = [
        await end.send_message("image/png", body)
        for end, body in zip((one, other), bodies, strict=True)
    ]
    for _ in range(3):
        await line.board.turns(30)
        await line.reestablish(one, other)
    for message in sent:
        await message.delivered()
    for log, body in zip(reversed(seen), bodies, strict=True):
        await line.board.until(partial(log.of, msrp.AttachmentReceived))
        (shown,) = log.of(msrp.AttachmentReceived)
        assert shown.contents == body
        assert log.of(msrp.ConnectionLost) == []
        assert log.of(msrp.ClosedEvent) == []


@pytest.mark.rule("MSRP-40", "MT-15")
async def test_the_roles_may_change(plain: Line) -> None:
    one, other = await plain.connect(PATIENT)
    seen = logs(plain.board, one, other)
    offered, answered, _ = plain.negotiate(prefer_active=True)
    await one.reestablish(offered, answered, is_incoming=False)
    await other.reestablish(offered, answered, is_incoming=True)
    await one.established()
    await (await one.send_text("from the passive side now")).delivered()
    assert [e.is_passive for e in seen[0].of(msrp.ConnectionEstablished)] == [True]


@pytest.mark.rule("MSRP-40")
async def test_without_a_listener_the_connection_listens_again(board: Board) -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        port = unused.getsockname()[1]
    offers = [
        msrp.offer_media(msrp.MsrpUri("msrp", LOOPBACK, 9, name), setup="active")
        for name in ("first", "second")
    ]
    answers = [
        msrp.answer_media(offer, msrp.MsrpUri("msrp", LOOPBACK, port, name))
        for offer, name in zip(offers, ("here1", "here2"), strict=True)
    ]
    assert answers[0] is not None
    assert answers[1] is not None
    passive = board.connection(offers[0], answers[0], is_incoming=True, config=PATIENT)
    active = board.connection(offers[0], answers[0], is_incoming=False, config=PATIENT)
    await passive.start()
    await active.start()
    await passive.established()
    await passive.reestablish(offers[1], answers[1], is_incoming=True)
    await active.reestablish(offers[1], answers[1], is_incoming=False)
    await passive.established()
    await (await active.send_text("hello")).delivered()
    assert (await anext(passive)).text == "hello"


@pytest.mark.rule("MSRP-40", "MSRP-118")
async def test_what_was_meant_for_one_party_does_not_go_to_another(
    line: Line, board: Board
) -> None:
    one, other = await line.connect(PATIENT)
    seen = logs(board, one, other)
    line.cutter.cut()
    await lost_times(seen[0], 1)
    secret = await one.send_text("for the first one only")
    cert = msrp.LocalCertificate.self_signed() if line.called.secure else None
    async with msrp.MsrpListener(
        LOOPBACK, 0, local_cert=cert, advertised_host="localhost"
    ) as elsewhere:
        offered = line.caller.offer(accept_types=("text/plain", "*"))
        answered = elsewhere.answer(offered, accept_types=("text/plain", "*"))
        assert answered is not None
        with pytest.raises(msrp.LocalProtocolError, match="another party"):
            await one.reestablish(offered, answered, is_incoming=False)
        assert secret.error is None
        third = board.connection(
            offered, answered, is_incoming=True, listener=elsewhere, config=PATIENT
        )
        await third.start()
        await one.reestablish(
            offered, answered, is_incoming=False, allow_other_party=True
        )
        await secret.delivered()
        assert (await anext(third)).text == "for the first one only"
        await third.shutdown()


@pytest.mark.rule("MSRP-118")
async def test_who_is_evidently_the_same(board: Board, certs: Certs) -> None:
    plain, secure = await board.listener(), await board.listener(local_cert=certs[0])
    changed = await board.listener(local_cert=certs[1])
    caller = {True: await board.listener(local_cert=certs[0]), False: plain}

    def negotiated(listener: msrp.MsrpListener) -> msrp.Negotiated:
        offered = caller[listener.secure].offer()
        answered = listener.answer(offered)
        assert answered is not None
        return negotiate(offered, answered, is_incoming=False)

    same, tls, other_key = map(negotiated, (plain, secure, changed))
    check_same_party(same, negotiated(plain))
    check_same_party(tls, negotiated(secure))
    check_same_party(same, tls)
    unannounced = replace(tls, remote_fingerprints=())
    check_same_party(unannounced, unannounced)
    for before, after in [
        (tls, other_key),
        (tls, same),
        (tls, unannounced),
        (unannounced, tls),
    ]:
        with pytest.raises(msrp.LocalProtocolError):
            check_same_party(before, after)


@pytest.mark.rule("MSRP-40", "MSRP-118")
async def test_an_impostor_does_not_end_a_session_that_waits(
    line: Line, certs: Certs
) -> None:
    one, other = await line.connect(PATIENT)
    seen = logs(line.board, one, other)
    line.cutter.cut()
    for log in seen:
        await lost_times(log, 1)
    uri = other.negotiated.local_uri
    stranger = line.board.calling(
        line.called.port,
        secure=line.called.secure,
        fingerprints=(certs[1],) if line.called.secure else (),
    )
    stranger.negotiated = replace(stranger.negotiated, remote_path=(uri,))
    with pytest.raises(msrp.MsrpError):
        await stranger.start()
    await line.reestablish(one, other)
    await (await one.send_text("hello")).delivered()


async def test_there_must_have_been_a_session(plain: Line) -> None:
    offered, answered, through = plain.negotiate()
    one = plain.board.connection(
        offered, answered, is_incoming=True, listener=plain.called, config=PATIENT
    )
    with pytest.raises(msrp.LocalProtocolError, match="start the connection first"):
        await one.reestablish(offered, through, is_incoming=True)
    await one.start()
    with pytest.raises(msrp.LocalProtocolError, match="never established"):
        await one.reestablish(offered, through, is_incoming=True)
