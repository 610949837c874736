"""Offers and answers by hand: late, useless, or a refresh only."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

import sdp
import sip
from sip.aio import IncomingCall
from sip.testing import RecordingMedia
from tests.sip.aio.switchboard import (
    Switchboard,
    answering,
    until,
    uri_of,
)


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
