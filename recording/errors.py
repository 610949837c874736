"""What can go wrong with a record."""

from __future__ import annotations

__all__ = ["RecordingFailed"]


class RecordingFailed(Exception):
    """A record could not be written.

    A callback that raises it has it logged, once and in one sentence; all others are
    taken for mistakes in a program, and have their traceback shown.

    Attributes:
        target: Where it was to go.
        problem: What the system said about that.
    """

    def __init__(self, target: str, problem: str) -> None:
        super().__init__(target, problem)
        self.target = target
        self.problem = problem

    def __str__(self) -> str:
        return f"can't write a record to {self.target}: {self.problem}"
