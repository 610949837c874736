"""What happened, in the past tense: what the protocol core tells, and what hooks get.

Events that hold a message's content are in :mod:`msrp.content`, which knows what
is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from msrp.errors import CloseReason, DeliveryError, MsrpError
from msrp.headers import ByteRange, Status
from msrp.policy import Store
from msrp.uri import MsrpUri

__all__ = [
    "ClosedEvent",
    "ConnectionEstablished",
    "ConnectionFailedEvent",
    "ConnectionLost",
    "CoreEvent",
    "IncompleteMessage",
    "MessageCompleted",
    "MessageDelivered",
    "MessageDeliveryFailed",
    "MessageRefused",
    "MessageSent",
    "MessageStored",
    "NicknameReceived",
    "RelayExpiring",
    "ReportReceived",
    "SessionOver",
]


@dataclass(frozen=True, slots=True)
class ConnectionEstablished:
    """The session can carry messages: for the first time, or again."""

    is_passive: bool
    """Whether the peer opened the connection."""

    remote_path: tuple[MsrpUri, ...]
    """The peer's path, as its SDP gave it."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """An open session has lost its connection, and waits for another.

    The same is told when an attempt to give it one has failed.
    """

    error: MsrpError
    """Why."""

    unconfirmed: tuple[str, ...]
    """The Message-IDs of what isn't known to have arrived, oldest first."""


@dataclass(frozen=True, slots=True)
class RelayExpiring:
    """A relay will soon forget what it gave to a session (:rfc:`4976#section-9.4`)."""

    local_uri: MsrpUri
    """Which session: :attr:`msrp.Negotiated.local_uri`."""

    remaining: float
    """Seconds that are left to agree with the peer on another path."""


# Three that each message makes aren't frozen: that takes three times as long.


@dataclass(slots=True)
class MessageCompleted:
    """All octets of a message have arrived."""

    message_id: str
    content_type: str
    contents: bytes
    disposition: str | None = None
    """The value of ``Content-Disposition``, if there was one."""


@dataclass(frozen=True, slots=True)
class MessageStored:
    """All octets of a message have arrived where its policy sent them."""

    message_id: str
    content_type: str
    size: int
    store: Store
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class IncompleteMessage:
    """A message of which no more will come; what did arrive is kept."""

    message_id: str
    content_type: str
    ranges: tuple[tuple[int, bytes], ...]
    """What arrived: zero-based offsets and the octets from there on."""

    problem: str
    """Why no more will come."""

    store: Store | None = None
    """Where it went, if that wasn't memory; such as the sink with a file's path."""


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message from the peer was refused."""

    message_id: str
    content_type: str
    status_code: int
    """The code of the response, such as 413."""

    peer_told: bool
    """Whether the peer gets that response; it may have asked for none."""


@dataclass(slots=True)
class MessageSent:
    """The last octet of a message was handed to the transport.

    It is told again of a message that another session had to send again.
    """

    message_id: str


@dataclass(slots=True)
class MessageDelivered:
    """As much is known of a message's arrival as its sender asked to know."""

    message_id: str


@dataclass(frozen=True, slots=True)
class MessageDeliveryFailed:
    """A message did not arrive, or probably didn't."""

    message_id: str
    status_code: int | None
    """The code that the peer or a relay gave; 408 for no response in time;
    ``None`` when the message was aborted or the session ended."""

    reason: str
    """What happened, in a sentence."""

    error: DeliveryError
    """The same as an exception, as ``await sent.delivered()`` raises it."""


@dataclass(frozen=True, slots=True)
class ReportReceived:
    """The peer, or a relay on the way, reports about a message of ours."""

    message_id: str
    byte_range: ByteRange | None
    """Which octets it is about, one-based and inclusive."""

    status: Status

    @property
    def status_code(self) -> int:
        """The code, 200 for success."""
        return self.status.code

    @property
    def status_text(self) -> str:
        """What the peer says about it; often empty."""
        return self.status.comment


@dataclass(frozen=True, slots=True)
class NicknameReceived:
    """The peer wants to be known by a nickname (:rfc:`7701#section-7`)."""

    nickname: str
    """As it was asked for; empty if the peer wants none any more."""


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The session is no more; nothing follows this event."""

    reason: CloseReason
    error: MsrpError | None
    """Why, when it wasn't in good order."""

    was_open: bool
    """Whether it ever could carry messages."""


@dataclass(frozen=True, slots=True)
class BindingFailed:
    """The peer does not take the session on a connection that others use.

    It may be attached to another one, as if nothing had been.
    """

    error: MsrpError | None
    """Why, if it was said."""


@dataclass(frozen=True, slots=True)
class ConnectionFailedEvent:
    """The session could not be set up."""

    error: MsrpError


@dataclass(frozen=True, slots=True)
class ClosedEvent:
    """The session is no more."""

    reason: CloseReason
    error: MsrpError | None
    """``None`` when it was closed in good order, by either side."""

    incomplete: tuple[IncompleteMessage, ...] = ()
    """Messages that were still arriving."""


CoreEvent = (
    ConnectionEstablished
    | ConnectionLost
    | MessageCompleted
    | MessageStored
    | IncompleteMessage
    | MessageRefused
    | MessageSent
    | MessageDelivered
    | MessageDeliveryFailed
    | ReportReceived
    | NicknameReceived
    | SessionOver
    | BindingFailed
)
"""What :class:`msrp.sansio.session.Session` tells."""
