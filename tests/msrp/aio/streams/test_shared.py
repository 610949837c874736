from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.headers import ContinuationFlag

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, Heard, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
Pair = tuple[msrp.MsrpConnection, msrp.MsrpConnection]


class Peers:
    """Raw peers on one port, which answer each request as they are told."""

    def __init__(self) -> None:
        self.heard: list[tuple[RawPeer, Heard]] = []
        """All requests, in their order."""
        self.peers: list[RawPeer] = []
        self.answers: dict[str, int] = {}
        """The codes that our own requests were answered with."""
        self.closed = 0
        """How many connections the other side has closed."""
        self.code: Callable[[RawPeer, Heard], int | None] = lambda *_: 200

    async def serve(self, peer: RawPeer) -> None:
        self.peers.append(peer)
        try:
            while True:
                heard = await peer.next()
                if heard.code is not None:
                    self.answers[heard.transaction_id] = heard.code
                    continue
                self.heard.append((peer, heard))
                code = self.code(peer, heard)
                if code is not None:
                    peer.respond(heard, code)
        except (AssertionError, ConnectionError):
            self.closed += 1


def calling(
    board: Board,
    port: int,
    listener: msrp.MsrpListener,
    count: int,
    config: msrp.SessionConfig | None = None,
) -> list[msrp.MsrpConnection]:
    """Make active sessions to the raw peers at a port."""
    return [
        board.calling(port, listener=listener, name=f"caller{number}", config=config)
        for number in range(count)
    ]


async def pair(
    board: Board,
    caller: msrp.MsrpListener,
    called: msrp.MsrpListener,
    *,
    config: msrp.SessionConfig | None = None,
) -> Pair:
    """Make two ends of a session, of which the passive one has started."""
    offered = caller.offer(accept_types=("text/plain", "*"))
    answered = called.answer(offered, accept_types=("text/plain", "*"))
    assert answered is not None
    one = board.connection(
        offered, answered, is_incoming=False, listener=caller, config=config
    )
    two = board.connection(offered, answered, is_incoming=True, listener=called)
    await two.start()
    return one, two


async def ends(
    board: Board, either: Certs | None = None
) -> tuple[msrp.MsrpListener, msrp.MsrpListener]:
    """Give a listener whose sessions share connections, and where they go."""
    ours, theirs = either or (None, None)
    return (
        await board.listener(local_cert=ours, share_streams=True),
        await board.listener(local_cert=theirs),
    )


async def works(pair: Pair) -> None:
    """Check that messages get through, both ways."""
    for sender in pair:
        await (await sender.send_text("hello")).delivered()


@pytest.mark.rule("MSRP-31")
async def test_sessions_to_the_same_peer_share_a_connection(
    board: Board, either: Certs | None
) -> None:
    caller, called = await ends(board, either)
    pairs = [await pair(board, caller, called) for _ in range(3)]
    for one, _ in pairs:
        await one.start()
    for each in pairs:
        await works(each)
    assert len(called._arrivals.streams) == 1


@pytest.mark.rule("MSRP-31")
async def test_nothing_is_shared_unless_asked_for(board: Board) -> None:
    caller, called = await board.listener(), await board.listener()
    for one, _ in [await pair(board, caller, called) for _ in range(2)]:
        await one.start()
    assert len(called._arrivals.streams) == 2


@pytest.mark.rule("MSRP-31")
async def test_who_starts_at_the_same_moment_waits_for_the_first(
    board: Board, either: Certs | None
) -> None:
    caller, called = await ends(board, either)
    pairs = [await pair(board, caller, called) for _ in range(5)]
    await asyncio.gather(*(one.start() for one, _ in pairs))
    for each in pairs:
        await works(each)
    assert len(called._arrivals.streams) == 1


