"""Calls before they are answered: progress, forks, early media, no offer, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import cast

import pytest
import pytest_asyncio

import sdp
import sip
from sip.aio import IncomingCall
from sip.media import make_answer
from sip.testing import FollowingRecorder, RecordingMedia

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: 0)
PLAIN = sip.Admission(
    methods=("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"), extensions=()
)


class Booth:
    """Makes user agents."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def agent(self, admission: sip.Admission | None = None) -> sip.UserAgent:
        return await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:me@127.0.0.1",
                listen=["udp://127.0.0.1:0"],
                timers=QUICK,
                admission=admission,
            )
        )


@pytest_asyncio.fixture
async def booth() -> AsyncIterator[Booth]:
    async with AsyncExitStack() as stack:
        yield Booth(stack)


def uri_of(agent: sip.UserAgent) -> str:
    return f"sip:bob@127.0.0.1:{agent.listening[0].port}"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


@pytest.mark.rule("SIP-49", "SIP-57")
async def test_progress_can_be_watched_until_the_answer(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing(182)
        await call.ringing(180, reliable=True, headers=[("Alert-Info", "<urn:a:b>")])
        await call.answer([RecordingMedia("bob")])

    medium = RecordingMedia("alice")
    async with await alice.call(uri_of(bob), media=[medium]) as call:
        assert not call.answered
        seen = [response.status async for response in call.progress()]
        await call.complete(5)
        assert call.answered
    assert seen == [182, 180]
    assert medium.log == ["offer", "start as offerer", "stop"]
    assert call.end_reason is sip.EndReason.LOCAL_BYE
    assert [response async for response in call.progress()] == []


@pytest.mark.rule("SIP-51")
async def test_leaving_before_the_answer_cancels(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()
    reasons: list[sip.EndReason] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        reasons.append(await call.ended())

    medium = RecordingMedia("alice")
    async with await alice.call(uri_of(bob), media=[medium]) as call:
        async for response in call.progress():
            assert response.status == 180
            break
    await until(lambda: reasons == [sip.EndReason.CANCELLED])
    await until(lambda: alice.calls == ())
    assert medium.log == ["offer", "stop"]


@pytest.mark.rule("SIP-51", "SIP-48")
async def test_leaving_between_the_answer_and_its_acknowledgement_hangs_up(
    booth: Booth,
) -> None:
    bob, alice = await booth.agent(), await booth.agent()
    reasons: list[sip.EndReason] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        try:
            await call.answer([RecordingMedia("bob")])
        finally:
            reasons.append(await call.ended())

    async with await alice.call(uri_of(bob), media=[RecordingMedia()]) as call:
        assert [response async for response in call.progress()] == []
    await until(lambda: reasons == [sip.EndReason.REMOTE_BYE])


async def test_a_call_can_be_cancelled_while_somebody_waits(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        await call.ended()

    async with await alice.call(uri_of(bob), media=[RecordingMedia()]) as call:
        waiting = asyncio.create_task(call.complete())
        async for _ in call.progress():
            call.cancel()
        with pytest.raises(sip.CallOver):
            await waiting
        call.cancel()
    with pytest.raises(sip.LocalError):
        await call.hold()


async def test_a_refusal_ends_the_progress(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        await call.reject(486)

    async with await alice.call(uri_of(bob), media=[RecordingMedia()]) as call:
        assert [r.status async for r in call.progress()] == [180]
        with pytest.raises(sip.CallRefused):
            await call.complete()


# Early media.


@pytest.mark.rule("SIP-57", "OA-25", "OA-26")
@pytest.mark.parametrize("offering", ["caller-offers", "callee-offers"])
async def test_media_run_before_the_answer(booth: Booth, offering: str) -> None:
    bob, alice = await booth.agent(), await booth.agent()
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    go_on = asyncio.Event()
    calls: list[IncomingCall] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        calls.append(call)
        await call.ringing(183, media=[theirs])
        with pytest.raises(sip.LocalError, match="already"):
            await call.ringing(183, media=[theirs])
        await go_on.wait()
        with pytest.raises(sip.LocalError, match="other media"):
            await call.answer([RecordingMedia("x")])
        await call.answer([theirs])

    without = offering == "callee-offers"
    async with await alice.call(
        uri_of(bob), media=[ours], without_offer=without
    ) as call:
        await until(lambda: len(ours.log) == len(theirs.log) == 2)
        assert call.end_reason is None
        # An early session can change, too: by UPDATE.
        await calls[0].hold(timeout=5)
        await until(lambda: "follow as answerer" in ours.log)
        go_on.set()
        await call.complete(5)
        assert call.media == [ours]
        assert call.local_description is not None
        assert sdp.direction_of(call.local_description.media[0]).value == "recvonly"
        await calls[0].resume(timeout=5)
    starts = [log for log in (*ours.log, *theirs.log) if log.startswith("start")]
    assert sorted(starts) == ["start as answerer", "start as offerer"]
    assert ours.log[-1] == theirs.log[-1] == "stop"


class FailsOnce(RecordingMedia):
    """A medium with a bug."""

    async def start(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        if "start as offerer" not in self.log:
            self.log.append("start as offerer")
            raise RuntimeError("a bug")
        await super().start(offered, answered, is_offerer)


async def test_a_medium_that_fails_early_is_reported_and_begins_with_the_answer(
    booth: Booth,
) -> None:
    reports: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, what: reports.append(str(what["exception"])))
    bob, alice = await booth.agent(), await booth.agent()
    ours, theirs = FailsOnce("a"), RecordingMedia("b")
    go_on = asyncio.Event()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing(183, media=[theirs])
        await go_on.wait()
        await call.answer([theirs])

    async with await alice.call(uri_of(bob), media=[ours]) as call:
        await until(lambda: reports != [])
        go_on.set()
        await call.complete(5)
        assert call.media == [ours]
    assert reports == ["a bug"]
    assert [log for log in ours.log if log.startswith("start")] == [
        "start as offerer"
    ] * 2


@pytest.mark.rule("SIP-57")
async def test_early_media_need_a_caller_that_knows_of_them(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent(PLAIN)
    problems: list[str] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        assert not call.takes_early_media
        try:
            await call.ringing(183, media=[RecordingMedia("b")])
        except sip.LocalError as exc:
            problems.append(str(exc))
        await call.answer([RecordingMedia("b")])

    await (await alice.invite(uri_of(bob), media=[RecordingMedia()])).bye()
    assert problems == ["the caller doesn't know reliable provisional responses"]


async def test_early_media_that_nobody_can_use_refuse_the_call(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing(183, media=[RecordingMedia("b", "audio")])

    with pytest.raises(sip.CallRefused) as caught:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert caught.value.status == 488


# Calls without an offer.


@pytest.mark.rule("OA-28", "OA-25")
async def test_a_call_may_let_the_peer_offer(booth: Booth) -> None:
    bob, alice = await booth.agent(), await booth.agent()
    theirs = RecordingMedia("bob")

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        assert call.request.body == b""
        await call.answer([theirs])

    ours = RecordingMedia("alice")
    call = await alice.call(uri_of(bob), media=[ours], without_offer=True)
    await call.complete(5)
    await until(lambda: theirs.log == ["offer", "start as offerer"])
    assert ours.log == ["answer", "start as answerer"]
    await call.bye()


@pytest.mark.rule("OA-28", "OA-29")
async def test_an_offer_that_can_t_be_used_is_answered_all_the_same(
    booth: Booth,
) -> None:
    bob, alice = await booth.agent(), await booth.agent()
    problems: list[str] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        try:
            await call.answer([RecordingMedia("bob")])
        except sip.CallError as exc:
            problems.append(str(exc))

    ours = RecordingMedia("alice", "audio")
    call = await alice.call(uri_of(bob), media=[ours], without_offer=True)
    with pytest.raises(sip.NegotiationFailed, match="none of the streams"):
        await call.complete(5)
    await until(lambda: problems == ["the caller accepted no media"])
    await until(lambda: alice.calls == bob.calls == ())


# Forks.


class Fork(asyncio.DatagramProtocol):
    """A proxy that has forked an INVITE, and all those whom it has reached."""

    def __init__(self) -> None:
        self.requests: list[sip.Request] = []
        self.peer: tuple[str, int] = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = sip.parse_message(data)
        if not isinstance(message, sip.Request):
            return
        self.requests.append(message)
        self.peer = addr
        if message.method in ("PRACK", "BYE", "CANCEL"):
            self.transport.sendto(bytes(sip.response_to(message, 200)), addr)

    def of(self, method: str) -> list[sip.Request]:
        """Return the requests of a method, without repetitions."""
        known: dict[object, sip.Request] = {}
        for request in self.requests:
            if request.method == method:
                known.setdefault((request.to.tag, request.cseq.number), request)
        return list(known.values())

    async def respond(self, status: int, tag: str, rseq: int | None = None) -> None:
        """Answer the offer in the INVITE, as one of the branches."""
        invite = self.of("INVITE")[0]
        offer = sdp.SessionDescription.parse(invite.body)
        answer, _ = await make_answer([RecordingMedia(tag)], offer, address="127.0.0.1")
        port = self.transport.get_extra_info("sockname")[1]
        headers = [("Contact", f"<sip:{tag}@127.0.0.1:{port}>")]
        if rseq is not None:
            headers += [("Require", "100rel"), ("RSeq", str(rseq))]
        response = sip.response_to(
            invite,
            status,
            to_tag=tag,
            headers=headers,
            body=bytes(answer),
            content_type="application/sdp",
        )
        self.transport.sendto(bytes(response), self.peer)


@pytest_asyncio.fixture
async def fork() -> AsyncIterator[Fork]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Fork, ("127.0.0.1", 0))
    yield protocol
    transport.close()


@pytest.mark.rule("SIP-47", "ST-3", "OA-31", "SIP-57", "MSRP-110")
@pytest.mark.parametrize("winner", ["a", "b"])
async def test_each_branch_has_a_session_of_its_own_and_one_wins(
    booth: Booth, fork: Fork, winner: str
) -> None:
    alice = await booth.agent()
    port = fork.transport.get_extra_info("sockname")[1]
    medium = FollowingRecorder("alice")
    loser = "b" if winner == "a" else "a"
    async with await alice.call(f"sip:bob@127.0.0.1:{port}", media=[medium]) as call:
        await until(lambda: fork.of("INVITE") != [])
        await fork.respond(183, "a", rseq=1)
        await until(lambda: "start as offerer" in medium.log)
        await fork.respond(183, "b", rseq=1)
        await until(lambda: len(fork.of("PRACK")) == 2)
        # Media run with the first that has answered, until somebody else wins.
        assert medium.answered is not None
        assert medium.answered.first("path") == "msrp://127.0.0.1:2855/a;tcp"
        await fork.respond(200, winner)
        await call.complete(5)
        await fork.respond(200, loser)
        assert medium.answered.first("path") == f"msrp://127.0.0.1:2855/{winner};tcp"
        assert call.remote.tag == winner
        await until(lambda: len(fork.of("ACK")) == 2)
        await until(lambda: [r.to.tag for r in fork.of("BYE")] == [loser])
        starts = [entry for entry in medium.log if entry.startswith("start")]
        assert len(starts) == (1 if winner == "a" else 2)
        assert "follow as offerer" not in medium.log
    await until(lambda: {r.to.tag for r in fork.of("BYE")} == {"a", "b"})
    assert medium.log[-1] == "stop"


@pytest.mark.rule("SIP-47", "OA-31")
async def test_a_branch_that_never_rang_may_win(booth: Booth, fork: Fork) -> None:
    alice = await booth.agent()
    port = fork.transport.get_extra_info("sockname")[1]
    medium = FollowingRecorder("alice")
    async with await alice.call(f"sip:bob@127.0.0.1:{port}", media=[medium]) as call:
        await until(lambda: fork.of("INVITE") != [])
        await fork.respond(183, "a", rseq=1)
        await until(lambda: "start as offerer" in medium.log)
        await fork.respond(200, "c")
        await call.complete(5)
        assert medium.answered is not None
        assert medium.answered.first("path") == "msrp://127.0.0.1:2855/c;tcp"


@pytest.mark.rule("SIP-56", "SIP-47")
@pytest.mark.usefixtures("time_flies")
async def test_only_the_branch_whose_media_run_can_change_them(
    booth: Booth, fork: Fork
) -> None:
    alice = await booth.agent()
    port = fork.transport.get_extra_info("sockname")[1]
    medium = FollowingRecorder("alice")
    async with await alice.call(f"sip:bob@127.0.0.1:{port}", media=[medium]) as call:
        await until(lambda: fork.of("INVITE") != [])
        for tag in ("a", "b"):
            await fork.respond(183, tag, rseq=1)
            await until(lambda: fork.of("PRACK") != [])
        await until(lambda: len(call._agreed) == 2)
        statuses: list[tuple[str, int]] = []
        received = fork.datagram_received

        def note(data: bytes, addr: tuple[str, int]) -> None:
            message = sip.parse_message(data)
            if isinstance(message, sip.Response):
                statuses.append((message.from_.tag or "", message.status))
            received(data, addr)

        fork.datagram_received = note  # type: ignore[method-assign]
        for number, tag in enumerate(("b", "a")):
            fork.transport.sendto(update(fork, tag, number), fork.peer)
            await until(lambda n=number: len(statuses) > n)  # type: ignore[misc]
        assert statuses == [("b", 488), ("a", 200)]


def update(fork: Fork, tag: str, number: int) -> bytes:
    """Make the UPDATE of a branch, which offers another path."""
    invite = fork.of("INVITE")[0]
    port = fork.transport.get_extra_info("sockname")[1]
    path = sdp.Attribute("path", f"msrp://127.0.0.1:2855/{tag}-new;tcp")
    types = sdp.Attribute("accept-types", "*")
    media = sdp.MediaDescription(
        "message", 2855, "TCP/MSRP", ("*",), attributes=(path, types)
    )
    offer = sdp.SessionDescription.build([media], address="127.0.0.1")
    headers = [
        ("Via", f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKupdate{number}"),
        ("From", f"{invite.to};tag={tag}"),
        ("To", str(invite.from_)),
        ("Call-ID", invite.call_id),
        ("CSeq", "7 UPDATE"),
        ("Contact", f"<sip:{tag}@127.0.0.1:{port}>"),
    ]
    return bytes(
        sip.Request.build(
            "UPDATE",
            invite.contacts[0].uri,
            headers,
            bytes(offer),
            "application/sdp",
        )
    )
