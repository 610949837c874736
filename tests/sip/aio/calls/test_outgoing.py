"""Calls that are made: they come about, are given up, or lead nowhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio

import sip
from sip.aio import IncomingCall
from sip.sansio.locate import Naptr
from sip.testing import RecordingMedia
from tests.sip.aio.switchboard import (
    StubDns,
    Switchboard,
    answering,
    until,
    uri_of,
)


@pytest.mark.rule("SIP-11", "SIP-19")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_call_is_answered_and_ended_by_the_caller(
    board: Switchboard, transport: str
) -> None:
    bob, alice = await board.agent(transport), await board.agent(transport)
    calls, theirs = answering(bob)
    ours = RecordingMedia("alice")

    call = await alice.invite(uri_of(bob, transport), media=[ours], timeout=10)
    assert call.answered
    assert call.media == [ours]
    await until(lambda: "start as answerer" in theirs.log)
    await call.bye()

    assert call.end_reason is sip.EndReason.LOCAL_BYE
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE
    assert ours.log == ["offer", "start as offerer", "stop"]
    assert theirs.log == ["answer", "start as answerer", "stop"]
    assert theirs.offered is not None
    assert theirs.offered.first("path") == "msrp://127.0.0.1:2855/alice;tcp"
    assert ours.answered == theirs.answered
    assert alice.calls == bob.calls == ()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_the_callee_may_end_the_call(board: Switchboard, transport: str) -> None:
    bob, alice = await board.agent(transport), await board.agent(transport)
    calls, _ = answering(bob)
    call = await alice.invite(uri_of(bob, transport), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])
    await calls[0].bye()
    assert await call.ended() is sip.EndReason.REMOTE_BYE


async def test_leaving_the_call_ends_it(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    async with await alice.invite(uri_of(bob), media=[RecordingMedia()]) as call:
        assert call.remote.uri == calls[0].local.uri
        assert call.local.tag == calls[0].remote.tag
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE


async def test_cancelling_bye_does_not_bring_the_call_back(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    task = asyncio.create_task(call.bye())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await call.ended() is sip.EndReason.LOCAL_BYE


# Giving up.


def is_idle(medium: RecordingMedia) -> bool:
    """Tell whether a medium was never used, or was stopped once and last."""
    return "stop" not in medium.log[:-1] and medium.log[-1:] in ([], ["stop"])


@pytest.mark.rule("SIP-51")
async def test_cancelling_invite_cancels_the_call(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls: list[IncomingCall] = []
    raised: list[Exception] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        calls.append(call)
        await call.ringing()
        reason = await call.ended()
        assert reason is sip.EndReason.CANCELLED
        try:
            await call.answer([RecordingMedia()])
        except sip.CallOver as exc:
            raised.append(exc)

    ringing = asyncio.Event()
    medium = RecordingMedia()
    task = asyncio.create_task(
        alice.invite(uri_of(bob), media=[medium], on_progress=lambda _: ringing.set())
    )
    await ringing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: len(raised) == 1)
    await until(lambda: alice.calls == bob.calls == ())
    assert medium.log == ["offer", "stop"]


@pytest.mark.rule("SIP-51")
@pytest.mark.usefixtures("time_flies")
async def test_a_timeout_cancels_the_call(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    ended: list[sip.EndReason] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        ended.append(await call.ended())

    with pytest.raises(sip.CallTimeout):
        await alice.invite(uri_of(bob), media=[RecordingMedia()], timeout=0.2)
    await until(lambda: ended == [sip.EndReason.CANCELLED])


@pytest.mark.usefixtures("time_flies")
async def test_a_call_into_the_void_times_out(board: Switchboard) -> None:
    alice = await board.agent(timers=sip.Timers(t1=0.01, t2=0.08))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    try:
        with pytest.raises(sip.CallTimeout):
            await alice.invite(f"sip:127.0.0.1:{port}", media=[RecordingMedia()])
    finally:
        transport.close()


@pytest.mark.rule("SIP-18", "SIP-29")
async def test_a_port_on_which_nobody_listens_is_an_error(board: Switchboard) -> None:
    bob = await board.agent("tcp")
    uri = uri_of(bob, "tcp")
    await bob.close()
    alice = await board.agent("tcp")
    medium = RecordingMedia()
    with pytest.raises(sip.TransportError):
        await alice.invite(uri, media=[medium])
    assert medium.log == ["offer", "stop"]
    with pytest.raises(sip.TransportError):
        await alice.options(uri)


@pytest.mark.rule("SIP-18")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs IP_RECVERR")
async def test_a_udp_port_on_which_nobody_listens_is_an_error_at_once(
    board: Switchboard,
) -> None:
    bob, dead = await board.agent(), await board.agent()
    _, _ = answering(bob), answering(dead)
    uri = uri_of(dead)
    await dead.close()
    alice = await board.agent(timers=sip.Timers())
    medium = RecordingMedia()
    with pytest.raises(sip.TransportError):
        await alice.invite(uri, media=[medium], timeout=10)
    assert medium.log == ["offer", "stop"]
    # Calls to others that go on at the same time are not touched.
    good, bad = await asyncio.gather(
        alice.invite(uri_of(bob), media=[RecordingMedia()], timeout=10),
        alice.invite(uri, media=[RecordingMedia()], timeout=10),
        return_exceptions=True,
    )
    assert isinstance(good, sip.Call)
    assert isinstance(bad, sip.TransportError)
    await good.bye()


@pytest.mark.parametrize(
    "moment", [pytest.param(n, id=f"{n}-steps") for n in range(0, 60, 3)]
)
async def test_invite_may_be_cancelled_at_any_moment(
    board: Switchboard, moment: int
) -> None:
    bob, alice = await board.agent("tcp"), await board.agent("tcp")
    _, theirs = answering(bob)
    ours = RecordingMedia()
    task = asyncio.create_task(alice.invite(uri_of(bob, "tcp"), media=[ours]))
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await (await task).bye()
    except asyncio.CancelledError:
        pass
    await until(lambda: alice.calls == bob.calls == ())
    await until(lambda: is_idle(ours) and is_idle(theirs))


# What an unreachable peer is like, and how long that takes.


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[int]:
    """Give a UDP port that swallows everything."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0)
    )
    yield transport.get_extra_info("sockname")[1]
    transport.close()


