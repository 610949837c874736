"""Calls through a registrar and proxy that knows nothing of us: Kamailio.

It is in Debian's packages ``kamailio``, ``kamailio-extra-modules`` and, for TLS,
``kamailio-tls-modules``; without them these tests are skipped.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import msrp
import sip
from tests.interop.kamailio_program import needs_kamailio, running_kamailio

pytestmark = [
    needs_kamailio,
    pytest.mark.timeout(60),
]


@dataclass
class Proxy:
    """A running Kamailio."""

    transport: str
    uri: str
    certificate: Path
    unlistening: tuple[str, ...] = ()
    """Who has no certificate, and so can't listen for TLS."""

    @property
    def domain(self) -> str:
        """What users are registered in."""
        return "ng911.test"

    def agent(self, name: str) -> sip.UserAgent:
        """Make a user agent that goes by this proxy."""
        server = client = None
        listens = "tcp" if name in self.unlistening else self.transport
        if self.transport == "tls":
            client = ssl.create_default_context(cafile=str(self.certificate))
            client.minimum_version = ssl.TLSVersion.TLSv1_2
        if listens == "tls":
            server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.minimum_version = ssl.TLSVersion.TLSv1_2
            server.load_cert_chain(self.certificate)
        return sip.UserAgent(
            f"sip:{name}@{self.domain}",
            listen=[f"{listens}://127.0.0.1:0"],
            outbound_proxy=self.uri,
            credentials=(name, name),
            server_ssl=server,
            client_ssl=client,
        )


@asynccontextmanager
async def kamailio(directory: Path, transport: str) -> AsyncIterator[Proxy]:
    """Run it."""
    async with running_kamailio(directory, "proxy.cfg", "udp") as program:
        port = program.tls_port if transport == "tls" else program.port
        uri = f"sip:127.0.0.1:{port};transport={transport};lr"
        yield Proxy(transport, uri, program.certificate)


