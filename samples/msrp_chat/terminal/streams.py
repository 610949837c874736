"""The three streams that every program has, or should have.

Whoever starts us may have closed one of them, and a stream may stop taking
anything: the reader has gone away, the disk is full.  Neither is a reason to lose
a call.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import TextIO
from weakref import WeakSet

__all__ = ["complain", "forget_typed", "guarded", "has_failed", "open_streams"]

_failed: WeakSet[TextIO] = WeakSet()
"""Streams that something is missing from, though somebody may read them."""


def open_streams() -> None:
    """See that there are three streams, and that no character breaks them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free is that of the stream, so nothing
            # else that we open gets it and is written to by mistake.
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        # Where a character is missing another is shown.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


@contextlib.contextmanager
def guarded(stream: TextIO) -> Iterator[None]:
    """Write to a stream, and nowhere any more if it takes nothing.

    Such a failure is told once, unless it is that the reader has gone away.
    """
    try:
        yield
    except OSError as exc:
        _redirect(stream)
        if exc.errno not in {errno.EPIPE, errno.EIO, None}:
            _failed.add(stream)
            name = "stderr" if stream is sys.stderr else "stdout"
            complain(f"cannot write to {name}: {exc.strerror}")


def has_failed(stream: TextIO) -> bool:
    """Tell whether something could not be written to a stream."""
    return stream in _failed


def complain(problem: str) -> None:
    """Write one line to stderr."""
    # On a terminal there may be a ^C where the line is to begin.
    start = "\r" if sys.stderr.isatty() else ""
    line = problem.replace("\n", " ").replace("\r", " ")
    with contextlib.suppress(OSError):
        print(f"{start}msrp-chat: {line}", file=sys.stderr, flush=True)


def _redirect(stream: TextIO) -> None:
    # What is in its buffer would fail again when the interpreter ends.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def forget_typed(stream: TextIO) -> None:
    """Throw away what was typed at a terminal and never read.

    While we hang up there is no prompt any more; what somebody goes on typing was meant
    for the other side, and the shell would take it for a command.
    """
    try:
        import termios
    except ImportError:  # As on Windows.
        return
    with contextlib.suppress(termios.error, OSError, ValueError):
        termios.tcflush(stream.fileno(), termios.TCIFLUSH)
