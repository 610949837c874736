from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cpim import CpimMessage
from msrp.accept_types import AcceptTypes
from msrp.content import text_body
from msrp.imdn import (
    Consent,
    Disposition,
    DispositionType,
    NotificationRequest,
    ignore_anonymous,
    request_headers,
)
from msrp.imdn.request import MAX_MESSAGE_ID, MAX_ROUTES

POSITIVE, NEGATIVE, PROCESSING, DISPLAY = Disposition

OF_THE_RFC = b"""\
From: Alice <im:alice@example.com>\r
To: Bob <im:bob@example.com>\r
NS: imdn <urn:ietf:params:imdn>\r
imdn.Message-ID: 34jk324j\r
DateTime: 2006-04-04T12:16:49-05:00\r
imdn.Disposition-Notification: positive-delivery, negative-delivery\r
\r
Content-type: text/plain\r
Content-length: 12\r
\r
Hello World"""


def envelope(*lines: str, prefix: str = "imdn") -> CpimMessage:
    head = [
        "From: Alice <im:alice@example.com>",
        "To: Bob <im:bob@example.com>",
        f"NS: {prefix} <urn:ietf:params:imdn>",
        *(line.replace("imdn.", f"{prefix}.") for line in lines),
    ]
    text = "\r\n".join([*head, "", "Content-Type: text/plain", "", "hello"])
    return CpimMessage.parse(text.encode())


def asked(value: str, prefix: str = "imdn") -> NotificationRequest | None:
    return NotificationRequest.of(
        envelope(
            "imdn.Message-ID: m1",
            f"imdn.Disposition-Notification: {value}",
            prefix=prefix,
        )
    )


@pytest.mark.rule("IMDN-1", "IMDN-2")
def test_the_example_of_the_rfc_is_understood() -> None:
    request = NotificationRequest.of(CpimMessage.parse(OF_THE_RFC))
    assert request is not None
    assert request.message_id == "34jk324j"
    assert request.wanted == {POSITIVE, NEGATIVE}
    assert request.date_time == "2006-04-04T12:16:49-05:00"
    assert request.sender is not None
    assert request.sender.uri == "im:alice@example.com"
    assert request.recipient is not None
    assert request.recipient.uri == "im:bob@example.com"
    assert (request.original_to, request.record_route) == (None, ())


@pytest.mark.rule("IMDN-1", "XT-11")
@pytest.mark.parametrize("prefix", ["q", "x", "imdn", "Message-ID"])
def test_any_prefix_will_do(prefix: str) -> None:
    request = asked("display", prefix)
    assert request is not None
    assert request.message_id == "m1"
    assert request.wanted == {DISPLAY}


@pytest.mark.rule("IMDN-1")
@pytest.mark.parametrize(
    "lines",
    [
        ("imdn.message-id: m1", "imdn.Disposition-Notification: display"),
        ("imdn.Message-ID: m1", "imdn.disposition-notification: display"),
        ("Message-ID: m1", "imdn.Disposition-Notification: display"),
        ("other.Message-ID: m1", "imdn.Disposition-Notification: display"),
    ],
)
def test_names_count_with_their_case_and_namespace(lines: tuple[str, str]) -> None:
    assert NotificationRequest.of(envelope(*lines)) is None


@pytest.mark.rule("IMDN-2")
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("positive-delivery", {POSITIVE}),
        ("processing , display,negative-delivery", {PROCESSING, DISPLAY, NEGATIVE}),
        ("reading, display", {DISPLAY}),
        ("display;once=yes, positive-delivery ; x=1", {DISPLAY, POSITIVE}),
    ],
)
def test_what_is_wanted_is_a_list(value: str, wanted: set[Disposition]) -> None:
    request = asked(value)
    assert request is not None
    assert request.wanted == wanted


