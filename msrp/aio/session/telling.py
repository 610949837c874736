"""What happens in a session, and whom it concerns.

It comes from the core as events, in the order of the wire.  Messages of the peer go to
the reception, which says when they are complete; the fate of ours goes to the outbox;
and what the application is to know goes to the inbox.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, assert_never, cast

from msrp.aio.session.dispatch import Notice, Undelivered
from msrp.aio.session.ending import Ending
from msrp.aio.session.progress import Milestone
from msrp.events import (
    BindingFailed,
    ConnectionEstablished,
    ConnectionLost,
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
    MessageSent,
    MessageStored,
    NicknameReceived,
    ReportReceived,
    SessionOver,
)

if TYPE_CHECKING:
    from msrp.aio.session.running import RunningSession

__all__ = ["tell_all", "tell_of_message"]

logger = logging.getLogger("msrp.connection")


def tell_all(running: RunningSession, events: list[CoreEvent]) -> None:
    """Tell those of events whom they concern.

    Args:
        running: The session where they have happened.
        events: What has happened together, oldest first.
    """
    # Where texts are many, they come many at a time, and so do the answers to them.
    for kind, alike in groupby(events, type):
        if kind is MessageSent:
            running.outbox.were_sent(cast("Iterable[MessageSent]", alike))
        elif kind is MessageDelivered:
            running.outbox.were_delivered(cast("Iterable[MessageDelivered]", alike))
        else:
            for event in alike:
                _tell(running, event, events)


def _tell(running: RunningSession, event: CoreEvent, events: list[CoreEvent]) -> None:
    match event:
        case MessageCompleted():
            tell_of_message(running, Undelivered(event))
        case MessageStored():
            running.reception.stored(event)
        case MessageDeliveryFailed():
            _failed(running, event)
        case ConnectionEstablished() | ConnectionLost():
            running.inbox.put(event)  # The hooks first, then who waits.
            _turned(running, event)
        case BindingFailed():
            logger.info("a shared connection doesn't take it: %s", event.error)
            running.binding.stream = None
            running.progress.reach(Milestone.TURNED_AWAY)
        case (
            IncompleteMessage()
            | ReportReceived()
            | MessageRefused()
            | NicknameReceived()
        ):
            _note(running, event)
        case SessionOver():
            running.ending = Ending(running, event, events)
        case MessageSent() | MessageDelivered():
            raise AssertionError("these are told many at a time")
        case _:
            assert_never(event)


def tell_of_message(running: RunningSession, event: Notice | Undelivered) -> None:
    """Tell of what the reception has, unless it is for one of the features alone."""
    if type(event) is Undelivered and _is_for_feature(running, event):
        if running.tap is not None:
            running.tap.messages.kept_back(event.message_id)
        return
    running.inbox.put(event)


def _is_for_feature(running: RunningSession, event: Undelivered) -> bool:
    features = running.known_features
    if event.is_bare_text and not (features and features.see_lines):
        return False  # Without its being taken apart.
    message = event.message
    if message.cpim is not None and running.party.is_private(message):
        event.message = message = replace(message, is_private=True)
    return running.features.arrived(message)


def _failed(running: RunningSession, event: MessageDeliveryFailed) -> None:
    if running.outbox.is_aside(event):
        return
    told = bool(running.hooks.on_message_delivery_failed)
    running.outbox.has_failed(event, told=told)
    running.inbox.put(event)


def _note(
    running: RunningSession,
    event: IncompleteMessage | ReportReceived | MessageRefused | NicknameReceived,
) -> None:
    if isinstance(event, IncompleteMessage):
        event = running.reception.incomplete(event)
    if isinstance(event, ReportReceived) and running.outbox.is_aside(event):
        return
    if isinstance(event, NicknameReceived):
        running.nicknames.remote = event.nickname or None
    if isinstance(event, MessageRefused) and not running.hooks.on_message_refused:
        # It is in the log, at least, that a message was turned away.
        code = event.status_code
        logger.warning("a message was refused with %s%s", code, _hint(code))
    running.inbox.put(event)


def _turned(
    running: RunningSession, event: ConnectionEstablished | ConnectionLost
) -> None:
    running.binding.stop_waiting()
    if isinstance(event, ConnectionLost):
        logger.info("a session has lost its connection: %s", event.error)
        running.progress.leave(Milestone.ESTABLISHED)
        running.recovery.lost(event.error)
        return
    if running.stream is not None:
        who = "them" if event.is_passive else "us"
        logger.info("a session is open with %s, by %s", running.stream.peer, who)
    running.recovery.found()
    running.progress.reach(Milestone.ESTABLISHED)
    running.binding.close_former()
    if running.known_nicknames is not None:
        running.known_nicknames.established()


def _hint(code: int) -> str:
    """Say what to change if a message should have been taken."""
    if code == 413:
        return ": it is larger than max_message_length, or there is no room for it"
    return ""
