"""A call tells its message session who talks to whom."""

from __future__ import annotations

import asyncio

import pytest

import msrp
import sip


@pytest.mark.rule("MSRP-114", "CPIM-22")
async def test_texts_in_cpim_are_from_and_to_the_parties_of_the_call() -> None:
    answered: asyncio.Queue[msrp.MsrpConnection] = asyncio.Queue()
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as listener,
        sip.UserAgent("sip:psap@example.net", listen=["tcp://127.0.0.1:0"]) as console,
        sip.UserAgent("sip:alice@example.net", listen=["tcp://127.0.0.1:0"]) as phone,
    ):

        @console.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            await call.answer(
                [msrp.MsrpMedia(listener, on_connection=answered.put_nowait)]
            )
            await call.ended()

        there = f"sip:127.0.0.1:{console.listening[0].port};transport=tcp;lr"
        async with await phone.invite(
            "urn:service:sos", media=[msrp.MsrpMedia(listener)], outbound_proxy=there
        ) as call:
            medium = call.media[0]
            assert isinstance(medium, msrp.MsrpMedia)
            ours, theirs = medium.connection, await answered.get()
            await theirs.established()
            await ours.send_text("fire!")
            await theirs.send_text("where?")
            heard, answer = await anext(theirs), await anext(ours)
    assert heard.cpim is not None
    assert answer.cpim is not None
    assert heard.sender == "sip:alice@example.net"
    assert [to.uri for to in heard.cpim.to] == ["urn:service:sos"]
    assert answer.sender == "sip:psap@example.net"
    assert [to.uri for to in answer.cpim.to] == ["sip:alice@example.net"]
