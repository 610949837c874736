"""Calls between user agents over real sockets on the loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol, cast

import pytest
import pytest_asyncio

import mime
import sdp
import sip
from sip.aio import IncomingCall
from sip.sansio.locate import Naptr, Srv
from sip.testing import RecordingMedia

# T1 is 50 ms, so that what takes 32 s takes 3.2 s.
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)


class Tls(Protocol):
    server: ssl.SSLContext
    client: ssl.SSLContext


class Switchboard:
    """Makes user agents that are closed after the test."""

    def __init__(self, stack: AsyncExitStack, tls: Tls) -> None:
        self._stack = stack
        self._tls = tls

    async def agent(self, transport: str = "udp", **options: Any) -> sip.UserAgent:
        return await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:console@127.0.0.1",
                listen=[f"{transport}://127.0.0.1:0"],
                server_ssl=self._tls.server,
                client_ssl=self._tls.client,
                timers=options.pop("timers", QUICK),
                **options,
            )
        )


@pytest_asyncio.fixture
async def board(tls: Tls) -> AsyncIterator[Switchboard]:
    async with AsyncExitStack() as stack:
        yield Switchboard(stack, tls)


def uri_of(agent: sip.UserAgent, transport: str = "udp") -> str:
    for hop in agent.listening:
        if hop.transport.value == transport:
            return f"sip:bob@127.0.0.1:{hop.port};transport={transport}"
    raise AssertionError(f"it doesn't listen on {transport}")


def answering(agent: sip.UserAgent) -> tuple[list[IncomingCall], RecordingMedia]:
    """Let an agent answer each call."""
    calls: list[IncomingCall] = []
    medium = RecordingMedia("bob")

    @agent.on_invite
    async def ring(call: IncomingCall) -> None:
        calls.append(call)
        await call.ringing()
        await call.answer([medium])

    return calls, medium


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


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


# Refusals.


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_refusal_reaches_the_caller(board: Switchboard, transport: str) -> None:
    bob, alice = await board.agent(transport), await board.agent(transport)

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.reject(486, "Busy Tonight", headers=[("Retry-After", "60")])

    medium = RecordingMedia()
    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob, transport), media=[medium])
    assert (caught.value.status, caught.value.reason) == (486, "Busy Tonight")
    assert caught.value.response.headers.get("Retry-After") == "60"
    assert str(caught.value) == "refused with 486 (Busy Here)"
    assert medium.log == ["offer", "stop"]
    await until(lambda: bob.calls == ())


async def test_without_a_handler_nobody_is_there(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert caught.value.status == 480


async def test_a_handler_that_does_nothing_refuses_with_480(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        return

    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert caught.value.status == 480


async def test_a_handler_that_fails_refuses_with_500_and_is_reported(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(context)
    )

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert caught.value.status == 500
    assert [str(report["exception"]) for report in reports] == ["a bug"]


@pytest.mark.rule("SIP-49", "OA-29")
async def test_an_offer_that_nobody_can_use_is_refused_with_488(
    board: Switchboard, caplog: pytest.LogCaptureFixture
) -> None:
    class Particular(RecordingMedia):
        refusal = "TLS is wanted here"

        async def answer(self, offered: sdp.MediaDescription) -> None:
            return None

    bob, alice = await board.agent(), await board.agent()
    raised: list[Exception] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        try:
            await call.answer([RecordingMedia(kind="audio"), Particular()])
        except sip.NegotiationFailed as exc:
            raised.append(exc)
            raise

    caplog.set_level(logging.INFO, "sip.call")
    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert caught.value.status == 488
    warning = caught.value.response.headers.get("Warning") or ""
    assert warning.startswith("304 ")
    assert [str(error) for error in raised] == [
        "none of the streams offered can be used (message over TCP/MSRP): "
        "TLS is wanted here"
    ]
    assert f"refusing with 488: {raised[0]}" in caplog.text


@pytest.mark.rule("OA-13")
async def test_a_stream_that_nobody_takes_is_refused_by_itself(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    _, theirs = answering(bob)
    audio, message = RecordingMedia("audio", "audio"), RecordingMedia()
    call = await alice.invite(uri_of(bob), media=[audio, message])
    assert call.media == [message]
    assert audio.log == ["offer", "stop"]
    assert call.remote_description is not None
    assert [m.port for m in call.remote_description.media] == [0, 2855]
    await call.bye()
    assert theirs.log[-1] == "stop"


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


# Offers, answers and what comes later.


@pytest.mark.rule("OA-28")
async def test_a_call_without_an_offer_gets_ours_in_the_2xx(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    _, theirs = answering(bob)
    invite = RawInvite(alice, uri_of(bob))
    response = await invite.answered()
    offer = sdp.SessionDescription.parse(response.body)
    assert offer.media[0].first("setup") == "actpass"
    medium = RecordingMedia("alice")
    described = await medium.answer(offer.effective_media(0))
    answer = sdp.build_answer(offer, [described], address="127.0.0.1")
    invite.acknowledge(bytes(answer))
    await until(lambda: "start as offerer" in theirs.log)
    await invite.end()


@pytest.mark.rule("OA-28")
async def test_an_ack_without_the_answer_ends_the_call(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, theirs = answering(bob)
    invite = RawInvite(alice, uri_of(bob))
    await invite.answered()
    invite.acknowledge(b"")
    assert await calls[0].ended() is sip.EndReason.LOCAL_BYE
    assert theirs.log == ["offer", "stop"]


@pytest.mark.rule("OA-14")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"nonsense", id="not-sdp"),
        pytest.param(
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", id="no-slots"
        ),
        pytest.param(
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
            b"t=0 0\r\nm=message 0 TCP/MSRP *\r\n",
            id="all-refused",
        ),
    ],
)
async def test_a_useless_answer_is_acknowledged_and_the_call_ended(
    board: Switchboard, answer: bytes
) -> None:
    bob, alice = await board.agent(), await board.agent()
    acknowledged = asyncio.Event()
    ended: list[sip.EndReason] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        # Nothing but the core can be made to answer so badly.
        core = call._server
        kind = "application/sdp" if answer else None
        core.accept(call._owner.now(), body=answer, content_type=kind)
        call._owner.flush()
        await call._ack
        acknowledged.set()
        ended.append(await call.ended())

    medium = RecordingMedia()
    with pytest.raises(sip.NegotiationFailed):
        await alice.invite(uri_of(bob), media=[medium])
    await until(lambda: ended == [sip.EndReason.REMOTE_BYE])
    assert acknowledged.is_set()
    assert medium.log == ["offer", "stop"]


@pytest.mark.rule("SIP-50", "OA-15")
async def test_a_refresh_is_answered_with_what_was_said_before(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, theirs = answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])
    assert call.local_description is not None
    response = await reinvite(call, bytes(call.local_description))
    assert response.status == 200
    assert response.body == bytes(calls[0].local_description or b"")
    assert call.answered
    assert theirs.log == ["answer", "start as answerer"]
    await call.bye()


@pytest.mark.rule("SIP-50", "OA-15")
async def test_a_refresh_by_the_answerer_says_who_is_active(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])
    assert calls[0].local_description is not None
    response = await reinvite(calls[0], bytes(calls[0].local_description))
    assert response.status == 200
    answer = sdp.SessionDescription.parse(response.body)
    assert answer.media[0].first("setup") == "passive"
    assert call.local_description is not None
    assert answer.origin.session_id == call.local_description.origin.session_id
    assert answer.origin.version == 2
    # Once it has been said there is no need to say it otherwise.
    again = await reinvite(calls[0], bytes(calls[0].local_description))
    assert again.body == response.body
    await call.bye()


@pytest.mark.rule("SIP-50", "OA-29")
async def test_a_change_of_media_is_refused_and_the_call_lives(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, theirs = answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])
    assert call.local_description is not None
    media = dataclasses.replace(call.local_description.media[0], port=9)
    changed = sdp.next_offer(call.local_description, [media])
    response = await reinvite(call, bytes(changed))
    assert response.status == 488
    assert call.answered
    assert theirs.log == ["answer", "start as answerer"]
    await call.bye()
    assert call.end_reason is sip.EndReason.LOCAL_BYE


@pytest.mark.rule("SIP-50", "OA-28")
async def test_a_refresh_without_an_offer_gets_what_was_said_before(
    board: Switchboard,
) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await until(lambda: calls[0].media != [])
    response = await reinvite(call, b"")
    assert response.status == 200
    assert response.body == bytes(calls[0].local_description or b"")
    await call.bye()


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


async def test_leaving_the_call_ends_it(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    async with await alice.invite(uri_of(bob), media=[RecordingMedia()]) as call:
        assert call.remote.uri == calls[0].local.uri
        assert call.local.tag == calls[0].remote.tag
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE


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


async def test_a_medium_that_fails_to_start_ends_the_call(board: Switchboard) -> None:
    class Broken(RecordingMedia):
        async def start(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            raise RuntimeError("no")

    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    medium = Broken()
    with pytest.raises(RuntimeError, match="no"):
        await alice.invite(uri_of(bob), media=[medium])
    assert medium.log == ["offer", "stop"]
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE


@pytest.mark.rule("OA-13")
async def test_media_that_can_t_begin_with_the_answer_say_why(
    board: Switchboard,
) -> None:
    class Disagreement(Exception):
        problem = "there is no path"

        def __str__(self) -> str:
            return self.problem

    class Picky(RecordingMedia):
        async def start(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            raise Disagreement

    bob, alice = await board.agent(), await board.agent()
    calls, _ = answering(bob)
    with pytest.raises(sip.NegotiationFailed) as caught:
        await alice.invite(uri_of(bob), media=[Picky()])
    assert str(caught.value) == "what was agreed can't be started: there is no path"
    assert isinstance(caught.value.__cause__, Disagreement)
    assert await calls[0].ended() is sip.EndReason.REMOTE_BYE


# What the application does wrong, or does late.


async def test_a_call_is_answered_once(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    refused: list[Exception] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.answer([RecordingMedia()])
        for again in (call.answer([]), call.reject(), call.ringing()):
            try:
                await again
            except sip.LocalError as exc:
                refused.append(exc)

    async with await alice.invite(uri_of(bob), media=[RecordingMedia()]):
        await until(lambda: len(refused) == 3)


async def test_a_call_without_media_is_an_error(board: Switchboard) -> None:
    with pytest.raises(sip.LocalError):
        await (await board.agent()).invite("sip:127.0.0.1:9", media=[])


async def test_what_fails_in_the_application_is_reported(board: Switchboard) -> None:
    class Clinging(RecordingMedia):
        async def stop(self) -> None:
            raise RuntimeError("stuck")

    bob, alice = await board.agent(), await board.agent()
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(str(context["exception"]))
    )
    answering(bob)

    def fail(response: sip.Response) -> None:
        raise RuntimeError(f"at {response.status}")

    call = await alice.invite(uri_of(bob), media=[Clinging()], on_progress=fail)
    await call.bye()
    assert reports == ["at 180", "stuck"]


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


async def test_cancelling_the_answer_ends_the_call(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    starting = asyncio.Event()

    class Slow(RecordingMedia):
        async def start(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            starting.set()
            await asyncio.sleep(100)

    slow = Slow()
    answers: list[asyncio.Task[None]] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        answers.append(asyncio.create_task(call.answer([slow])))
        await asyncio.wait(answers)

    call = await alice.invite(uri_of(bob), media=[RecordingMedia()])
    await starting.wait()
    answers[0].cancel()
    assert await call.ended() is sip.EndReason.REMOTE_BYE
    await until(lambda: slow.log == ["answer", "stop"])


async def test_a_call_that_ends_while_media_start_is_over(board: Switchboard) -> None:
    bob, alice = await board.agent(), await board.agent()
    raised: list[Exception] = []

    class Slow(RecordingMedia):
        async def start(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            await asyncio.sleep(100)

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        try:
            await call.answer([Slow()])
        except sip.CallOver as exc:
            raised.append(exc)

    await (await alice.invite(uri_of(bob), media=[RecordingMedia()])).bye()
    await until(lambda: len(raised) == 1)


# Names.


class StubDns:
    """A DNS with two servers for example.com."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports

    async def naptr(self, name: str) -> list[Naptr]:
        return [Naptr(1, 1, "SIP+D2T", "_sip._tcp.example.com")]

    async def srv(self, name: str) -> list[Srv]:
        return [Srv(n, 0, port, "host") for n, port in enumerate(self.ports)]

    async def addresses(self, name: str) -> list[str]:
        return ["127.0.0.1"]


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


