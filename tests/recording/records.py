"""Records to write."""

from __future__ import annotations

import datetime
from dataclasses import replace

from recording import (
    CallIdentity,
    Direction,
    Endpoint,
    MessageRecord,
    Outcome,
    Protocol,
    Transport,
    WireRecord,
)

NOON = datetime.datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)

TEXT = MessageRecord(
    protocol=Protocol.MSRP,
    direction=Direction.RECEIVED,
    method="SEND",
    outcome=Outcome.ARRIVED,
    code=200,
    message_id="12345678",
    transaction_id="d93kswow",
    session_id="ann",
    call=CallIdentity(
        call_id="urn:emergency:uid:callid:a56e556d871:bcf.example",
        incident_id="urn:emergency:uid:incidentid:b56e556d871:bcf.example",
        sip_call_id="3848276298220188511@atlanta.example.com",
    ),
    sender="im:bob@example.net",
    recipient="im:alice@example.org",
    content_type="text/plain",
    size=9,
    text="Hilfe! ☎",
    first_octet=NOON,
    last_octet=NOON + SECOND,
    handed_over=NOON + 2 * SECOND,
    answered=NOON + 3 * SECOND,
    peer=Endpoint("192.0.2.7", 2855),
)

CHUNK = WireRecord(
    protocol=Protocol.MSRP,
    direction=Direction.RECEIVED,
    transport=Transport.TCP,
    local=Endpoint("192.0.2.1", 2855),
    peer=Endpoint("192.0.2.7", 40000),
    connection=1,
    time=NOON,
    octets=b"MSRP d93kswow SEND\r\n-------d93kswow$\r\n",
    size=38,
)


def chunk(octets: bytes, **changes: object) -> WireRecord:
    """Return a record of these octets."""
    return replace(CHUNK, octets=octets, size=len(octets), **changes)  # type: ignore[arg-type]  # The tests give what fits.
