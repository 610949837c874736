"""What goes wrong with a session description.

There is one error, :exc:`SdpError`, for what a peer sent and for what the
application wants to send alike: in both cases a rule of :rfc:`8866` or
:rfc:`3264` would be broken, and in both cases the cure is another description.
"""

from __future__ import annotations

__all__ = ["SdpError"]


class SdpError(ValueError):
    """A session description, or a part of one, breaks a rule.

    Attributes:
        problem: What is wrong, without the offending octets.
        line: The number of the line, counted from 1; None when the problem
            is not in one line, or when the value was not read from a text.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem, line)
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        if self.line is None:
            return self.problem
        return f"line {self.line}: {self.problem}"
