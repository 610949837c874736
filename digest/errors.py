"""What goes wrong when a header field isn't a digest.

* :exc:`DigestError`
"""

from __future__ import annotations

__all__ = ["DigestError"]


class DigestError(ValueError):
    """A challenge or credentials can't be read, can't be written, or can't be met.

    Attributes:
        problem: What was wrong, without the offending text.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem
