"""Which message of a session goes next (:rfc:`4975#section-7.1.1`).

Short messages go strictly one after the other, so that what a person types arrives
in its order.  Long ones take turns beside them, chunk by chunk.  How many chunks may
wait for a response is the window; long messages leave some of it to short ones.
"""

from __future__ import annotations

from collections import deque

from msrp.sansio.outgoing import Outgoing

__all__ = ["BULK_SIZE", "SendQueues"]

BULK_SIZE = 16 * 1024
"""Octets above which a message may be overtaken by a shorter one.  Those below are
sent one after the other, so that what a person types arrives in its order."""

_RESERVED = 8
"""The part of the window that long messages leave to short ones: an eighth."""


class SendQueues:
    """The messages of one session that have octets to send.

    Args:
        window: Chunks that may wait for a response.
    """

    __slots__ = ("_bulk", "_bulk_turn", "_lines", "_unanswered", "_window")

    def __init__(self, window: int) -> None:
        self._window = window
        # A deque takes 700 octets, and most sessions are silent most of the time.
        self._lines: deque[Outgoing] | None = None
        """Short messages, strictly in order."""
        self._bulk: deque[Outgoing] | None = None
        """Long ones, taking turns."""
        self._bulk_turn = False
        self._unanswered = 0

    def add(self, message: Outgoing) -> bool:
        """Put a message behind the others of its kind; tell whether there are none.

        If there are, nothing changes about who may go now.
        """
        size = message.size
        if size is None or size > BULK_SIZE:
            if self._bulk is None:
                self._bulk = deque()
            self._bulk.append(message)
            return True
        if self._lines is not None:
            self._lines.append(message)
            return len(self._lines) == 1
        self._lines = deque((message,))
        return True

    def add_first(self, message: Outgoing) -> None:
        """Put a message before all others."""
        if self._lines is None:
            self._lines = deque()
        self._lines.appendleft(message)

    def remove(self, message: Outgoing) -> None:
        """Take a message out, if it is here."""
        if self._lines and self._lines[0] is message:
            self._lines.popleft()
        else:
            for queue in (self._lines, self._bulk):
                if queue is not None and message in queue:
                    queue.remove(message)
        self._lines, self._bulk = self._lines or None, self._bulk or None

    def clear(self) -> None:
        """Take all messages out."""
        self._lines = self._bulk = None

    def candidates(self) -> list[Outgoing]:
        """Return the messages that may go now, the one whose turn it is first."""
        room = self._window - self._unanswered
        if not self._bulk:
            return [self._lines[0]] if self._lines and room > 0 else []
        if not self._lines:
            return list(self._bulk) if room > self._window // _RESERVED else []
        lines = [self._lines[0]] if self._lines and room > 0 else []
        bulk = list(self._bulk) if room > self._window // _RESERVED else []
        return bulk + lines if self._bulk_turn else lines + bulk

    @property
    def has_only_lines(self) -> bool:
        """Whether there are short messages, and no long ones beside them."""
        return bool(self._lines) and not self._bulk

    def take_line(self) -> Outgoing | None:
        """Take out the first of the short messages, if it may go now and none else.

        It is to be written at one go, and counts as unanswered then.
        """
        if not self._lines or self._bulk or self._unanswered >= self._window:
            return None
        message = self._lines.popleft()
        message.unanswered += 1
        self._unanswered += 1
        return message

    def lines_begun(self) -> None:
        """Note that what :meth:`take_line` has given goes out: a long one's turn."""
        self._bulk_turn = True

    def next_bulk(self) -> tuple[Outgoing | None, int]:
        """Return the long message whose turn it is, if there are no short ones.

        Also how many chunks of it may go now, which may be none, and is never more
        than one where others take turns with it.
        """
        if self._lines or not self._bulk:
            return None, 0
        room = max(0, self._window - self._window // _RESERVED - self._unanswered)
        return self._bulk[0], room if len(self._bulk) == 1 else min(room, 1)

    def put_back(self, message: Outgoing) -> None:
        """Undo :meth:`take_line`."""
        self.answered(message)
        self.add_first(message)

    def __bool__(self) -> bool:
        return bool(self._lines or self._bulk)

    @property
    def first(self) -> Outgoing | None:
        """The first of the short messages."""
        return self._lines[0] if self._lines else None

    def begun(self, message: Outgoing, *, answered: bool) -> None:
        """Note that a chunk of a message goes out, and whether it gets an answer."""
        if answered:
            message.unanswered += 1
            self._unanswered += 1
        self._bulk_turn = bool(self._lines) and message is self.first

    def many_begun(self, message: Outgoing, chunks: int) -> None:
        """Note that so much of what :meth:`next_bulk` says goes out.

        Each of the chunks gets an answer, and none is the last one.
        """
        message.unanswered += chunks
        self._unanswered += chunks
        self._bulk_turn = False
        self.turn_over(message)

    def turn_over(self, message: Outgoing) -> None:
        """Note that chunks before the last one are written: the next one's turn."""
        bulk = self._bulk
        if bulk is None or len(bulk) == 1:
            return
        if bulk[0] is message:
            bulk.rotate(-1)
        elif message in bulk:
            bulk.remove(message)
            bulk.append(message)

    def answered(self, message: Outgoing) -> None:
        """Note that a chunk needs no answer any more."""
        if message.unanswered:
            message.unanswered -= 1
            self._unanswered -= 1

    def none_unanswered(self) -> None:
        """Note that no chunk at all needs an answer."""
        self._unanswered = 0
