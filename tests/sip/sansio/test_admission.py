"""Which requests are taken at all."""

from __future__ import annotations

import pytest

from sip.message import Request
from sip.sansio.admission import Admission, Refusal

ADMISSION = Admission(extensions=("timer",))


def a_request(
    method: str = "INVITE",
    uri: str = "sip:bob@example.com",
    *headers: tuple[str, str],
    body: bytes = b"",
) -> Request:
    return Request.build(method, uri, headers, body=body)


def check(
    method: str = "INVITE",
    uri: str = "sip:bob@example.com",
    *headers: tuple[str, str],
    body: bytes = b"",
) -> Refusal | None:
    return ADMISSION.check(a_request(method, uri, *headers, body=body))


@pytest.mark.rule("SIP-34")
@pytest.mark.parametrize(
    ("method", "status"),
    [("REGISTER", 405), ("MESSAGE", 405), ("FOO", 501), ("invite", 501)],
)
def test_a_method_that_is_not_done_is_refused_with_those_that_are(
    method: str, status: int
) -> None:
    allow = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE")
    assert check(method) == Refusal(status, (allow,))


@pytest.mark.rule("SIP-34", "NG-1")
@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("sip:anybody@anywhere.example", None),
        ("sips:bob@example.com", None),
        ("tel:+15551234", None),
        ("urn:service:sos", None),
        ("URN:SERVICE:sos.police", None),
        ("urn:service:test.sos", None),
        ("urn:isbn:0451450523", 416),
        ("foo:bar", 416),
        ("http://example.com", 416),
    ],
)
def test_a_scheme_that_is_not_done_is_refused(uri: str, status: int | None) -> None:
    refusal = check("INVITE", uri)
    assert (refusal.status if refusal else None) == status


@pytest.mark.rule("SIP-34")
def test_a_uri_that_is_somebody_else_is_refused_if_that_is_wanted() -> None:
    admission = Admission(accepts_uri=lambda uri: "bob" in str(uri))
    assert admission.check(a_request()) is None
    assert admission.check(a_request(uri="sip:eve@example.com")) == Refusal(404)


@pytest.mark.rule("SIP-36")
def test_exactly_the_unknown_extensions_are_listed() -> None:
    refusal = check(
        "INVITE",
        "sip:bob@example.com",
        ("Require", "foo, Timer"),
        ("Require", "bar"),
        ("Proxy-Require", "baz"),
    )
    assert refusal == Refusal(420, (("Unsupported", "foo, bar"),))


@pytest.mark.rule("SIP-36")
@pytest.mark.parametrize("method", ["CANCEL", "ACK"])
def test_require_means_nothing_in_cancel_and_ack(method: str) -> None:
    assert check(method, "sip:bob@example.com", ("Require", "foo")) is None


@pytest.mark.rule("SIP-37")
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        pytest.param([("Content-Type", "x/y")], "Accept", id="type"),
        pytest.param(
            [("Content-Type", "x/y"), ("Content-Disposition", "x;handling=required")],
            "Accept",
            id="required",
        ),
        pytest.param(
            [
                ("Content-Type", "x/y"),
                ("Content-Disposition", 'render; Handling = "Optional"'),
            ],
            None,
            id="optional",
        ),
        pytest.param([("Content-Type", "application/sdp")], None, id="sdp"),
        pytest.param([("Content-Type", "Application/SDP ; x=y")], None, id="case"),
        pytest.param([("Content-Type", "multipart/mixed;boundary=x")], None, id="many"),
        pytest.param(
            [("Content-Type", "application/sdp"), ("Content-Encoding", "gzip")],
            "Accept-Encoding",
            id="encoding",
        ),
        pytest.param(
            [("Content-Type", "application/sdp"), ("Content-Encoding", "identity")],
            None,
            id="identity",
        ),
    ],
)
def test_a_body_that_cannot_be_ignored_must_be_known(
    headers: list[tuple[str, str]], refused: str | None
) -> None:
    refusal = check("INVITE", "sip:bob@example.com", *headers, body=b"v=0")
    if refused is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.status == 415
        assert [name for name, _ in refusal.headers] == [refused]


@pytest.mark.rule("SIP-37")
def test_a_body_is_no_reason_not_to_hang_up() -> None:
    uri = "sip:bob@example.com"
    assert check("BYE", uri, ("Content-Type", "x/y"), body=b"bye") is None


@pytest.mark.rule("SIP-37")
@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("application/sdp", True),
        ("text/plain, application/*;q=0.5", True),
        ("*/*", True),
        ("text/nobodyKnowsThis", False),
        ("", False),
    ],
)
def test_a_caller_who_refuses_our_answer_is_refused(accept: str, taken: bool) -> None:
    refusal = check("INVITE", "sip:bob@example.com", ("Accept", accept))
    assert (refusal is None) is taken
    if refusal is not None:
        assert refusal.status == 406
        assert refusal.headers[0][0] == "Warning"


@pytest.mark.rule("SIP-33")
def test_the_checks_are_made_in_the_order_of_the_rfc() -> None:
    everything = [("Require", "foo"), ("Content-Type", "x/y")]
    uri, body = "foo:bar", b"x"
    statuses = []
    for method, target, headers in (
        ("FOO", uri, everything),
        ("INVITE", uri, everything),
        ("INVITE", "sip:bob@example.com", everything),
        ("INVITE", "sip:bob@example.com", everything[1:]),
    ):
        refusal = check(method, target, *headers, body=body)
        statuses.append(refusal.status if refusal else None)
    assert statuses == [501, 416, 420, 415]


@pytest.mark.rule("SIP-32", "SIP-52")
def test_what_can_be_done_is_told_in_headers() -> None:
    assert ADMISSION.headers == (
        ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE"),
        ("Supported", "timer"),
    )
    assert Admission(extensions=()).headers == ADMISSION.headers[:1]
    assert [name for name, _ in ADMISSION.accept_headers] == [
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
    ]
