"""A subscription of ours with a peer (:rfc:`6665#section-4.1`, :rfc:`3515`).

A SUBSCRIBE asks for one, and so does a REFER without a word about it.  The peer's
first NOTIFY makes the dialog, which may come before the response.  From then on the
subscription is refreshed before it runs out, until the peer or the application
ends it.  A subscription that a REFER began inside of a call shares the call's
dialog.
"""

from __future__ import annotations

import enum

from sip.errors import SipParseError
from sip.fields.subscription import Event, SubscriptionState
from sip.message import Request, Response
from sip.sansio.dialog import Dialog
from sip.sansio.events import Failure, NotifyReceived, SubscriptionEnded
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.services import Services
from sip.sansio.transactions.server import ServerTransaction
from sip.uri import Uri

__all__ = ["ClientSubscription", "SubscriberState"]

_ENDING_STATUSES = frozenset(
    {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}
)
"""Responses to a refresh after which nothing is left (:rfc:`6665#section-4.1.2.2`,
:rfc:`5057#section-5.1`)."""

_REFRESH_AHEAD = 0.1
"""The part of its time that is left when a subscription is refreshed: enough for
a SUBSCRIBE that takes all of timer F in a subscription of some minutes."""

_LAST_TRIES = 10.0
"""Seconds before its end in which a subscription is no longer refreshed."""


class SubscriberState(enum.Enum):
    """How far a subscription of ours has come (:rfc:`6665#section-4.1.2`)."""

    REQUESTED = "the peer hasn't notified us of anything"
    PENDING = "the peer hasn't decided"
    ACTIVE = "the peer notifies us"
    ENDING = "we have asked for its end"
    ENDED = "it is over"


_NEXT: dict[SubscriberState, frozenset[SubscriberState]] = {
    SubscriberState.REQUESTED: frozenset(
        {
            SubscriberState.PENDING,
            SubscriberState.ACTIVE,
            SubscriberState.ENDING,
            SubscriberState.ENDED,
        }
    ),
    SubscriberState.PENDING: frozenset(
        {SubscriberState.ACTIVE, SubscriberState.ENDING, SubscriberState.ENDED}
    ),
    SubscriberState.ACTIVE: frozenset(
        {SubscriberState.PENDING, SubscriberState.ENDING, SubscriberState.ENDED}
    ),
    SubscriberState.ENDING: frozenset({SubscriberState.ENDED}),
    SubscriberState.ENDED: frozenset(),
}


