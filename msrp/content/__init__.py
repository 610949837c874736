"""What a message says: its text, its attachments, and who it claims to be from.

The core carries octets and a content type.  Here a message that has arrived is
taken apart (:func:`read_message`, :func:`leaves`) and one that is to be sent is
put together (:func:`text_body`, :func:`body_for`, :func:`multipart_body`).

Reading never fails.  ``message/cpim`` is unwrapped, multiparts are opened, at any
depth up to :data:`MAX_NESTING`; what can't be taken apart is handed over whole, as
an attachment, and ``problem`` says why.  The octets are all there in any case: a
body that we don't understand may be all there is of somebody's call for help.

Writing keeps to what the peer has announced (:rfc:`4975#section-8.6`): content
goes out bare or in a CPIM envelope, whichever the peer takes and prefers
(:rfc:`4975#section-13`), and what it takes in neither form is refused here,
before it costs a 415.  Wrapping is done on the whole body, before it is cut into
chunks; MSRP carries any octet, so there is no transfer encoding.

Who a CPIM envelope says it is from is an assertion by the peer, as good as the
peer is: show the identity of the session beside it (:rfc:`4975#section-14.5`).
"""

from __future__ import annotations

from cpim import Address, CpimMessage
from mime import ContentType, Part
from msrp.content.envelope import MAX_ENVELOPE, EnvelopeOpener
from msrp.content.lines import read_line
from msrp.content.reading import (
    MAX_NESTING,
    filename_of,
    leaves,
    read_message,
    stored_message,
)
from msrp.content.received import (
    AttachmentReceived,
    MessageReceived,
    TextMessageReceived,
)
from msrp.content.writing import (
    ANONYMOUS,
    Body,
    EnvelopeHeaders,
    body_for,
    cpim_body,
    file_disposition,
    line_body,
    multipart_body,
    prefers_envelope,
    text_body,
)

__all__ = [
    "ANONYMOUS",
    "MAX_ENVELOPE",
    "MAX_NESTING",
    "Address",
    "AttachmentReceived",
    "Body",
    "ContentType",
    "CpimMessage",
    "EnvelopeHeaders",
    "EnvelopeOpener",
    "MessageReceived",
    "Part",
    "TextMessageReceived",
    "body_for",
    "cpim_body",
    "file_disposition",
    "filename_of",
    "leaves",
    "line_body",
    "multipart_body",
    "prefers_envelope",
    "read_line",
    "read_message",
    "stored_message",
    "text_body",
]
