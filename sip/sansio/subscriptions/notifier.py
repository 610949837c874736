"""A subscription of a peer with us (:rfc:`6665#section-4.2`).

The application says what there is to tell; this sends it, one NOTIFY after the
other, says how long the subscription still lasts, tells the last state again when
the peer refreshes it, and ends it when the peer goes, is silent or runs out of
time.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

from sip.errors import LocalError
from sip.fields.subscription import Event
from sip.message import Request, Response
from sip.sansio.dialog import Dialog
from sip.sansio.events import (
    Failure,
    SubscriptionEnded,
    SubscriptionRefreshed,
)
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.services import Headers, Services
from sip.sansio.transactions.server import ServerTransaction

__all__ = ["NotifierState", "ServerSubscription", "State"]


_FETCH_TIME = 0.5
"""Seconds for an application to tell the state to who fetches it."""


class NotifierState(enum.Enum):
    """How far a subscription of a peer has come."""

    ASKED = "it waits for our answer"
    PENDING = "it was taken, but nobody has decided"
    ACTIVE = "the peer is notified"
    ENDING = "the last NOTIFY is on its way"
    ENDED = "it is over"


_NEXT: dict[NotifierState, frozenset[NotifierState]] = {
    NotifierState.ASKED: frozenset(
        {NotifierState.PENDING, NotifierState.ACTIVE, NotifierState.ENDED}
    ),
    NotifierState.PENDING: frozenset(
        {NotifierState.ACTIVE, NotifierState.ENDING, NotifierState.ENDED}
    ),
    NotifierState.ACTIVE: frozenset({NotifierState.ENDING, NotifierState.ENDED}),
    NotifierState.ENDING: frozenset({NotifierState.ENDED}),
    NotifierState.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class State:
    """What a NOTIFY tells."""

    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class ServerSubscription:
    """A subscription of a peer with us.

    Args:
        services: The user agent.
        transaction: The SUBSCRIBE or REFER that asks for it.
        event: What it is about.
        dialog: The dialog, which it shares with a call or not.
        expires: Seconds that it is going to last.
        now: The time, in seconds.

    Attributes:
        event: What it is about.
        state: How far it has come.
        dialog: The dialog with the peer.
        request: The request that asked for it.
        expires: Seconds that it lasts from the last refresh on.
    """

    def __init__(
        self,
        services: Services,
        transaction: ServerTransaction,
        event: Event,
        dialog: Dialog,
        expires: int,
        now: float,
    ) -> None:
        self.event = event
        self.state = NotifierState.ASKED
        self.dialog: Dialog | None = dialog
        self.request = transaction.request
        self.expires = expires
        self._services = services
        self._transaction = transaction
        # Nobody waits longer for an answer than timer F.
        self._expires_at: float | None = now + services.timers.timeout
        self._good_until = now
        self._told = State()
        self._waiting: deque[State] = deque(maxlen=services.limits.waiting_notifies)
        self._final: str | None = None
        self._notify: ClientRequest | None = None

    @property
    def is_alive(self) -> bool:
        """Whether there is still something to tell the peer."""
        return self.state in (NotifierState.PENDING, NotifierState.ACTIVE)

    def accept(
        self,
        now: float,
        *,
        status: int = 200,
        pending: bool = False,
        state: State | None = None,
    ) -> None:
        """Take the subscription; the state of the moment is told at once.

        A peer that only fetches the state (:rfc:`6665#section-4.4.3`) gets one NOTIFY:
        with ``state``, or with the first state that is told within half a second.

        Args:
            now: The time, in seconds.
            status: 200, or 202 for a REFER of old.
            pending: Whether somebody has to decide before there is a state to tell.
            state: What to tell at once; nothing but that there is a subscription by
                default.

        Raises:
            LocalError: It has been accepted or rejected before.
        """
        if self.state is not NotifierState.ASKED:
            raise LocalError("the subscription has been answered before")
        assert self.dialog is not None
        self._become(NotifierState.PENDING if pending else NotifierState.ACTIVE)
        self._grant(self._transaction, status, now)
        self._told = state or self._told
        if self.expires > 0:
            self._say(self._told, now)
        elif state is not None:
            self.terminate(now, "timeout")
        else:
            self._expires_at = now + _FETCH_TIME
            self._services.wake(self)

    def accept_silently(self, now: float, *, headers: Headers = ()) -> None:
        """Take a REFER without a subscription to it (:rfc:`4488#section-4`).

        Raises:
            LocalError: It has been accepted or rejected before.
        """
        if self.state is not NotifierState.ASKED:
            raise LocalError("the subscription has been answered before")
        self._services.respond(self._transaction, 200, now, headers=headers)
        self._end()

    def reject(self, status: int, now: float, *, headers: Headers = ()) -> None:
        """Refuse the subscription.

        Raises:
            LocalError: It has been answered before, or ``status`` isn't from 300 to
                699.
        """
        if not 300 <= status < 700:
            raise LocalError("a subscription is refused with a status from 300 to 699")
        if self.state is not NotifierState.ASKED:
            raise LocalError("the subscription has been answered before")
        self._services.respond(self._transaction, status, now, headers=headers)
        self._end()

    def notify(
        self,
        now: float,
        body: bytes = b"",
        content_type: str | None = None,
        *,
        headers: Headers = (),
    ) -> None:
        """Tell the peer the state, all of it.

        While one NOTIFY is on its way the next waits; of too many that wait the
        oldest are left out, since the newest tells all.  Does nothing once the
        subscription is over.

        Raises:
            LocalError: It hasn't been accepted.
        """
        if self.state is NotifierState.ASKED:
            raise LocalError("a subscription has to be accepted first")
        if not self.is_alive:
            return
        if self.state is NotifierState.PENDING:
            self._become(NotifierState.ACTIVE)
        self._told = State(body, content_type, tuple(headers))
        if self.expires > 0:
            self._say(self._told, now)
        else:
            self.terminate(now, "timeout")

    def terminate(
        self,
        now: float,
        reason: str = "noresource",
        *,
        retry_after: int | None = None,
        state: State | None = None,
    ) -> None:
        """End it, with a last NOTIFY.

        Args:
            now: The time, in seconds.
            reason: A word of :rfc:`6665#section-4.1.3`: ``deactivated``, ``probation``,
                ``rejected``, ``timeout``, ``giveup``, ``noresource``, ``invariant``.
            retry_after: Seconds after which the peer may subscribe again.
            state: The last state, if it isn't the one that was told last.
        """
        if not self.is_alive:
            return
        words = f"terminated;reason={reason}"
        if retry_after is not None:
            words += f";retry-after={retry_after}"
        self._become(NotifierState.ENDING)
        self._expires_at = None
        self._final = words
        self._say(self._told if state is None else state, now)
        self._services.wake(self)

    def refreshed(
        self, transaction: ServerTransaction, expires: int, now: float
    ) -> None:
        """Take in a SUBSCRIBE in its dialog; 0 seconds mean the end."""
        self.expires = expires
        if not self.is_alive:
            self._services.respond(transaction, 481, now)
            return
        assert self.dialog is not None
        self.dialog.refresh_target(transaction.request)
        self._grant(transaction, 200, now)
        if expires == 0:
            self.terminate(now, "timeout")
            return
        self._say(self._told, now)
        self._services.emit(SubscriptionRefreshed(self))

    # What becomes of our NOTIFY: see RequestUser.

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take the response to a NOTIFY."""
        if response.status < 200 or sent is not self._notify:
            return
        self._notify = None
        refused = response.status >= 300 and "Retry-After" not in response.headers
        if refused or self._is_done():
            # RFC 6665 §4.2.2: who doesn't want to hear of it has no subscription.
            self._end(response=response if refused else None)
        elif self._waiting:
            self._send(self._waiting.popleft(), now)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that nobody takes our NOTIFY: there is no subscription."""
        if sent is self._notify:
            self._notify = None
            self._end(failure=failure)

    # What the user of a dialog does: see DialogUser.

    def receive_request(self, transaction: ServerTransaction, now: float) -> bool:
        """Leave the requests of the dialog to whoever does their methods."""
        return False

    def receive_ack(self, request: Request, now: float) -> None:
        """Ignore an ACK: there is no INVITE in such a dialog."""

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Ignore a CANCEL: there is no INVITE in such a dialog."""

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        return self._expires_at

    def handle_timeout(self, now: float) -> None:
        """End it when its time is over."""
        if self._expires_at is None or self._expires_at > now:
            return
        if self.state is NotifierState.ASKED:
            self.reject(480, now)
        else:
            self.terminate(now, "timeout")

    def _grant(self, transaction: ServerTransaction, status: int, now: float) -> None:
        contact = self._services.sender.contact(
            transaction.hop, secure=self.dialog is not None and self.dialog.secure
        )
        headers = [("Contact", contact), *self._services.answer_headers]
        if transaction.request.method == "SUBSCRIBE":
            headers.append(("Expires", str(self.expires)))
        assert self.dialog is not None
        self._services.respond(
            transaction, status, now, headers=headers, to_tag=self.dialog.local.tag
        )
        self._expires_at = self._good_until = now + self.expires
        self._services.wake(self)

    def _is_done(self) -> bool:
        return self.state is NotifierState.ENDING and not self._waiting

    def _say(self, state: State, now: float) -> None:
        if self._notify is None:
            self._send(state, now)
        else:
            self._waiting.append(state)

    def _send(self, state: State, now: float) -> None:
        assert self.dialog is not None
        headers = [("Event", str(self.event))]
        headers.append(("Subscription-State", self._words(now)))
        request, next_hop = self.dialog.request(
            "NOTIFY",
            headers=[*headers, *state.headers],
            body=state.body,
            content_type=state.content_type,
        )
        self._notify = self._services.send(request, next_hop, self)

    def _words(self, now: float) -> str:
        if self._final is not None and not self._waiting:
            return self._final
        word = "pending" if self.state is NotifierState.PENDING else "active"
        return f"{word};expires={max(0, round(self._good_until - now))}"

    def _become(self, state: NotifierState) -> None:
        """Change the state: the only place that does."""
        assert state in _NEXT[self.state], (self.state, state)
        self.state = state

    def _end(
        self, *, response: Response | None = None, failure: Failure | None = None
    ) -> None:
        if self.state is NotifierState.ENDED:
            return
        self._become(NotifierState.ENDED)
        self._expires_at = None
        self._waiting.clear()
        self._services.ended(self)
        self._services.emit(SubscriptionEnded(self, None, response, failure))
