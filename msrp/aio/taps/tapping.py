"""Who hears what of connections and sessions: see :mod:`msrp.tap`.

A port (a listener, a relay, or a connection that has neither) knows its streams and has
taps; so has each session.  A stream has a tap (:mod:`msrp.aio.taps.stream_tap`) only
while anybody listens who may be concerned; it gets one, or loses it, when that changes.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msrp.aio.session.dispatch import ConnectionHooks, Notice, Undelivered
from msrp.aio.streams.called import SessionOwner
from msrp.aio.taps.stream_tap import StreamTap
from msrp.config import Limits
from msrp.events import CoreEvent, MessageCompleted, MessageStored
from msrp.tap import Draft, Messages, Parties, record_of
from msrp.tap.messages import PATIENCE
from recording import Taps, log_wire, utc_now

if TYPE_CHECKING:
    from msrp.aio.streams.stream import StreamProtocol

__all__ = ["PortTaps", "SessionTap", "Tapped", "TappedHooks"]

_wire_log = logging.getLogger("msrp.wire")


class Tapped(Protocol):
    """A session that can be listened to, as its application holds it."""

    taps: Taps
    """Those who listen to it, and those who listen to its port."""

    @property
    def port_taps(self) -> PortTaps:
        """What hears the port where it comes in or goes out."""

    def parties(self) -> Parties:
        """Say who talks to whom."""

    def session_over(self) -> None:
        """Be told that nothing more will be said in it."""


class SessionTap:
    """What is heard of one session, over all its connections.

    Args:
        tapped: The session.
    """

    __slots__ = ("_loop", "_tapped", "_timer", "is_over", "messages")

    def __init__(self, tapped: Tapped) -> None:
        limit = tapped.port_taps.limits.max_recorded_octets
        self.messages = Messages(self._tell, max_octets=limit)
        self.is_over = False
        """Whether the session is, or nobody listens any more."""
        self._tapped = tapped
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        tapped.port_taps.began(self)

    @property
    def taps(self) -> Taps:
        """Those who listen."""
        return self._tapped.taps

    def happened(self, event: CoreEvent) -> None:
        """Take note of what has happened in the session."""
        self.messages.happened(event, utc_now())
        if self._timer is None and isinstance(event, MessageCompleted | MessageStored):
            self._timer = self._loop.call_later(
                PATIENCE.total_seconds(), self._time_out
            )

    def handed_over(
        self, message_id: str, time: datetime.datetime | None = None
    ) -> None:
        """Take note that the application has got a message, now or at a time."""
        self.messages.handed_over(message_id, time or utc_now())
        if self.is_over and self.messages.is_idle:
            self.finish()

    def over(self) -> None:
        """Wait for nothing more but that the application takes what is here."""
        if self.is_over:
            return
        self.is_over = True
        self.messages.give_up()
        if self.messages.is_idle:
            self.finish()

    def finish(self) -> None:
        """Tell of all that is left."""
        self.is_over = True
        self.messages.finish()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tapped.taps.end()  # Those who listen to it alone.
        self._tapped.port_taps.ended(self)

    def _tell(self, draft: Draft) -> None:
        parties = self._tapped.parties()
        self.taps.tell(partial(record_of, draft, parties), draft.kept)

    def _time_out(self) -> None:
        self._timer = None
        now = utc_now()
        self.messages.handle_timeout(now)
        due = self.messages.next_timeout()
        if due is not None:
            wait = max(0.0, (due - now).total_seconds())
            self._timer = self._loop.call_later(wait, self._time_out)
        elif self.is_over:
            self.finish()


class PortTaps:
    """What hears a listener, a relay or a lone connection, and all its sessions.

    Args:
        limits: How much to keep.
    """

    __slots__ = ("_closing", "_sessions", "limits", "streams", "taps")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taps = Taps(self)
        """Those who listen to all of it."""
        self.streams: dict[StreamProtocol, None] = {}
        """The connections that are open."""
        self._sessions: dict[SessionTap, None] = {}
        self._closing = False
        log_wire(self.taps, _wire_log)

    # What connections tell.

    def opened(self, stream: StreamProtocol) -> None:
        """Take note of a connection."""
        self.streams[stream] = None
        if self.taps.hears_anything or self._awaits_streams:
            stream.tap = StreamTap(stream, self)

    def joined(self, stream: StreamProtocol, owner: SessionOwner) -> None:
        """Take note that a session of ours goes over a connection."""
        if stream.tap is None and owner.wants_tap:
            stream.tap = StreamTap(stream, self)

    def closed(self, stream: StreamProtocol) -> None:
        """Take note that a connection is no more."""
        self.streams.pop(stream, None)
        if stream.tap is not None:
            stream.tap.close()
        self._end_if_unused()

    def check(self, stream: StreamProtocol) -> None:
        """Listen to a connection, or don't."""
        owners = stream.owners.values()
        wanted = self.taps.hears_anything or any(owner.wants_tap for owner in owners)
        if wanted or (not owners and self._awaits_streams):
            if stream.tap is None:
                stream.tap = StreamTap(stream, self)
        elif stream.tap is not None:
            stream.tap.close()
            stream.tap = None

    # What sessions tell.

    def began(self, session: SessionTap) -> None:
        """Take note of a session that somebody listens to."""
        self._sessions[session] = None

    def ended(self, session: SessionTap) -> None:
        """Take note that there is nothing more to hear of it."""
        self._sessions.pop(session, None)
        self._end_if_unused()

    def close(self) -> None:
        """Let the taps go, as soon as all is over that they can hear of."""
        self._closing = True
        self._end_if_unused()

    @property
    def _awaits_streams(self) -> bool:
        """Whether a session is under way that somebody listens to.

        It may come by a connection of which we don't know yet whose that is.
        """
        return any(not each.is_over for each in self._sessions)

    def _end_if_unused(self) -> None:
        if self._closing and not self.streams and not self._sessions:
            self.taps.end()

    def taps_changed(self) -> None:
        """Listen where somebody wants to hear something now, and nowhere else."""
        for stream in list(self.streams):
            for owner in list(stream.owners.values()):
                owner.taps_changed()
            self.check(stream)


class TappedHooks:
    """Calls the hooks of a connection, and notes when they have got a message.

    Args:
        hooks: The hooks.
        tap: What notes it.
    """

    __slots__ = ("_hooks", "_tap")

    def __init__(self, hooks: ConnectionHooks, tap: SessionTap) -> None:
        self._hooks = hooks
        self._tap = tap

    async def deliver(self, event: Notice | Undelivered) -> bool:
        """Call the hooks for an event, as :meth:`ConnectionHooks.deliver`."""
        now = utc_now()
        taken = await self._hooks.deliver(event)
        if isinstance(event, Undelivered) and (taken or event.shown):
            self._tap.handed_over(event.message_id, now)
        return taken

    def begin(self, undelivered: Undelivered) -> Awaitable[None] | bool:
        """Call the handler at once, as :meth:`ConnectionHooks.begin`."""
        now = utc_now()
        left = self._hooks.begin(undelivered)
        if left is not False:
            self._tap.handed_over(undelivered.message_id, now)
        return left