class Texts:
    """What somebody got in a message session."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str] = asyncio.Queue()
        self.pictures: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(self, connection: msrp.MsrpConnection) -> None:
        """Listen to a session."""
        connection.max_message_length = 4_000_000
        connection.on_text_message_received = self.text
        connection.on_attachment_received = self.attachment

    def text(self, event: msrp.TextMessageReceived) -> None:
        self.texts.put_nowait(event.text)

    def attachment(self, event: msrp.AttachmentReceived) -> None:
        self.pictures.put_nowait(event.contents)


class Party:
    """Somebody who is registered and takes calls with messages."""

    def __init__(self, proxy: Proxy, name: str, listener: msrp.MsrpListener) -> None:
        self.name = name
        self.listener = listener
        self.got = Texts()
        self.calls: asyncio.Queue[sip.Call] = asyncio.Queue()
        self.answers = True
        self.agent = proxy.agent(name)
        self.agent.on_invite(self.ring)
        self.agent.on_refer(self.follow)

    @property
    def uri(self) -> str:
        return str(self.agent.address.uri)

    def media(self) -> msrp.MsrpMedia:
        return msrp.MsrpMedia(self.listener, on_connection=self.got.hook)

    async def ring(self, call: sip.IncomingCall) -> None:
        await call.ringing()
        if self.answers:
            await call.answer([self.media()])
        self.calls.put_nowait(call)
        if not self.answers:
            await call.ended()

    async def follow(self, refer: sip.IncomingRefer) -> None:
        self.calls.put_nowait(await refer.follow([self.media()]))


@asynccontextmanager
async def registered(proxy: Proxy, name: str) -> AsyncIterator[Party]:
    """Let somebody register."""
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        party = Party(proxy, name, listener)
        async with party.agent, party.agent.register(f"sip:{proxy.domain}"):
            yield party


def texting(call: sip.Call) -> msrp.MsrpConnection:
    """Return the message session of a call."""
    (medium,) = call.media
    assert isinstance(medium, msrp.MsrpMedia)
    return medium.connection


@pytest.mark.rule("SIP-43", "SIP-53", "SIP-60", "SIP-63")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_two_who_are_registered_call_each_other_and_send_a_picture(
    tmp_path: Path, transport: str
) -> None:
    picture = os.urandom(1_000_000)
    async with (
        kamailio(tmp_path, transport) as proxy,
        registered(proxy, "alice") as alice,
        registered(proxy, "bob") as bob,
    ):
        call = await alice.agent.invite(bob.uri, media=[alice.media()], timeout=10)
        theirs = await bob.calls.get()
        await texting(call).send_text("hello")
        assert await bob.got.texts.get() == "hello"
        sent = await texting(theirs).send_message("image/jpeg", picture)
        await sent.delivered()
        got = await alice.got.pictures.get()
        assert hashlib.sha256(got).digest() == hashlib.sha256(picture).digest()
        # The proxy has asked to stay on the way, and does.
        assert call.request.headers.get("Proxy-Authorization") is None
        await theirs.bye()
        assert await call.ended() is sip.EndReason.REMOTE_BYE


@pytest.mark.rule("SIP-16", "SIP-43")
async def test_who_cant_listen_for_tls_is_reached_by_the_connection_it_has_made(
    tmp_path: Path,
) -> None:
    async with kamailio(tmp_path, "tls") as proxy:
        proxy.unlistening = ("alice", "bob")
        async with registered(proxy, "alice") as alice, registered(proxy, "bob") as bob:
            call = await alice.agent.invite(bob.uri, media=[alice.media()], timeout=10)
            theirs = await bob.calls.get()
            await texting(call).send_text("hello")
            assert await bob.got.texts.get() == "hello"
            await theirs.hold(timeout=10)
            await call.bye()
            assert await theirs.ended() is sip.EndReason.REMOTE_BYE
            via = theirs.request.vias[-1]
            assert via.transport == "TLS"
            assert via.port not in {hop.port for hop in alice.agent.listening}


@pytest.mark.rule("SIP-51")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_call_is_cancelled_while_it_rings(
    tmp_path: Path, transport: str
) -> None:
    async with (
        kamailio(tmp_path, transport) as proxy,
        registered(proxy, "alice") as alice,
        registered(proxy, "bob") as bob,
    ):
        bob.answers = False
        calling = asyncio.create_task(
            alice.agent.invite(bob.uri, media=[alice.media()])
        )
        theirs = await bob.calls.get()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await theirs.ended() is sip.EndReason.CANCELLED


@pytest.mark.rule("SIP-55")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_call_is_transferred(tmp_path: Path, transport: str) -> None:
    async with (
        kamailio(tmp_path, transport) as proxy,
        registered(proxy, "alice") as alice,
        registered(proxy, "bob") as bob,
        registered(proxy, "psap") as psap,
    ):
        call = await alice.agent.invite(bob.uri, media=[alice.media()], timeout=10)
        await bob.calls.get()
        await alice.agent.transfer(call, psap.uri)
        followed = await bob.calls.get()
        await psap.calls.get()
        await texting(followed).send_text("I was sent to you")
        assert await psap.got.texts.get() == "I was sent to you"
        assert call.end_reason is sip.EndReason.LOCAL_BYE


@pytest.mark.rule("SIP-60")
async def test_who_does_not_know_the_password_is_told(tmp_path: Path) -> None:
    async with kamailio(tmp_path, "udp") as proxy:
        stranger = sip.UserAgent(
            f"sip:alice@{proxy.domain}",
            listen=["udp://127.0.0.1:0"],
            outbound_proxy=proxy.uri,
            credentials=("alice", "guessed"),
        )
        async with stranger:
            with pytest.raises(sip.CallRefused, match="401"):
                await stranger.register(f"sip:{proxy.domain}")


async def test_nobody_there_is_told(tmp_path: Path) -> None:
    async with (
        kamailio(tmp_path, "udp") as proxy,
        registered(proxy, "alice") as alice,
    ):
        with pytest.raises(sip.CallRefused, match="404"):
            await alice.agent.invite(
                f"sip:bob@{proxy.domain}", media=[alice.media()], timeout=10
            )
