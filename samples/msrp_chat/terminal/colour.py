"""Colours, bars and ticks, for terminals."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from msrp_chat.terminal.line import Line, Mood, Tick, amount, one_line
from msrp_chat.terminal.pending import Entry, Pending
from msrp_chat.terminal.picture import Painter
from msrp_chat.terminal.screen import LABEL_WIDTH, NAME_WIDTH, clock, harmless
from msrp_chat.terminal.streams import guarded

__all__ = ["ColourScreen"]

_STYLES = {
    Mood.SAID: "default",
    Mood.GOOD: "green",
    Mood.BAD: "bold red",
    Mood.ASIDE: "default dim",
}
_MARKS = {Mood.SAID: "", Mood.GOOD: "✓ ", Mood.BAD: "✗ ", Mood.ASIDE: ""}
_TICKS = {
    Tick.SENDING: "yellow",
    Tick.SENT: "default dim",
    Tick.DELIVERED: "green",
    Tick.DISPLAYED: "green",
    Tick.FAILED: "bold red",
}
_READING = 1.5
"""Seconds that a line waits for being read before it stays where it is."""

_MOST_UNREAD = 100
"""Lines that are remembered in case somebody reads them later."""

_SHOWN_OF_READ = 40
"""Characters of such a line that are shown again then."""

_COLOURS = ("bold cyan", "bold yellow", "bold magenta", "bold blue")
_BAR_WIDTH = 24


class ColourScreen:
    """Lines that stay, and below them those that still change.

    The latter are drawn here, or by a prompt, see :meth:`pending_lines`.

    Args:
        stream: A terminal.
        prompting: Whether a prompt draws them.
    """

    def __init__(self, stream: TextIO, *, prompting: bool = False) -> None:
        # Without a stream it asks for sys.stdout each time, as the prompt needs.
        self.ticks = True
        self._status = self._typing = ""
        self._on_change: Callable[[], None] = _nobody
        self._stream = stream
        self._console = Console(
            file=None if prompting else stream,
            force_terminal=True if prompting else None,
            highlight=False,
        )
        self._painter = Painter(self._console)
        self._prompting = prompting
        self._pending = Pending()
        self._live: Live | None = None
        self._colours: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        """What was said and has arrived, but isn't known to be read."""

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line."""
        # An answer doesn't stand above what it answers.
        for key in self._pending.delivered():
            self._stop_waiting(key)
        self._print(self._row(line, label, when))

    def begin(
        self,
        key: str,
        line: Line,
        label: str,
        when: datetime.datetime,
        *,
        receipt: bool = False,
    ) -> None:
        """Add a line that may still change."""
        self._pending.begin(key, Entry(line, label, when, Tick.SENDING, receipt))
        self._draw_pending()

    def tick(self, key: str, tick: Tick) -> None:
        """Change its tick, and let it stay if that is the last one."""
        if tick is Tick.DISPLAYED and key in self._unread:
            self._print_aside(f"✓✓ read: {self._unread.pop(key)}")
            return
        settled = self._pending.tick(key, tick)
        self._draw_pending()
        if settled is not None:
            self._settle(settled)
        elif tick is Tick.DELIVERED and self._pending:
            asyncio.get_running_loop().call_later(_READING, self._stop_waiting, key)

    def progress(
        self, key: str, filename: str, done: int, total: int, label: str = ""
    ) -> None:
        """Change how far a file has come."""
        self._pending.progress(key, filename, done, total, label)
        self._draw_pending()

    def drop(self, key: str) -> None:
        """Take away what has only begun."""
        self._pending.drop(key)
        self._draw_pending()

    def picture(self, path: Path) -> None:
        """Show a picture, small, where that can be."""
        with guarded(self._stream):
            self._painter.paint(path)

    def head(self, title: str) -> None:
        """Begin something new."""
        self.note("")
        self._print(Rule(f"[bold]{title}[/]", align="left", style="dim"))

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""
        self._print(Text(text))

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""
        text = Text(f"  {name:<{NAME_WIDTH}} ", "default dim")
        text.append(harmless(value), "default")
        if holds is not None:
            text.append(" ✓" if holds else " ✗", "bold green" if holds else "bold red")
        # A digest that is broken over two lines can't be compared by eye.
        self._print(text, soft_wrap=True)

    def close(self) -> None:
        """Let what has only begun stay as it is."""
        entries = self._pending.drop_all()
        self._draw_pending()
        for entry in entries:
            self._settle(entry)

    def pending_lines(self) -> str:
        """Return what still changes as lines with colours, each with its line end."""
        if not self._pending:
            return ""
        with self._console.capture() as captured:
            self._console.print(self._still_changing())
        return captured.get()

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have somebody called when that, or the status, has changed."""
        self._on_change = on_change

    @property
    def typing(self) -> str:
        """Who is typing."""
        return self._typing

    @typing.setter
    def typing(self, typing: str) -> None:
        self._typing = typing
        self._on_change()

    @property
    def status(self) -> str:
        """What is going on in all."""
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._status = status
        self._on_change()

    # Inside.

    def _stop_waiting(self, key: str) -> None:
        """Let a line stay that nobody has read so far."""
        settled = self._pending.settle(key)
        if settled is None:
            return
        self._draw_pending()
        self._settle(settled)
        while len(self._unread) >= _MOST_UNREAD:
            del self._unread[next(iter(self._unread))]
        self._unread[key] = one_line(settled.line.text)[:_SHOWN_OF_READ]

    def _print_aside(self, text: str) -> None:
        self._print(Text(f"{' ' * 18}{harmless(text)}", "default dim"))

    def _settle(self, entry: Entry) -> None:
        assert entry.tick is not None
        tick = Text(f"  {entry.tick.value}", _TICKS[entry.tick])
        self._print(self._row(entry.line, entry.label, entry.when, tick))

    def _row(
        self, line: Line, label: str, when: datetime.datetime, tick: Text | None = None
    ) -> Table:
        text = Text(_MARKS[line.mood] + harmless(line.text), _STYLES[line.mood])
        if line.note:
            text.append(f"  {harmless(line.note)}", "default dim")
        if tick is not None:
            text.append_text(tick)
        row = _grid()
        row.add_row(
            Text(clock(when), "default dim"),
            Text(harmless(label), self._colour_of(label)),
            text,
        )
        return row

    def _draw_pending(self) -> None:
        self._on_change()
        if self._prompting:
            return  # It asks for them.
        with guarded(self._stream):
            if not self._pending:
                if self._live is not None:
                    self._live.stop()
                    self._live = None
            elif self._live is None:
                self._live = Live(
                    get_renderable=self._still_changing,
                    console=self._console,
                    auto_refresh=False,
                    transient=True,
                )
                self._live.start(refresh=True)
            else:
                self._live.refresh()

    def _still_changing(self) -> RenderableType:
        entries, left_out = self._pending.shown()
        rows = [self._changing_row(entry) for entry in entries]
        if left_out:
            rows.insert(0, Text(f"{' ' * 18}… and {left_out} more", "default dim"))
        return Group(*rows)

    def _changing_row(self, entry: Entry) -> RenderableType:
        tick = Text() if entry.tick is None else _ticked(entry.tick)
        row = Table.grid(padding=(0, 1))
        row.add_column(width=8, no_wrap=True)
        row.add_column(width=LABEL_WIDTH, no_wrap=True)
        row.add_column(no_wrap=True, overflow="ellipsis")
        cells: list[RenderableType] = [
            Text(clock(entry.when), "default dim"),
            Text(harmless(entry.label), self._colour_of(entry.label)),
            Text(harmless(one_line(entry.line.text))),
        ]
        if entry.total:
            row.add_column(width=_BAR_WIDTH)
            row.add_column(no_wrap=True)
            percent = 100 * entry.done // entry.total
            cells += [
                ProgressBar(
                    entry.total, entry.done, width=_BAR_WIDTH, complete_style="cyan"
                ),
                Text(f"{percent} % of {amount(entry.total)}", "default dim"),
            ]
        row.add_column(no_wrap=True)
        row.add_row(*cells, tick)
        return row

    def _print(self, what: RenderableType, *, soft_wrap: bool = False) -> None:
        with guarded(self._stream):
            self._console.print(what, soft_wrap=soft_wrap)

    def _colour_of(self, label: str) -> str:
        if label and label not in self._colours:
            self._colours[label] = _COLOURS[len(self._colours) % len(_COLOURS)]
        return self._colours.get(label, "default")


def _nobody() -> None:
    """Watch nothing."""


def _ticked(tick: Tick) -> Text:
    return Text(tick.value, _TICKS[tick])


def _grid() -> Table:
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(width=8, no_wrap=True)
    row.add_column(width=LABEL_WIDTH, no_wrap=True)
    row.add_column(ratio=1, overflow="fold")
    return row
