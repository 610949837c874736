"""Typing and disposition notifications, whatever the peer has put into them.

An input is a document, or an envelope around a message.  Whatever the octets are:

* as a status message or a notification they are read or a :exc:`MarkupError`, and what
  was read is written and reads back equal;
* as an envelope they ask for nothing, or for what can be answered; the answer is an
  envelope that asks for nothing, and says of which message it is.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from cpim import CpimError, CpimMessage
from markup import MarkupError
from msrp.composing import IsComposing
from msrp.content import read_message
from msrp.imdn import (
    DispositionStatus,
    DispositionType,
    Imdn,
    NotificationRequest,
    is_notification,
    notification_for,
    notifications_in,
)

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">',
    b"<state>active</state>",
    b"<refresh>90</refresh>",
    b"<contenttype>text/plain</contenttype>",
    b"<lastactive>2003-01-27T10:43:00Z</lastactive>",
    b"</isComposing>",
    b'<imdn xmlns="urn:ietf:params:xml:ns:imdn">',
    b"<message-id>m1</message-id>",
    b"<datetime>2008-04-04T12:16:49-05:00</datetime>",
    b"<recipient-uri>im:b@c</recipient-uri>",
    b'<subject xml:lang="fr">x</subject>',
    b"<display-notification><status><displayed/></status></display-notification>",
    b"<delivery-notification><status><failed/></status></delivery-notification>",
    b"</imdn>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
    b"&#13;",
    b"From: A <im:a@b>\r\n",
    b"To: B <im:b@c>\r\n",
    b"Subject: x\r\n",
    b"DateTime: 2008-04-04T12:16:49-05:00\r\n",
    b"NS: q <urn:ietf:params:imdn>\r\n",
    b"q.Message-ID: m1\r\n",
    b"q.Disposition-Notification: positive-delivery, display\r\n",
    b"q.IMDN-Record-Route: <sip:r@x>\r\n",
    b"q.Original-To: L <im:l@x>\r\n",
    b"\r\nContent-Type: text/plain\r\n\r\n",
    b"\r\nContent-Type: message/imdn+xml\r\n\r\n",
    b"\\u0000",
    b"\xff",
)

_NOW = datetime(2026, 5, 15, tzinfo=UTC)


def fuzz(data: bytes) -> None:
    with contextlib.suppress(MarkupError):
        status = IsComposing.parse(data)
        assert IsComposing.parse(bytes(status)) == status
    check_notification(data)
    check_request(data)
    message = read_message("m123", "message/cpim", data)
    found = list(notifications_in(message))
    assert not is_notification(message) or len(found) == len(message.parts)


def check_notification(data: bytes) -> None:
    try:
        read = Imdn.parse(data)
    except MarkupError:
        return
    again = Imdn.parse(bytes(read))
    # A URI that the schema wants may have been added, a subject left out.
    assert (again.message_id, again.type) == (read.message_id, read.type)
    assert (again.status, again.date_time) == (read.status, read.date_time)
    assert Imdn.parse(bytes(again)) == again


def check_request(data: bytes) -> None:
    try:
        request = NotificationRequest.of(CpimMessage.parse(data))
    except CpimError:
        return
    if request is None:
        return
    answer = notification_for(
        request,
        DispositionType.DELIVERY,
        DispositionStatus.DELIVERED,
        message_id="new1",
        sender=None,
        now=_NOW,
    )
    sent = CpimMessage.parse(bytes(answer), strict=True)
    assert NotificationRequest.of(sent) is None
    assert Imdn.parse(sent.content).message_id == request.message_id
