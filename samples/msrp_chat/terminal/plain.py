"""Plain text, for pipes, logs and those without :mod:`rich`."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from msrp_chat.terminal.line import Line, Mood, Tick, amount, one_line
from msrp_chat.terminal.screen import LABEL_WIDTH, NAME_WIDTH, clock, harmless
from msrp_chat.terminal.streams import guarded

__all__ = ["PlainScreen"]

_WIDTH = 78
_BAR = 30
"""Characters of a bar."""

_MARKS = {Mood.SAID: "", Mood.GOOD: "", Mood.BAD: "! ", Mood.ASIDE: ""}


class PlainScreen:
    """One line after the other, each of them whole.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self.ticks = False
        self.status = self.typing = ""
        self._stream = stream
        self._quarters: dict[str, int] = {}

    def show(self, line: Line, label: str, when: datetime.datetime) -> None:
        """Add a line."""
        note = f"  ({harmless(line.note)})" if line.note else ""
        start = f"{clock(when)} {harmless(label):<{LABEL_WIDTH}} "
        text = _MARKS[line.mood] + harmless(line.text) + note
        body = textwrap.indent(text, " " * len(start))
        self.note(start + body.lstrip(" "))

    def begin(
        self,
        key: str,
        line: Line,
        label: str,
        when: datetime.datetime,
        *,
        receipt: bool = False,
    ) -> None:
        """Add a line: what is written stays as it is."""
        self.show(line, label, when)

    def tick(self, key: str, tick: Tick) -> None:
        """Do nothing: what goes wrong has a line of its own."""
        if tick.is_final:
            self.drop(key)

    def progress(
        self, key: str, filename: str, done: int, total: int, label: str = ""
    ) -> None:
        """Show how far a file has come, at each quarter."""
        quarter = 4 if done >= total else 4 * done // total
        if quarter == 0 or self._quarters.get(key) == quarter:
            return
        self._quarters[key] = quarter
        bar = ("#" * (_BAR * quarter // 4)).ljust(_BAR, ".")
        name = harmless(one_line(filename))
        self.note(f"{' ' * 18}{name} [{bar}] {25 * quarter} % of {amount(total)}")

    def drop(self, key: str) -> None:
        """Forget how far it was."""
        self._quarters.pop(key, None)

    def picture(self, path: Path) -> None:
        """Do nothing: there is no place for it."""

    def head(self, title: str) -> None:
        """Begin something new."""
        self.note(f"\n--- {title} ".ljust(_WIDTH, "-"))

    def note(self, text: str) -> None:
        """Add text that nobody says and that has no time."""
        with guarded(self._stream):
            print(text.rstrip(), file=self._stream, flush=True)

    def fact(self, name: str, value: str, holds: bool | None = None) -> None:
        """Add a value with its name, and whether it is as it should be."""
        verdict = "" if holds is None else "  ok" if holds else "  WRONG"
        self.note(f"  {name:<{NAME_WIDTH}} {harmless(value)}{verdict}")

    def close(self) -> None:
        """Do nothing: every line is whole."""

    def pending_lines(self) -> str:
        """Return nothing: what has begun was written already."""
        return ""

    def watch(self, on_change: Callable[[], None]) -> None:
        """Do nothing: nothing changes."""
