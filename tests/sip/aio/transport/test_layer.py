"""Sockets: what goes over them and what is done about those that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from unittest.mock import Mock

import pytest
import pytest_asyncio

import sip
from sip.aio.transport.layer import TransportLayer
from sip.aio.transport.stream import Stream
from sip.message import Request, Response, response_to
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.wire import parse_message

LISTEN = ["tcp://127.0.0.1:0"]

OPTIONS = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/{via};branch=z9hG4bK{number};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@127.0.0.1>;tag=a\r\n"
    "To: <sip:bob@127.0.0.1>\r\n"
    "Call-ID: call-{number}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


def options(number: int = 1, via: str = "TCP 127.0.0.1") -> bytes:
    return OPTIONS.format(number=number, via=via).encode()


@pytest_asyncio.fixture
async def agent() -> AsyncIterator[sip.UserAgent]:
    async with sip.UserAgent("sip:b@127.0.0.1", listen=["udp://127.0.0.1:0"]) as bob:
        yield bob


class Client:
    """A TCP connection to an agent."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, agent: sip.UserAgent) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", agent.listening[0].port))

    async def response(self) -> Response:
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
        message = parse_message(head)
        assert isinstance(message, Response)
        return message

    async def hung_up(self) -> None:
        """Wait until the other side has closed the connection, somehow."""
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                assert await self.reader.read() == b""

    async def close(self) -> None:
        self.writer.close()
        # It may have been reset, with what hadn't been read yet.
        with contextlib.suppress(ConnectionResetError):
            await self.writer.wait_closed()


async def without_streams(agent: sip.UserAgent) -> None:
    """Wait until an agent has no connections."""
    assert agent._driver is not None
    async with asyncio.timeout(5):
        while agent._driver.transport._streams:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def client(agent: sip.UserAgent) -> AsyncIterator[Client]:
    client = await Client.connect(agent)
    yield client
    await client.close()


@pytest.mark.rule("SIP-14", "SIP-17", "SIP-6", "ST-13")
async def test_pings_between_messages_are_answered_and_break_nothing(
    client: Client,
) -> None:
    client.writer.write(b"\r\n\r\n" + options(1) + b"\r\n\r\n\r\n\r\n" + options(2))
    async with asyncio.timeout(5):
        assert await client.reader.readexactly(2) == b"\r\n"
        first = await client.response()
        assert await client.reader.readexactly(4) == b"\r\n\r\n"
        second = await client.response()
    assert (first.via.branch, second.via.branch) == ("z9hG4bK1", "z9hG4bK2")


@pytest.mark.rule("SIP-6", "SIP-14", "ST-13")
async def test_a_message_may_come_octet_by_octet(client: Client) -> None:
    for octet in options():
        client.writer.write(bytes([octet]))
        await asyncio.sleep(0)
    assert (await client.response()).status == 480


@pytest.mark.rule("SIP-13")
async def test_the_client_is_told_its_port(client: Client) -> None:
    client.writer.write(options(via="TCP client.example"))
    response = await client.response()
    port = client.writer.get_extra_info("sockname")[1]
    assert (response.via.received, response.via.rport) == ("127.0.0.1", port)


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(
            options().replace(b"Content-Length: 0", b"Content-Length: x"), id="length"
        ),
        pytest.param(options().replace(b"Content-Length: 0\r\n", b""), id="no-length"),
    ],
)
async def test_after_a_framing_error_the_connection_is_closed(
    client: Client, octets: bytes
) -> None:
    client.writer.write(octets + options(2))
    assert (await client.response()).status == 400
    async with asyncio.timeout(5):
        assert await client.reader.read() == b""


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(b"x" * 200_000, id="endless-head"),
    ],
)
async def test_what_is_not_sip_is_hung_up_on(client: Client, octets: bytes) -> None:
    client.writer.write(octets)
    await client.hung_up()


