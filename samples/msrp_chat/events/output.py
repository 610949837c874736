"""Where events go: to people, to programs, or to both."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

from msrp_chat.events import Event, to_json
from msrp_chat.events.for_people import HumanOutput
from msrp_chat.terminal.screen import Screen, open_screen
from msrp_chat.terminal.streams import guarded

__all__ = ["CallOutput", "JsonOutput", "Output", "Tee", "open_output"]


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
    human = HumanOutput(screen, brief=prompting)
    return (Tee([JsonOutput(sys.stdout), human]) if json else human), screen


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
