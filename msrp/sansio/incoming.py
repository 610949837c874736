"""The messages of one session that are on their way in (:rfc:`4975#section-7.3`).

Each chunk is judged at its head, before an octet of it is kept: a type that wasn't
announced gets 415, a size beyond the limit 413, and the rest of it is let go by.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from msrp.config import SessionConfig
from msrp.errors import RemoteProtocolError
from msrp.events import (
    IncompleteMessage,
    MessageCompleted,
    MessageRefused,
    MessageStored,
)
from msrp.headers import ContinuationFlag, FailureReport, RequestHead
from msrp.policy import Announcement, Store
from msrp.sansio.reassembler import MemoryStore, PartialMessage
from msrp.status import StatusCode

__all__ = ["Incoming", "IncomingChunk"]


@dataclass(slots=True, eq=False)
class _Open:
    """A message that has begun to arrive."""

    head: RequestHead
    partial: PartialMessage
    touched: float


_Done = tuple[int, int | None]
"""What is remembered of a message that is over: what to answer to further chunks of it,
and how many octets it had, if all of them came."""


@dataclass(slots=True, eq=False)
class IncomingChunk:
    """One SEND while it is being received."""

    head: RequestHead
    offset: int = 0
    """Where its next octet goes."""

    refusal: int | None = None
    """The code to answer with, as soon as it is known that it won't be 200."""

    message: _Open | None = None
    """What its octets belong to; ``None`` when they are let go by."""

    events: list[
        MessageCompleted | MessageStored | IncompleteMessage | MessageRefused
    ] = field(default_factory=list)
    """What it led to."""

    completed: int | None = None
    """Octets of the message that this chunk made complete, now or before."""

    repeats: int | None = None
    """Octets of the whole message, if it is here already."""


# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_OK = StatusCode.OK
_END = ContinuationFlag.END


