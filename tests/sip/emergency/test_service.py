"""urn:service:sos and what is below it."""

from __future__ import annotations

import pytest

from sip.emergency import EMERGENCY_SERVICES, ServiceUrn
from sip.errors import SipParseError
from sip.uri import parse_uri


@pytest.mark.parametrize("name", sorted(EMERGENCY_SERVICES))
@pytest.mark.rule("NG-1")
def test_every_service_below_sos_is_an_emergency_in_any_case(name: str) -> None:
    for text in (f"urn:service:sos.{name}", f"URN:Service:SOS.{name.upper()}"):
        service = ServiceUrn.parse(text)
        assert service == ServiceUrn(("sos", name))
        assert service.is_emergency
        assert not service.is_test
        assert service.sub_service == name
        assert str(service) == f"urn:service:sos.{name}"
        assert ServiceUrn.from_uri(parse_uri(text)) == service


@pytest.mark.rule("NG-1")
def test_services_may_be_general_unknown_tests_or_none_of_ours() -> None:
    assert ServiceUrn.parse("urn:service:sos").sub_service is None
    assert ServiceUrn.parse("urn:service:sos.ecall.manual").sub_service == (
        "ecall.manual"
    )
    test = ServiceUrn.parse("urn:service:test.sos.fire")
    assert (test.is_test, test.is_emergency, test.sub_service) == (True, True, "fire")
    assert ServiceUrn.parse("urn:service:test.sos").sub_service is None
    counseling = ServiceUrn.parse("urn:service:counseling.children")
    assert not counseling.is_emergency
    assert counseling.sub_service is None
    assert not ServiceUrn.parse("urn:service:sosfire").is_emergency
    assert ServiceUrn.parse("urn:service:sos?=x").labels == ("sos",)


@pytest.mark.parametrize(
    "text",
    [
        "urn:service:",
        "urn:service:sos.",
        "urn:service:.fire",
        "urn:service:-sos",
        "urn:service:sos-",
        "urn:service:s_s",
        "urn:service:" + "a" * 64,
        "urn:service:" + "a." * 200 + "a",
        "urn:nena:sos",
        "sip:sos@example.com",
        "",
    ],
)
@pytest.mark.rule("NG-1")
def test_what_isnt_a_service(text: str) -> None:
    with pytest.raises(SipParseError):
        ServiceUrn.parse(text)
    if text:
        assert (
            ServiceUrn.from_uri(parse_uri(text if ":" in text[1:] else "a:b")) is None
        )