@pytest.mark.rule("SIP-14", "ST-12")
async def test_when_the_connection_is_gone_the_response_goes_to_the_sent_by(
    agent: sip.UserAgent,
) -> None:
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        arrived.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    @agent.on_invite
    async def ring(call: sip.IncomingCall) -> None:
        gone.set()
        await closed.wait()
        await call.reject(486)

    gone, closed = asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = await Client.connect(agent)
        invite = options(via=f"TCP 127.0.0.1:{port}").replace(b"OPTIONS", b"INVITE")
        contact = b"Contact: <sip:alice@127.0.0.1>\r\nContent-Length"
        client.writer.write(invite.replace(b"Content-Length", contact))
        await gone.wait()
        await client.close()
        await without_streams(agent)
        closed.set()
        async with asyncio.timeout(5):
            response = parse_message(await arrived)
    assert isinstance(response, Response)
    assert response.status == 486


@pytest.mark.rule("SIP-16")
async def test_a_connection_is_used_again_by_both_sides(agent: sip.UserAgent) -> None:
    @agent.on_invite
    async def ring(call: sip.IncomingCall) -> None:
        await call.reject(486)

    uri = f"sip:b@127.0.0.1:{agent.listening[0].port};transport=tcp"
    async with sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN) as other:
        for _ in range(3):
            assert (await other.options(uri)).status == 200
        assert other._driver is not None
        assert agent._driver is not None
        assert len(other._driver.transport._streams) == 1
        (stream,) = agent._driver.transport._streams.values()
        back = f"sip:a@127.0.0.1:{stream.hop.port};transport=tcp"
        assert (await agent.options(back)).status == 480
        assert len(agent._driver.transport._streams) == 1


@pytest.mark.rule("SIP-16")
async def test_a_connection_that_was_closed_is_opened_again(
    agent: sip.UserAgent,
) -> None:
    uri = f"sip:b@127.0.0.1:{agent.listening[0].port};transport=tcp"
    async with sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN) as other:
        assert (await other.options(uri)).status == 480
        assert agent._driver is not None
        for stream in list(agent._driver.transport._streams.values()):
            stream.close()
        await without_streams(other)
        assert (await other.options(uri)).status == 480


@pytest.mark.rule("SIP-18", "SIP-16")
async def test_a_request_to_a_connection_that_was_dead_goes_over_a_new_one() -> None:
    heard: list[bytes] = []

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # The first connection answers once, and hangs up on the second request.
        for number in range(2):
            try:
                request = parse_message(await reader.readuntil(b"\r\n\r\n"))
            except asyncio.IncompleteReadError:
                break
            assert isinstance(request, Request)
            heard.append((request.via.branch or "").encode())
            if number == 1:
                break
            writer.write(bytes(response_to(request, 200, to_tag="x")))
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        uri = f"sip:b@127.0.0.1:{port};transport=tcp"
        async with sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN) as agent:
            assert (await agent.options(uri)).status == 200
            assert (await agent.options(uri)).status == 200
    assert len(heard) == 3
    assert heard[1] == heard[2]


@pytest.mark.rule("SIP-18")
async def test_a_new_connection_that_is_closed_without_an_answer_is_a_failure() -> None:
    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN) as agent:
            with pytest.raises(sip.TransportError):
                await agent.options(f"sip:b@127.0.0.1:{port};transport=tcp")


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(b"", "closed the connection without an answer", id="nothing"),
        pytest.param(b"\r\n", "it closed the connection", id="keep-alive"),
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            "what answers there doesn't speak SIP",
            id="http",
        ),
        pytest.param(b"HTTP/1.1 400", "closed the connection", id="cut"),
        pytest.param(b"\x15\x03\x01\0\x02\x02\x28", "it speaks TLS", id="alert"),
    ],
)
async def test_an_answer_that_isn_t_sip_is_a_failure_at_once(
    octets: bytes, words: str
) -> None:
    done = asyncio.Event()

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(octets)
        if "closed" not in words:
            await done.wait()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN) as agent:
            async with asyncio.timeout(10):  # Timer F is 32 s.
                with pytest.raises(sip.TransportError, match=words) as caught:
                    await agent.options(f"sip:b@127.0.0.1:{port};transport=tcp")
        done.set()
    assert caught.value.target == f"127.0.0.1:{port} over TCP"


