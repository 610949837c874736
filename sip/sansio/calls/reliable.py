"""Provisional responses that arrive, and in order (:rfc:`3262`).

A server numbers them and repeats each until its PRACK comes; the next waits for that.
A client takes each once, in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.fields.rack import MAX_FIRST_RSEQ, RAck
from sip.message import Request, Response
from sip.sansio.timers import Timers

__all__ = ["ReliableReceiver", "ReliableSender", "Unacknowledged", "is_reliable"]

TAG = "100rel"


def is_reliable(response: Response) -> bool:
    """Tell whether a response is to be acknowledged with PRACK.

    Raises:
        SipParseError: Its RSeq can't be read.
    """
    if not 100 < response.status < 200 or response.rseq is None:
        return False
    return TAG in (tag.lower() for tag in response.require)


@dataclass(slots=True, eq=False)
class Unacknowledged:
    """A reliable provisional response that was sent, and not yet acknowledged."""

    rseq: int
    """Its number."""

    response: Response
    """What to send again."""

    has_sdp: bool
    """Whether it has a session description, for which a 2xx must wait."""

    interval: float
    """How long until the next repetition but one."""

    repeat_at: float
    """When to send it again."""

    give_up_at: float
    """When to refuse the INVITE."""


class ReliableSender:
    """The reliable provisional responses of one INVITE of a peer.

    Args:
        invite: The INVITE.
        timers: How long to wait.

    Attributes:
        pending: The one that waits for its PRACK, if any.
    """

    __slots__ = ("_invite", "_next", "_timers", "pending")

    def __init__(self, invite: Request, timers: Timers) -> None:
        self._invite = invite
        self._timers = timers
        self._next = 0  # Chosen when it is needed, which is seldom.
        self.pending: Unacknowledged | None = None

    @property
    def is_possible(self) -> bool:
        """Whether the client knows of this."""
        if self.is_required:
            return True
        try:
            return TAG in (tag.lower() for tag in self._invite.supported)
        except SipParseError:
            return False

    @property
    def is_required(self) -> bool:
        """Whether the client takes no other provisional responses but 100."""
        return TAG in (tag.lower() for tag in self._invite.require)

    def next_headers(self) -> tuple[tuple[str, str], ...]:
        """Return what makes the next response reliable; then call :meth:`sent`."""
        if self._next == 0:
            # Room for as many as anybody can send, and unlike any other (§3).
            self._next = 1 + self._timers.randbelow(MAX_FIRST_RSEQ)
        return (("Require", TAG), ("RSeq", str(self._next)))

    def sent(self, response: Response, has_sdp: bool, now: float) -> None:
        """Take note of the response that was sent with :meth:`next_headers`."""
        assert self.pending is None
        t1 = self._timers.t1
        self.pending = Unacknowledged(
            self._next, response, has_sdp, t1, now + t1, now + self._timers.timeout
        )
        self._next += 1

    def acknowledged(self, rack: RAck | None) -> Unacknowledged | None:
        """Return, and forget, the response that a PRACK is about, if there is one."""
        pending = self.pending
        if pending is None or rack is None:
            return None
        if rack != RAck(pending.rseq, self._invite.cseq):
            return None
        self.pending = None
        return pending

    def next_timeout(self) -> float | None:
        """Return when to repeat, or to give up."""
        if self.pending is None:
            return None
        return min(self.pending.repeat_at, self.pending.give_up_at)

    def is_hopeless(self, now: float) -> bool:
        """Tell whether no PRACK has come for too long."""
        return self.pending is not None and self.pending.give_up_at <= now

    def repeat(self, send: Callable[[Response], object], now: float) -> None:
        """Send the response again if it is time for that.

        Unlike for a 2xx the interval doubles without end, since a client repeats
        its PRACK by itself (§3).
        """
        pending = self.pending
        if pending is None or pending.repeat_at > now:
            return
        send(pending.response)
        pending.interval *= 2
        pending.repeat_at = max(pending.repeat_at, now - pending.interval)
        pending.repeat_at += pending.interval


class ReliableReceiver:
    """The reliable provisional responses in one early dialog of an INVITE of ours."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def takes(self, response: Response) -> RAck | None:
        """Take in a reliable response.

        Returns:
            What the PRACK has to say; ``None`` for one that was there before, or
            comes before another: the server will send it again (§4).
        """
        rseq = response.rseq
        if rseq is None or (self._last is not None and rseq != self._last + 1):
            return None
        self._last = rseq
        return RAck(rseq, response.cseq)
