"""What to say, step by step: from options, a script, or a prompt.

A script has one step per line; empty lines and those that begin with ``#`` are
left out::

    text     Hello              say it, as text/plain
    cpim     Hello              say it, in a message/cpim envelope
    file     photo.jpg          send a file
    multipart  Look | photo.jpg send text and file as one multipart/mixed message
    wait     2.5                do nothing for this many seconds
    expect   thanks             wait until a text, or the name of a file, has it in
    quit                        hang up without waiting for anything more
"""

from __future__ import annotations

import asyncio
import math
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msrp_chat.outcome import ChatError, ExitCode

__all__ = [
    "STEP_NAMES",
    "Expect",
    "Quit",
    "SayCpim",
    "SayText",
    "SendFile",
    "SendMultipart",
    "Speaker",
    "Step",
    "Wait",
    "check_file",
    "check_files",
    "parse_script",
    "parse_step",
]

EXPECT_TIME = 60.0
"""Seconds to wait for what is expected: people would have given up long before."""


class Speaker(Protocol):
    """Who performs steps."""

    async def say_text(self, text: str) -> None:
        """Send text as text/plain."""

    async def say_cpim(self, text: str) -> None:
        """Send text in a message/cpim envelope."""

    async def send_file(self, path: Path) -> None:
        """Send a file."""

    async def send_multipart(self, text: str, path: Path) -> None:
        """Send text and a file as one message."""

    async def expect(self, text: str, seconds: float) -> None:
        """Wait until a text or the name of a file has ``text`` in it."""


class Step(Protocol):
    """One thing to do."""

    async def perform(self, speaker: Speaker) -> None:
        """Do it.

        Raises:
            ChatError: It can't be done.
        """


@dataclass(frozen=True, slots=True)
class SayText:
    """Send text as text/plain."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.say_text(self.text)


@dataclass(frozen=True, slots=True)
class SayCpim:
    """Send text in a message/cpim envelope."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.say_cpim(self.text)


@dataclass(frozen=True, slots=True)
class SendFile:
    """Send a file."""

    path: Path

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.send_file(self.path)


@dataclass(frozen=True, slots=True)
class SendMultipart:
    """Send text and a file as one message."""

    text: str
    path: Path

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.send_multipart(self.text, self.path)


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for what the other side says."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.expect(self.text, EXPECT_TIME)


@dataclass(frozen=True, slots=True)
class Quit:
    """Hang up."""

    async def perform(self, speaker: Speaker) -> None:
        """Do nothing more: whoever performs the steps ends with this one."""


def parse_script(lines: Iterable[str]) -> list[Step]:
    """Read a script.

    Raises:
        ValueError: A line can't be understood; says which and why.
    """
    steps: list[Step] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                steps.append(parse_step(line))
            except ValueError as exc:
                raise ValueError(f"line {number}: {exc}") from None
    return steps


def parse_step(line: str) -> Step:
    """Read one line of a script.

    Raises:
        ValueError: It can't be understood.
    """
    word, _, rest = line.strip().partition(" ")
    make = _STEPS.get(word)
    if make is None:
        raise ValueError(f"{word!r} is none of {', '.join(_STEPS)}")
    return make(rest.strip())


def check_files(steps: Iterable[Step]) -> None:
    """See that all files can be sent before anybody is called.

    Raises:
        ChatError: One can't.
    """
    for step in steps:
        if isinstance(step, SendFile | SendMultipart):
            check_file(step.path)


def check_file(path: Path) -> int:
    """See that a file can be sent, and return how many octets it has.

    Raises:
        ChatError: It isn't there, can't be read, or has no end: a device or a pipe.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        problem = f"{path}: {exc.strerror or 'it cannot be read'}"
        raise ChatError(problem, ExitCode.USAGE) from exc
    except ValueError as exc:
        raise ChatError(f"{path}: no name of a file", ExitCode.USAGE) from exc
    if not stat.S_ISREG(status.st_mode):
        raise ChatError(f"{path}: not an ordinary file", ExitCode.USAGE)
    return status.st_size


def _needs(what: str, argument: str) -> str:
    if not argument:
        raise ValueError(f"{what} is missing")
    return argument


def _multipart(argument: str) -> Step:
    text, bar, path = argument.partition("|")
    if not (bar and text.strip() and path.strip()):
        raise ValueError("it takes a text and a file: multipart TEXT | PATH")
    return SendMultipart(text.strip(), Path(path.strip()).expanduser())


def _wait(argument: str) -> Step:
    try:
        seconds = float(_needs("the number of seconds", argument))
    except ValueError:
        seconds = -1.0
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("wait takes a number of seconds")
    return Wait(seconds)


_STEPS: dict[str, Callable[[str], Step]] = {
    "text": lambda argument: SayText(_needs("the text", argument)),
    "cpim": lambda argument: SayCpim(_needs("the text", argument)),
    "file": lambda argument: SendFile(
        Path(_needs("the name of the file", argument)).expanduser()
    ),
    "multipart": _multipart,
    "wait": _wait,
    "expect": lambda argument: Expect(_needs("the text to wait for", argument)),
    "quit": lambda argument: Quit(),
}

STEP_NAMES = tuple(_STEPS)
"""The words that steps begin with."""