@pytest.mark.rule("MSRP-31", "MSRP-121")
async def test_if_the_first_fails_each_has_its_own_error(board: Board) -> None:
    caller, gone = await ends(board)
    port = gone.port
    await gone.close()
    ones = calling(board, port, caller, 3)
    errors = await asyncio.gather(
        *(one.start() for one in ones), return_exceptions=True
    )
    assert all(type(error) is msrp.ConnectionFailed for error in errors)
    assert len({id(error) for error in errors}) == 3
    assert len({str(error) for error in errors}) == 1
    assert caller.shared is not None
    assert len(caller.shared) == 0


async def test_if_the_first_is_cancelled_the_next_goes_on(board: Board) -> None:
    caller, called = await ends(board)
    first, _ = await pair(board, caller, called)
    rest = [await pair(board, caller, called) for _ in range(2)]
    starting = asyncio.create_task(first.start())
    others = [asyncio.create_task(one.start()) for one, _ in rest]
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    await asyncio.gather(*others)
    for each in rest:
        await works(each)
    assert caller.shared is not None
    assert len(caller.shared) == 1


@pytest.mark.usefixtures("time_flies")
async def test_one_that_waits_for_another_waits_no_longer_than_told(
    board: Board, certs: Certs
) -> None:
    silent = await board.raw_server(lambda peer: asyncio.sleep(3600))
    caller = await board.listener(local_cert=certs[0], share_streams=True)
    first, second = (
        board.calling(
            silent,
            secure=True,
            name=f"caller{timeout:g}",
            fingerprints=certs[1:],
            local_cert=certs[0],
            listener=caller,
            connect_timeout=timeout,
        )
        for timeout in (30.0, 0.1)
    )
    starting = asyncio.create_task(first.start())
    with pytest.raises(msrp.ConnectionFailed, match=r"no answer within 0\.1 s"):
        await second.start()
    assert not starting.done()
    await first.shutdown()
    with pytest.raises(msrp.SessionClosed):
        await starting


@pytest.mark.rule("MT-10")
async def test_no_connection_carries_more_sessions_than_the_limit(board: Board) -> None:
    caller, called = await ends(board)
    config = msrp.SessionConfig(limits=msrp.Limits(max_sessions_per_stream=2))
    pairs = [await pair(board, caller, called, config=config) for _ in range(5)]
    await asyncio.gather(*(one.start() for one, _ in pairs))
    for each in pairs:
        await works(each)
    assert len(called._arrivals.streams) == 3


@pytest.mark.rule("MSRP-31")
async def test_sessions_with_other_bounds_or_to_another_port_share_nothing(
    board: Board,
) -> None:
    caller, called = await ends(board)
    elsewhere = await board.listener()
    other = msrp.SessionConfig(response_timeout=7.0)
    for one, _ in (
        await pair(board, caller, called),
        await pair(board, caller, elsewhere),
        await pair(board, caller, called, config=other),
    ):
        await one.start()
    assert len(called._arrivals.streams) == 2
    assert len(elsewhere._arrivals.streams) == 1


@pytest.mark.rule("MSRP-31", "MSRP-120")
@pytest.mark.parametrize("announced", [True, False], ids=["other", "none"])
async def test_who_expects_another_certificate_is_not_put_on_the_connection(
    board: Board, certs: Certs, announced: bool
) -> None:
    caller, called = await ends(board, certs)
    mine = await pair(board, caller, called)
    await mine[0].start()
    other = (msrp.LocalCertificate.self_signed(),) if announced else ()
    stranger = board.calling(
        called.port,
        secure=True,
        fingerprints=other,
        local_cert=certs[0],
        listener=caller,
    )
    with pytest.raises(msrp.CertificateRejected):
        await stranger.start()
    await works(mine)
    assert len(called._arrivals.streams) == 1


@pytest.mark.rule("MSRP-31", "MSRP-43", "MSRP-44", "MT-14")
async def test_one_of_two_ends_and_the_last_closes_the_connection(
    board: Board,
) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second = calling(board, port, caller, 2)
    await first.start()
    await second.start()
    assert len(peers.peers) == 1
    await first.shutdown()
    peer = peers.peers[0]
    late = peer.request(first.negotiated.local_uri, b"late")
    await board.until(lambda: late in peers.answers)
    assert peers.answers[late] == 481
    await (await second.send_text("still here")).delivered()
    await second.shutdown()
    await board.until(lambda: peers.closed)
    assert caller.shared is not None
    assert len(caller.shared) == 0


