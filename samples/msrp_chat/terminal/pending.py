"""What has only begun: messages that have not arrived yet, and files on their way.

In the terminal these lines stand below the others, so that they can still change.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from msrp_chat.terminal.line import Line, Mood, Tick, Who

__all__ = ["Entry", "Pending"]

_MOST_SHOWN = 8
"""Lines that may stand below; of more, the number is said.  A terminal has 24."""


@dataclass(slots=True)
class Entry:
    """A line that still changes."""

    line: Line
    label: str
    when: datetime.datetime
    tick: Tick | None
    """How far it has come, if it is a message of ours."""

    receipt: bool = False
    """Whether it may still be told that it is read."""

    done: int = 0
    total: int | None = None
    """Octets of the file, if it is one."""


class Pending:
    """All lines that still change, in the order in which they began."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def begin(self, key: str, entry: Entry) -> None:
        """Add one."""
        self._entries[key] = entry

    def tick(self, key: str, tick: Tick) -> Entry | None:
        """Change one; return it if it changes no more, and is none of these then."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.tick is Tick.DISPLAYED:
            return None  # Whoever has read it has got it.
        entry.tick = tick
        if tick is Tick.DELIVERED and entry.receipt:
            return None
        return self._entries.pop(key) if tick.is_final else None

    def delivered(self) -> list[str]:
        """Return the keys of those that only a receipt is missing for."""
        return [k for k, e in self._entries.items() if e.tick is Tick.DELIVERED]

    def settle(self, key: str) -> Entry | None:
        """Wait for no receipt any longer; return the entry if it has come so far."""
        return self._entries.pop(key) if key in self.delivered() else None

    def progress(
        self, key: str, filename: str, done: int, total: int, label: str
    ) -> None:
        """Say how far a file has come; one that is unknown is theirs."""
        entry = self._entries.get(key)
        if entry is None:
            now = datetime.datetime.now(datetime.UTC)
            line = Line(filename, Mood.SAID, Who.THEM)
            entry = self._entries[key] = Entry(line, label, now, None)
        entry.done, entry.total = done, total

    def drop(self, key: str) -> None:
        """Take one away."""
        self._entries.pop(key, None)

    def drop_all(self) -> list[Entry]:
        """Take all away, and return those of ours, about which nothing is known."""
        entries, self._entries = self._entries, {}
        return [entry for entry in entries.values() if entry.tick is not None]

    def shown(self) -> tuple[list[Entry], int]:
        """Return those to show, the latest, and how many are left out."""
        entries = list(self._entries.values())
        return entries[-_MOST_SHOWN:], max(0, len(entries) - _MOST_SHOWN)
