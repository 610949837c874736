"""All subscriptions of a user agent: ours with peers, and peers' with us.

What is subscribed to are *event packages*: ``presence``, ``conference``.  The
application names those that it can tell of; for any other a SUBSCRIBE gets 489.  A
NOTIFY finds its subscription by Call-ID, our tag and Event, whether there is a
dialog already or not (:rfc:`6665#section-4.4.1`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sip.errors import LocalError, SipParseError
from sip.fields.subscription import Event
from sip.identifiers import new_tag
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.admission import Admission
from sip.sansio.dialog import Dialog
from sip.sansio.events import SubscribeReceived
from sip.sansio.reception import Reception
from sip.sansio.requests.route import new_request
from sip.sansio.services import DialogUser, Headers, Services
from sip.sansio.subscriptions.notifier import NotifierState, ServerSubscription
from sip.sansio.subscriptions.subscriber import ClientSubscription
from sip.sansio.transactions.server import ServerTransaction
from sip.uri import Uri

__all__ = ["EventPackage", "Subscriptions"]

K = TypeVar("K")
U = TypeVar("U")

REFER = "refer"
"""The package of REFER, to which nobody subscribes (:rfc:`3515#section-2.4.4`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPackage:
    """What peers may subscribe to."""

    name: str
    """The name by which it is registered, such as ``"presence"``."""

    default_expires: int = 3_600
    """Seconds that a subscription lasts if the peer doesn't say."""

    min_expires: int = 60
    """Fewer seconds than these are refused with 423, unless there are none: each
    refresh costs four messages."""

    max_expires: int = 86_400
    """Subscriptions that are to last longer get this many seconds."""


class Host(Services, Protocol):
    """The user agent, as its subscriptions need it."""

    admission: Admission
    """Which requests it takes."""

    @property
    def reception(self) -> Reception:
        """Where its requests go."""

    @property
    def address(self) -> NameAddr:
        """Who we are."""


class Subscriptions:
    """All subscriptions of a user agent.

    Args:
        host: The user agent.

    Attributes:
        packages: What peers may subscribe to, by name.
    """

    def __init__(self, host: Host) -> None:
        self.packages: dict[str, EventPackage] = {}
        self._host = host
        self._ours: dict[tuple[str, str], list[ClientSubscription]] = {}
        self._theirs: dict[tuple[str, str, str], list[ServerSubscription]] = {}
        reception = host.reception
        reception.outside["SUBSCRIBE"] = self._receive_subscribe
        reception.inside["SUBSCRIBE"] = self._receive_subscribe_inside
        reception.astray["SUBSCRIBE"] = self._receive_refresh_astray
        reception.inside["NOTIFY"] = self._receive_notify_inside
        reception.astray["NOTIFY"] = self._receive_notify

    def __len__(self) -> int:
        """Count the subscriptions that aren't over."""
        ours = sum(map(len, self._ours.values()))
        return ours + sum(map(len, self._theirs.values()))

    # What the application wants.

    def provide(self, package: EventPackage) -> None:
        """Let peers subscribe to something."""
        self.packages[package.name] = package
        self._host.admission = self._host.admission.including("SUBSCRIBE")

    def subscribe(
        self,
        uri: Uri,
        event: Event,
        *,
        expires: int | None = None,
        accept: Sequence[str] = (),
        headers: Headers = (),
        route_set: Sequence[NameAddr] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> ClientSubscription:
        """Subscribe to something with a peer.

        Args:
            uri: With whom.
            event: To what.
            expires: For how many seconds at a time; 0 fetches the state once.
            accept: Which types of content a NOTIFY may have.
            headers: More headers.
            route_set: Proxies to go by.
            body: What the package wants in a SUBSCRIBE, such as a filter.
            content_type: The type of ``body``.

        Raises:
            LocalError: The URI leads nowhere, or there are too many subscriptions.
        """
        wanted: list[tuple[str, str]] = [("Event", str(event))]
        if accept:
            wanted.append(("Accept", ", ".join(accept)))
        if expires is not None:
            wanted.append(("Expires", str(expires)))
        self._check_room()
        request, next_hop = new_request(
            "SUBSCRIBE",
            uri,
            headers=[*wanted, *headers, *self._host.answer_headers],
            body=body,
            content_type=content_type,
            route_set=route_set,
            sender=self._host.address,
        )
        return self.begin(request, next_hop, event)

    def begin(
        self,
        request: Request,
        next_hop: Uri,
        event: Event,
        *,
        dialog: Dialog | None = None,
    ) -> ClientSubscription:
        """Send a request that makes a subscription: SUBSCRIBE or REFER.

        Raises:
            LocalError: There are too many subscriptions.
        """
        self._check_room()
        self._host.admission = self._host.admission.including("NOTIFY")
        ours = ClientSubscription(self._host, request, next_hop, event, dialog=dialog)
        self._ours.setdefault(ours.key, []).append(ours)
        return ours

    def add(self, subscription: ServerSubscription) -> None:
        """Take note of a subscription that a peer has with us."""
        assert subscription.dialog is not None
        self._theirs.setdefault(subscription.dialog.key, []).append(subscription)
        self._host.wake(subscription)

    def is_full(self) -> bool:
        """Tell whether there is no room for another one."""
        return len(self) >= self._host.limits.subscriptions

    def forget(self, user: DialogUser) -> None:
        """Take note that a user of a dialog is over, if it is one of these."""
        if isinstance(user, ClientSubscription):
            _remove(self._ours, user.key, user)
        elif isinstance(user, ServerSubscription) and user.dialog is not None:
            _remove(self._theirs, user.dialog.key, user)

    # What comes from peers.

    def _receive_subscribe(self, transaction: ServerTransaction, now: float) -> None:
        self._begin_theirs(None, transaction, now)

    def _begin_theirs(
        self, user: DialogUser | None, transaction: ServerTransaction, now: float
    ) -> None:
        """Take a new subscription, in a dialog of its own or in that of a user."""
        event = self._event_of(transaction, now)
        if event is None:
            return
        expires = self._expires_for(transaction, self.packages[event.package], now)
        if expires is None:
            return
        if self.is_full():
            reception = self._host.reception
            reception.refuse(transaction, reception.overload(), now)
            return
        dialog = None if user is None else user.dialog
        if dialog is None:
            source = transaction.source
            dialog = Dialog.from_request(transaction.request, new_tag(), source)
        theirs = ServerSubscription(
            self._host, transaction, event, dialog, expires, now
        )
        transaction.user = theirs
        if user is None:
            self._host.register(dialog, theirs)
        self.add(theirs)
        self._host.emit(SubscribeReceived(theirs))

    def _receive_subscribe_inside(
        self, user: DialogUser, transaction: ServerTransaction, now: float
    ) -> None:
        """Refresh a subscription, or begin another in the same dialog (§4.5.2)."""
        assert user.dialog is not None
        text = transaction.request.headers.get("Event")
        event = Event.parse(text) if text is not None else None
        for theirs in self._theirs.get(user.dialog.key, ()):
            if event is not None and theirs.event.matches(event):
                self._refresh(theirs, transaction, now)
                return
        self._begin_theirs(user, transaction, now)

    def _receive_refresh_astray(
        self, transaction: ServerTransaction, now: float
    ) -> None:
        """Refresh a subscription that a REFER began in a call that is over."""
        request = transaction.request
        key = (request.call_id, request.to.tag or "", request.from_.tag or "")
        users = self._theirs.get(key, ())
        if not users:
            self._host.respond(transaction, 481, now)
            return
        user = users[0]
        assert user.dialog is not None
        if user.dialog.accepts(request):
            self._receive_subscribe_inside(user, transaction, now)
        else:
            self._host.respond(transaction, 500, now, headers=[("Retry-After", "0")])

    def _refresh(
        self, theirs: ServerSubscription, transaction: ServerTransaction, now: float
    ) -> None:
        if theirs.state is NotifierState.ASKED:
            self._host.respond(transaction, 500, now, headers=[("Retry-After", "1")])
            return
        package = self.packages.get(theirs.event.package)
        package = package or EventPackage(name=theirs.event.package)
        expires = self._expires_for(transaction, package, now)
        if expires is not None:
            theirs.refreshed(transaction, expires, now)
            self._host.wake(theirs)

    def _receive_notify_inside(
        self, user: DialogUser, transaction: ServerTransaction, now: float
    ) -> None:
        ours = self._find(transaction.request)
        if ours is None:
            self._host.respond(transaction, 481, now)
        else:
            self._notify(ours, transaction, now)

    def _receive_notify(self, transaction: ServerTransaction, now: float) -> None:
        """Take a NOTIFY of a dialog that isn't known by its tags."""
        request = transaction.request
        ours = self._find(request)
        if ours is None or _is_of_another_fork(ours, request):
            # Of those that answer a forked SUBSCRIBE the first is kept; 481 ends
            # the subscription with the others (RFC 6665 §4.1.4).
            self._host.respond(transaction, 481, now)
        elif ours.dialog is not None and not ours.dialog.accepts(request):
            self._host.respond(transaction, 500, now, headers=[("Retry-After", "0")])
        else:
            self._notify(ours, transaction, now)

    def _notify(
        self, ours: ClientSubscription, transaction: ServerTransaction, now: float
    ) -> None:
        transaction.user = ours
        ours.notified(transaction, now)

    def _find(self, request: Request) -> ClientSubscription | None:
        text = request.headers.get("Event")
        if text is None:
            raise SipParseError("a NOTIFY needs one", header="Event", status=489)
        event = Event.parse(text)
        for ours in self._ours.get((request.call_id, request.to.tag or ""), ()):
            if ours.is_about(event):
                return ours
        return None

    def _event_of(self, transaction: ServerTransaction, now: float) -> Event | None:
        """Return what a peer subscribes to, or refuse (:rfc:`6665#section-7.2`)."""
        text = transaction.request.headers.get("Event")
        event = None if text is None else Event.parse(text)
        if event is not None and event.package == REFER:
            self._host.respond(transaction, 403, now)
        elif event is None or event.package not in self.packages:
            allow = (
                [("Allow-Events", ", ".join(self.packages))] if self.packages else []
            )
            self._host.respond(transaction, 489, now, headers=allow)
        else:
            return event
        return None

    def _expires_for(
        self, transaction: ServerTransaction, package: EventPackage, now: float
    ) -> int | None:
        """Return how long a subscription is to last, or refuse with 423."""
        asked = transaction.request.expires
        if asked is None:
            return package.default_expires
        if 0 < asked < package.min_expires:
            least = ("Min-Expires", str(package.min_expires))
            self._host.respond(transaction, 423, now, headers=[least])
            return None
        return min(asked, package.max_expires)

    def _check_room(self) -> None:
        if self.is_full():
            raise LocalError("there are too many subscriptions")


def _is_of_another_fork(ours: ClientSubscription, request: Request) -> bool:
    return ours.dialog is not None and ours.dialog.remote.tag != request.from_.tag


def _remove(users: dict[K, list[U]], key: K, user: U) -> None:
    known = users.get(key, [])
    if user in known:
        known.remove(user)
    if not known:
        users.pop(key, None)
