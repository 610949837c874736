"""Records as log events of NG9-1-1, one JSON object in a line each.

NENA-STA-010 (4.12.3) has a log event for each thing that happens to a call.  Messages
of MSRP are ``NonRtpMediaMessageLogEvent``, requests of SIP
``CallSignalingMessageLogEvent`` and, where they are MESSAGE, ``MessageLogEvent``.  What
those have no member for is in ``extension``, under names of ours.
"""

from __future__ import annotations

import base64
import datetime
import json
from dataclasses import dataclass

from recording.records import MessageRecord, Protocol

__all__ = ["LogElement", "log_event", "to_json_line"]

_Members = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogElement:
    """Who logs, as NENA-STA-010 wants it said in each event.

    What isn't given is left out, though the first two are mandatory there.
    """

    element_id: str | None = None
    """The domain name of the console."""

    agency_id: str | None = None
    """The domain name of the agency."""

    agent_id: str | None = None
    """Who works there: ``agent@agency.example``."""

    position_id: str | None = None
    """The work place."""


def log_event(
    record: MessageRecord,
    element: LogElement | None = None,
    *,
    with_contents: bool = False,
) -> _Members:
    """Return the log event of a record: text, numbers, and members within members.

    Args:
        record: The record.
        element: Who logs.
        with_contents: Whether to have bodies that aren't text in it, in base64.
    """
    element = element or LogElement()
    call = record.call
    members: _Members = {
        "logEventType": _event_type(record),
        "timestamp": _time(record.first_octet or record.answered),
        "elementId": element.element_id,
        "agencyId": element.agency_id,
        "agencyAgentId": element.agent_id,
        "agencyPositionId": element.position_id,
        "callId": call.call_id,
        "incidentId": call.incident_id,
        "callIdSIP": call.sip_call_id,
        "ipAddressPort": None if record.peer is None else str(record.peer),
        "direction": record.direction.value,
        "protocol": record.protocol.value,
        "text": _text(record),
        "extension": _extension(record, with_contents=with_contents),
    }
    return _without_gaps(members)


def to_json_line(
    record: MessageRecord,
    element: LogElement | None = None,
    *,
    with_contents: bool = False,
) -> bytes:
    """Return the log event of a record as a line; the rest is as for log_event."""
    event = log_event(record, element, with_contents=with_contents)
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def _event_type(record: MessageRecord) -> str:
    if record.protocol is Protocol.MSRP:
        return "NonRtpMediaMessageLogEvent"
    if record.method == "MESSAGE":
        return "MessageLogEvent"
    return "CallSignalingMessageLogEvent"


def _text(record: MessageRecord) -> str:
    """Return what was said; of signalling all of it, as the standard has it."""
    if record.protocol is Protocol.SIP and record.method != "MESSAGE":
        return record.raw.decode(errors="replace")
    return record.text or ""


def _extension(record: MessageRecord, *, with_contents: bool) -> _Members:
    contents = None
    if with_contents and record.text is None and record.contents:
        contents = base64.b64encode(record.contents).decode()
    return _without_gaps(
        {
            "method": record.method,
            "outcome": record.outcome.value,
            "code": record.code,
            "problem": record.problem,
            "messageId": record.message_id,
            "transactionId": record.transaction_id,
            "sessionId": record.session_id,
            "from": record.sender,
            "to": record.recipient,
            "contentType": record.content_type,
            "size": record.size,
            "isCut": record.is_cut or None,
            "contents": contents,
            "firstOctet": _time(record.first_octet),
            "lastOctet": _time(record.last_octet),
            "handedOver": _time(record.handed_over),
            "answered": _time(record.answered),
            "lost": record.lost or None,
        }
    )


def _time(time: datetime.datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="microseconds")


def _without_gaps(members: _Members) -> _Members:
    return {name: value for name, value in members.items() if value is not None}
