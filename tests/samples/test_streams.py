"""What is typed when nobody reads any more."""

from __future__ import annotations

import os
import pty
import select

from msrp_chat.terminal.streams import forget_typed


def test_what_nobody_has_read_is_not_left_to_the_shell() -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"still there?\n")
        assert select.select([theirs], [], [], 5)[0]
        with os.fdopen(os.dup(theirs)) as stream:
            forget_typed(stream)
        assert not select.select([theirs], [], [], 0)[0]
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_stream_that_is_no_terminal_is_left_alone() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as stream:
        forget_typed(stream)
