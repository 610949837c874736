"""Whether a message was delivered, processed and displayed (:rfc:`5438`).

The sender of a message in a CPIM envelope asks for disposition notifications with
header fields on it, and gets them as messages of their own, in which a small XML
document says what became of the first.  This room knows what is said; neither the wire
nor the clock.

* :class:`NotificationRequest` is what an envelope asks for; :func:`request_headers` are
  the header fields that ask.
* :class:`Imdn` is the document, :func:`notification_for` the message that answers.
* :class:`ReceivedRequests` remembers what a peer has asked of us, so that each kind of
  question is answered once; :class:`SentRequests` what we have asked, so that an answer
  finds its message.

MSRP has reports of its own that say whether a message has arrived, and the RFC leaves
it at that (:rfc:`5438#section-13`).  What they can't say is whether somebody has *seen*
it, nor what is beyond a server that has taken it; that is why consoles use this in
sessions too.

Anybody can say anything in a notification.  It is believed as far as the id in it can't
be guessed, which makes it the word of somebody who has had the message.
"""

from __future__ import annotations

from msrp.imdn.document import (
    CONTENT_TYPE,
    MAX_OCTETS,
    DispositionStatus,
    DispositionType,
    Imdn,
)
from msrp.imdn.matching import ReceivedRequests, SentRequests
from msrp.imdn.notification import (
    DispositionNotification,
    is_notification,
    notification_for,
    notifications_in,
)
from msrp.imdn.request import (
    NAMESPACE,
    UNDERSTOOD,
    Consent,
    Disposition,
    NotificationPolicy,
    NotificationRequest,
    ignore_anonymous,
    request_headers,
)

__all__ = [
    "CONTENT_TYPE",
    "MAX_OCTETS",
    "NAMESPACE",
    "UNDERSTOOD",
    "Consent",
    "Disposition",
    "DispositionNotification",
    "DispositionStatus",
    "DispositionType",
    "Imdn",
    "NotificationPolicy",
    "NotificationRequest",
    "ReceivedRequests",
    "SentRequests",
    "ignore_anonymous",
    "is_notification",
    "notification_for",
    "notifications_in",
    "request_headers",
]
