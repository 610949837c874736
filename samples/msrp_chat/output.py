"""Where events go: to people, to programs, or to both."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

from msrp_chat.events import Event, Progress, to_json
from msrp_chat.line import Who
from msrp_chat.screen import Screen, open_screen

__all__ = ["HumanOutput", "JsonOutput", "Output", "Tee", "open_output"]


class Output(Protocol):
    """Takes events."""

    def tell(self, event: Event, when: datetime.datetime | None = None) -> None:
        """Take one.

        Args:
            event: What has happened.
            when: When it was, if not now.
        """


class JsonOutput:
    """One JSON object per line.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tell(
        self, event: Event, when: datetime.datetime | None = None, **more: str
    ) -> None:
        """Write an event, with more members if wanted."""
        with contextlib.suppress(BrokenPipeError):
            line = to_json(event, when or _now(), **more)
            print(line, file=self._stream, flush=True)


class HumanOutput:
    """One line per event that is worth one.

    Args:
        screen: Where to write.
        us: What to call our side.
        them: What to call the other.
    """

    def __init__(self, screen: Screen, us: str = "you", them: str = "peer") -> None:
        self.screen = screen
        self._labels = {Who.US: us, Who.THEM: them, Who.NOBODY: ""}

    def tell(self, event: Event, when: datetime.datetime | None = None) -> None:
        """Show an event."""
        if isinstance(event, Progress):
            self.screen.progress(
                event.message_id, event.filename, event.done, event.total
            )
            return
        line = event.line()
        if line is not None:
            self.screen.show(line, self._labels[line.who], when or _now())


class Tee:
    """Tells several outputs.

    Args:
        outputs: Which.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = tuple(outputs)

    def tell(self, event: Event, when: datetime.datetime | None = None) -> None:
        """Tell all of them."""
        when = when or _now()
        for output in self._outputs:
            output.tell(event, when)


def open_output(*, json: bool, prompting: bool = False) -> tuple[Output, Screen]:
    """Return where the events of a command go.

    Args:
        json: Whether programs read stdout; people then read stderr.
        prompting: Whether there will be a prompt.
    """
    screen = open_screen(sys.stderr if json else sys.stdout, prompting=prompting)
    human = HumanOutput(screen)
    return (Tee([JsonOutput(sys.stdout), human]) if json else human), screen


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