# Were anything of these waited for, the test would not end in its time.
PATIENT = sip.Limits(closing_time=1000.0, cancelling_time=1000.0)


@pytest.mark.rule("SIP-51")
async def test_nobody_waits_for_a_peer_that_said_nothing(
    board: Switchboard, silent: int
) -> None:
    alice = await board.agent(timers=sip.Timers(t1=0.1), limits=PATIENT)
    uri = f"sip:127.0.0.1:{silent}"
    medium = RecordingMedia()
    with pytest.raises(sip.CallTimeout) as caught:
        await alice.invite(uri, media=[medium], timeout=0.05)
    assert medium.log == ["offer", "stop"]
    assert str(caught.value) == (
        f"no answer from 127.0.0.1:{silent} over UDP: nothing came within 0.05 s"
    )
    cancelled = asyncio.create_task(alice.invite(uri, media=[RecordingMedia()]))
    await until(lambda: len(alice.calls) == 2)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    pending = asyncio.create_task(alice.invite(uri, media=[RecordingMedia()]))
    await until(lambda: len(alice.calls) == 3)
    asked = asyncio.create_task(alice.options(uri))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await alice.close()
        # Whoever still waited is told.
        with pytest.raises(sip.CallOver):
            await pending
        with pytest.raises(sip.LocalError, match="was closed"):
            await asked
    assert alice.calls == ()