class ClientSubscription:
    """A subscription of ours.  Making one sends the request.

    Args:
        services: The user agent.
        request: The SUBSCRIBE or REFER, without Via and Contact.
        next_hop: The URI to look up for the address to send it to.
        event: What it is about.
        dialog: The dialog of the call that it is sent in, if it is.

    Attributes:
        event: What it is about; the id of a REFER's is known when it was sent.
        state: How far it has come.
        dialog: The dialog with the peer, once there is one.
        request: The request that asked for it.
    """

    def __init__(
        self,
        services: Services,
        request: Request,
        next_hop: Uri,
        event: Event,
        *,
        dialog: Dialog | None = None,
    ) -> None:
        self.event = event
        self.state = SubscriberState.REQUESTED
        self.dialog = dialog
        self.request = request
        self._services = services
        self._asked = request.expires
        self._accept = tuple(request.headers.get_all("Accept"))
        self._is_refer = request.method == "REFER"
        self._expires_at: float | None = None
        self._refresh_at: float | None = None
        self._give_up_at: float | None = None
        self._was_unsubscribed = False
        self._first = services.send(request, next_hop, self)
        self._refreshing: ClientRequest | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What a NOTIFY tells it by besides its Event: Call-ID and our tag."""
        return self.request.call_id, self.request.from_.tag or ""

    @property
    def was_unsubscribed(self) -> bool:
        """Whether we asked for its end."""
        return self._was_unsubscribed

    @property
    def sent(self) -> ClientRequest:
        """The request that asked for it, on its way."""
        return self._first

    def is_about(self, event: Event) -> bool:
        """Tell whether a NOTIFY with this event is for it.

        A notifier may name the id of a first REFER or leave it out
        (:rfc:`3515#section-2.4.6`).
        """
        if self._is_refer and event.package == self.event.package:
            number = str(self._first.request.cseq.number)
            return event.id == number or (event.id is None and self.event.id is None)
        return self.event.matches(event)

    def refresh(self, now: float, expires: int | None = None) -> None:
        """Ask for more time, or with 0 seconds for the state only.

        Does nothing before the first NOTIFY and after the end.
        """
        if self.dialog is None or self.state is SubscriberState.ENDED:
            return
        if self._refreshing is not None:
            return
        seconds = self._asked if expires is None else expires
        headers: list[tuple[str, str]] = [("Event", str(self._known_event()))]
        headers += [("Accept", accept) for accept in self._accept]
        if seconds is not None:
            headers.append(("Expires", str(seconds)))
        request, next_hop = self.dialog.request("SUBSCRIBE", headers=headers)
        self._refreshing = self._services.send(request, next_hop, self)

    def unsubscribe(self, now: float) -> None:
        """End it; :class:`SubscriptionEnded` tells when it is over."""
        if self.state in (SubscriberState.ENDING, SubscriberState.ENDED):
            return
        self._was_unsubscribed = True
        if self.dialog is None or self.state is SubscriberState.REQUESTED:
            # There is nobody to ask yet; a NOTIFY that still comes is refused
            # with 481, which ends it there (RFC 6665 §4.1.3).
            self._end(None)
            return
        self._become(SubscriberState.ENDING)
        self._refresh_at = None
        self._give_up_at = now + self._services.timers.timeout
        self._refreshing = None  # Whatever it grants, this is the end.
        self.refresh(now, 0)
        self._services.wake(self)

    def notified(self, transaction: ServerTransaction, now: float) -> None:
        """Take in a NOTIFY that is for it.

        Raises:
            SipParseError: It has no Subscription-State that can be read.
        """
        request = transaction.request
        text = request.headers.get("Subscription-State")
        if text is None:
            raise SipParseError("a NOTIFY needs one", header="Subscription-State")
        told = SubscriptionState.parse(text)
        self._join_dialog(transaction)
        self._services.respond(transaction, 200, now)
        if self.state is SubscriberState.REQUESTED:
            self._give_up_at = None
        if told.terminated:
            self._services.emit(NotifyReceived(self, request, told))
            self._end(told)
            return
        if self.state is not SubscriberState.ENDING:
            pending = told.state == "pending"
            self._become(SubscriberState.PENDING if pending else SubscriberState.ACTIVE)
            self._grant(told.expires, now)
        self._services.emit(NotifyReceived(self, request, told))
        self._services.wake(self)

    # What becomes of our requests: see RequestUser.

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response to our SUBSCRIBE or REFER."""
        if response.status < 200 or self.state is SubscriberState.ENDED:
            return
        if sent is self._refreshing:
            self._refreshing = None
        if response.status < 300:
            self._accepted(sent, response, now)
        elif sent is self._first or response.status in _ENDING_STATUSES:
            self._end(None, response=response)
        self._services.wake(self)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that nobody answered.

        What was granted before goes on; the refresh is tried again while there is
        time for it.
        """
        if sent is self._refreshing:
            self._refreshing = None
        if self.state is SubscriberState.ENDED:
            return
        if self.state in (SubscriberState.REQUESTED, SubscriberState.ENDING):
            self._end(None, failure=failure)
            return
        self._plan_refresh(now, again=True)
        self._services.wake(self)

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
        times = (self._expires_at, self._refresh_at, self._give_up_at)
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        if self._give_up_at is not None and self._give_up_at <= now:
            # No NOTIFY came in the time of timer N (RFC 6665 §4.1.2.4).
            ours = self.state is SubscriberState.ENDING
            self._end(None, failure=None if ours else Failure.TIMEOUT)
        elif self._expires_at is not None and self._expires_at <= now:
            self._end(None, failure=Failure.TIMEOUT)
        elif self._refresh_at is not None and self._refresh_at <= now:
            self._refresh_at = None
            self.refresh(now)

    def _accepted(self, sent: ClientRequest, response: Response, now: float) -> None:
        if self._is_refer and sent is self._first and _declined(response):
            # RFC 4488: nothing will be told.
            self._end(SubscriptionState("terminated"), response=response)
            return
        if self.state is SubscriberState.REQUESTED:
            self._give_up_at = now + self._services.timers.timeout
        if sent is self._first and self._is_refer:
            return
        if self.state is not SubscriberState.ENDING:
            self._grant(response.expires, now)

    def _grant(self, seconds: int | None, now: float) -> None:
        """Take note of for how long the subscription is good."""
        if seconds is None:
            return
        # The notifier, whose clock began before ours, may say the last word.
        self._expires_at = now + seconds + self._services.timers.t2
        self._plan_refresh(now)

    def _plan_refresh(self, now: float, *, again: bool = False) -> None:
        if self._expires_at is None or self._is_refer:
            return
        left = self._expires_at - self._services.timers.t2 - now
        if again and left < _LAST_TRIES:
            self._refresh_at = None
        else:
            self._refresh_at = now + left * (0.5 if again else 1 - _REFRESH_AHEAD)

    def _join_dialog(self, transaction: ServerTransaction) -> None:
        """Make the dialog of the first NOTIFY, or take its Contact over."""
        request = transaction.request
        if self.dialog is None:
            tag = request.to.tag or ""
            self.dialog = Dialog.from_request(request, tag, transaction.source)
            self.dialog.local_cseq = self._first.request.cseq.number
            self._services.register(self.dialog, self)
        else:
            self.dialog.refresh_target(request)

    def _known_event(self) -> Event:
        """Name the subscription so that the notifier finds it."""
        if self._is_refer and self.event.id is None:
            number = str(self._first.request.cseq.number)
            return Event(self.event.package, (("id", number),))
        return self.event

    def _become(self, state: SubscriberState) -> None:
        """Change the state: the only place that does."""
        if state is not self.state:
            assert state in _NEXT[self.state], (self.state, state)
            self.state = state

    def _end(
        self,
        told: SubscriptionState | None,
        *,
        response: Response | None = None,
        failure: Failure | None = None,
    ) -> None:
        if self.state is SubscriberState.ENDED:
            return
        self._become(SubscriberState.ENDED)
        self._expires_at = self._refresh_at = self._give_up_at = None
        self._services.ended(self)
        self._services.emit(SubscriptionEnded(self, told, response, failure))


def _declined(response: Response) -> bool:
    text = response.headers.get("Refer-Sub")
    return text is not None and text.partition(";")[0].strip().lower() == "false"
