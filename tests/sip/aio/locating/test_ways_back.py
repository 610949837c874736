"""Where a response goes when the address that its request came from takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

import sip
from sip.message import Request, Response
from sip.sansio.locate import Naptr, Srv, way_back
from sip.wire import parse_message

INVITE = (
    "INVITE sip:bob@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/TCP {via};branch=z9hG4bK1;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@client.test>;tag=a\r\n"
    "To: <sip:bob@127.0.0.1>\r\n"
    "Call-ID: c\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:alice@client.test>\r\n"
    "Content-Length: 0\r\n\r\n"
)


class Names:
    """A DNS where each name is another address of the loopback."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.broken = False

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return []

    async def srv(self, name: str) -> Sequence[Srv]:
        self.asked.append(name)
        if name != "_sip._tcp.client.test":
            return []
        dead = Srv(1, 1, self.port, "dead.test")
        return [dead, Srv(2, 1, self.port, "second.test")]

    async def addresses(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if self.broken:
            raise ValueError("a DNS of the application that fails")
        return {"dead.test": ["127.0.0.3"]}.get(name, ["127.0.0.1", "127.0.0.2"])


class SecondAddress:
    """A client's other address, where its responses are taken."""

    def __init__(self) -> None:
        self.responses: asyncio.Queue[Response] = asyncio.Queue()

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        message = parse_message(await reader.readuntil(b"\r\n\r\n"))
        assert isinstance(message, Response)
        self.responses.put_nowait(message)
        writer.close()


@pytest_asyncio.fixture
async def second() -> AsyncIterator[tuple[SecondAddress, int]]:
    second = SecondAddress()
    async with await asyncio.start_server(second.accept, "127.0.0.2", 0) as server:
        yield second, server.sockets[0].getsockname()[1]


async def refuse_after_hanging_up(names: Names, via: str) -> None:
    """Let a client call, and be refused when its connection is gone."""
    listen = ["tcp://127.0.0.1:0"]
    ringing, gone = asyncio.Event(), asyncio.Event()
    async with sip.UserAgent("sip:bob@127.0.0.1", listen=listen, dns=names) as bob:

        @bob.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            ringing.set()
            await gone.wait()
            await call.reject(486)

        _, writer = await asyncio.open_connection("127.0.0.1", bob.listening[0].port)
        writer.write(INVITE.format(via=via).encode())
        async with asyncio.timeout(5):
            await ringing.wait()
            writer.close()
            await writer.wait_closed()
            assert bob._driver is not None
            while bob._driver.transport._streams:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            gone.set()
            while not names.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)


@pytest.mark.rule("SIP-14", "SIP-66", "ST-12")
@pytest.mark.parametrize("has_port", [True, False], ids=["port", "service"])
@pytest.mark.usefixtures("time_flies")
async def test_the_name_of_the_sent_by_is_looked_up(
    second: tuple[SecondAddress, int], has_port: bool
) -> None:
    station, port = second
    names = Names()
    names.port = port
    via = f"client.test:{port}" if has_port else "client.test"
    await refuse_after_hanging_up(names, via)
    async with asyncio.timeout(5):
        assert (await station.responses.get()).status == 486
    if has_port:
        assert names.asked == ["client.test"]
    else:
        assert names.asked[0] == "_sip._tcp.client.test"


@pytest.mark.usefixtures("time_flies")
async def test_a_dns_that_fails_is_reported_and_nothing_else_happens(
    second: tuple[SecondAddress, int],
) -> None:
    names = Names()
    names.broken = True
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(context["message"]))
    await refuse_after_hanging_up(names, f"client.test:{second[1]}")
    assert said == ["the look-up of a name in a Via failed"]
    assert second[0].responses.empty()


@pytest.mark.rule("SIP-66")
@pytest.mark.parametrize(
    ("via", "uri"),
    [
        ("SIP/2.0/UDP client.test", "sip:client.test;transport=udp"),
        ("SIP/2.0/TCP client.test:5070", "sip:client.test:5070;transport=tcp"),
        ("SIP/2.0/TLS client.test", "sips:client.test"),
        ("SIP/2.0/UDP 192.0.2.1", None),
        ("SIP/2.0/UDP [2001:db8::1]:5060", None),
        ("SIP/2.0/SCTP client.test", None),
        ("SIP/2.0/UDP -" + "a" * 300, None),
        ("nonsense", None),
    ],
)
def test_the_sent_by_of_a_response_says_what_to_look_up(
    via: str, uri: str | None
) -> None:
    response = Response.build(486, headers=[("Via", via)])
    found = way_back(response)
    assert (None if found is None else str(found)) == uri


def test_requests_have_no_way_back() -> None:
    request = Request.build("ACK", "sip:a@b", headers=[("Via", "SIP/2.0/UDP a.test")])
    assert way_back(request) is None
