"""What a tap is told: messages as people see them, and octets as they went.

Times are absolute, in UTC.  Those of one record come from a clock that isn't set back,
so that they can be compared.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, field

__all__ = [
    "CallIdentity",
    "Direction",
    "Endpoint",
    "MessageRecord",
    "Outcome",
    "Protocol",
    "Transport",
    "WireRecord",
]


class Protocol(enum.Enum):
    """What a message was sent with, by the names of NENA-STA-010, 10.22."""

    SIP = "SIP"
    MSRP = "MSRP"


class Direction(enum.Enum):
    """Which way a message goes, by the words of NENA-STA-010."""

    RECEIVED = "incoming"
    SENT = "outgoing"


class Outcome(enum.Enum):
    """What became of a message."""

    ARRIVED = "arrived"
    """All of it: here, or at the peer as far as its sender asked to know."""

    REFUSED = "refused"
    """It was answered with an error."""

    ABORTED = "aborted"
    """Its sender has given it up."""

    INCOMPLETE = "incomplete"
    """The session ended, or nothing more came, before all of it was here."""

    FAILED = "failed"
    """It couldn't be sent, nobody answered, or a report says that it was lost."""

    UNKNOWN = "unknown"
    """Nobody has said so far."""


class Transport(enum.Enum):
    """What carried it."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a connection."""

    host: str
    """Its IP address; a name where nothing better is known."""

    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIdentity:
    """Which call a message belongs to, for who looks for all that belongs to it."""

    call_id: str | None = None
    """The identifier of the emergency call: ``urn:emergency:uid:callid:…``."""

    incident_id: str | None = None
    """That of the incident: ``urn:emergency:uid:incidentid:…``."""

    sip_call_id: str | None = None
    """The Call-ID of the SIP dialog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One message of MSRP, or one request of SIP; told once, when it is over."""

    protocol: Protocol
    direction: Direction

    method: str
    """What kind of request carried it: ``SEND``, ``INVITE``."""

    outcome: Outcome

    code: int | None = None
    """The code that it was answered with, or that a report gave."""

    problem: str | None = None
    """What went wrong, in a sentence."""

    message_id: str | None = None
    """The Message-ID (MSRP)."""

    transaction_id: str | None = None
    """Of the first request that carried some of it: the branch (SIP)."""

    session_id: str | None = None
    """The session id in our URI (MSRP)."""

    call: CallIdentity = CallIdentity()

    sender: str | None = None
    """Whom it is from: the CPIM envelope or the From says so; else the party of the
    session."""

    recipient: str | None = None
    """Whom it is for, likewise."""

    content_type: str | None = None
    """What the body is; ``None`` where there is none."""

    size: int = 0
    """Octets of the body that went over the wire, each counted once."""

    text: str | None = None
    """What people read in it; ``None`` if it isn't text."""

    contents: bytes = field(default=b"", repr=False)
    """The body, or its first octets up to the bound; an envelope is part of it."""

    raw: bytes = field(default=b"", repr=False)
    """The requests that carried it, as they went over the wire, up to the bound."""

    is_cut: bool = False
    """Whether :attr:`raw`, and so perhaps the text, lacks something that went by."""

    first_octet: datetime.datetime | None = None
    """When its first octet was read, or handed to the transport; ``None`` if it never
    was."""

    last_octet: datetime.datetime | None = None
    """When its last octet so far was."""

    handed_over: datetime.datetime | None = None
    """When the application got it: its handler was called, or it was iterated to."""

    answered: datetime.datetime | None = None
    """When the last response or report about it was read, or was handed to the
    transport."""

    peer: Endpoint | None = None
    """The other end of the connection that it began on."""

    lost: int = 0
    """How many records just before this one the tap has not been told, because it was
    behind or because it raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRecord:
    """One request or response as it went over the wire, told when it went."""

    protocol: Protocol
    direction: Direction
    transport: Transport
    local: Endpoint
    peer: Endpoint

    connection: int
    """Tells connections apart: the same number, the same connection."""

    time: datetime.datetime
    """When its last octet was read, or handed to the transport."""

    octets: bytes = field(repr=False)
    """All of it, with credentials made unreadable; of a large body only the
    beginning, but then the end-line nevertheless."""

    size: int
    """How many octets it had on the wire."""

    session_id: str | None = None
    """Of the session of ours that it is to or from (MSRP)."""

    is_complete: bool = True
    """Whether it has an end; the last of a connection that breaks may have none."""

    lost: int = 0
    """As :attr:`MessageRecord.lost`."""

    @property
    def is_cut(self) -> bool:
        """Whether some of its body isn't in :attr:`octets`."""
        return len(self.octets) < self.size
