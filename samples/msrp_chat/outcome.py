"""How the program ends: exit codes, and the one line that says why."""

from __future__ import annotations

import enum

__all__ = ["ChatError", "ExitCode"]


class ExitCode(enum.IntEnum):
    """What the shell gets to know."""

    DONE = 0
    """All that was asked for has happened."""

    FAILED = 1
    """The peer refused, was lost, or something was not delivered."""

    USAGE = 2
    """The command line, or something that it names, isn't right."""

    UNREACHABLE = 3
    """There was no connection: nobody answered, or somebody who isn't the peer, or
    the port that was asked for isn't free."""

    HUNG_UP = 129
    """The terminal went away."""

    INTERRUPTED = 130
    """Somebody pressed Ctrl-C."""

    TERMINATED = 143
    """The process was told to end."""


class ChatError(Exception):
    """Something that the user has to be told, in one line.

    Attributes:
        problem: What happened, where, and what to do if that isn't obvious.
        exit_code: How the program ends if this ends it.
    """

    def __init__(self, problem: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(problem, exit_code)
        self.problem = problem
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.problem
