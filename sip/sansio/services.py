"""What the parts of a user agent core need of each other.

A :class:`DialogUser` owns a dialog: a call, or a subscription.  It sends by the
:class:`Services` of the user agent, and is told of the requests in its dialog and
of the times that it asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, TypedDict

from sip.message import Request, Response
from sip.sansio.dialog import Dialog
from sip.sansio.events import Event
from sip.sansio.limits import Limits
from sip.sansio.requests.sender import ClientRequest, RequestUser, Sender
from sip.sansio.timers import Timers
from sip.sansio.transactions.server import ServerTransaction
from sip.uri import Uri

__all__ = ["Content", "DialogUser", "Headers", "Services", "Timed"]

Headers: TypeAlias = Sequence[tuple[str, str]]
"""Pairs of name and value."""


class Content(TypedDict, total=False):
    """What a response carries beside its status."""

    headers: Headers
    body: bytes
    content_type: str | None


class Timed(Protocol):
    """What wants to be told of the time."""

    def __hash__(self) -> int:
        """Return what tells it apart; any object's own will do."""

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""


class DialogUser(Timed, Protocol):
    """What a dialog serves for: it gets the requests of the dialog, and the time."""

    dialog: Dialog | None
    """The dialog, once there is one."""

    def receive_request(self, transaction: ServerTransaction, now: float) -> bool:
        """Take in a request of the dialog, in order; False if it is for others."""

    def receive_ack(self, request: Request, now: float) -> None:
        """Take in an ACK of the dialog."""

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in the CANCEL of an INVITE, which has been answered with 200."""


class Services(Protocol):
    """What the user of a dialog needs from the user agent that it belongs to."""

    @property
    def sender(self) -> Sender:
        """Sends requests."""

    @property
    def timers(self) -> Timers:
        """How long to wait."""

    @property
    def limits(self) -> Limits:
        """How much to hold."""

    @property
    def answer_headers(self) -> Headers:
        """The headers that tell what we can do: Allow, Supported."""

    def emit(self, event: Event) -> None:
        """Report something."""

    def register(self, dialog: Dialog, user: DialogUser) -> None:
        """Let the requests of a dialog find its user."""

    def wake(self, user: Timed) -> None:
        """Take note that the next timeout of a user has changed."""

    def ended(self, user: DialogUser) -> None:
        """Forget a user, and its dialog if that isn't another's."""

    def send(
        self, request: Request, next_hop: Uri, user: RequestUser | None = None
    ) -> ClientRequest:
        """Send a request; without a user its responses become events."""

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        to_tag: str | None = None,
    ) -> Response:
        """Answer a request, with the tag of its dialog if there is one."""