@pytest.mark.rule("SIP-68")
@pytest.mark.usefixtures("time_flies")
async def test_a_peer_that_never_ends_its_message_is_hung_up_on() -> None:
    limits = sip.Limits(message_time=0.1)
    async with sip.UserAgent("sip:b@127.0.0.1", listen=LISTEN, limits=limits) as agent:
        client = await Client.connect(agent)
        client.writer.write(options(1))
        await client.response()
        waiting = asyncio.create_task(client.hung_up())
        while not waiting.done():
            client.writer.write(b"x")
            await asyncio.sleep(0.02)
        await waiting
        await client.close()


@pytest.mark.rule("SIP-68", "SIP-16")
@pytest.mark.usefixtures("time_flies")
async def test_connections_are_bounded_and_the_idle_make_room() -> None:
    limits = sip.Limits(connections=2, idle_connection=0.2)
    async with sip.UserAgent("sip:b@127.0.0.1", listen=LISTEN, limits=limits) as agent:
        clients = [await Client.connect(agent) for _ in range(2)]
        for number, client in enumerate(clients):
            client.writer.write(options(number))
            await client.response()
        refused = await Client.connect(agent)
        await refused.hung_up()
        await asyncio.sleep(0.3)
        clients[1].writer.write(options(7))
        await clients[1].response()
        late = await Client.connect(agent)
        late.writer.write(options(8))
        await late.response()
        async with asyncio.timeout(5):
            assert await clients[0].reader.read() == b""
        for client in (*clients, refused, late):
            await client.close()


@pytest.mark.rule("SIP-68")
async def test_a_peer_that_reads_nothing_is_hung_up_on() -> None:
    limits = sip.Limits(unsent_octets=20_000)
    async with sip.UserAgent("sip:b@127.0.0.1", listen=LISTEN, limits=limits) as agent:
        agent.offer_capabilities([])
        client = await Client.connect(agent)
        agent._core.capabilities = b"x" * 50_000
        agent._core.answers_calls = True
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # It is there.
        assert agent._driver is not None
        for number in range(400):
            client.writer.write(options(number))
            await asyncio.sleep(0)
            if number > 5 and not agent._driver.transport._streams:
                break
        else:
            pytest.fail("the connection is still open")
        client.writer.transport.abort()


@pytest.mark.rule("SIP-17", "SIP-14")
async def test_datagrams_of_empty_lines_are_ignored(agent: sip.UserAgent) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.bind(("127.0.0.1", 0))
        target = ("127.0.0.1", agent.listening[0].port)
        for datagram in (b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"junk", b"\x80\x01"):
            client.sendto(datagram, target)
        client.sendto(b"\r\n" + options(via="UDP 127.0.0.1"), target)
        async with asyncio.timeout(5):
            data = await loop.sock_recv(client, 65535)
    response = parse_message(data)
    assert isinstance(response, Response)
    assert response.status == 480


@pytest.mark.rule("SIP-12")
async def test_a_datagram_of_60_kilobytes_is_taken(agent: sip.UserAgent) -> None:
    loop = asyncio.get_running_loop()
    long = options(via="UDP 127.0.0.1").replace(
        b"Max-Forwards", b"Subject: " + b"x" * 60_000 + b"\r\nMax-Forwards"
    )
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.bind(("127.0.0.1", 0))
        client.sendto(long, ("127.0.0.1", agent.listening[0].port))
        async with asyncio.timeout(5):
            data = await loop.sock_recv(client, 65535)
    assert b"480" in data.partition(b"\r\n")[0]


