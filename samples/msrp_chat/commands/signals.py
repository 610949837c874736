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

__all__ = ["Signals"]

_ENDING_TIME = 5.0
"""Seconds for good order: a BYE is given three."""

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

    def attach(self, task: asyncio.Task[None]) -> None:
        """Cancel a task of the running loop when the first signal comes."""
        loop = asyncio.get_running_loop()
        # There are no such signals on Windows; Ctrl-C is asyncio's own affair then.
        with contextlib.suppress(NotImplementedError):
            for name in _MEANING:
                loop.add_signal_handler(
                    getattr(signal, name), self._received, name, task.cancel
                )

    def detach(self) -> None:
        """Stop the clock: everything has ended."""
        if self._clock is not None:
            self._clock.cancel()

    def _received(self, name: str, cancel: Callable[[], bool]) -> None:
        if self.problem is not None:
            self._end_at_once()
            return
        code, words = _MEANING[name]
        self.problem = ChatError(words, code)
        self._clock = threading.Timer(_ENDING_TIME, self._end_at_once)
        self._clock.daemon = True
        self._clock.start()
        self._output.tell(Notice(text=f"{words}: hanging up"))
        cancel()

    def _end_at_once(self) -> None:
        assert self.problem is not None
        # The usual way out waits for threads, and one of them may be why we are here.
        with contextlib.suppress(OSError, ValueError):
            print(f"msrp-chat: {self.problem}", file=sys.stderr, flush=True)
        os._exit(self.problem.exit_code)
