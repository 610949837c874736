"""Requests of ours that belong to no session, such as AUTH (:rfc:`4976#section-5.1`).

They have no body and go out at once; the answer is matched by its transaction id,
and what it says stands in its header section.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from msrp.headers import ResponseHead

__all__ = ["Answer", "Inquiries", "OnAnswer"]

MAX_OPEN = 64
"""Inquiries of one connection that may be open.  An AUTH waits for the one before
it, so there is one, and those whose asker has lost interest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an inquiry."""

    head: ResponseHead
    block: bytes
    """The header section, unread."""


OnAnswer: TypeAlias = Callable[[Answer | None], None]
"""Is told the answer; ``None`` if none came in time, or the connection is gone."""


@dataclass(slots=True)
class _Inquiry:
    on_answer: OnAnswer
    deadline: float


class Inquiries:
    """The open inquiries of one connection, oldest first."""

    __slots__ = ("_open", "_paused_at")

    def __init__(self) -> None:
        self._open: dict[str, _Inquiry] = {}
        self._paused_at: float | None = None

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, transaction_id: str, on_answer: OnAnswer, deadline: float) -> None:
        """Add one; the oldest goes unanswered if there are too many."""
        self._open[transaction_id] = _Inquiry(on_answer, deadline)
        if len(self._open) > MAX_OPEN:
            self._open.pop(next(iter(self._open))).on_answer(None)

    def answered(self, answer: Answer) -> None:
        """Take in a response; one to nothing that was asked is passed over."""
        inquiry = self._open.pop(answer.head.transaction_id, None)
        if inquiry is not None:
            inquiry.on_answer(answer)

    def fail_all(self) -> None:
        """Tell everybody that no answer will come."""
        waiting, self._open = self._open, {}
        for inquiry in waiting.values():
            inquiry.on_answer(None)

    def pause(self, now: float) -> None:
        """Stop all clocks: we don't read responses for the time being."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """Let the clocks run again."""
        if self._paused_at is not None:
            for inquiry in self._open.values():
                inquiry.deadline += now - self._paused_at
            self._paused_at = None

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self._paused_at is not None or not self._open:
            return None
        return min(each.deadline for each in self._open.values())

    def handle_timeout(self, now: float) -> None:
        """Give up those whose time is over."""
        if self._paused_at is not None:
            return
        for name in [n for n, each in self._open.items() if each.deadline <= now]:
            self._open.pop(name).on_answer(None)
