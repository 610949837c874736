"""Calls for help that bring what they shouldn't, over real sockets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import mime
import sip
from sip.emergency import EmergencyCall, Location
from sip.testing import RecordingMedia
from tests.sip.emergency.invites import PIDF, part

UDP = ["udp://127.0.0.1:0"]
GOOD = part("application/pidf+xml", PIDF, "loc@example.com")
GARBLED = part("application/pidf+xml", b"<presence><tuple", "loc@example.com")
UNKNOWN = mime.Part(
    (
        ("Content-Type", "application/x-unheard-of"),
        ("Content-Disposition", "x-strange;handling=required"),
    ),
    bytes(range(256)),
)
REFERS = ("Geolocation", "<cid:loc@example.com>")

Headers = Sequence[tuple[str, str]]


@pytest.mark.rule("NG-2", "NG-3", "NG-11", "NT-2")
@pytest.mark.parametrize(
    ("headers", "parts", "wrong"),
    [
        pytest.param([REFERS], [GOOD], False, id="good"),
        pytest.param([REFERS], [GARBLED], True, id="garbled-location"),
        pytest.param([REFERS], [], True, id="dangling-cid"),
        pytest.param([("Geolocation", "<x-y:z>")], [], True, id="unknown-scheme"),
        pytest.param([("Geolocation", "<<;,<")], [], True, id="no-geolocation"),
        pytest.param([REFERS], [GOOD, UNKNOWN], False, id="unknown-part"),
        pytest.param([REFERS], [UNKNOWN, GARBLED, UNKNOWN], True, id="all-of-it"),
        pytest.param([("Call-Info", ";;<")], [], True, id="no-call-info"),
        pytest.param([("Resource-Priority", "")], [GOOD], True, id="no-priority"),
        pytest.param([("Accept", "text/plain")], [], False, id="wants-another-answer"),
        pytest.param([("Geolocation-Routing", "maybe")], [], False, id="no-routing"),
    ],
)
@pytest.mark.parametrize("brings", ["an-offer", "no-offer"])
async def test_nothing_that_a_call_for_help_brings_fails_it(
    headers: Headers, parts: list[mime.Part], wrong: bool, brings: str
) -> None:
    seen: list[EmergencyCall] = []
    # A console that says nothing of bodies, and wants a password of all others.
    authenticator = sip.Authenticator.with_passwords("psap", {"a": "b"})
    async with (
        sip.UserAgent(
            "sip:psap@127.0.0.1", listen=UDP, authenticator=authenticator
        ) as console,
        sip.UserAgent("sip:caller@127.0.0.1", listen=UDP) as caller,
    ):

        @console.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            seen.append(EmergencyCall.from_request(call.request))
            await call.answer([RecordingMedia()])

        calling = await caller.call(
            "urn:service:sos",
            media=[RecordingMedia()],
            headers=headers,
            parts=parts,
            outbound_proxy=f"sip:127.0.0.1:{console.listening[0].port}",
            without_offer=brings == "no-offer",
        )
        async with calling:
            await calling.complete(5)
            assert len(calling.media) == 1
    (emergency,) = seen
    raw = [found.raw for found in emergency.locations if found.raw is not None]
    assert raw == [p.content for p in parts if p is not UNKNOWN]
    if wrong:
        assert emergency.warnings != ()
    unknown = [p.content for p in emergency.parts if p.content == UNKNOWN.content]
    assert len(unknown) == sum(p is UNKNOWN for p in parts)
    assert all(isinstance(found, Location) for found in emergency.locations)
