"""User agents: where they listen, whom they find, and how they close."""

from __future__ import annotations

import asyncio

import pytest

import mime
import sdp
import sip
from sip.aio import IncomingCall
from sip.sansio.locate import Naptr
from sip.testing import RecordingMedia
from tests.sip.aio.switchboard import (
    StubDns,
    Switchboard,
    Tls,
    answering,
    until,
    uri_of,
)

# Listening.


@pytest.mark.rule("SIP-11")
async def test_listening_on_udp_is_listening_on_tcp_too(board: Switchboard) -> None:
    agent = await board.agent("udp")
    ports = {hop.transport.value: hop.port for hop in agent.listening}
    assert ports.keys() == {"udp", "tcp"}
    assert ports["udp"] == ports["tcp"] != 0


async def test_both_transports_of_a_port_may_be_named(tls: Tls) -> None:
    async with sip.UserAgent("sip:a@127.0.0.1", listen=["udp://127.0.0.1:0"]) as one:
        port = one.listening[0].port
    listen = [f"udp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"]
    async with sip.UserAgent("sip:a@127.0.0.1", listen=listen) as agent:
        assert len(agent.listening) == 2


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_address_that_is_taken_is_named_in_the_error(
    board: Switchboard, transport: str
) -> None:
    port = (await board.agent("udp")).listening[0].port
    address = f"{transport}://127.0.0.1:{port}"
    with pytest.raises(sip.TransportError, match=f"cannot listen on {address}: "):
        async with sip.UserAgent("sip:a@127.0.0.1", listen=[address]):
            pass


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:5060", "ws://127.0.0.1:1", "tcp://:5060", "tcp://127.0.0.1:99999"],
)
def test_what_is_no_address_to_listen_on_is_refused(address: str) -> None:
    with pytest.raises(sip.LocalError):
        sip.UserAgent("sip:a@127.0.0.1", listen=[address])


async def test_listening_with_tls_needs_a_certificate() -> None:
    with pytest.raises(sip.LocalError):
        async with sip.UserAgent("sip:a@127.0.0.1", listen=["tls://127.0.0.1:0"]):
            pass


@pytest.mark.rule("SIP-19")
async def test_a_certificate_that_nobody_vouches_for_is_no_connection(
    board: Switchboard,
) -> None:
    bob = await board.agent("tls")
    answering(bob)
    async with sip.UserAgent("sip:a@127.0.0.1", listen=["tcp://127.0.0.1:0"]) as alice:
        with pytest.raises(sip.TransportError):
            await alice.invite(uri_of(bob, "tls"), media=[RecordingMedia()])


async def test_a_call_over_ipv6() -> None:
    listen = ["udp://[::1]:0"]
    async with (
        sip.UserAgent("sip:b@[::1]", listen=listen) as bob,
        sip.UserAgent("sip:a@[::1]", listen=listen) as alice,
    ):
        answering(bob)
        port = bob.listening[0].port
        call = await alice.invite(f"sip:b@[::1]:{port}", media=[RecordingMedia()])
        await call.bye()
        assert call.end_reason is sip.EndReason.LOCAL_BYE


async def test_the_wildcard_address_is_never_told_to_the_peer(
    board: Switchboard,
) -> None:
    async with sip.UserAgent("sip:a@127.0.0.1", listen=["udp://0.0.0.0:0"]) as alice:
        bob = await board.agent()
        calls, _ = answering(bob)
        async with await alice.invite(uri_of(bob), media=[RecordingMedia()]):
            request = calls[0].request
    assert request.via.host == "127.0.0.1"
    assert b"0.0.0.0" not in bytes(request)


# Emergency calls, proxies, big requests.


@pytest.mark.rule("NG-1", "SIP-28")
async def test_an_emergency_call_goes_by_the_proxy(board: Switchboard) -> None:
    psap, caller = await board.agent(), await board.agent()
    calls, _ = answering(psap)
    proxy = uri_of(psap)
    call = await caller.invite(
        "urn:service:sos",
        media=[RecordingMedia()],
        outbound_proxy=proxy,
        headers=[("Geolocation", "<cid:here@example.net>")],
    )
    request = calls[0].request
    assert request.raw_uri == "urn:service:sos"
    assert str(request.to.uri) == "urn:service:sos"
    assert str(request.routes[0].uri) == f"{proxy};lr"
    assert request.headers.get("Geolocation") == "<cid:here@example.net>"
    await call.bye()


async def test_an_emergency_call_without_a_proxy_is_an_error(
    board: Switchboard,
) -> None:
    medium = RecordingMedia()
    with pytest.raises(sip.LocalError):
        await (await board.agent()).invite("urn:service:sos", media=[medium])
    assert medium.log == ["offer", "stop"]


