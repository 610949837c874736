"""Lines for people: plain text, or colours and a bar if it is a terminal.

What a peer has sent is shown, so nothing gets through to the terminal that could
move its cursor, change its colours or turn the direction of writing.
"""

from __future__ import annotations

import datetime
import os
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Protocol, TextIO

from msrp_chat.terminal.line import Line, Mood, amount, one_line
from msrp_chat.terminal.streams import guarded

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["PlainScreen", "RichScreen", "Screen", "harmless", "open_screen"]

_PLAIN_WIDTH = 78
_PLAIN_BAR = 30
"""Characters of a bar in plain text."""

_JOINERS = "\u200c\u200d"
"""Invisible, but emoji and whole scripts fall apart without them."""

_LABEL_WIDTH = 8
_NAME_WIDTH = 8

_STYLES = {
    Mood.SAID: "default",
    Mood.GOOD: "green",
    Mood.BAD: "bold red",
    Mood.ASIDE: "default dim",
}
_MARKS = {Mood.SAID: "", Mood.GOOD: "✓ ", Mood.BAD: "✗ ", Mood.ASIDE: ""}
_PLAIN_MARKS = {Mood.SAID: "", Mood.GOOD: "", Mood.BAD: "! ", Mood.ASIDE: ""}


class Screen(Protocol):
    """Where people look."""

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line.

        Args:
            line: The line.
            label: Who says it; empty if nobody does.
            when: When it was.
        """

    def head(self, title: str) -> None:
        """Begin something new."""

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""

    def progress(self, key: str, filename: str, done: int, total: int) -> None:
        """Show how far a file has come."""

    def close(self) -> None:
        """Leave nothing half drawn."""


def open_screen(stream: TextIO, *, prompting: bool = False) -> Screen:
    """Return the best screen that a stream allows.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``.
        prompting: Whether there will be a prompt below, which shows by itself
            how far files have come.
    """
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return PlainScreen(stream)
    try:
        return RichScreen(stream, prompting=prompting)
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


class PlainScreen:
    """Plain text, for pipes, logs and those without :mod:`rich`.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._quarters: dict[str, int] = {}

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line."""
        note = f"  ({harmless(line.note)})" if line.note else ""
        start = f"{_clock(when)} {harmless(label):<{_LABEL_WIDTH}} "
        text = _PLAIN_MARKS[line.mood] + harmless(line.text) + note
        body = textwrap.indent(text, " " * len(start))
        self.note(start + body.lstrip(" "))

    def head(self, title: str) -> None:
        """Begin something new."""
        self.note(f"\n--- {title} ".ljust(_PLAIN_WIDTH, "-"))

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""
        with guarded(self._stream):
            print(text.rstrip(), file=self._stream, flush=True)

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""
        verdict = "" if holds is None else "  ok" if holds else "  WRONG"
        self.note(f"  {name:<{_NAME_WIDTH}} {harmless(value)}{verdict}")

    def progress(self, key: str, filename: str, done: int, total: int) -> None:
        """Show how far a file has come, at each quarter."""
        quarter = 4 if done >= total else 4 * done // total
        if quarter == 0 or self._quarters.get(key) == quarter:
            return
        self._quarters[key] = quarter
        bar = ("#" * (_PLAIN_BAR * quarter // 4)).ljust(_PLAIN_BAR, ".")
        name = harmless(one_line(filename))
        self.note(f"{' ' * 18}{name} [{bar}] {25 * quarter} % of {amount(total)}")

    def close(self) -> None:
        """Do nothing: every line is whole."""


class RichScreen:
    """Colours, and a bar while a file goes out.

    Args:
        stream: A terminal.
        prompting: Whether to leave the bars to the prompt, see :attr:`transfers`.

    Raises:
        ImportError: There is no :mod:`rich`.
    """

    def __init__(self, stream: TextIO, *, prompting: bool = False) -> None:
        from rich.console import Console
        from rich.theme import Theme

        # Without a stream it asks for sys.stdout each time, as the prompt needs.
        self._stream = stream
        self._console: Console = Console(
            file=None if prompting else stream,
            force_terminal=True if prompting else None,
            highlight=False,
            theme=Theme({"bar.complete": "cyan", "bar.finished": "green"}),
        )
        self._prompting = prompting
        self.transfers: dict[str, tuple[str, int, int]] = {}
        """Files that are on their way: name, octets sent, octets in all."""
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._colours: dict[str, str] = {}

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line."""
        from rich.table import Table
        from rich.text import Text

        text = Text(_MARKS[line.mood] + harmless(line.text), _STYLES[line.mood])
        if line.note:
            text.append(f"  {harmless(line.note)}", "default dim")
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=8, no_wrap=True)
        row.add_column(width=_LABEL_WIDTH, no_wrap=True)
        row.add_column(ratio=1, overflow="fold")
        row.add_row(
            Text(_clock(when), "default dim"),
            Text(harmless(label), self._colour_of(label)),
            text,
        )
        self._print(row)

    def head(self, title: str) -> None:
        """Begin something new."""
        from rich.rule import Rule

        self.note("")
        self._print(Rule(f"[bold]{title}[/]", align="left", style="dim"))

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""
        from rich.text import Text

        self._print(Text(text))

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""
        from rich.text import Text

        text = Text(f"  {name:<{_NAME_WIDTH}} ", "default dim")
        text.append(harmless(value), "default")
        if holds is not None:
            text.append(" ✓" if holds else " ✗", "bold green" if holds else "bold red")
        # A digest that is broken over two lines can't be compared by eye.
        self._print(text, soft_wrap=True)

    def progress(self, key: str, filename: str, done: int, total: int) -> None:
        """Show how far a file has come."""
        if self._prompting:
            self.transfers[key] = (harmless(one_line(filename)), done, total)
            if done >= total:
                del self.transfers[key]
            return
        if self._bars is None:
            self._bars = _new_bars(self._console)
            self._bars.start()
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(
                harmless(one_line(filename)), total=total
            )
        self._bars.update(self._tasks[key], completed=done)
        if self._bars.finished:
            self.close()

    def close(self) -> None:
        """Leave the bars as they are."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _print(self, what: object, *, soft_wrap: bool = False) -> None:
        with guarded(self._stream):
            self._console.print(what, soft_wrap=soft_wrap)

    def _colour_of(self, label: str) -> str:
        if label and label not in self._colours:
            colours = ("bold cyan", "bold yellow", "bold magenta", "bold blue")
            self._colours[label] = colours[len(self._colours) % len(colours)]
        return self._colours.get(label, "default")


def _new_bars(console: Console) -> Bars:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn(" " * 17 + "{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
    )


def _clock(when: datetime.datetime) -> str:
    return when.astimezone().strftime("%H:%M:%S")
