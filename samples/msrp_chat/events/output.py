"""Where events go: to people, to programs, or to both."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

from msrp_chat.events import Event, Problem, Progress, Summary, to_json
from msrp_chat.terminal.line import Who
from msrp_chat.terminal.screen import Screen, open_screen
from msrp_chat.terminal.streams import guarded

__all__ = ["CallOutput", "HumanOutput", "JsonOutput", "Output", "Tee", "open_output"]


class Output(Protocol):
    """Takes events."""

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Take one.

        Args:
            event: What has happened.
            when: When it was, if not now.
            call: The number of the call that it is about, if it is about one.
        """


class CallOutput:
    """Tells another output what happens in one call.

    Args:
        output: Which.
        call: The number of the call.
    """

    def __init__(self, output: Output, call: int) -> None:
        self._output = output
        self._call = call

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Tell it, with the number of the call."""
        self._output.tell(event, when, call=self._call if call is None else call)


class JsonOutput:
    """One JSON object per line.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
        **more: str,
    ) -> None:
        """Write an event, with more members if wanted."""
        about: dict[str, str | int] = {} if call is None else {"call": call}
        line = to_json(event, when or _now(), **about, **more)
        with guarded(self._stream):
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
        self._up: set[int] = set()
        """The calls that are going on."""
        self._numbered: set[int] = set()
        """Those of them that have to be told apart."""

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Show an event, with the number of its call if there are several."""
        number = self._number(event, call)
        if isinstance(event, Progress):
            self.screen.progress(
                event.message_id, event.filename, event.done, event.total
            )
            return
        line = event.line()
        if line is not None:
            label = self._labels[line.who]
            if number is not None:
                label = f"{label or 'call'} {number}"
            self.screen.show(line, label, when or _now())

    def _number(self, event: Event, call: int | None) -> int | None:
        if call is None:
            return None
        self._up.add(call)
        if len(self._up) > 1:
            self._numbered |= self._up
        number = call if call in self._numbered else None
        if isinstance(event, Summary | Problem):
            self._up.discard(call)
            self._numbered.discard(call)
        return number


class Tee:
    """Tells several outputs.

    Args:
        outputs: Which.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = tuple(outputs)

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Tell all of them."""
        when = when or _now()
        for output in self._outputs:
            output.tell(event, when, call=call)


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