@pytest.mark.rule("SIP-12", "OA-30")
async def test_a_big_invite_to_a_udp_uri_goes_by_tcp(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    location = mime.Part.build("application/pidf+xml", b"<presence/>" * 200)
    uri = uri_of(bob).replace(";transport=udp", "")
    call = await alice.invite(uri, media=[RecordingMedia()], parts=[location])
    request = calls[0].request
    assert request.via.transport == "TCP"
    parts = mime.parse_multipart(request.content_type or "", request.body).parts
    assert parts[1].content == b"<presence/>" * 200
    await call.bye()


@pytest.mark.rule("SIP-12")
async def test_a_big_invite_goes_by_udp_if_tcp_is_refused(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    assert bob._driver is not None
    for server in bob._driver.transport._listeners._servers:
        server.close()
    location = mime.Part.build("application/pidf+xml", b"<presence/>" * 200)
    uri = uri_of(bob).replace(";transport=udp", "")
    call = await alice.invite(uri, media=[RecordingMedia()], parts=[location])
    assert calls[0].request.via.transport == "UDP"
    await call.bye()


# Options, closing, the context manager.


@pytest.mark.rule("SIP-52", "OA-24")
async def test_options_tells_what_can_be_done(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    answering(bob)
    bob.offer_capabilities([await RecordingMedia().offer()])
    response = await alice.options(uri_of(bob))
    assert response.status == 200
    assert "INVITE" in response.allow
    assert "application/sdp" in response.headers.values("Accept")
    described = sdp.SessionDescription.parse(response.body)
    assert [m.port for m in described.media] == [0]


@pytest.mark.rule("SIP-52")
async def test_options_says_what_an_invite_would_get(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    assert (await alice.options(uri_of(bob))).status == 480


async def test_closing_the_agent_ends_what_is_going_on(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])

    carol = await board.agent()
    waiting: list[IncomingCall] = []

    @carol.on_invite
    async def ring(call: IncomingCall) -> None:
        waiting.append(call)
        await call.ringing()
        await call.ended()

    pending = asyncio.create_task(alice.invite(uri_of(carol), media=[RecordingMedia()]))
    await until(lambda: len(waiting) == 1)
    await until(lambda: len(alice.calls) == 2)
    await alice.close()
    assert call.end_reason is sip.EndReason.LOCAL_BYE
    with pytest.raises(sip.CallOver):
        await pending
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE
    assert await waiting[0].ended() is sip.EndReason.CANCELLED
    with pytest.raises(sip.LocalError):
        await alice.invite(uri_of(bob), media=[RecordingMedia()])


async def test_closing_refuses_calls_that_wait(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        await call.ended()

    pending = asyncio.create_task(alice.invite(uri_of(bob), media=[RecordingMedia()]))
    await until(lambda: len(bob.calls) == 1)
    await bob.close()
    with pytest.raises(sip.CallRefused) as caught:
        await pending
    assert caught.value.status == 480


@pytest.mark.usefixtures("time_flies")
async def test_closing_doesnt_wait_for_ever_for_a_dead_peer(
    board: Switchboard,
) -> None:
    hasty = sip.Limits(closing_time=0.2)
    bob, alice = await board.agent(limits=hasty), await board.agent(limits=hasty)
    answering(bob)
    await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert bob._driver is not None
    await bob._driver.close()
    await alice.close()


# Names.


@pytest.mark.rule("SIP-65", "SIP-66", "ST-14")
async def test_when_the_first_server_is_dead_the_next_gets_the_call(
    board: Switchboard,
) -> None:
    bob, dead = await board.agent("tcp"), await board.agent("tcp")
    calls, _ = answering(bob)
    ports = [dead.listening[0].port, bob.listening[0].port]
    await dead.close()
    alice = await board.agent("tcp", dns=StubDns(*ports))
    async with await alice.invite("sip:bob@example.com", media=[RecordingMedia()]):
        assert calls[0].request.raw_uri == "sip:bob@example.com"


async def test_a_dns_that_fails_fails_the_call(board: Switchboard) -> None:
    class Broken(StubDns):
        async def naptr(self, name: str) -> list[Naptr]:
            raise RuntimeError("a bug")

    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(str(context["exception"]))
    )
    alice = await board.agent("tcp", dns=Broken())
    with pytest.raises(sip.TransportError):
        await alice.invite("sip:bob@example.com", media=[RecordingMedia()])
    assert reports == ["a bug"]


@pytest.mark.rule("SIP-10", "SIP-11", "SIP-42", "SIP-69")
async def test_a_sips_uri_is_called_over_tls(board: Switchboard) -> None:
    bob, alice = await board.agent("tls"), await board.agent("tls")
    calls, _ = answering(bob)
    port = bob.listening[0].port
    uri = f"sips:bob@127.0.0.1:{port}"
    call = await alice.invite(uri, media=[RecordingMedia()])
    assert calls[0].request.contacts[0].uri.scheme == "sips"
    await until(lambda: calls[0].media != [])
    await calls[0].bye()
    assert await call.ended() is sip.EndReason.REMOTE_BYE
