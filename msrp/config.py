"""What an application can set, and the bounds on what a peer can make grow."""

from __future__ import annotations

from dataclasses import dataclass, field

from msrp.accept_types import AcceptTypes

__all__ = ["Limits", "SessionConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on everything that a peer can make grow.

    Each has a default that no well-behaved peer of our knowledge comes near.
    """

    max_head_size: int = 16 * 1024
    """Octets of a start line and header section: 30 times the largest seen."""

    max_open_messages: int = 64
    """Messages of one session that may be incomplete at the same time."""

    max_ranges: int = 8192
    """Gaps in one incomplete message; relays reorder a handful of chunks."""

    max_held_octets: int = 64 * 1024 * 1024
    """Octets of incomplete messages that one session may make us hold."""

    max_message_age: float = 540.0
    """Seconds without a chunk until an incomplete message is given up
    (:rfc:`7701` suggests minutes, never seconds)."""

    max_remembered_messages: int = 1024
    """Message-IDs kept to recognise a message that comes a second time."""

    max_unsent_responses: int = 256 * 1024
    """Octets of responses and reports that wait for a peer which doesn't read;
    above it we stop reading from that peer."""

    max_undelivered_octets: int = 4 * 1024 * 1024
    """Octets of received messages that wait for the application; above it we
    stop reading from the peer, so that TCP holds it back."""

    max_undelivered_messages: int = 10_000
    """The same, counted in messages: small ones cost more than their octets."""

    max_sessions_per_stream: int = 1000
    """Sessions that may share one connection."""

    max_connections: int = 10_000
    """Connections that one listener holds at a time."""

    max_unbound_connections: int = 500
    """Connections that have not named a session yet, per listener."""

    max_openings: int = 500
    """Connections that are being opened at a time, per listener, or in the process
    for those without one.  Where to is what a description from the net says, and
    many of those could make us knock at a third party (:rfc:`4975#section-14.5`)."""

    max_recorded_octets: int = 1024 * 1024
    """Octets of one message that are kept for a tap, see :mod:`recording`, and of
    one chunk for a wire tap; the rest is counted only."""

    probation_time: float = 30.0
    """Seconds that a new connection has to name a session
    (:rfc:`4976#section-6.1` gives the same to a relay's clients); and for which a
    request to a session that is still being negotiated may hold up what the peer
    sends to others on the same connection, before it gets a 481."""

    linger: float = 5.0
    """Seconds that a connection which the peer has opened stays open after its
    last session, so that what is under way gets its answer."""

    stall_time: float = 120.0
    """Seconds that a peer may leave a chunk unfinished without a single octet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """How one session sends, and what it takes."""

    max_message_length: int = 10_000
    """Octets of the largest message that is taken; more gets a 413."""

    chunk_size: int | None = 2048
    """Octets of body per chunk.  2,048 is safe with every stack; more goes out as
    interruptible chunks of up to this size, ``None`` as one chunk per message."""

    window: int = 32
    """Chunks that may wait for a response; 1 is stop-and-wait."""

    relayed_window: int = 16 * 1024
    """Octets in chunks that may wait for a response if there is a relay on the way, if
    that is less than :attr:`window`.  A relay answers as soon as it has read a chunk,
    and some drop a receiver that doesn't keep up: with 64 KB that happened, with this
    it didn't.  More is faster, with relays that hold the sender back instead."""

    send_high_water: int = 1024 * 1024
    """Octets of messages in memory that may wait to be sent; above it the sending
    coroutines wait, so that a slow peer is felt by who sends to it.  Messages of up to
    16 KiB overtake longer ones on the wire, and wait only for each other here."""

    response_timeout: float = 30.0
    """Seconds until a missing response is a failure (:rfc:`4975#section-7.1.1`)."""

    binding_patience: float = 3.0
    """Seconds that the active side waits for the response to its first, empty
    SEND before it sends anything else; some stacks never answer it."""

    recovery_time: float = 0.0
    """Seconds that a session which has lost its connection waits for another
    (:rfc:`4975#section-5.4`), with all that isn't known to have arrived; 0 to end
    it at once."""

    accept_types: AcceptTypes = field(default_factory=AcceptTypes)
    """What this side announced; another type gets a 415."""

    takes_nicknames: bool = False
    """Whether this side announced that the peer may ask for a nickname
    (:rfc:`7701#section-8`)."""

    composing: bool = True
    """Whether typing is told and heard of (:rfc:`3994`), and announced by
    :class:`~msrp.MsrpMedia`; if not, what the peer says of its own is dropped."""

    notifications: bool = True
    """Whether disposition notifications are asked for and sent (:rfc:`5438`), each as
    the application wishes, and announced by :class:`~msrp.MsrpMedia`; if not, those of
    the peer are dropped."""

    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        # Either would make every message wait for ever.
        if self.window < 1:
            raise ValueError("window must be at least 1")
        if self.relayed_window < 1:
            raise ValueError("relayed_window must be at least 1")
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError("chunk_size must be at least 1")
