from __future__ import annotations

import pytest

from sip.checks import check_outgoing_request, check_request, check_response
from sip.errors import LocalError, SipParseError
from sip.headers import Headers
from sip.message import Request, Response

FIELDS = {
    "Via": "SIP/2.0/UDP h;branch=z9hG4bKabc",
    "Max-Forwards": "70",
    "To": "<sip:bob@biloxi.com>",
    "From": "<sip:alice@atlanta.com>;tag=1",
    "Call-ID": "x",
    "CSeq": "1 INVITE",
    "Contact": "<sip:alice@h>",
}


def invite(
    uri: str = "sip:bob@biloxi.com", changed: dict[str, str | None] | None = None
) -> Request:
    fields: dict[str, str | None] = {**FIELDS, **(changed or {})}
    present = [(name, value) for name, value in fields.items() if value is not None]
    return Request("INVITE", uri, Headers(present))


@pytest.mark.parametrize(
    "uri", ["sip:h", "sips:h", "tel:+1-201-555-0123", "urn:service:sos"]
)
@pytest.mark.rule("SIP-10", "NG-1")
def test_a_request_with_all_it_needs_passes(uri: str) -> None:
    check_request(invite(uri))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"Max-Forwards": None}, id="no-max-forwards"),
        pytest.param({"Max-Forwards": "0"}, id="max-forwards-zero"),
        pytest.param({"Max-Forwards": "300"}, id="max-forwards-out-of-range"),
        pytest.param({"From": "sip:a@b"}, id="no-tag"),
        pytest.param({"Via": "SIP/2.0/UDP h"}, id="no-branch"),
        pytest.param({"Contact": None}, id="no-contact"),
        pytest.param({"Contact": "<name:John_Smith>"}, id="contact-of-another-scheme"),
        pytest.param({"Date": "Fri, 01 Jan 2010 16:00:00 EST"}, id="bad-date"),
        pytest.param({"Expires": "soon"}, id="bad-expires"),
    ],
)
@pytest.mark.rule("SIP-67", "NG-2")
def test_a_request_is_not_refused_for_what_can_be_done_without(
    changed: dict[str, str | None],
) -> None:
    check_request(invite(changed=changed))


@pytest.mark.parametrize(
    ("header", "changed"),
    [
        pytest.param("Via", {"Via": None}, id="no-via"),
        pytest.param("From", {"From": None}, id="no-from"),
        pytest.param("To", {"To": None}, id="no-to"),
        pytest.param("Call-ID", {"Call-ID": None}, id="no-call-id"),
        pytest.param("CSeq", {"CSeq": None}, id="no-cseq"),
        pytest.param("CSeq", {"CSeq": "1 BYE"}, id="another-method"),
        pytest.param("CSeq", {"CSeq": "1 invite"}, id="another-case"),
        pytest.param("Via", {"Via": "SIP/2.0/UDP h;branch=z9hG4bK"}, id="no-id"),
        pytest.param("Contact", {"Contact": "<sip:"}, id="bad-contact"),
        pytest.param("Record-Route", {"Record-Route": "<sip:a>,"}, id="bad-route"),
        pytest.param("Max-Forwards", {"Max-Forwards": "x"}, id="bad-max-forwards"),
    ],
)
@pytest.mark.rule("SIP-3", "SIP-10", "SIP-67")
def test_a_request_that_cant_be_processed_gets_a_400(
    header: str, changed: dict[str, str | None]
) -> None:
    request = invite(changed=changed)
    with pytest.raises(SipParseError) as caught:
        check_request(request)
    assert caught.value.status == 400
    assert caught.value.header == header
    assert caught.value.request is request


@pytest.mark.parametrize(
    "name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type"]
)
@pytest.mark.rule("SIP-3")
def test_single_fields_there_twice_get_a_400(name: str) -> None:
    request = invite(changed={"Content-Type": "text/plain"})
    request.headers.add(name, request.headers.get(name) or "")
    with pytest.raises(SipParseError) as caught:
        check_request(request)
    assert (caught.value.status, caught.value.header) == (400, name)


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        pytest.param("<sip:h>", 400, id="brackets"),
        pytest.param("sip:h?Route=%3Csip:x%3E", 400, id="headers"),
        pytest.param("", 400, id="empty"),
        pytest.param("nobodyKnowsThisScheme:x", 416, id="scheme"),
        pytest.param("https://h/", 416, id="web"),
    ],
)
@pytest.mark.rule("SIP-34", "SIP-67")
def test_a_request_uri_that_cant_be_served_is_refused(uri: str, status: int) -> None:
    with pytest.raises(SipParseError) as caught:
        check_request(invite(uri))
    assert caught.value.status == status
    assert caught.value.header == "Request-URI"


def test_the_schemes_can_be_chosen() -> None:
    check_request(invite("https://h/"), schemes=None)
    check_request(invite("https://h/"), schemes={"https"})
    with pytest.raises(SipParseError):
        check_request(invite("sip:h"), schemes={"https"})


@pytest.mark.rule("SIP-67")
def test_an_unknown_method_is_a_better_reason_than_another_in_cseq() -> None:
    request = invite()
    request.method = "NEWMETHOD"
    with pytest.raises(SipParseError) as caught:
        check_request(request)
    assert caught.value.status == 501


@pytest.mark.rule("SIP-67")
def test_a_response_that_cant_be_processed_is_told_of() -> None:
    response = Response.build(200, headers=list(FIELDS.items()))
    check_response(response)
    response.headers.set("CSeq", "9292394834772304023312 OPTIONS")
    with pytest.raises(SipParseError) as caught:
        check_response(response)
    assert caught.value.request is None


@pytest.mark.rule("SIP-10")
def test_what_we_send_has_all_it_needs() -> None:
    check_outgoing_request(invite())
    check_outgoing_request(invite("sips:h", {"Contact": "<sips:a@h>"}))
    bye = invite(changed={"CSeq": "2 BYE", "Contact": None})
    bye.method = "BYE"
    check_outgoing_request(bye)


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in FIELDS),
        {"From": "<sip:alice@atlanta.com>"},
        {"Via": "SIP/2.0/UDP h"},
        {"Via": "SIP/2.0/UDP h;branch=1"},
        {"CSeq": "1 BYE"},
        {"Contact": "<sip:a>, <sip:b>"},
        {"Contact": "<tel:+1>"},
        {"Contact": "*"},
        {"Route": "<sips:p;lr>"},
    ],
    ids=str,
)
@pytest.mark.rule("SIP-10")
def test_what_we_send_without_what_it_needs_is_our_mistake(
    changed: dict[str, str | None],
) -> None:
    request = invite("sip:h", changed)
    with pytest.raises(LocalError):
        check_outgoing_request(request)


@pytest.mark.rule("SIP-10")
def test_a_sips_target_needs_a_sips_contact() -> None:
    with pytest.raises(LocalError):
        check_outgoing_request(invite("sips:h"))
