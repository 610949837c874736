"""Where people look, and what may be written there.

What a peer has sent is shown, so nothing gets through to the terminal that could
move its cursor, change its colours or turn the direction of writing.
"""

from __future__ import annotations

import datetime
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TextIO

from msrp_chat.terminal.line import Line, Tick

__all__ = ["LABEL_WIDTH", "NAME_WIDTH", "Screen", "clock", "harmless", "open_screen"]

LABEL_WIDTH = 8
"""Columns for who says something."""

NAME_WIDTH = 8
"""Columns for the name of a fact."""

_JOINERS = "\u200c\u200d"
"""Invisible, but emoji and whole scripts fall apart without them."""


class Screen(Protocol):
    """Where people look."""

    ticks: bool
    """Whether people see what has become of a message from its tick alone."""

    status: str
    """What is going on in all, for those who have a line for that."""

    typing: str
    """Who is typing, likewise."""

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line.

        Args:
            line: The line.
            label: Who says it; empty if nobody does.
            when: When it was.
        """

    def begin(
        self,
        key: str,
        line: Line,
        label: str,
        when: datetime.datetime,
        *,
        receipt: bool = False,
    ) -> None:
        """Add a line about something that has only begun.

        Args:
            key: What to call it later.
            line: The line; the rest is as for :meth:`show`.
            label: See there.
            when: See there.
            receipt: Whether somebody may tell later that it is read.
        """

    def tick(self, key: str, tick: Tick) -> None:
        """Show how far it has come; what is unknown is passed over."""

    def progress(
        self, key: str, filename: str, done: int, total: int, label: str = ""
    ) -> None:
        """Show how many octets of a file have come or gone.

        Args:
            key: Which message it is.
            filename: What to call it, if nothing has begun under this key.
            done: Octets so far.
            total: Octets in all.
            label: Who sends it, likewise.
        """

    def drop(self, key: str) -> None:
        """Take away what has only begun: there is a better line for it."""

    def picture(self, path: Path) -> None:
        """Show a picture, small, where that can be."""

    def head(self, title: str) -> None:
        """Begin something new."""

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""

    def close(self) -> None:
        """Leave nothing half drawn."""

    def pending_lines(self) -> str:
        """Return what has only begun, for a prompt to show above its line."""

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have somebody called when that, or the status, has changed."""


def open_screen(stream: TextIO, *, prompting: bool = False) -> Screen:
    """Return the best screen that a stream allows.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``.
        prompting: Whether there will be a prompt below, which shows by itself
            what has only begun.
    """
    from msrp_chat.terminal.plain import PlainScreen

    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return PlainScreen(stream)
    try:
        from msrp_chat.terminal.colour import ColourScreen

        return ColourScreen(stream, prompting=prompting)
    except ImportError:
        return PlainScreen(stream)


def harmless(text: str) -> str:
    """Return a text as it may be written to a terminal."""
    text = text.replace("\r\n", "\n").expandtabs(4)
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in _JOINERS + "\n"
        else c
        for c in text
    )


def clock(when: datetime.datetime) -> str:
    """Return the time of day, here."""
    return when.astimezone().strftime("%H:%M:%S")
