"""What goes wrong when a body isn't MIME.

* :exc:`MimeError`
    * :exc:`MimeLimitExceeded`
"""

from __future__ import annotations

__all__ = ["MimeError", "MimeLimitExceeded"]


class MimeError(ValueError):
    """Octets aren't the MIME they should be, or a value can't be written as MIME.

    Attributes:
        problem: What was wrong, without the offending octets.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class MimeLimitExceeded(MimeError):
    """A body is well-formed, as far as it was read, but bigger than we allow."""
