from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams.sockets import Openings
from tests.msrp.aio.tls_peers import believing, tls_peer

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
Pair = tuple[msrp.MsrpConnection, msrp.MsrpConnection]

HOST = "127.0.0.1"


def socket_of(connection: msrp.MsrpConnection) -> socket.socket:
    stream = connection._started().stream
    assert stream is not None
    assert stream._transport is not None
    sock: socket.socket = stream._transport.get_extra_info("socket")
    return sock


async def pair_with(
    board: Board,
    sockets: msrp.SocketOptions | None,
    certs: tuple[msrp.LocalCertificate | None, msrp.LocalCertificate | None],
) -> Pair:
    """Start a session whose ends have these options, and send something each way."""
    caller = await board.listener(local_cert=certs[0], sockets=sockets)
    called = await board.listener(local_cert=certs[1], sockets=sockets)
    return await between(board, caller, called)


async def between(
    board: Board, caller: msrp.MsrpListener, called: msrp.MsrpListener
) -> Pair:
    offered = caller.offer()
    answered = called.answer(offered)
    assert answered is not None
    active = board.connection(offered, answered, is_incoming=False, listener=caller)
    passive = board.connection(offered, answered, is_incoming=True, listener=called)
    await passive.start()
    await active.start()
    await (await active.send_text("hello")).delivered()
    await (await passive.send_text("hello")).delivered()
    return active, passive


# Marks.


@pytest.mark.parametrize("dscp", [0, 46, 63])
async def test_what_is_sent_has_the_code_point(
    board: Board, either: Certs | None, dscp: int
) -> None:
    options = msrp.SocketOptions(dscp=dscp)
    for connection in await pair_with(board, options, either or (None, None)):
        tos = socket_of(connection).getsockopt(socket.IPPROTO_IP, socket.IP_TOS)
        assert tos >> 2 == dscp
        assert tos & 3 == 0


async def test_the_system_is_left_alone_by_default(board: Board) -> None:
    for connection in await pair_with(board, None, (None, None)):
        sock = socket_of(connection)
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0


async def test_nothing_waits_to_be_sent_together(
    board: Board, either: Certs | None
) -> None:
    for connection in await pair_with(board, None, either or (None, None)):
        sock = socket_of(connection)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_ipv6_is_marked_as_well() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        sock = socket.socket(socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with sock:
        msrp.SocketOptions(dscp=46).apply(sock)
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 46 << 2


@pytest.mark.parametrize("dscp", [-1, 64])
def test_other_numbers_are_no_code_points(dscp: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 63"):
        msrp.SocketOptions(dscp=dscp)


# Our own port.

OWN_PORT = msrp.SocketOptions(connect_from_own_port=True)


@pytest.mark.rule("FIELD-6")
async def test_a_connection_can_leave_from_the_port_that_is_listened_on(
    board: Board, either: Certs | None
) -> None:
    active, passive = await pair_with(board, OWN_PORT, either or (None, None))
    assert socket_of(passive).getpeername()[1] == active.negotiated.local_uri.port
    # And the port still lets others in.
    assert active._listener is not None
    port = active._listener.port
    if either:
        other = await tls_peer(board, port, believing())
    else:
        other = await board.raw(port)
    name = other.request(active.negotiated.local_uri, b"hello")
    assert await other.response_to(name) == 506


@pytest.mark.rule("FIELD-6")
async def test_or_from_a_port_that_nobody_listens_on(board: Board) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    listener = await board.listener()
    waiting, other = board.waiting(listener), board.waiting(listener)
    for passive in (waiting, other):
        await passive.start()

    def calling(passive: msrp.MsrpConnection, caller: str) -> msrp.MsrpConnection:
        own = msrp.MsrpUri("msrp", HOST, port, caller)
        offered = msrp.offer_media(own, setup="active")
        answered = msrp.answer_media(offered, passive.negotiated.local_uri)
        assert answered is not None
        negotiated = msrp.negotiate(offered, answered, is_incoming=False)
        return msrp.MsrpConnection(negotiated, sockets=OWN_PORT)

    async with calling(waiting, "one"):
        await waiting.established()
        assert socket_of(waiting).getpeername()[1] == port
        second = calling(other, "two")
        with pytest.raises(msrp.ConnectionFailed, match="our own port is taken"):
            await second.start()
        await second.shutdown()


@pytest.mark.rule("FIELD-6")
async def test_by_default_the_system_chooses_the_port(board: Board) -> None:
    active, passive = await pair_with(board, None, (None, None))
    assert socket_of(passive).getpeername()[1] != active.negotiated.local_uri.port


# How many at a time.


async def silent(peer: RawPeer) -> None:
    await peer.rest()


@pytest.mark.rule("MSRP-121")
@pytest.mark.parametrize("kind", ["listener", "process"])
async def test_connections_that_are_being_opened_are_bounded_and_end(
    board: Board, certs: Certs, kind: str
) -> None:
    port = await board.raw_server(silent)
    limits = msrp.Limits(max_openings=2)
    config = msrp.SessionConfig(limits=limits)
    listener = None
    if kind == "listener":
        config = msrp.SessionConfig()  # What counts is the listener's.
        listener = await board.listener(local_cert=certs[0], limits=limits)

    def calling(timeout: float = 30.0) -> msrp.MsrpConnection:
        return board.calling(
            port,
            secure=True,  # So that the peer's silence keeps it from being open.
            fingerprints=(certs[1],),
            listener=listener,
            config=config,
            connect_timeout=timeout,
        )

    def opening() -> int:
        return calling()._manner.openings._count

    starting = [asyncio.create_task(calling().start()) for _ in range(2)]
    await board.until(lambda: opening() == 2)
    third = calling()
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await third.start()
    words = f"no MSRP connection to {HOST}:{port}: 2 others, as many as may be, are"
    assert str(caught.value) == f"{words} being opened"
    for task in starting:
        task.cancel()
    await asyncio.gather(*starting, return_exceptions=True)
    assert opening() == 0
    with pytest.raises(msrp.ConnectionFailed, match=r"no answer within 0\.05 s"):
        await calling(0.05).start()
    assert opening() == 0


@pytest.mark.rule("MSRP-121")
async def test_those_that_are_open_dont_count(board: Board) -> None:
    limits = msrp.Limits(max_openings=1)
    caller = await board.listener(limits=limits)
    called = await board.listener()
    for _ in range(3):
        await between(board, caller, called)
    assert caller.openings._count == 0


def test_whatever_happens_an_opening_is_counted_once() -> None:
    openings = Openings()
    for _ in range(3):
        with pytest.raises(KeyError), openings.one_more("x", 1):
            raise KeyError
    with openings.one_more("x", 1), pytest.raises(msrp.ConnectionFailed):
        with openings.one_more("x", 1):
            pass
    with openings.one_more("x", 1):
        pass


@pytest.mark.rule("MSRP-30")
async def test_the_first_of_several_failures_is_told(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    active, _ = await board.pair(start=False)
    named = replace(active.negotiated, connect_to=("peer.example.com", 9))

    def found(*addresses: tuple[str, int]) -> Iterator[object]:
        for address in addresses:
            yield (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)

    async def nobody(*args: object, **options: object) -> object:
        return list(found((HOST, 9), (HOST, 11)))

    async def nowhere(*args: object, **options: object) -> object:
        return []

    for getaddrinfo, words in [(nobody, "refused"), (nowhere, "has no address")]:
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        caller = msrp.MsrpConnection(named)
        with pytest.raises(msrp.ConnectionFailed, match=words):
            await caller.start()
        await caller.shutdown()
