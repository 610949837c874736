"""What a registration and a call leave in a log that anybody may read."""

from __future__ import annotations

import logging
import re

import pytest

import msrp
import sip
from sip.aio import IncomingRequest
from sip.testing import RecordingMedia

TCP = ["tcp://127.0.0.1:0"]
SECRETS = re.compile(
    r"msrps?:|hush|wonderland|Digest |nonce|response=|a=path|application/sdp"
    r"|there is smoke|in the cellar",
    re.IGNORECASE,
)


@pytest.mark.rule("SIP-68", "SIP-63", "NG-13")
async def test_neither_credentials_nor_msrp_uris_nor_what_is_said_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    texts: list[str] = []
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as theirs,
        msrp.MsrpListener("127.0.0.1", 0) as ours,
        sip.UserAgent(
            "sip:bob:hush@127.0.0.1",
            listen=TCP,
            authenticator=sip.Authenticator.with_passwords(
                "psap", {"alice": "wonderland"}
            ),
        ) as bob,
        sip.UserAgent(
            "sip:alice@127.0.0.1", listen=TCP, credentials=("alice", "wonderland")
        ) as alice,
        sip.UserAgent(
            "sip:mallory@127.0.0.1", listen=TCP, credentials=("alice", "hush")
        ) as mallory,
    ):

        @bob.on_request("REGISTER")
        def register(request: IncomingRequest) -> sip.Reply:
            return sip.Reply(headers=[("Expires", "60")])

        @bob.on_message
        def take(message: IncomingRequest) -> None:
            texts.append(message.text or "")

        @bob.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            await call.ringing()
            medium = msrp.MsrpMedia(theirs)
            await call.answer([medium])
            async for message in medium.connection:
                texts.append(message.contents.decode())

        uri = f"sip:bob:hush@127.0.0.1:{bob.listening[0].port};transport=tcp"
        registrar = f"sip:127.0.0.1:{bob.listening[0].port};transport=tcp"
        async with alice.register(registrar):
            await alice.send_message(uri, "there is smoke")
            media = [msrp.MsrpMedia(ours)]
            async with await alice.invite(uri, media=media) as call:
                sent = await call.media[0].connection.send_text("in the cellar")
                await sent.delivered()
                await call.hold()
                await call.resume()
                await call.renew()
        with pytest.raises(sip.CallRefused):
            await alice.invite(uri, media=[RecordingMedia(kind="audio")])
        with pytest.raises(sip.CallRefused):
            await mallory.register(registrar)
    assert texts[0] == "there is smoke"
    assert "in the cellar" in texts[1]
    said = [record.getMessage() for record in caplog.records]
    assert any("answered" in text for text in said)
    assert [text for text in said if SECRETS.search(text)] == []
    # Nor in what is attached to a record.
    attached = [str(record.exc_info) for record in caplog.records if record.exc_info]
    assert [text for text in attached if SECRETS.search(text)] == []