class Incoming:
    """Puts the messages of one session together.

    Args:
        config: What to take, and the bounds.
    """

    __slots__ = (
        "_config",
        "_done",
        "_open",
        "_paused_at",
        "_taken_type",
        "has_room",
        "open_store",
    )

    def __init__(self, config: SessionConfig) -> None:
        self._config = config
        self.has_room: Callable[[], bool] = lambda: True
        """Asked before a new message is taken in; without room it gets a 413."""
        self.open_store: Callable[[Announcement], Store | int] | None = None
        """Decides where a message goes; a number is the code to refuse it with.
        Without it all go to memory."""
        self._open: dict[str, _Open] = {}
        # Not a dict: to take the first one out of that takes ever longer.
        self._done: OrderedDict[str, _Done] = OrderedDict()
        self._paused_at: float | None = None
        self._taken_type = ""
        """The type of a message that was taken: most are of the same one."""

    def begin(self, head: RequestHead, *, has_body: bool, now: float) -> IncomingChunk:
        """Judge a chunk by its head; see :attr:`IncomingChunk.refusal`."""
        chunk = IncomingChunk(head)
        if has_body and head.content_type is None:
            chunk.refusal = StatusCode.BAD_REQUEST
            return chunk
        if not has_body and head.message_id not in self._open:
            return chunk  # It binds a connection or keeps it alive.
        if head.message_id is None:
            chunk.refusal = StatusCode.BAD_REQUEST
            return chunk
        done = self._done.get(head.message_id)
        if done is None:
            start = 1 if head.byte_range is None else head.byte_range.start
            if start == 0 and has_body:
                self._refuse(chunk, StatusCode.BAD_REQUEST)
            else:
                chunk.offset = max(0, start - 1)
                self._enter(chunk, now)
        elif done[0] == _OK:
            # It has come before: answer and report, but show it only once.
            chunk.repeats = done[1]
        else:
            chunk.refusal = done[0]
        return chunk

    # Two short ways for a chunk that is here from start to end, see
    # msrp.sansio.shortcut.  They do what begin(), add() and end() would do, or nothing.

    def only_chunk(
        self, message_id: str, content_type: str, data: bytes
    ) -> MessageCompleted | None:
        """Take in a message that is one chunk; ``None`` if it isn't as simple as that.

        It is where the chunk belongs to one that is here already, where a policy says
        where to put it, and where it is to be refused.
        """
        size = len(data)
        if message_id in self._done or self.open_store is not None:
            return None
        if content_type != self._taken_type and not self._is_taken(content_type):
            return None
        if size > self._config.max_message_length or not self.has_room():
            return None
        if self._open and not self._goes_beside(message_id, size):
            return None
        self._remember(message_id, (_OK, size))
        return MessageCompleted(message_id, content_type, data)

    def _is_taken(self, content_type: str) -> bool:
        if not self._config.accept_types.covers(content_type):
            return False
        self._taken_type = content_type
        return True

    def _goes_beside(self, message_id: str, size: int) -> bool:
        """Tell whether there is room for a message beside those that have begun."""
        if message_id in self._open:
            return False
        if len(self._open) >= self._config.limits.max_open_messages:
            return False
        return not self._is_too_much(self._held() + size)

    def goes_on(self, message_id: str, offset: int, data: bytes, now: float) -> bool:
        """Take in a chunk of a message that has begun, and isn't complete with it.

        Tell whether that is what it is, and all is well.
        """
        message = self._open.get(message_id)
        if message is None:
            return False
        if len(self._open) > 1 and self._is_too_much(self._held() + len(data)):
            return False
        try:
            if not message.partial.grow(offset, data):
                return False
        except RemoteProtocolError:
            return False  # It will be said again, and to somebody who answers it.
        message.touched = now
        return True

    def _is_too_much(self, octets: int) -> bool:
        return octets > self._config.limits.max_held_octets

    def _enter(self, chunk: IncomingChunk, now: float) -> None:
        """Find or open the message that a chunk belongs to."""
        head = chunk.head
        assert head.message_id is not None
        message = self._open.get(head.message_id)
        if message is None:
            store = self._store_or_refusal(head, chunk.offset)
            if isinstance(store, int):
                self._refuse(chunk, store)
                return
            self._open_message(chunk, store, now)
            return
        message.touched = now
        chunk.message = message

    def _open_message(self, chunk: IncomingChunk, store: Store, now: float) -> None:
        head = chunk.head
        assert head.message_id is not None
        partial = PartialMessage(store, self._config.limits.max_ranges)
        chunk.message = self._open[head.message_id] = _Open(head, partial, now)

    def _store_or_refusal(self, head: RequestHead, offset: int) -> Store | int:
        config = self._config
        assert head.content_type is not None
        if not config.accept_types.covers(head.content_type):
            return StatusCode.UNSUPPORTED_MEDIA_TYPE
        if len(self._open) >= config.limits.max_open_messages or not self.has_room():
            return StatusCode.STOP_SENDING
        if self.open_store is None:
            store: Store | int = self.in_memory()
        else:
            store = self.open_store(_announcement_of(head))
        if isinstance(store, int):
            return store
        claimed = 0 if head.byte_range is None else head.byte_range.total or 0
        if store.max_length is not None and max(claimed, offset) > store.max_length:
            store.give_up(keep=False)
            return StatusCode.STOP_SENDING
        return store

    def in_memory(self) -> Store:
        """Return where a message goes if nobody decides."""
        config = self._config
        return MemoryStore(config.max_message_length, config.limits.max_ranges)

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun to arrive of which octets are missing."""
        return bool(self._open)

    def add(self, chunk: IncomingChunk, data: bytes, now: float) -> None:
        """Take in octets of a chunk's body."""
        message = self._message_of(chunk)
        if message is None:
            return
        message.touched = now
        try:
            message.partial.write(chunk.offset, data)
        except RemoteProtocolError as error:
            self._refuse(chunk, error.status)
            return
        chunk.offset += len(data)
        if len(self._open) > 1 and self._is_too_much(self._held()):
            self._refuse(chunk, StatusCode.STOP_SENDING)

    def end(self, chunk: IncomingChunk, flag: ContinuationFlag, now: float) -> None:
        """Close a chunk; see :attr:`IncomingChunk.events`."""
        message = self._message_of(chunk)
        if message is None:
            if flag is _END:
                chunk.completed = chunk.repeats
            return
        message.touched = now
        if flag is ContinuationFlag.ABORT:
            self._give_up(chunk)
            return
        if flag is _END:
            try:
                message.partial.end_at(chunk.offset)
            except RemoteProtocolError as error:
                self._refuse(chunk, error.status)
                return
        if message.partial.complete:
            self._complete(chunk, message)

    def _message_of(self, chunk: IncomingChunk) -> _Open | None:
        message = chunk.message
        if message is None:
            return None
        assert message.head.message_id is not None
        if self._open.get(message.head.message_id) is not message:
            # It was given up since the chunk began, and the application knows.
            chunk.message = None
            chunk.refusal = StatusCode.STOP_SENDING
        return chunk.message

    def _complete(self, chunk: IncomingChunk, message: _Open) -> None:
        head = message.head
        assert head.message_id is not None
        assert head.content_type is not None
        store, size = message.partial.store, message.partial.size
        try:
            store.finish(size)
        except RemoteProtocolError as error:
            self._refuse(chunk, error.status)
            return
        self._forget(head.message_id, (_OK, size))
        chunk.completed = size
        about = head.message_id, head.content_type
        disposition = head.others.get("content-disposition")
        chunk.events.append(
            MessageCompleted(*about, store.contents(), disposition)
            if isinstance(store, MemoryStore)
            else MessageStored(*about, size, store, disposition)
        )

    def _give_up(self, chunk: IncomingChunk) -> None:
        message = chunk.message
        assert message is not None
        assert message.head.message_id is not None
        self._forget(message.head.message_id, (_OK, None))
        chunk.events.append(_give_up(message, "its sender gave it up"))

    def _refuse(self, chunk: IncomingChunk, code: int) -> None:
        head = chunk.head
        assert head.message_id is not None
        chunk.refusal = code
        if chunk.message is not None:
            chunk.message.partial.store.give_up(keep=False)
        chunk.message = None
        self._forget(head.message_id, (code, None))
        told = head.failure_report is not FailureReport.NO
        chunk.events.append(
            MessageRefused(head.message_id, head.content_type or "", code, told)
        )

    def _forget(self, message_id: str, done: _Done) -> None:
        """Let go of a message's octets and remember its id."""
        self._open.pop(message_id, None)
        self._remember(message_id, done)

    def _remember(self, message_id: str, done: _Done) -> None:
        self._done[message_id] = done
        if len(self._done) > self._config.limits.max_remembered_messages:
            self._done.popitem(last=False)

    def _held(self) -> int:
        return sum(message.partial.store.held for message in self._open.values())

    def next_timeout(self) -> float | None:
        """Return when the message that was left alone longest is given up."""
        if not self._open or self._paused_at is not None:
            return None
        oldest = min(message.touched for message in self._open.values())
        return oldest + self._config.limits.max_message_age

    def pause(self, now: float) -> None:
        """Note that we have stopped reading: nothing grows old meanwhile."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """Note that we read again."""
        if self._paused_at is not None:
            for message in self._open.values():
                message.touched += now - self._paused_at
            self._paused_at = None

    def carried_on(self, config: SessionConfig, now: float) -> None:
        """Be the messages of another session, which takes the place of the first.

        While there was none, nothing grew old.
        """
        self._config = config
        self._taken_type = ""
        self._paused_at = None
        for message in self._open.values():
            message.touched = now

    def stale(self, now: float) -> list[IncompleteMessage]:
        """Give up what has been left alone for too long."""
        if self._paused_at is not None:
            return []
        age = self._config.limits.max_message_age
        stale = [m for m in self._open.values() if m.touched + age <= now]
        for message in stale:
            assert message.head.message_id is not None
            self._forget(message.head.message_id, (StatusCode.STOP_SENDING, None))
        return [_give_up(message, "no more of it came") for message in stale]

    def give_up_all(self, problem: str) -> list[IncompleteMessage]:
        """Let go of all that is incomplete, as the session is over."""
        messages = [_give_up(message, problem) for message in self._open.values()]
        self._open.clear()
        return messages


def _announcement_of(head: RequestHead) -> Announcement:
    assert head.message_id is not None
    assert head.content_type is not None
    return Announcement(
        head.message_id,
        head.content_type,
        None if head.byte_range is None else head.byte_range.total,
        head.others.get("content-disposition"),
    )


def _give_up(message: _Open, problem: str) -> IncompleteMessage:
    head, store = message.head, message.partial.store
    assert head.message_id is not None
    assert head.content_type is not None
    store.give_up(keep=True)
    about = head.message_id, head.content_type
    if isinstance(store, MemoryStore):
        return IncompleteMessage(*about, store.ranges(), problem)
    return IncompleteMessage(*about, (), problem, store)