@pytest.mark.rule("MSRP-44", "MT-14")
async def test_both_ends_of_a_shared_connection_let_go_of_one_session(
    board: Board, either: Certs | None
) -> None:
    caller, called = await ends(board, either)
    pairs = [await pair(board, caller, called) for _ in range(2)]
    for one, _ in pairs:
        await one.start()
    for end in pairs[0]:
        await end.shutdown()
    await works(pairs[1])
    assert len(called._arrivals.streams) == 1
    for end in pairs[1]:
        await end.shutdown()
    await board.until(lambda: not called._arrivals.streams)


@pytest.mark.rule("MSRP-37", "MSRP-31")
@pytest.mark.parametrize("code", [403, 481, 506])
async def test_who_is_turned_away_opens_a_connection_of_its_own(
    board: Board, code: int
) -> None:
    peers = Peers()
    peers.code = lambda peer, _: (
        200 if sum(each is peer for each, _ in peers.heard) == 1 else code
    )
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second, third = calling(board, port, caller, 3)
    log = board.log(first, second)
    await first.start()
    await second.start()
    assert len(peers.peers) == 2
    assert first.is_open
    assert second.is_open
    peers.code = lambda *_: 200
    await (await second.send_text("here I am")).delivered()
    await (await first.send_text("so am I")).delivered()
    assert log.of(msrp.ConnectionFailedEvent) == []
    # Who has turned away one is not asked again.
    await third.start()
    assert len(peers.peers) == 3
    assert len(peers.heard) == 6


@pytest.mark.rule("FIELD-13", "MSRP-37")
async def test_who_is_turned_away_twice_has_failed_and_nobody_else(
    board: Board,
) -> None:
    peers = Peers()
    peers.code = lambda *_: 200 if len(peers.heard) == 1 else 506
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second = calling(board, port, caller, 2)
    await first.start()
    with pytest.raises(msrp.ConnectionFailed, match="506"):
        await second.start()
    assert len(peers.heard) == 3
    peers.code = lambda *_: 200
    await (await first.send_text("still here")).delivered()


async def test_shutting_down_while_it_tries_again_ends_it(board: Board) -> None:
    peers = Peers()
    peers.code = lambda *_: {1: 200, 2: 506}.get(len(peers.heard))
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second = calling(board, port, caller, 2)
    await first.start()
    starting = asyncio.create_task(second.start())
    await board.until(lambda: len(peers.heard) == 3)
    await second.shutdown()
    with pytest.raises(msrp.SessionClosed):
        await starting
    assert first.is_open


@pytest.mark.rule("MSRP-40", "MSRP-44")
@pytest.mark.parametrize("code", [481, 506])
async def test_a_session_that_the_peer_has_forgotten_ends_alone(
    board: Board, code: int
) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second = calling(board, port, caller, 2)
    await first.start()
    await second.start()
    peers.code = lambda *_: code
    sent = await first.send_text("anybody there?")
    with pytest.raises(msrp.RequestRefused):
        await sent.delivered()
    assert (await first.closed()).error is not None
    peers.code = lambda *_: 200
    await (await second.send_text("I am")).delivered()
    assert len(peers.peers) == 1


@pytest.mark.rule("MSRP-40", "MT-14")
async def test_when_the_connection_is_lost_all_are_told(board: Board) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    sessions = calling(board, port, caller, 3)
    for each in sessions:
        await each.start()
    peers.peers[0].reset()
    for each in sessions:
        assert (await each.closed()).reason is msrp.CloseReason.LOST
    another = board.calling(port, listener=caller, name="another")
    await another.start()
    assert len(peers.peers) == 2