async def test_a_wildcard_listener_tells_the_address_on_the_way_to_the_peer() -> None:
    async with sip.UserAgent("sip:b@127.0.0.1", listen=["udp://0.0.0.0:0"]) as agent:
        point = agent._ways.local_point(Hop(Transport.UDP, "127.0.0.1", 5060))
        assert point.host == "127.0.0.1"
        assert point.port == agent.listening[0].port


@pytest.mark.rule("SIP-68", "NG-13")
async def test_logs_have_no_bodies_and_no_credentials(
    agent: sip.UserAgent, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "sip")
    secret = options().replace(b"Max", b"Authorization: Digest hush\r\nMax")
    client.writer.write(secret)
    await client.response()
    client.writer.write(secret.replace(b"Content-Length: 0", b"Content-Length: y"))
    await client.response()
    assert "hush" not in caplog.text
    assert caplog.text != ""


# The transport layer alone.


class Sink:
    """Counts what arrives."""

    def message_received(self, message: sip.Message, source: Hop) -> None:
        raise AssertionError("nothing was sent")

    def invalid_received(self, error: sip.SipParseError, source: Hop) -> None:
        raise AssertionError("nothing was sent")


@pytest.mark.rule("SIP-18", "SIP-68")
async def test_what_waits_for_a_connection_is_bounded_and_fails_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed: list[sip.TransportError] = []
    limits = sip.Limits(connect_time=0.05, waiting_messages=3, connections=1)
    layer = TransportLayer(Sink(), lambda _, error: failed.append(error), limits=limits)

    async def hang(*_: object) -> Stream:
        await asyncio.sleep(100)
        raise AssertionError("it was not cancelled")

    monkeypatch.setattr(layer._connector, "_begin", hang)
    message = parse_message(options())
    hop = Hop(Transport.TCP, "127.0.0.1", 9)
    for _ in range(5):
        layer.send(Outgoing(message, hop))
    layer.send(Outgoing(message, Hop(Transport.TCP, "127.0.0.2", 9)))
    assert failed == []
    await asyncio.sleep(0)
    assert len(failed) == 3
    async with asyncio.timeout(5):
        while len(failed) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    layer.send(Outgoing(message, hop))
    await layer.close()
    layer.send(Outgoing(message, hop))
    assert len(failed) == 6


async def test_without_a_socket_for_it_a_datagram_fails() -> None:
    failed: list[sip.TransportError] = []
    layer = TransportLayer(
        Sink(), lambda _, error: failed.append(error), limits=sip.Limits()
    )
    layer.send(Outgoing(parse_message(options()), Hop(Transport.UDP, "127.0.0.1", 9)))
    await asyncio.sleep(0)
    assert [str(error) for error in failed] == [
        "cannot reach 127.0.0.1:9 over UDP: we don't listen on UDP with IPv4"
    ]
    await layer.close()


async def test_a_datagram_that_the_system_refuses_fails() -> None:
    failed: list[sip.TransportError] = []
    layer = TransportLayer(
        Sink(), lambda _, error: failed.append(error), limits=sip.Limits()
    )
    await layer.listen(Hop(Transport.UDP, "127.0.0.1", 0))
    # From the loopback there is no way out.
    layer.send(Outgoing(parse_message(options()), Hop(Transport.UDP, "192.0.2.1", 9)))
    await asyncio.sleep(0)
    assert len(failed) == 1
    await layer.close()


@pytest.mark.rule("SIP-68")
async def test_who_has_gone_before_we_look_is_no_peer() -> None:
    """The system gives a connection that was reset, and no address of its peer."""
    opened: list[Stream] = []
    stream = Stream(
        Transport.TCP,
        1,
        Sink(),
        on_open=opened.append,
        on_close=lambda _: None,
        on_message=lambda *_: None,
        limits=sip.Limits(),
    )
    transport = Mock()
    transport.get_extra_info.return_value = None
    stream.connection_made(transport)
    assert transport.abort.call_count == 1
    stream.connection_lost(None)
    assert opened == []