@pytest.mark.rule("SIP-51")
@pytest.mark.usefixtures("time_flies")
async def test_a_call_that_rings_on_is_left_after_a_short_time(
    board: Switchboard,
) -> None:
    loop = asyncio.get_running_loop()
    heard: list[str] = []

    class Deaf(asyncio.DatagramProtocol):
        """Rings, and doesn't care for CANCEL."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            request = sip.parse_message(data)
            assert isinstance(request, sip.Request)
            heard.append(request.method)
            if request.method == "INVITE":
                contact = ("Contact", "<sip:127.0.0.1>")
                ringing = sip.response_to(request, 180, to_tag="x", headers=[contact])
                self.transport.sendto(bytes(ringing), addr)

    transport, _ = await loop.create_datagram_endpoint(Deaf, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    limits = sip.Limits(cancelling_time=0.05, closing_time=1000.0)
    alice = await board.agent(limits=limits)
    with pytest.raises(sip.CallTimeout, match="it took the call, but nobody answered"):
        await alice.invite(
            f"sip:127.0.0.1:{port}", media=[RecordingMedia()], timeout=0.2
        )
    async with asyncio.timeout(10):
        await alice.close()
    transport.close()
    assert heard[0] == "INVITE"
    assert "CANCEL" in heard


async def test_a_look_up_that_hangs_is_named_and_not_waited_for(
    board: Switchboard,
) -> None:
    class Hanging(StubDns):
        async def naptr(self, name: str) -> list[Naptr]:
            await asyncio.sleep(1000)
            raise AssertionError("it was not cancelled")

    alice = await board.agent("tcp", dns=Hanging(), limits=PATIENT)
    with pytest.raises(sip.CallTimeout) as caught:
        await alice.invite("sip:b@example.com", media=[RecordingMedia()], timeout=0.05)
    assert str(caught.value) == (
        "no answer from sip:b@example.com: the DNS gave no address within 0.05 s"
    )
    async with asyncio.timeout(10):
        await alice.close()


@pytest.mark.rule("SIP-66", "SIP-29")
async def test_the_last_of_several_addresses_is_named(board: Switchboard) -> None:
    dead = [await board.agent("tcp") for _ in range(2)]
    ports = [agent.listening[0].port for agent in dead]
    for agent in dead:
        await agent.close()
    alice = await board.agent("tcp", dns=StubDns(*ports))
    with pytest.raises(sip.TransportError) as caught:
        await alice.invite("sip:b@example.com", media=[RecordingMedia()])
    assert str(caught.value) == (
        f"cannot reach sip:b@example.com at 127.0.0.1:{ports[1]} over TCP, the last of "
        "2 addresses tried: connection refused"
    )
    assert caught.value.problem == "connection refused"
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sip:b@127.0.0.1;transport=carrier-pigeon", "no transport 'carrier-pigeon'"),
        ("sip:b@127.0.0.300", "'127.0.0.300' is neither an IP address nor"),
        ("bob at home", "'bob at home' is no URI"),
    ],
)
async def test_a_uri_that_can_lead_nowhere_is_refused_before_anything_is_sent(
    board: Switchboard, uri: str, words: str
) -> None:
    alice = await board.agent()
    medium = RecordingMedia()
    with pytest.raises(sip.LocalError, match=words):
        await alice.invite(uri, media=[medium])
    with pytest.raises(sip.LocalError, match=words):
        await alice.options(uri)
    with pytest.raises(sip.LocalError, match=words):
        await alice.options("sip:b@127.0.0.1", outbound_proxy=uri)
    assert medium.log == []


@pytest.mark.rule("SIP-19")
async def test_tls_and_no_tls_don_t_wait_for_each_other(board: Switchboard) -> None:
    plain, secure = await board.agent("tcp"), await board.agent("tls")
    # Nothing ends it but what the other side does.
    hours = sip.Limits(connect_time=1000.0, handshake_time=1000.0, message_time=1000.0)
    alice = await board.agent("tcp", limits=hours)
    async with asyncio.timeout(10):
        with pytest.raises(sip.TransportError, match="perhaps it doesn't speak TLS"):
            await alice.options(f"sips:b@127.0.0.1:{plain.listening[0].port}")
        with pytest.raises(sip.TransportError, match="perhaps it wants TLS"):
            await alice.options(
                f"sip:b@127.0.0.1:{secure.listening[0].port};transport=tcp"
            )


@pytest.mark.rule("SIP-19")
async def test_a_certificate_that_nobody_vouches_for_is_named(
    board: Switchboard,
) -> None:
    bob = await board.agent("tls")
    async with sip.UserAgent("sip:a@127.0.0.1", listen=["tcp://127.0.0.1:0"]) as alice:
        with pytest.raises(sip.TransportError, match="certificate isn't trusted"):
            await alice.options(uri_of(bob, "tls"))


@pytest.mark.rule("SIP-19")
async def test_a_certificate_for_another_name_is_named(board: Switchboard) -> None:
    bob, alice = await board.agent("tls"), await board.agent("tcp")
    port = bob.listening[0].port
    with pytest.raises(sip.TransportError, match="for another name than localhost"):
        await alice.options(f"sips:b@localhost:{port}")