async def test_if_it_is_lost_before_the_session_is_there_another_is_opened(
    board: Board,
) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second = calling(board, port, caller, 2)
    await first.start()
    peers.code = lambda peer, _: None if peer is peers.peers[0] else 200
    starting = asyncio.create_task(second.start())
    await board.until(lambda: len(peers.heard) == 2)
    peers.peers[0].reset()
    await starting
    assert second.is_open
    assert (await first.closed()).reason is msrp.CloseReason.LOST
    assert len(peers.peers) == 2


@pytest.mark.usefixtures("time_flies")
async def test_a_connection_with_an_overdue_response_is_not_chosen(
    board: Board, quick: msrp.SessionConfig
) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    first, second, third = calling(board, port, caller, 3, quick)
    await first.start()
    peers.code = lambda *_: None
    with pytest.raises(msrp.ResponseTimeout):
        await (await first.send_text("anybody there?")).delivered()
    peers.code = lambda *_: 200
    await second.start()
    assert len(peers.peers) == 2
    # Nor for ever: a single word is enough.
    peers.peers[1].reset()
    await second.closed()
    await (await first.send_text("and now?")).delivered()
    await third.start()
    assert len(peers.peers) == 2


async def test_a_connection_that_we_dont_read_is_not_chosen(board: Board) -> None:
    caller, called = await ends(board)
    config = msrp.SessionConfig(limits=msrp.Limits(max_undelivered_messages=1))
    first = await pair(board, caller, called, config=config)
    second = await pair(board, caller, called, config=config)
    held = asyncio.Event()

    @first[0].on_text_message_received
    async def wait(event: object) -> None:
        await held.wait()

    await first[0].start()
    for text in ("one", "two", "three"):
        await first[1].send_text(text)
    stream = first[0]._started().stream
    assert stream is not None
    await board.until(lambda: stream._read_paused)
    await second[0].start()
    assert len(called._arrivals.streams) == 2
    held.set()


async def test_a_connection_that_takes_no_octets_is_not_chosen(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, called = await ends(board)
    first = await pair(board, caller, called)
    await first[0].start()
    stream = first[0]._started().stream
    assert stream is not None
    stream.pause_writing()
    assert stream.takes_another  # For a moment that is nothing.
    monkeypatch.setattr("msrp.aio.streams.wire._STUCK_TIME", -1.0)
    assert not stream.takes_another
    stream.resume_writing()
    assert stream.takes_another


@pytest.mark.rule("MSRP-54")
async def test_a_text_passes_the_file_of_another_session(
    board: Board, either: Certs | None
) -> None:
    peers = Peers()
    port = await board.raw_server(peers.serve)
    caller = await board.listener(share_streams=True)
    config = replace(msrp.SessionConfig(), send_high_water=4_000_000)
    first, second = calling(board, port, caller, 2, config)
    await first.start()
    await second.start()
    file = await first.send_message("image/jpeg", bytes(1_000_000))
    await board.until(lambda: len(peers.heard) > 2)
    text = await second.send_text("first!")
    await text.delivered()
    ended = [h.headers["message-id"] for _, h in peers.heard if is_last(h)]
    assert ended[2] == text.message_id  # After what has opened the sessions.
    await file.delivered()
    assert len(peers.peers) == 1


@pytest.mark.rule("MSRP-43")
@pytest.mark.usefixtures("time_flies")
async def test_a_session_that_moves_leaves_the_connection_to_the_others(
    board: Board,
) -> None:
    caller, called = await ends(board)
    moving, staying = [await pair(board, caller, called) for _ in range(2)]
    await moving[0].start()
    await staying[0].start()
    offered = caller.offer(accept_types=("text/plain", "*"))
    answered = called.answer(offered, accept_types=("text/plain", "*"))
    assert answered is not None
    await moving[1].reestablish(offered, answered, is_incoming=True)
    await moving[0].reestablish(offered, answered, is_incoming=False)
    await works(moving)
    await works(staying)
    assert moving[0]._started().stream is not staying[0]._started().stream
    await moving[0].shutdown()
    await works(staying)


def is_last(heard: Heard) -> bool:
    """Tell whether a request is the end of a message."""
    return heard.flag is ContinuationFlag.END
