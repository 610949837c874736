from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cpim import Address, CpimMessage, Subject
from msrp.content import read_message
from msrp.imdn import (
    NAMESPACE,
    Disposition,
    DispositionStatus,
    DispositionType,
    Imdn,
    NotificationRequest,
    is_notification,
    notification_for,
    notifications_in,
)

DELIVERY, PROCESSING, DISPLAY = DispositionType
NOW = datetime(2026, 5, 15, 15, 2, 31, tzinfo=UTC)
ALICE = Address("im:alice@example.com", "Alice")
BOB = Address("im:bob@example.com", "Bob")

REQUEST = NotificationRequest(
    message_id="34jk324j",
    wanted=frozenset({Disposition.POSITIVE_DELIVERY}),
    date_time="2006-04-04T12:16:49-05:00",
    sender=ALICE,
    recipient=BOB,
    original_to=Address("im:list@example.com"),
    record_route=(Address("sip:two@example.com", "Two"), Address("sip:one@x")),
    subject=Subject("Fire", "i-default"),
)

AGGREGATED = b"""\
From: Bob <im:bob@example.com>\r
To: Alice <im:alice@example.com>\r
NS: imdn <urn:ietf:params:imdn>\r
imdn.Message-ID: d834jied93rf\r
\r
Content-type: multipart/mixed; boundary="imdn-boundary"\r
Content-Disposition: notification\r
\r
--imdn-boundary\r
Content-type: message/imdn+xml\r
\r
<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>m1</message-id>\
<datetime/><recipient-uri>im:bob@example.com</recipient-uri>\
<delivery-notification><status><delivered/></status></delivery-notification></imdn>\r
--imdn-boundary\r
Content-type: message/imdn+xml\r
\r
<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>m1</message-id>\
<datetime/><recipient-uri>im:carol@example.com</recipient-uri>\
<display-notification><status><displayed/></status></display-notification></imdn>\r
--imdn-boundary--"""


def answer(request: NotificationRequest = REQUEST) -> CpimMessage:
    message = notification_for(
        request,
        DELIVERY,
        DispositionStatus.DELIVERED,
        message_id="new1",
        sender=None,
        now=NOW,
    )
    return CpimMessage.parse(bytes(message), strict=True)


@pytest.mark.rule("IMDN-3")
def test_an_answer_goes_back_the_way_that_the_question_came() -> None:
    message = answer()
    assert (message.sender, message.to) == (BOB, (ALICE,))
    own_id = message.get("Message-ID", NAMESPACE)
    assert own_id is not None
    assert own_id.value == "new1"
    assert message.part.header("content-disposition") == "notification"
    assert message.content_type.essence == "message/imdn+xml"
    for name in ("Disposition-Notification", "IMDN-Record-Route"):
        assert message.get(name, NAMESPACE) is None
    assert NotificationRequest.of(message) is None


@pytest.mark.rule("IMDN-4")
def test_it_says_which_message_it_is_about() -> None:
    assert Imdn.parse(answer().content) == Imdn(
        message_id="34jk324j",
        date_time="2006-04-04T12:16:49-05:00",
        type=DELIVERY,
        status=DispositionStatus.DELIVERED,
        recipient_uri="im:bob@example.com",
        original_recipient_uri="im:list@example.com",
        subject=Subject("Fire", "i-default"),
    )


@pytest.mark.rule("IMDN-6")
def test_the_servers_on_the_way_are_named_in_their_order() -> None:
    routes = answer().get_all("IMDN-Route", NAMESPACE)
    assert [each.raw_value for each in routes] == [
        "Two <sip:two@example.com>",
        "<sip:one@x>",
    ]


def test_who_has_said_nothing_of_itself_is_answered_too() -> None:
    bare = NotificationRequest(message_id="m1", wanted=REQUEST.wanted)
    message = answer(bare)
    assert message.sender is not None
    assert "anonymous" in message.sender.uri
    assert Imdn.parse(message.content).date_time == "2026-05-15T15:02:31+00:00"


@pytest.mark.rule("IMDN-3")
def test_who_we_are_goes_before_what_we_were_called() -> None:
    carol = Address("im:carol@example.com")
    message = notification_for(
        REQUEST,
        DISPLAY,
        DispositionStatus.DISPLAYED,
        message_id="new1",
        sender=carol,
        now=NOW,
    )
    assert message.sender == carol
    assert Imdn.parse(message.content).recipient_uri == "im:bob@example.com"


@pytest.mark.rule("IMDN-5")
def test_it_is_known_by_its_type_and_disposition() -> None:
    received = read_message("r123", "message/cpim", bytes(answer()))
    assert is_notification(received)
    [octets] = notifications_in(received)
    assert Imdn.parse(octets).message_id == "34jk324j"
    sent_on = bytes(answer()).replace(b": notification", b": attachment")
    assert not is_notification(read_message("r124", "message/cpim", sent_on))
    bare = read_message("r125", "message/imdn+xml", octets)
    assert is_notification(bare)


@pytest.mark.rule("IMDN-5", "XT-11")
def test_those_of_several_recipients_come_in_one() -> None:
    received = read_message("r123", "message/cpim", AGGREGATED)
    assert is_notification(received)
    first, second = map(Imdn.parse, notifications_in(received))
    assert (first.type, first.recipient_uri) == (DELIVERY, "im:bob@example.com")
    assert (second.type, second.recipient_uri) == (DISPLAY, "im:carol@example.com")


def test_a_notification_beside_something_else_is_no_notification() -> None:
    octets = AGGREGATED.replace(b"message/imdn+xml", b"text/plain", 1)
    received = read_message("r123", "message/cpim", octets)
    assert not is_notification(received)
    assert len(list(notifications_in(received))) == 1
    assert not is_notification(read_message("r124", "text/plain", b"hello"))