class RawInvite:
    """An INVITE without an offer, which the application can't send."""

    def __init__(self, agent: sip.UserAgent, uri: str) -> None:
        assert agent._driver is not None
        self.driver = agent._driver
        self.core = self.driver.core.invite(sip.parse_uri(uri), self.driver.now())
        self.answer: asyncio.Future[sip.Response]
        self.answer = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()
        forward = self.driver._on_event

        def watch(event: object) -> None:
            if getattr(event, "call", None) is not self.core:
                forward(event)  # type: ignore[arg-type]  # It is an event.
            elif isinstance(event, sip.sansio.CallAnswered):
                self.answer.set_result(event.response)
            elif isinstance(event, sip.sansio.CallEnded):
                self.over.set()

        self.driver._on_event = watch
        self.driver.flush()

    async def answered(self) -> sip.Response:
        return await self.answer

    def acknowledge(self, body: bytes) -> None:
        kind = "application/sdp" if body else None
        self.core.acknowledge(self.driver.now(), body=body, content_type=kind)
        self.driver.flush()

    async def end(self) -> None:
        self.core.bye(self.driver.now())
        self.driver.flush()
        await self.over.wait()


async def reinvite(call: sip.Call, body: bytes) -> sip.Response:
    """Send an INVITE within a call, and acknowledge a 2xx to it."""
    owner = call._owner
    assert isinstance(owner, sip.aio.driver.Driver)
    dialog = call._call.dialog
    assert dialog is not None
    answer: asyncio.Future[sip.Response] = asyncio.get_running_loop().create_future()

    class User:
        def request_answered(
            self, sent: object, response: sip.Response, now: float
        ) -> None:
            if response.status >= 200 and not answer.done():
                answer.set_result(response)

        def request_failed(self, sent: object, failure: object, now: float) -> None:
            raise AssertionError(failure)

    kind = "application/sdp" if body else None
    request, next_hop = dialog.request("INVITE", body=body, content_type=kind)
    owner.core.sender.send(request, next_hop, User())
    owner.flush()
    response = await answer
    if response.status < 300:
        ack, next_hop = dialog.ack(dialog.local_cseq)
        owner.core.sender.send_ack(ack, next_hop)
        owner.flush()
    return response
