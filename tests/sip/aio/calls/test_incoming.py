"""Calls that come in: they are answered, refused, or left without an answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

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
