"""The messages of one session, put together for those who listen.

What went over the wire comes from the connections of the session, and what became of it
from the session itself.  A message is told when its fate is known: one of ours when the
session says so; one of the peer's when the application has it and the response is out,
or when it has been refused or given up.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from msrp.errors import DeliveryError, MessageAborted, RequestRefused
from msrp.events import (
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
    MessageStored,
)
from msrp.headers import ContinuationFlag, salvage_value
from msrp.status import reason_phrase
from msrp.tap.draft import Draft
from msrp.tap.wire import WireMessage
from recording import Direction, Endpoint, Outcome

__all__ = ["MAX_HELD", "MAX_OPEN", "PATIENCE", "Messages"]

PATIENCE = datetime.timedelta(seconds=10)
"""How long a message that is here is kept for the application to take it, and for its
response to be written; then it is told without."""

MAX_OPEN = 1000
"""Messages of which not all is known; above it the oldest are told as they are."""

MAX_HELD = 16 * 1024 * 1024
"""Octets of them; above it no more are kept."""

_MAX_REMEMBERED = 1024
"""Messages that are known when they are sent again; as many as a session knows."""

_Key = tuple[Direction, str]


class Messages:
    """Makes messages of what is heard.

    Args:
        tell: Called with each of which all is known, once.
        max_octets: How many of one message to keep.
        is_alone: Whether no session says what becomes of them: they belong to none.
    """

    __slots__ = (
        "_drafts",
        "_held",
        "_is_alone",
        "_max_octets",
        "_requests",
        "_tell",
        "_told",
    )

    def __init__(
        self,
        tell: Callable[[Draft], None],
        *,
        max_octets: int,
        is_alone: bool = False,
    ) -> None:
        self._tell = tell
        self._max_octets = max_octets
        self._is_alone = is_alone
        self._drafts: dict[_Key, Draft] = {}
        self._requests: dict[_Key, Draft] = {}
        """Those whose chunks wait for a response, by direction and transaction."""
        self._told: dict[_Key, None] = {}
        self._held = 0

    # What goes over the wire.

    def began(self, chunk: WireMessage, peer: Endpoint) -> None:
        """Take note of a request or response whose head is complete."""
        if chunk.method is None or chunk.method in ("REPORT", "AUTH"):
            return  # It says nothing by itself.
        key = _key_of(chunk)
        draft = self._drafts.get(key)
        if draft is None:
            if key in self._told or (chunk.method == "SEND" and not chunk.has_body):
                return  # It binds a connection or keeps it alive.
            draft = self._open(key, Draft.of_chunk(chunk, _message_id_of(chunk)))
            draft.peer = peer
        draft.open[chunk] = draft.take(chunk)
        draft.last_octet = chunk.began
        if draft.expects_answer:
            draft.unanswered[chunk.transaction_id] = None
            self._requests[chunk.direction, chunk.transaction_id] = draft

    def went_on(self, chunk: WireMessage, time: datetime.datetime) -> None:
        """Take note that some of the body of a chunk went by."""
        draft = self._drafts.get(_key_of(chunk))
        if draft is not None:
            draft.last_octet = time

    def ended(self, chunk: WireMessage) -> None:
        """Take note of the last octet of a request or response."""
        if chunk.method is None:
            self._response(chunk)
        elif chunk.method == "REPORT":
            self._report(chunk)
        else:
            draft = self._drafts.get(_key_of(chunk))
            if draft is not None and chunk in draft.open:
                self._chunk_ended(draft, chunk)

    def _chunk_ended(self, draft: Draft, chunk: WireMessage) -> None:
        start = draft.open.pop(chunk)
        draft.last_octet = chunk.ended or draft.last_octet
        draft.size = max(draft.size, start + chunk.body_size)
        kept = chunk.kept
        full = draft.kept and draft.kept + kept > self._max_octets
        if full or self._held + kept > MAX_HELD:
            draft.is_cut = True
        else:
            draft.chunks.append((start, chunk))
            draft.kept += kept
            self._held += kept
            draft.is_cut = draft.is_cut or chunk.body_kept < chunk.body_size
        if chunk.flag in (ContinuationFlag.END, ContinuationFlag.ABORT):
            draft.ends = True
            if chunk.flag is ContinuationFlag.ABORT:
                draft.outcome = Outcome.ABORTED
                draft.problem = "its sender gave it up"
            if not draft.expects_answer:
                self._judge_alone(draft, None)

    def _response(self, response: WireMessage) -> None:
        draft = self._requests.pop(_answered_by(response), None)
        if draft is None:
            return
        draft.unanswered.pop(response.transaction_id, None)
        draft.answered = response.ended
        draft.code = response.code
        assert response.code is not None
        if response.code >= 300 and draft.direction is Direction.RECEIVED:
            self._refused(draft, response.code)
        elif draft.method != "SEND" or (draft.ends and not draft.unanswered):
            self._judge_alone(draft, response.code)
        self._conclude(draft)

    def _report(self, report: WireMessage) -> None:
        direction = _opposite(report.direction)
        message_id = _message_id_of(report)
        draft = self._drafts.get((direction, message_id or ""))
        if draft is not None:
            draft.answered = report.ended

    def _judge_alone(self, draft: Draft, code: int | None) -> None:
        """Say what became of a message of which no session will tell."""
        if draft.method == "SEND" and not self._is_alone:
            return
        if code is not None and code >= 300:
            self._refused(draft, code)
        elif draft.outcome is None:
            draft.outcome = Outcome.UNKNOWN if code is None else Outcome.ARRIVED
        self._conclude(draft)

    # What the session says.

    def happened(self, event: CoreEvent, now: datetime.datetime) -> None:
        """Take note of what has happened in the session."""
        match event:
            case MessageCompleted() | MessageStored():
                self._completed(event.message_id, now)
            case MessageRefused():
                draft = self._of_peer(event.message_id)
                if draft is not None:
                    self._refused(draft, event.status_code)
                    self._finish(draft)
            case IncompleteMessage():
                self._incomplete(event)
            case MessageDelivered():
                draft = self._drafts.get((Direction.SENT, event.message_id))
                if draft is not None:
                    draft.outcome = Outcome.ARRIVED
                    self._finish(draft)
            case MessageDeliveryFailed():
                self._failed(event)
            case _:
                pass

    def handed_over(self, message_id: str, now: datetime.datetime) -> None:
        """Take note that the application has got a message."""
        draft = self._of_peer(message_id)
        if draft is not None and draft.waits_for_handover:
            draft.waits_for_handover = False
            draft.handed_over = now
            self._conclude(draft)

    def kept_back(self, message_id: str) -> None:
        """Take note that a message is none for the application."""
        draft = self._of_peer(message_id)
        if draft is not None:
            draft.waits_for_handover = False
            self._conclude(draft)

    def _completed(self, message_id: str, now: datetime.datetime) -> None:
        draft = self._of_peer(message_id)
        if draft is not None:
            draft.outcome = Outcome.ARRIVED
            draft.waits_for_handover = True
            draft.waits_until = now + PATIENCE

    def _incomplete(self, event: IncompleteMessage) -> None:
        draft = self._of_peer(event.message_id)
        if draft is not None:
            if draft.outcome is not Outcome.ABORTED:
                draft.outcome = Outcome.INCOMPLETE
            draft.problem = event.problem
            self._finish(draft)

    def _failed(self, event: MessageDeliveryFailed) -> None:
        key = Direction.SENT, event.message_id
        draft = self._drafts.get(key)
        if draft is None:
            if key in self._told:
                return
            # Not an octet of it has gone out.
            draft = self._open(key, Draft(Direction.SENT, "SEND", event.message_id))
        draft.outcome = _outcome_of(event.error)
        draft.code = event.status_code or draft.code
        draft.problem = event.reason
        self._finish(draft)

    def _refused(self, draft: Draft, code: int) -> None:
        draft.outcome, draft.code = Outcome.REFUSED, code
        draft.problem = f"it was refused with {code} ({reason_phrase(code)})"

    def _of_peer(self, message_id: str) -> Draft | None:
        return self._drafts.get((Direction.RECEIVED, message_id))

    # The clock, and the end.

    def next_timeout(self) -> datetime.datetime | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        times = (draft.waits_until for draft in self._drafts.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: datetime.datetime) -> None:
        """Tell of what has waited long enough."""
        for draft in list(self._drafts.values()):
            if draft.waits_until is not None and draft.waits_until <= now:
                self._finish(draft)

    @property
    def is_idle(self) -> bool:
        """Whether all that was heard of is told."""
        return not self._drafts

    def give_up(self) -> None:
        """Tell of all that doesn't wait for the application: the session is over."""
        for draft in list(self._drafts.values()):
            if not draft.waits_for_handover:
                self._finish(draft)

    def finish(self) -> None:
        """Tell of all that is left: nothing more will become known."""
        for draft in list(self._drafts.values()):
            self._finish(draft)

    # Inside.

    def _open(self, key: _Key, draft: Draft) -> Draft:
        if len(self._drafts) >= MAX_OPEN:
            self._finish(next(iter(self._drafts.values())))
        self._drafts[key] = draft
        return draft

    def _conclude(self, draft: Draft) -> None:
        """Tell of a message if all is known that can become known of it."""
        if draft.outcome is None or draft.waits_for_handover:
            return
        refused = draft.outcome is Outcome.REFUSED
        sent = draft.direction is Direction.SENT and not self._is_alone
        if sent and draft.method == "SEND":
            return  # The session says when.
        if refused or not draft.unanswered:
            self._finish(draft)

    def _finish(self, draft: Draft) -> None:
        key = draft.direction, draft.message_id or draft.transaction_id or ""
        if self._drafts.pop(key, None) is None:
            return
        for transaction_id in draft.unanswered:
            self._requests.pop((draft.direction, transaction_id), None)
        self._held -= draft.kept
        draft.close()
        self._told[key] = None
        if len(self._told) > _MAX_REMEMBERED:
            del self._told[next(iter(self._told))]
        self._tell(draft)


def _message_id_of(request: WireMessage) -> str | None:
    value = salvage_value(request.block, b"message-id")
    return None if value is None else value.decode("ascii", "replace")


def _key_of(request: WireMessage) -> _Key:
    return request.direction, _message_id_of(request) or request.transaction_id


def _opposite(direction: Direction) -> Direction:
    received = direction is Direction.RECEIVED
    return Direction.SENT if received else Direction.RECEIVED


def _answered_by(response: WireMessage) -> _Key:
    return _opposite(response.direction), response.transaction_id


def _outcome_of(error: DeliveryError) -> Outcome:
    if isinstance(error, MessageAborted):
        return Outcome.ABORTED
    return Outcome.REFUSED if isinstance(error, RequestRefused) else Outcome.FAILED
