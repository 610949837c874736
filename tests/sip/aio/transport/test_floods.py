"""What one peer can do to an agent, and what it costs somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket

import pytest

import sip
from sip.message import Response
from sip.testing import RecordingMedia
from sip.wire import parse_message

UDP = ["udp://127.0.0.1:0"]

REQUEST = (
    "{method} sip:b@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number}{rport}\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:a@127.0.0.1>;tag=a\r\n"
    "To: <sip:b@127.0.0.1>\r\n"
    "Call-ID: {number}\r\n"
    "CSeq: 1 {method}\r\n"
    "Contact: <sip:a@127.0.0.1:{port}>\r\n"
    "Content-Length: 0\r\n\r\n"
)


@pytest.mark.rule("SIP-68")
async def test_one_address_opens_only_so_many_connections() -> None:
    limits = sip.Limits(connections=10, connections_per_host=3)
    listen = ["tcp://127.0.0.1:0"]
    async with sip.UserAgent("sip:b@127.0.0.1", listen=listen, limits=limits) as agent:
        port = agent.listening[0].port
        writers = []
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                assert await reader.read() == b""
        assert agent._driver is not None
        assert len(agent._driver.transport._streams) == 3
        # Another address still gets one.
        _, other = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=("127.0.0.2", 0)
        )
        writers.append(other)
        async with asyncio.timeout(5):
            while len(agent._driver.transport._streams) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        for writer in writers:
            writer.transport.abort()


class Flood:
    """A socket that sends requests and reads what comes back."""

    def __init__(self, sock: socket.socket, port: int) -> None:
        self.sock = sock
        self._target = ("127.0.0.1", port)
        self.sent: list[bytes] = []

    def send(self, number: int, method: str = "INVITE", rport: str = ";rport") -> None:
        port = self.sock.getsockname()[1]
        text = REQUEST.format(method=method, number=number, port=port, rport=rport)
        self.sent.append(text.encode())
        self.sock.sendto(self.sent[-1], self._target)

    async def receive(self) -> Response:
        async with asyncio.timeout(5):
            data = await asyncio.get_running_loop().sock_recv(self.sock, 65535)
        message = parse_message(data)
        assert isinstance(message, Response)
        return message


@pytest.mark.rule("SIP-68")
async def test_beyond_its_bound_an_agent_answers_without_remembering() -> None:
    limits = sip.Limits(server_transactions=20, retry_after=7)
    async with sip.UserAgent("sip:b@127.0.0.1", listen=UDP, limits=limits) as agent:
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            peer = Flood(sock, agent.listening[0].port)
            statuses = []
            for number in range(60):
                peer.send(number, "OPTIONS")
                response = await peer.receive()
                statuses.append(response.status)
                if response.status == 503:
                    assert response.headers.get("Retry-After") == "7"
            assert statuses == [480] * 20 + [503] * 40
            assert len(agent._core._layer) == 20


@pytest.mark.rule("SIP-68")
@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "FOO", "BYE", "INVITE"])
async def test_what_a_refusal_adds_to_a_request_is_bounded(method: str) -> None:
    async with sip.UserAgent("sip:b@127.0.0.1", listen=UDP) as agent:
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            peer = Flood(sock, agent.listening[0].port)
            peer.send(1, method)
            response = await peer.receive()
            assert response.status >= 400
            # A response repeats the request's Via and adds a tag and what is
            # taken instead: a few hundred octets, whatever was sent.
            assert len(bytes(response)) < len(peer.sent[0]) + 300


@pytest.mark.rule("SIP-68")
async def test_junk_is_not_answered_over_udp() -> None:
    async with sip.UserAgent("sip:b@127.0.0.1", listen=UDP) as agent:
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            peer = Flood(sock, agent.listening[0].port)
            target = ("127.0.0.1", agent.listening[0].port)
            for junk in (b"\0" * 500, b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 200 OK\r\n"):
                sock.sendto(junk, target)
            sock.sendto(b"ACK sip:b@c SIP/2.0\r\nVia: x\r\n\r\n", target)
            peer.send(1, "OPTIONS")
            assert (await peer.receive()).via.branch == "z9hG4bK1"


# What is written to the log where anybody may read it.

SECRETS = re.compile(r"msrps?://|hush|Digest|response=|sdp|a=path", re.IGNORECASE)


@pytest.mark.rule("SIP-68", "NG-13")
async def test_the_log_of_a_call_has_no_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        sip.UserAgent("sip:bob@127.0.0.1", listen=UDP) as bob,
        sip.UserAgent("sip:alice@127.0.0.1", listen=UDP) as alice,
    ):

        @bob.on_invite
        async def answer(call: sip.IncomingCall) -> None:
            await call.ringing()
            await call.answer([RecordingMedia()])

        port = bob.listening[0].port
        call = await alice.invite(
            f"sip:bob:hush@127.0.0.1:{port}",
            media=[RecordingMedia()],
            headers=[("Authorization", 'Digest username="a", response="hush"')],
        )
        await call.bye()
        with pytest.raises(sip.CallError):
            await alice.invite(
                f"sip:bob:hush@127.0.0.1:{port}", media=[RecordingMedia(kind="audio")]
            )
    said = [record.getMessage() for record in caplog.records]
    assert any("answered" in text for text in said)
    assert [text for text in said if SECRETS.search(text)] == []


@pytest.mark.rule("SIP-68", "SIP-63")
async def test_the_log_of_a_registration_has_no_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[str] = []
    loop = asyncio.get_running_loop()

    async def registrar(sock: socket.socket) -> None:
        while True:
            data, source = await loop.sock_recvfrom(sock, 65535)
            request = parse_message(data)
            assert isinstance(request, sip.Request)
            given = request.headers.get("Authorization")
            challenge = 'Digest realm="psap", nonce="n", qop="auth", algorithm=MD5'
            if given is None:
                headers = [("WWW-Authenticate", challenge)]
                response = sip.response_to(request, 401, to_tag="r", headers=headers)
            else:
                seen.append(given)
                contact = ("Contact", f"{request.headers.get('Contact')};expires=60")
                response = sip.response_to(request, 200, to_tag="r", headers=[contact])
            sock.sendto(bytes(response), source)

    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        serving = asyncio.create_task(registrar(sock))
        async with sip.UserAgent(
            "sip:alice@127.0.0.1",
            listen=UDP,
            credentials=("alice", "hush"),
        ) as alice:
            await alice.register(f"sip:127.0.0.1:{port}")
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert seen
    said = [record.getMessage() for record in caplog.records]
    assert said != []
    assert [text for text in said if SECRETS.search(text)] == []
