"""Session descriptions in the bodies of messages, and what goes along with them."""

from __future__ import annotations

from collections.abc import Sequence

import mime
import sdp
from sip.message import Message

__all__ = [
    "SDP_TYPE",
    "compose_body",
    "decline",
    "find_session_description",
    "resolve_cid",
]

SDP_TYPE = "application/sdp"
"""The media type of session descriptions."""

_ROOTS = frozenset({SDP_TYPE, "multipart/related"})
"""What describes a session when it is a body by itself."""


def find_session_description(message: Message) -> sdp.SessionDescription | None:
    """Return the session description that a message carries, if any.

    It may be the body or a part of it at any depth, such as beside a location
    in ``multipart/mixed``; a part for another purpose than the session, by its
    Content-Disposition, doesn't count (:rfc:`6337#section-5.1`).

    Raises:
        SdpError: There is one, and it can't be understood.
    """
    content_type = message.content_type
    if content_type is None or not message.body:
        return None
    try:
        kind = mime.ContentType.parse(content_type)
        if kind.essence == SDP_TYPE:
            disposition = message.headers.get("Content-Disposition")
            if disposition is not None and not _is_session(
                mime.ContentDisposition.parse(disposition)
            ):
                return None
            return sdp.SessionDescription.parse(message.body)
        if kind.type != "multipart":
            return None
        parts = mime.parse_multipart(kind, message.body).walk()
    except mime.MimeError:
        return None
    for part in parts:
        if part.content_type.essence == SDP_TYPE and _is_session(part.disposition):
            return sdp.SessionDescription.parse(part.content)
    return None


def resolve_cid(message: Message, url: str) -> mime.Part | None:
    """Return the part of a body that a ``cid:`` URL points at (:rfc:`2392`).

    Args:
        message: Whose body.
        url: What an attribute or a header field says.

    Returns:
        ``None`` if it points nowhere, or the body can't be taken apart.
    """
    try:
        kind = mime.ContentType.parse(message.content_type or "")
        return mime.parse_multipart(kind, message.body).resolve_cid(url)
    except mime.MimeError:
        return None


def decline(message: Message) -> bytes:
    """Answer the offer in a message by refusing each stream.

    Returns:
        The answer; nothing if there is no offer, or one that can't be read.
    """
    try:
        offer = find_session_description(message)
        if offer is None:
            return b""
        slots = [None] * len(offer.media)
        return bytes(sdp.build_answer(offer, slots, address=offer.origin.address))
    except sdp.SdpError:
        return b""


def compose_body(
    offer: sdp.SessionDescription | None,
    parts: Sequence[mime.Part],
    related: Sequence[mime.Part] = (),
) -> tuple[bytes, str | None]:
    """Make the body of an INVITE from an offer, if there is one, and what goes with it.

    Args:
        offer: The offer.
        parts: What stands beside it, such as a location.
        related: What it points at (:rfc:`5547#section-8.8`).

    Returns:
        The body and its content type.
    """
    if offer is None:
        return _compose(parts)
    if not parts and not related:
        return bytes(offer), SDP_TYPE
    root = mime.Part.build(SDP_TYPE, bytes(offer))
    if related:
        content_type, body = mime.build_multipart([root, *related], "related")
        root = mime.Part.build(content_type, body)
    return _compose([root, *parts])


def _compose(parts: Sequence[mime.Part]) -> tuple[bytes, str | None]:
    if not parts:
        return b"", None
    if len(parts) == 1 and parts[0].content_type.essence in _ROOTS:
        return parts[0].body, str(parts[0].content_type)
    content_type, body = mime.build_multipart(parts)
    return body, str(content_type)


def _is_session(disposition: mime.ContentDisposition | None) -> bool:
    return disposition is None or disposition.kind == "session"
