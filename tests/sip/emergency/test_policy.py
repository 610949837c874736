"""What a call for help isn't refused for."""

from __future__ import annotations

import pytest

from sip.emergency import (
    EMERGENCY_CONTENT_TYPES,
    NEVER_FOR_EMERGENCIES,
    may_refuse,
)
from sip.message import Request
from sip.sansio import Admission
from tests.sip.emergency.invites import body, make_invite


@pytest.mark.rule("NG-1", "NG-2", "NG-3")
@pytest.mark.parametrize("status", [401, 407, 416, 424])
def test_an_emergency_call_isnt_asked_for_more(status: int) -> None:
    assert status in NEVER_FOR_EMERGENCIES
    for uri in ("urn:service:sos", "URN:service:SOS.Fire", "urn:service:test.sos"):
        assert not may_refuse(Request.build("INVITE", uri), status)
    assert may_refuse(Request.build("INVITE", "sip:alice@example.com"), status)


@pytest.mark.rule("NG-2")
@pytest.mark.parametrize("status", [400, 486, 488, 503, 600])
def test_an_emergency_call_may_be_refused_for_other_reasons(status: int) -> None:
    assert may_refuse(Request.build("INVITE", "urn:service:sos"), status)


@pytest.mark.rule("NG-1", "NG-2")
def test_a_psap_takes_any_body_and_any_service() -> None:
    admission = Admission(content_types=EMERGENCY_CONTENT_TYPES)
    for content_type in ("application/pidf+xml", "application/x-unheard-of", "text/x"):
        request = Request.build("INVITE", "urn:service:sos", (), b"x", content_type)
        assert admission.check(request) is None
    whole = make_invite(content=body(pidf=b"garbled"))
    assert admission.check(whole) is None
