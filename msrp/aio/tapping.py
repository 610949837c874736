"""Who hears what of connections and sessions: see :mod:`msrp.tap`.

A port (a listener, a relay, or a connection that has neither) knows its streams and has
taps; so has each session.  A stream has a :class:`StreamTap` only while anybody listens
who may be concerned, and gets one, or loses it, when that changes.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msrp.aio.sockets import is_internet
from msrp.config import Limits
from msrp.content import MessageReceived
from msrp.events import CoreEvent, MessageCompleted, MessageStored
from msrp.sansio.session import Session
from msrp.tap import Draft, Messages, Parties, WireMessage, WireReader, record_of
from msrp.tap.messages import PATIENCE
from recording import (
    CallIdentity,
    Direction,
    Endpoint,
    Taps,
    Transport,
    WireRecord,
    utc_now,
    without_credentials,
)
from recording import Protocol as RecordedProtocol

if TYPE_CHECKING:
    from msrp.aio.stream import StreamProtocol

__all__ = ["PortTaps", "SessionTap", "StreamTap", "TappedSession"]

_NOWHERE = Endpoint("0.0.0.0", 0)


class SessionTap:
    """What is heard of one session, over all its connections.

    Args:
        taps: Whom to tell.
        parties: Says who talks to whom, whenever it is asked.
        limits: How much to keep of a message.
    """

    __slots__ = ("_loop", "_parties", "_timer", "messages", "taps")

    def __init__(
        self, taps: Taps, parties: Callable[[], Parties], limits: Limits
    ) -> None:
        self.taps = taps
        self.messages = Messages(self._tell, max_octets=limits.max_recorded_octets)
        self._parties = parties
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def happened(self, event: CoreEvent) -> None:
        """Take note of what has happened in the session."""
        self.messages.happened(event, utc_now())
        if self._timer is None and isinstance(event, MessageCompleted | MessageStored):
            self._timer = self._loop.call_later(
                PATIENCE.total_seconds(), self._time_out
            )

    def handed_over(
        self, message: MessageReceived, time: datetime.datetime | None = None
    ) -> None:
        """Take note that the application has got a message, now or at a time."""
        self.messages.handed_over(message.message_id, time or utc_now())

    def finish(self) -> None:
        """Tell of all that is left."""
        self.messages.finish()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, draft: Draft) -> None:
        self.taps.tell(partial(record_of, draft, self._parties()), draft.kept)

    def _time_out(self) -> None:
        self._timer = None
        now = utc_now()
        self.messages.handle_timeout(now)
        due = self.messages.next_timeout()
        if due is not None:
            wait = max(0.0, (due - now).total_seconds())
            self._timer = self._loop.call_later(wait, self._time_out)


class TappedSession(Protocol):
    """Whose session it is, as taps see it."""

    @property
    def wants_tap(self) -> bool:
        """Whether anybody listens to it."""

    def session_tap(self) -> SessionTap | None:
        """Return what hears it, if anybody listens."""


class PortTaps:
    """The taps of a listener, a relay or a lone connection, and what they hear.

    Args:
        taps: The taps.
        limits: How much to keep.
    """

    def __init__(self, taps: Taps, limits: Limits) -> None:
        self.taps = taps
        self.limits = limits
        self.streams: dict[StreamProtocol, None] = {}
        """The connections that are open."""
        self.awaited = 0
        """How many sessions with taps of their own may still come on a new one."""

    def opened(self, stream: StreamProtocol) -> None:
        """Take note of a connection."""
        self.streams[stream] = None
        self.check(stream)

    def closed(self, stream: StreamProtocol) -> None:
        """Take note that a connection is no more."""
        self.streams.pop(stream, None)

    def changed(self) -> None:
        """Listen where somebody wants to hear something now, and nowhere else."""
        for stream in self.streams:
            self.check(stream)

    def check(self, stream: StreamProtocol) -> None:
        """Listen to a connection, or don't."""
        owners = stream.owners.values()
        wanted = self.taps.hears_anything or any(owner.wants_tap for owner in owners)
        if wanted or (not owners and self.awaited):
            if stream.tap is None:
                stream.tap = StreamTap(stream, self)
        elif stream.tap is not None:
            stream.tap.close()
            stream.tap = None


