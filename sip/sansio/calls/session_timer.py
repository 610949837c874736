"""How long a call goes on that nobody refreshes (:rfc:`4028`).

One side, the *refresher*, sends a re-INVITE or an UPDATE when half of the interval
is over.  The other hangs up if none has come shortly before all of it is.  What the
interval is, and who refreshes, is settled anew with each such request and its 2xx.
"""

from __future__ import annotations

from sip.errors import SipParseError
from sip.fields.session_expires import (
    MIN_SESSION_EXPIRES,
    MinSE,
    Refresher,
    SessionExpires,
)
from sip.message import Message, Request, Response
from sip.sansio.agenda import earliest
from sip.sansio.timers import Timers

__all__ = ["SessionTimer", "is_too_short", "negotiate_interval"]

_TAG = "timer"

_LONGEST_MARGIN = 32.0
"""How long before the end the side that doesn't refresh hangs up, at most (§10)."""


class SessionTimer:
    """The timer of one call.

    Args:
        enabled: Whether we say that we know of timers.

    Attributes:
        interval: Seconds that the session lives unrefreshed; ``None`` without end.
        we_refresh: Whether we are the refresher.
        refresh_at: When to refresh it, if that is for us.
        expire_at: When to hang up.
        min_interval: The highest Min-SE that was heard of, in seconds.
    """

    __slots__ = (
        "enabled",
        "expire_at",
        "interval",
        "min_interval",
        "refresh_at",
        "we_refresh",
    )

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.interval: int | None = None
        self.we_refresh = False
        self.refresh_at: float | None = None
        self.expire_at: float | None = None
        self.min_interval = 0

    def request_headers(self, timers: Timers) -> list[tuple[str, str]]:
        """Return what a request of ours says that refreshes the session.

        Who refreshes stays who it is (§7.4).
        """
        interval = self.interval or timers.session_expires
        headers: list[tuple[str, str]] = []
        if interval is None or not self.enabled:
            return headers
        role: Refresher | None = None
        if self.interval is not None:
            role = Refresher.UAC if self.we_refresh else Refresher.UAS
        interval = max(interval, self.min_interval)
        headers.append(("Session-Expires", str(SessionExpires(interval, role))))
        if self.min_interval:
            headers.append(("Min-SE", str(MinSE(self.min_interval))))
        return headers

    def asked(self, request: Request) -> None:
        """Take in a request of the peer that refreshes the session."""
        self.min_interval = max(self.min_interval, _least(request))

    def refused(self, response: Response) -> None:
        """Take in a 422, which says how short an interval may be (§7.3)."""
        if response.status == 422:
            self.min_interval = max(self.min_interval, _least(response))

    def accepted_by_us(
        self, request: Request, timers: Timers, now: float
    ) -> list[tuple[str, str]]:
        """Return what our 2xx to a request says, and start anew."""
        self.asked(request)
        agreed = negotiate_interval(request, timers) if self.enabled else None
        if agreed is None:
            self.stop()
            return []
        self._start(agreed.interval, agreed.refresher is Refresher.UAS, now)
        headers = [("Session-Expires", str(agreed))]
        if _knows(request):
            headers.append(("Require", _TAG))
        return headers

    def accepted_by_peer(
        self, request: Request, response: Response, now: float
    ) -> None:
        """Take in the 2xx to a request of ours, and start anew (§7.2)."""
        answer, asked = _expires(response), _expires(request)
        if not self.enabled:
            self.stop()
        elif answer is not None and answer.interval > 0:
            self._start(answer.interval, answer.refresher is not Refresher.UAS, now)
        elif asked is not None and not _knows(response):
            # The peer knows nothing of it, so it is for us alone.
            self._start(asked.interval, True, now)
        else:
            self.stop()

    def stop(self) -> None:
        """Let the session live without end."""
        self.interval = self.refresh_at = self.expire_at = None

    def postpone(self, now: float) -> None:
        """Try again later to refresh: half way to the end."""
        if self.expire_at is not None and self.we_refresh:
            self.refresh_at = now + max((self.expire_at - now) / 2, 1.0)

    def next_timeout(self) -> float | None:
        """Return when the next of both times is."""
        return earliest(self.refresh_at, self.expire_at)

    def _start(self, interval: int, we_refresh: bool, now: float) -> None:
        self.interval, self.we_refresh = interval, we_refresh
        margin = min(_LONGEST_MARGIN, interval / 3)
        self.refresh_at = now + interval / 2 if we_refresh else None
        self.expire_at = now + interval - (0.0 if we_refresh else margin)


def is_too_short(
    request: Request, timers: Timers
) -> tuple[tuple[str, str], ...] | None:
    """Return the headers of a 422, if the interval asked for is too short (§9).

    A client that doesn't know of timers has not asked: a proxy has, which couldn't
    do anything with a 422.
    """
    asked = _expires(request)
    least = max(timers.min_session_expires, MIN_SESSION_EXPIRES)
    if asked is None or not _knows(request) or asked.interval >= least:
        return None
    return (("Min-SE", str(MinSE(least))),)


def negotiate_interval(request: Request, timers: Timers) -> SessionExpires | None:
    """Return the Session-Expires of our 2xx, if the session is to have a timer (§9)."""
    asked, wanted = _expires(request), timers.session_expires
    least = max(MIN_SESSION_EXPIRES, _least(request))
    knows = _knows(request)
    if asked is None:
        if wanted is None or not knows:
            return None
        return SessionExpires(max(wanted, least), Refresher.UAS)
    interval = asked.interval
    if interval < MIN_SESSION_EXPIRES:
        return None  # It can't be refused, nor raised, nor lived with.
    if wanted is not None:
        # Less, if we want that, but not less than the others bear.
        interval = min(interval, max(wanted, least))
    role = asked.refresher if knows and asked.refresher is not None else Refresher.UAS
    return SessionExpires(interval, role)


# No call is worth losing for a timer that can't be read: then there is none.


def _expires(message: Message) -> SessionExpires | None:
    try:
        return message.session_expires
    except SipParseError:
        return None


def _knows(message: Message) -> bool:
    try:
        return _TAG in message.supported
    except SipParseError:
        return False


def _least(message: Message) -> int:
    try:
        return 0 if message.min_se is None else message.min_se.interval
    except SipParseError:
        return 0
