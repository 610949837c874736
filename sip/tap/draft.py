"""A request of which not all is known yet, and the record that is made of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from recording import (
    CallIdentity,
    Direction,
    Endpoint,
    MessageRecord,
    Outcome,
    Protocol,
    without_credentials,
)
from sip.errors import SipParseError
from sip.message import Request

__all__ = ["Draft", "record_of"]


@dataclass(slots=True, eq=False)
class Draft:
    """What has been heard of one request so far."""

    direction: Direction
    request: Request
    octets: bytes = b""
    """As it went over the wire, the first time; nothing if it never did."""

    peer: Endpoint | None = None
    call: CallIdentity = field(default_factory=CallIdentity)
    outcome: Outcome | None = None
    code: int | None = None
    problem: str | None = None
    gives_up: datetime.datetime | None = None
    """When nobody will answer it any more."""

    first_octet: datetime.datetime | None = None
    last_octet: datetime.datetime | None = None
    handed_over: datetime.datetime | None = None
    answered: datetime.datetime | None = None


def record_of(draft: Draft) -> MessageRecord:
    """Make the record of a request, of which nothing more will become known."""
    request = draft.request
    content_type = request.headers.get("Content-Type") if request.body else None
    return MessageRecord(
        protocol=Protocol.SIP,
        direction=draft.direction,
        method=request.method,
        outcome=draft.outcome or Outcome.UNKNOWN,
        code=draft.code,
        problem=draft.problem,
        transaction_id=_branch_of(request),
        call=draft.call,
        sender=_uri_in(request, "From"),
        recipient=_uri_in(request, "To"),
        content_type=content_type,
        size=len(request.body),
        text=_text_of(content_type, request.body),
        contents=request.body,
        raw=without_credentials(draft.octets),
        first_octet=draft.first_octet,
        last_octet=draft.last_octet,
        handed_over=draft.handed_over,
        answered=draft.answered,
        peer=draft.peer,
    )


def _branch_of(request: Request) -> str | None:
    try:
        return request.via.branch
    except SipParseError:
        return None


def _uri_in(request: Request, name: str) -> str | None:
    try:
        return str((request.from_ if name == "From" else request.to).uri)
    except SipParseError:
        return request.headers.get(name)


def _text_of(content_type: str | None, body: bytes) -> str | None:
    essence = (content_type or "").partition(";")[0].strip().lower()
    return body.decode(errors="replace") if essence == "text/plain" else None
