"""Typing, told and heard of (:rfc:`3994`): the machines, with a wire and a clock.

There is one timer, and only while somebody types.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from markup import MarkupError
from msrp.aio.features.feature import Feature, Party, Stage, Unreadable
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.composing import (
    CONTENT_TYPE,
    Composer,
    Composers,
    ComposingChanged,
    IsComposing,
)
from msrp.content import CpimMessage, MessageReceived, body_for, prefers_envelope
from msrp.errors import LocalProtocolError
from msrp.headers import FailureReport
from msrp.imdn import is_notification
from msrp.negotiation import Negotiated
from msrp.status import StatusCode

__all__ = ["ComposingFeature", "is_status"]

_NOT_NOW = frozenset({StatusCode.REQUEST_TIMEOUT, StatusCode.STOP_SENDING})
"""Refusals that say nothing of the next status."""


def is_status(message: MessageReceived) -> bool:
    """Tell whether a message says that somebody composes one, or doesn't any more."""
    if message.text is not None or len(message.parts) != 1:
        return False
    return message.parts[0].content_type.essence == CONTENT_TYPE


class ComposingFeature(Feature):
    """What both sides of a session know of each other's typing.

    Args:
        party: What was agreed on.
        stage: Where it happens.
    """

    __slots__ = (
        "_composer",
        "_composers",
        "_party",
        "_refused",
        "_stage",
        "_taken",
        "_timer",
        "unreadable",
    )

    def __init__(self, party: Party, stage: Stage) -> None:
        self._party = party
        self._stage = stage
        self._composer = Composer()
        self._composers = Composers()
        self._refused = not stage.config.composing
        self._taken: tuple[Negotiated, bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.unreadable = Unreadable("a typing indication")

    @property
    def composers(self) -> tuple[str | None, ...]:
        """Who composes; ``None`` for a peer that doesn't say who."""
        return self._composers.senders

    def composing(self, content_type: str | None) -> None:
        """Take note of a key press.

        Raises:
            ValueError: The type is none.
        """
        if self._is_told:
            status = self._composer.composing(_now(), content_type)
            if status is not None:
                self._send(status)
                self._arm()

    @property
    def sees_lines(self) -> bool:
        """Whether somebody composes what a line of text may be."""
        return bool(self._composers)

    def arrived(self, message: MessageReceived) -> bool:
        """Take in a status, and note that content ends it."""
        if not is_status(message):
            if self._composers and not is_notification(message):
                self._tell(self._composers.content_received(message.sender))
            return False
        try:
            status = IsComposing.parse(message.parts[0].content)
        except MarkupError as error:
            self.unreadable.note(error)
            return True
        if self._stage.config.composing:
            moment = datetime.now(UTC)
            self._tell(
                self._composers.status_received(message.sender, status, _now(), moment)
            )
            self._arm()
        return True

    def queued(self, message: OutgoingMessage, envelope: CpimMessage | None) -> None:
        """Be idle: the message itself says so."""
        self._composer.content_sent(_now())

    def over(self) -> None:
        """Let nobody type any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._refused = True
        self._composer = Composer()
        self._composers = Composers()

    @property
    def _is_told(self) -> bool:
        """Whether the peer is told that we type."""
        if self._refused or not self._stage.is_open:
            return False
        negotiated = self._party.negotiated
        if not negotiated.may_send:
            return False
        if self._taken is None or self._taken[0] is not negotiated:
            self._taken = negotiated, _is_taken(negotiated)
        return self._taken[1]

    def _send(self, status: IsComposing) -> None:
        negotiated = self._party.negotiated
        body = body_for(
            CONTENT_TYPE,
            bytes(status),
            accept=negotiated.remote_accept_types,
            accept_wrapped=negotiated.remote_accept_wrapped_types,
            sender=self._party.local_address,
            recipient=self._party.remote_address,
            now=datetime.now(UTC),
            prefer_bare=not self._wants_envelope,
        )
        # Nobody needs a 200 for it, but a 415 has to be heard.
        self._stage.send_aside(
            body, failure_report=FailureReport.PARTIAL, refused=self._was_refused
        )

    @property
    def _wants_envelope(self) -> bool:
        """Whether the peer would like to read who types; a room has to."""
        negotiated = self._party.negotiated
        if self._party.in_room or negotiated.remote_chatroom is not None:
            return True
        return prefers_envelope(negotiated.remote_accept_types)

    def _was_refused(self, code: int | None) -> None:
        """Tell the peer no more of it: it doesn't want to know (section 4)."""
        self._refused = self._refused or (code is not None and code not in _NOT_NOW)

    def _tell(self, changes: list[ComposingChanged]) -> None:
        for change in changes:
            self._stage.tell(change)

    def _arm(self) -> None:
        """Have the timer go off when the first thing could be due, or before.

        Each key press puts off what is due; the timer finds out when it goes off.
        """
        times = self._composer.next_timeout(), self._composers.next_timeout()
        due = min((time for time in times if time is not None), default=None)
        if self._timer is not None:
            if due is not None and self._timer.when() <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(due, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        now = _now()
        status = self._composer.handle_timeout(now)
        if status is not None and self._is_told:
            self._send(status)
        self._tell(self._composers.handle_timeout(now))
        self._arm()


def _is_taken(negotiated: Negotiated) -> bool:
    """Tell whether the peer takes statuses, in one form or the other."""
    try:
        body_for(
            CONTENT_TYPE,
            b"",
            accept=negotiated.remote_accept_types,
            accept_wrapped=negotiated.remote_accept_wrapped_types,
        )
    except LocalProtocolError:
        return False
    return True


def _now() -> float:
    return asyncio.get_running_loop().time()
