"""A socket for datagrams, whoever reads it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

import sip
from sip.aio.transport import udp
from sip.aio.transport.udp import Address, UdpSocket
from sip.testing import RecordingMedia


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="this host has no IPv6 loopback")


class Heard:
    """What a socket tells of."""

    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self.failed: asyncio.Queue[tuple[Address, OSError]] = asyncio.Queue()
        self.errors: list[OSError] = []

    def datagram(self, data: bytes, address: Address) -> None:
        self.datagrams.put_nowait((data, address))

    def error(self, error: OSError, failed: list[tuple[Address, OSError]]) -> None:
        self.errors.append(error)
        for one in failed:
            self.failed.put_nowait(one)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(params=["reader", "endpoint"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def ours(
    way: str, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[UdpSocket]:
    """A socket that we read, or that the loop reads because we can't."""
    if way == "endpoint":
        without_readers(monkeypatch)
    ours = UdpSocket(heard.datagram, heard.error)
    yield ours
    await ours.close()
    assert not ours.is_open


def without_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    def add_reader(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", add_reader)


@contextlib.contextmanager
def plain_socket(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as peer:
        peer.bind((host, 0))
        peer.setblocking(False)
        yield peer


async def soon(queue: asyncio.Queue[tuple[bytes, Address]]) -> tuple[bytes, Address]:
    async with asyncio.timeout(5):
        return await queue.get()


@pytest.mark.rule("SIP-11")
@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=IPV6)])
async def test_datagrams_go_both_ways(ours: UdpSocket, heard: Heard, host: str) -> None:
    address = await ours.bind(host, 0)
    assert ours.is_ipv6 == (host == "::1")
    with plain_socket(host) as peer:
        peer.sendto(b"ping", address)
        data, source = await soon(heard.datagrams)
        assert (data, source) == (b"ping", peer.getsockname()[:2])
        ours.send(b"pong", source)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            assert await loop.sock_recv(peer, 100) == b"pong"


@pytest.mark.rule("SIP-12")
async def test_the_largest_datagram_that_there_is_comes_whole(
    ours: UdpSocket, heard: Heard
) -> None:
    address = await ours.bind("127.0.0.1", 0)
    largest = bytes(65_507)
    with plain_socket() as peer:
        peer.sendto(largest, address)
    assert (await soon(heard.datagrams))[0] == largest


async def test_many_that_wait_are_read_in_order(ours: UdpSocket, heard: Heard) -> None:
    address = await ours.bind("127.0.0.1", 0)
    numbers = [str(number).encode() for number in range(3 * udp._IN_A_ROW + 1)]
    with plain_socket() as peer:
        for number in numbers:
            peer.sendto(number, address)
        assert [(await soon(heard.datagrams))[0] for _ in numbers] == numbers


@pytest.mark.rule("SIP-68")
@pytest.mark.parametrize("way", ["reader"], indirect=True)
async def test_others_have_their_turn_while_datagrams_pour_in(
    ours: UdpSocket, heard: Heard
) -> None:
    address = await ours.bind("127.0.0.1", 0)
    with plain_socket() as peer:
        for _ in range(3 * udp._IN_A_ROW):
            peer.sendto(b"x", address)
        known = [0]
        while known[-1] < 3 * udp._IN_A_ROW:
            await asyncio.sleep(0)
            known.append(heard.datagrams.qsize())
    steps = [after - before for before, after in itertools.pairwise(known)]
    assert max(steps) <= udp._IN_A_ROW


@pytest.mark.rule("SIP-18")
async def test_an_address_where_nobody_is_is_told_of(
    ours: UdpSocket, heard: Heard
) -> None:
    await ours.bind("127.0.0.1", 0)
    with plain_socket() as gone:
        nobody = gone.getsockname()
    ours.send(b"anybody?", nobody)
    async with asyncio.timeout(5):
        address, error = await heard.failed.get()
    assert address == nobody
    assert isinstance(error, ConnectionRefusedError)


@pytest.mark.rule("SIP-18")
async def test_an_error_of_before_keeps_nothing_from_being_sent(
    ours: UdpSocket, heard: Heard
) -> None:
    await ours.bind("127.0.0.1", 0)
    with plain_socket() as gone:
        nobody = gone.getsockname()
    with plain_socket() as peer:
        for _ in range(3):
            ours.send(b"anybody?", nobody)
            ours.send(b"you", peer.getsockname())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            assert [await loop.sock_recv(peer, 9) for _ in range(3)] == [b"you"] * 3
    assert heard.failed.qsize() == 3


@pytest.mark.parametrize("way", ["reader"], indirect=True)
async def test_an_error_that_nobody_asked_for_doesn_t_keep_the_loop_busy(
    ours: UdpSocket, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = ours._read

    def count() -> None:
        nonlocal reads
        reads += 1
        read()

    monkeypatch.setattr(ours, "_read", count)
    address = await ours.bind("127.0.0.1", 0)
    assert ours._socket is not None
    for send in (ours.send, ours._socket.sendto):
        with pytest.raises(OSError, match="too long"):
            send(bytes(65_520), address)
    await asyncio.sleep(0.05)
    assert reads <= 2
    ours.send(b"short", address)
    assert (await soon(heard.datagrams))[0] == b"short"


@pytest.mark.parametrize("way", ["reader"], indirect=True)
async def test_it_may_be_closed_by_what_it_has_read(
    ours: UdpSocket, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(data: bytes, address: Address) -> None:
        heard.datagram(data, address)
        # Up to where it would wait for something, which is nowhere.
        with contextlib.suppress(StopIteration):
            ours.close().send(None)

    monkeypatch.setattr(ours, "_on_datagram", close)
    address = await ours.bind("127.0.0.1", 0)
    with plain_socket() as peer:
        for _ in range(3):
            peer.sendto(b"x", address)
    await soon(heard.datagrams)
    for _ in range(3):
        await asyncio.sleep(0)
    assert heard.datagrams.empty()


async def test_what_is_sent_after_the_end_fails(ours: UdpSocket, heard: Heard) -> None:
    address = await ours.bind("127.0.0.1", 0)
    await ours.close()
    with pytest.raises(ConnectionError):
        ours.send(b"x", address)
    assert heard.errors == []


async def test_an_address_that_isn_t_ours_can_t_be_had(ours: UdpSocket) -> None:
    with pytest.raises(OSError):  # noqa: PT011  # Which one is the system's affair.
        await ours.bind("192.0.2.1", 0)


async def test_a_datagram_that_there_is_no_room_for_is_lost(
    ours: UdpSocket, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await ours.bind("127.0.0.1", 0)

    class Full:
        def sendto(self, data: bytes, address: Address) -> None:
            raise BlockingIOError

    with monkeypatch.context() as patch:
        patch.setattr(ours, "_socket", Full())
        ours.send(b"lost", address)
    ours.send(b"there", address)
    assert (await soon(heard.datagrams))[0] == b"there"
    assert heard.errors == []


@pytest.mark.rule("SIP-11")
async def test_calls_work_where_only_the_loop_can_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_readers(monkeypatch)
    listen = ["udp://127.0.0.1:0"]
    async with (
        sip.UserAgent("sip:bob@127.0.0.1", listen=listen) as bob,
        sip.UserAgent("sip:alice@127.0.0.1", listen=listen) as alice,
    ):

        @bob.on_invite
        async def answer(call: sip.IncomingCall) -> None:
            await call.answer([RecordingMedia()])

        uri = f"sip:bob@127.0.0.1:{bob.listening[0].port}"
        call = await alice.invite(uri, media=[RecordingMedia()], timeout=5)
        await call.bye()
