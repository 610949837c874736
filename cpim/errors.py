"""What goes wrong when octets aren't ``message/cpim``."""

from __future__ import annotations

__all__ = ["CpimError"]


class CpimError(ValueError):
    """Octets aren't the CPIM they should be, or a value can't be written as CPIM.

    Attributes:
        problem: What was wrong, without the offending octets.
        line: The line it was found on, counted from 1; None if it isn't about
            one line.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem, line)
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        if self.line is None:
            return self.problem
        return f"line {self.line}: {self.problem}"
