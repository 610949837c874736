"""Ctrl-C and its like: the first one ends in good order, the second one at once.

Good order may take a moment, for a BYE wants its answer; and it may never come to
its end, as when a thread reads from a disk that doesn't answer.  So a clock that
needs nobody's help is started with the first signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable

from msrp_chat.events import Notice
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = ["Signals", "terminal_restorer"]

_ENDING_TIME = 5.0
"""Seconds for good order: a BYE is given three."""

_SHOW_CURSOR = b"\x1b[?25h"

_MEANING = {
    "SIGINT": (ExitCode.INTERRUPTED, "interrupted"),
    "SIGTERM": (ExitCode.TERMINATED, "terminated"),
    "SIGHUP": (ExitCode.HUNG_UP, "the terminal went away"),
}


class Signals:
    """Ends a task when somebody wants the program to end.

    Args:
        output: Who is told that it ends.

    Attributes:
        problem: What is to be said of it, once a signal has come.
    """

    def __init__(self, output: Output) -> None:
        self.problem: ChatError | None = None
        self._output = output
        self._clock: threading.Timer | None = None
        self._cancel: Callable[[], bool] = _nothing
        self._restore_terminal = terminal_restorer()

    def attach(self, task: asyncio.Task[None]) -> None:
        """Cancel a task of the running loop when the first signal comes."""
        self._cancel = task.cancel
        loop = asyncio.get_running_loop()
        # There are no such signals on Windows; Ctrl-C is asyncio's own affair then.
        with contextlib.suppress(NotImplementedError):
            for name in _MEANING:
                loop.add_signal_handler(getattr(signal, name), self._received, name)

    def detach(self) -> None:
        """Stop the clock: everything has ended."""
        if self._clock is not None:
            self._clock.cancel()

    def interrupt(self) -> None:
        """Do what Ctrl-C does; a prompt gets it as a key."""
        self._received("SIGINT")

    def _received(self, name: str) -> None:
        if self.problem is not None:
            self._end_at_once()
            return
        code, words = _MEANING[name]
        self.problem = ChatError(words, code)
        self._clock = threading.Timer(_ENDING_TIME, self._end_at_once)
        self._clock.daemon = True
        self._clock.start()
        if sys.stdout.isatty():
            print(end="\r", flush=True)  # There may be a ^C.
        self._output.tell(Notice(text=f"{words}: hanging up"))
        self._cancel()

    def _end_at_once(self) -> None:
        assert self.problem is not None
        self._restore_terminal()
        # The usual way out waits for threads, and one of them may be why we are here.
        with contextlib.suppress(OSError, ValueError):
            print(f"msrp-chat: {self.problem}", file=sys.stderr, flush=True)
        os._exit(self.problem.exit_code)


def terminal_restorer() -> Callable[[], object]:
    """Return what makes the terminal as it is now: echoing, with a cursor."""
    try:
        import termios
    except ImportError:  # On Windows.
        return _nothing
    try:
        descriptor = sys.stdin.fileno()
        modes = termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        return _nothing  # It isn't one.

    def restore() -> None:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        if sys.stdout.isatty():
            with contextlib.suppress(OSError, ValueError):
                os.write(sys.stdout.fileno(), _SHOW_CURSOR)

    return restore


def _nothing() -> bool:
    return False