@pytest.mark.rule("IMDN-2")
@pytest.mark.parametrize("value", ["", "reading", "DISPLAY", ", ,"])
def test_nothing_that_is_understood_is_nothing(value: str) -> None:
    assert asked(value) is None


def test_without_the_header_nothing_is_wanted() -> None:
    assert NotificationRequest.of(envelope("imdn.Message-ID: m1")) is None


@pytest.mark.parametrize(
    "message_id", ["", "a b", "a\\nb", "a\\u0000b", "x" * (MAX_MESSAGE_ID + 1)]
)
def test_an_id_that_could_not_be_answered_is_none(message_id: str) -> None:
    lines = (f"imdn.Message-ID: {message_id}", "imdn.Disposition-Notification: display")
    assert NotificationRequest.of(envelope(*lines)) is None


@pytest.mark.rule("IMDN-6", "IMDN-1")
def test_servers_on_the_way_and_the_first_recipient_are_noted() -> None:
    request = NotificationRequest.of(
        envelope(
            "imdn.Message-ID: m1",
            "imdn.Disposition-Notification: display",
            "imdn.Original-To: List <im:list@example.com>",
            "imdn.IMDN-Record-Route: <sip:two@example.com>",
            "imdn.IMDN-Record-Route: nobody",
            "imdn.IMDN-Record-Route: One <sip:one@example.com>",
        )
    )
    assert request is not None
    assert request.original_to is not None
    assert request.original_to.uri == "im:list@example.com"
    uris = [each.uri for each in request.record_route]
    assert uris == ["sip:two@example.com", "sip:one@example.com"]
    assert request.size > 60


def test_more_servers_than_there_can_be_make_it_unanswerable() -> None:
    routes = [f"imdn.IMDN-Record-Route: <sip:{n}@a>" for n in range(MAX_ROUTES + 1)]
    lines = ("imdn.Message-ID: m1", "imdn.Disposition-Notification: display")
    assert NotificationRequest.of(envelope(*lines, *routes)) is None
    assert NotificationRequest.of(envelope(*lines, *routes[1:])) is not None


@pytest.mark.rule("IMDN-2")
def test_asking_is_understood_by_who_is_asked() -> None:
    body = text_body(
        "hello",
        accept=AcceptTypes(),
        now=datetime(2026, 5, 15, tzinfo=UTC),
        headers=request_headers({DISPLAY, POSITIVE}, "m1"),
    )
    assert body.content_type == "message/cpim"
    assert b"imdn.Disposition-Notification: positive-delivery, display\r\n" in (
        body.contents
    )
    assert b"\r\nDateTime: 2026-05-15T00:00:00+00:00\r\n" in body.contents
    request = NotificationRequest.of(CpimMessage.parse(body.contents, strict=True))
    assert request is not None
    assert request.message_id == "m1"
    assert request.wanted == {DISPLAY, POSITIVE}


@pytest.mark.rule("IMDN-7")
@pytest.mark.parametrize(
    ("sender", "consent"),
    [
        ("<sip:anonymous@anonymous.invalid>", Consent.IGNORE),
        ("Anonymous <sip:x@ANONYMOUS.invalid;transport=tcp>", Consent.IGNORE),
        ("<im:alice@example.com>", Consent.GRANT),
    ],
)
def test_those_who_dont_say_who_they_are_may_be_ignored(
    sender: str, consent: Consent
) -> None:
    octets = OF_THE_RFC.replace(b"Alice <im:alice@example.com>", sender.encode())
    request = NotificationRequest.of(CpimMessage.parse(octets))
    assert request is not None
    assert ignore_anonymous(request, DispositionType.DELIVERY) is consent


@pytest.mark.rule("IMDN-7")
def test_who_has_no_from_is_anonymous() -> None:
    octets = OF_THE_RFC.replace(b"From: Alice <im:alice@example.com>\r\n", b"")
    request = NotificationRequest.of(CpimMessage.parse(octets))
    assert request is not None
    assert request.is_anonymous
