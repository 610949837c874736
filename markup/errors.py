"""What goes wrong with XML from strangers.

* :exc:`MarkupError`
"""

from __future__ import annotations

__all__ = ["MarkupError"]


class MarkupError(ValueError):
    """A document isn't well-formed XML, is out of proportion, or isn't what it says.

    Attributes:
        problem: What is wrong with it.
        line: Where, counted from 1; 0 if that says nothing.
    """

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        return f"{self.problem} (line {self.line})" if self.line else self.problem
