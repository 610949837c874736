"""Where the messages of one connection go, as its policy decides."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Protocol, assert_never

from msrp.accept_types import essence
from msrp.aio.receiving.enveloped import EnvelopedStore
from msrp.aio.receiving.sinks import FileSink, Sink, WriterSink
from msrp.aio.session.dispatch import Notice, Undelivered
from msrp.aio.session.hooks import guarded
from msrp.config import SessionConfig
from msrp.content import filename_of, stored_message
from msrp.events import IncompleteMessage, MessageCompleted, MessageStored
from msrp.negotiation import CONTROL_TYPES
from msrp.policy import (
    Announcement,
    Decision,
    InMemory,
    IntoDirectory,
    IntoWriter,
    Policy,
    Progress,
    Refuse,
    Store,
)
from msrp.sansio.reassembler import MemoryStore

__all__ = ["Reception", "ReceptionOwner"]

_CPIM = "message/cpim"


class ReceptionOwner(Protocol):
    """Who is told of what has come."""

    def arrived(self, event: Notice | Undelivered) -> None:
        """Take what is to be told to the application."""

    def flow_changed(self) -> None:
        """Be told that reading may go on, or may not."""


class Reception:
    """Opens a store for each message, and tells of those that are complete.

    Args:
        config: The default limit, and the bounds.
        policy: Decides where a message goes; ``None`` keeps all in memory.
        owner: Who is told.
    """

    __slots__ = ("_config", "_owner", "_policy", "_sinks", "_tasks")

    def __init__(
        self,
        config: SessionConfig,
        policy: Policy | None,
        owner: ReceptionOwner,
    ) -> None:
        self._config = config
        self._policy = policy
        self._owner = owner
        # Not sets, which take three times as much while they are empty.
        self._sinks: dict[Sink, None] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}

    @property
    def full(self) -> bool:
        """Whether so much waits to be written that the peer should be held back."""
        return bool(self._sinks) and any(sink.full for sink in self._sinks)

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._tasks)

    async def drained(self) -> None:
        """Wait until all that came is written, and told."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def open_store(self, announcement: Announcement) -> Store | int:
        """Ask the policy where a message goes; a number is a refusal."""
        if essence(announcement.content_type) != _CPIM or self._policy is None:
            return self._open(announcement)
        return EnvelopedStore(announcement, self._open, self._config.limits.max_ranges)

    def stored(self, event: MessageStored) -> None:
        """Tell of a message once the last octet of it is written."""
        store = event.store
        if isinstance(store, EnvelopedStore):
            if isinstance(store.store, MemoryStore):
                about = event.message_id, event.content_type
                octets = store.store.contents()
                whole = MessageCompleted(*about, octets, event.disposition)
                self._owner.arrived(Undelivered(whole))
                return
            event = replace(
                event,
                content_type=store.announcement.content_type,
                size=event.size - store.skipped,
                disposition=store.announcement.disposition,
            )
        self._own(self._tell(event))

    def incomplete(self, event: IncompleteMessage) -> IncompleteMessage:
        """Return what to tell of a message of which no more will come."""
        enveloped = event.store
        if not isinstance(enveloped, EnvelopedStore):
            return event
        store = enveloped.store
        if isinstance(store, MemoryStore):
            return replace(event, store=None, ranges=store.ranges())
        content_type = enveloped.announcement.content_type
        return replace(event, store=store, content_type=content_type)

    def _open(self, announcement: Announcement, head: int = 0) -> Store | int:
        """Return where a message goes that has an envelope with a head of this size."""
        if essence(announcement.content_type) in CONTROL_TYPES:
            return self._memory(InMemory(), announcement, head)  # For no application.
        filename = filename_of(announcement.content_type, announcement.disposition)
        announcement = replace(announcement, filename=filename)
        decision = self._decide(announcement)
        match decision:
            case Refuse():
                return int(decision.status_code)
            case InMemory():
                return self._memory(decision, announcement, head)
            case IntoDirectory():
                sink: Sink = FileSink(
                    decision.directory,
                    decision.name or filename or _name_for(announcement),
                    decision.max_length,
                    self._owner.flow_changed,
                    _counter(decision.progress, announcement),
                )
            case IntoWriter():
                sink = WriterSink(
                    decision.writer,
                    decision.max_length,
                    self._owner.flow_changed,
                    _counter(decision.progress, announcement),
                )
            case _:
                assert_never(decision)
        self._watch(sink)
        return sink

    def _decide(self, announcement: Announcement) -> Decision:
        if self._policy is None:
            return InMemory()
        try:
            return self._policy(announcement)
        except Exception as error:
            # A bug of the application shall not cost it the message.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the policy for messages failed", "exception": error}
            )
            return InMemory()

    def _memory(
        self, decision: InMemory, announcement: Announcement, head: int
    ) -> MemoryStore:
        limit = decision.max_length
        if limit is None:
            limit = self._config.max_message_length
        progress = _counter(decision.progress, announcement, head)
        max_ranges = self._config.limits.max_ranges
        if progress is None:
            return MemoryStore(head + limit, max_ranges)
        return _WatchedMemory(head + limit, max_ranges, progress)

    def _watch(self, sink: Sink) -> None:
        self._sinks[sink] = None
        self._own(self._let_go(sink))

    async def _let_go(self, sink: Sink) -> None:
        await sink.wait_closed()
        self._sinks.pop(sink, None)

    async def _tell(self, event: MessageStored) -> None:
        enveloped = event.store if isinstance(event.store, EnvelopedStore) else None
        sink = event.store if enveloped is None else enveloped.store
        assert isinstance(sink, Sink)
        await sink.wait_closed()
        about = event.message_id, event.content_type
        if sink.error is None:
            message = stored_message(
                *about,
                event.size,
                event.disposition,
                sink.path,
                envelopes=() if enveloped is None else enveloped.envelope.envelopes,
                problem=None if enveloped is None else enveloped.problem,
            )
            self._owner.arrived(Undelivered(message))
        else:
            self._owner.arrived(IncompleteMessage(*about, (), str(sink.error), sink))

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="msrp reception")
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)


class _WatchedMemory(MemoryStore):
    """A store in memory that tells how much has come."""

    __slots__ = ("_progress",)

    def __init__(
        self, max_length: int, max_ranges: int, progress: Callable[[int], None]
    ) -> None:
        super().__init__(max_length, max_ranges)
        self._progress = progress

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong, and tell how many there are."""
        super().write(offset, data)
        self._progress(self.held)


def _counter(
    progress: Progress | None, announcement: Announcement, head: int = 0
) -> Callable[[int], None] | None:
    """Return what counts octets, but not those of a head of an envelope."""
    if progress is None:
        return None
    call, size = guarded(progress), announcement.size
    return lambda done: call(max(0, done - head), size)


def _name_for(announcement: Announcement) -> str:
    essence = announcement.content_type.partition(";")[0].strip().lower()
    return f"{announcement.message_id}{mimetypes.guess_extension(essence) or ''}"