class StreamTap:
    """Listens to both directions of one connection.

    Args:
        stream: It.
        port: Whose it is.
    """

    def __init__(self, stream: StreamProtocol, port: PortTaps) -> None:
        self._stream = stream
        self._port = port
        self._pending: list[tuple[bytes, datetime.datetime]] = []
        self._time = utc_now()
        self._owners = 0
        self._routes: dict[str, SessionTap] = {}
        limit = port.limits.max_recorded_octets
        received, sent = stream.parsers_in_step()
        self._received = WireReader(
            Direction.RECEIVED, self, max_body=limit, parser=received
        )
        self._sent = WireReader(Direction.SENT, self, max_body=limit, parser=sent)
        self._local, self._peer = stream.endpoints
        self._transport = Transport.TLS if stream.secure else Transport.TCP
        self._strays = Messages(self._tell_stray, max_octets=limit, is_alone=True)

    # What the stream tells.

    def received(self, data: bytes) -> None:
        """Take what was read, before anything is done about it."""
        self._pending.append((data, utc_now()))

    def catch_up(self) -> None:
        """Listen to what was read, once it is known which sessions it is for."""
        if self._stream.is_holding:
            return  # What it is for is still being negotiated.
        pending, self._pending = self._pending, []
        for data, time in pending:
            self._received.feed(data, time)
        if len(self._stream.owners) != self._owners:
            self._owners = len(self._stream.owners)
            self._port.check(self._stream)

    def sent(self, data: bytes) -> None:
        """Take what was handed to the transport."""
        self._sent.feed(data, utc_now())

    def close(self) -> None:
        """Tell what has begun, and ends with the connection."""
        for data, time in self._pending:
            self._received.feed(data, time)
        self._pending = []
        self._received.close()
        self._sent.close()
        self._strays.finish()

    # What the readers tell.

    def began(self, message: WireMessage) -> None:
        """Take note of a request or response whose head is complete."""
        heard = self._messages_of(message)
        if heard is not None:
            heard.began(message, self._peer)

    def went_on(self, message: WireMessage, time: datetime.datetime) -> None:
        """Take note that some of its body went by."""
        heard = self._messages_of(message)
        if heard is not None:
            heard.went_on(message, time)

    def ended(self, message: WireMessage) -> None:
        """Take note of the end of a request or response."""
        tap = self._tap_of(message)
        taps = self._port.taps if tap is None else tap.taps
        if taps.hears_wire:
            taps.tell_wire(
                partial(
                    _wire_record,
                    message,
                    message.octets,
                    transport=self._transport,
                    local=self._local,
                    peer=self._peer,
                    connection=id(self._stream),
                    time=message.ended or utc_now(),
                ),
                message.kept,
            )
        heard = self._messages_of(message)
        if heard is not None:
            heard.ended(message)

    # Inside.

    def _messages_of(self, message: WireMessage) -> Messages | None:
        tap = self._tap_of(message)
        if tap is not None:
            return tap.messages
        return self._strays if self._port.taps.hears_messages else None

    def _tap_of(self, message: WireMessage) -> SessionTap | None:
        name = message.session_id
        if name is None:
            return None
        tap = self._routes.get(name)
        if tap is None:
            owner = self._owner_of(name)
            tap = None if owner is None else owner.session_tap()
            if tap is not None:
                self._routes[name] = tap
        return tap

    def _owner_of(self, session_id: str) -> TappedSession | None:
        for session, owner in self._stream.owners.items():
            if _name_of(session) == session_id:
                return owner
        return None

    def _tell_stray(self, draft: Draft) -> None:
        parties = Parties(local=str(self._local), remote=str(self._peer))
        self._port.taps.tell(partial(record_of, draft, parties), draft.kept)


def endpoint_of(name: object) -> Endpoint:
    """Return one end of a connection, as the system names it."""
    if isinstance(name, tuple) and len(name) >= 2:
        return Endpoint(str(name[0]), int(name[1]))
    return _NOWHERE


def _name_of(session: Session) -> str | None:
    return session.local_uri.session_id


def _wire_record(
    message: WireMessage,
    octets: bytes,
    *,
    transport: Transport,
    local: Endpoint,
    peer: Endpoint,
    connection: int,
    time: datetime.datetime,
) -> WireRecord:
    return WireRecord(
        protocol=RecordedProtocol.MSRP,
        direction=message.direction,
        transport=transport,
        local=local,
        peer=peer,
        connection=connection,
        time=time,
        octets=without_credentials(octets),
        size=message.size,
        session_id=message.session_id,
        is_complete=message.ended is not None,
    )
