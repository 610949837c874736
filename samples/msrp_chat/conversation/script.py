"""What to say, as it is written: in scripts, and behind a slash at the prompt.

A script has one step per line; empty lines and those that begin with ``#`` are left
out.  :data:`LANGUAGE` has all of them.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from msrp_chat.conversation.steps import (
    AwaitDelivery,
    Expect,
    ExpectNothing,
    OfferFile,
    Quit,
    SayCpim,
    SayPrivately,
    SayText,
    ScriptLine,
    SendFile,
    SendMultipart,
    SetNickname,
    SetTimeout,
    Step,
    Type,
    Wait,
    step_itself,
)
from msrp_chat.outcome import ChatError, ExitCode

__all__ = [
    "EXPECT_TIME",
    "LANGUAGE",
    "Word",
    "check_file",
    "check_files",
    "parse_script",
    "parse_step",
]

EXPECT_TIME = 60.0
"""Seconds to wait for what is expected, if the script doesn't say: people would have
given up long before."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that a step begins with."""

    argument: str
    """What stands behind it, for people."""

    meaning: str
    example: str
    make: Callable[[str], Step]
    """Makes the step of what stands behind the word.

    Raises:
        ValueError: It can't.
    """


def parse_script(lines: Iterable[str], name: str = "script") -> list[Step]:
    """Read a script.

    Args:
        lines: Its lines.
        name: What to call it, if something in it doesn't come true.

    Raises:
        ValueError: A line can't be understood; says which and why.
    """
    steps: list[Step] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                step = parse_step(line)
            except ValueError as exc:
                raise ValueError(f"line {number}: {exc}") from None
            steps.append(ScriptLine(step, f"{name}, line {number}, {line.strip()!r}"))
    return steps


def parse_step(line: str) -> Step:
    """Read one line of a script.

    Raises:
        ValueError: It can't be understood.
    """
    name, _, rest = line.strip().partition(" ")
    word = LANGUAGE.get(name)
    if word is None:
        raise ValueError(f"{name!r} is none of {', '.join(LANGUAGE)}")
    return word.make(rest.strip())


def check_files(steps: Iterable[Step]) -> None:
    """See that all files can be sent before anybody is called.

    Raises:
        ChatError: One can't.
    """
    for step in map(step_itself, steps):
        if isinstance(step, SendFile | OfferFile | SendMultipart):
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


def _alone(argument: str, step: Step) -> Step:
    if argument:
        raise ValueError(f"{argument!r} has no meaning there")
    return step


def _read_path(argument: str) -> Path:
    return Path(_needs("the name of the file", argument)).expanduser()


def _multipart(argument: str) -> Step:
    text, bar, path = argument.partition("|")
    if not (bar and text.strip() and path.strip()):
        raise ValueError("it takes a text and a file: multipart TEXT | PATH")
    return SendMultipart(text.strip(), Path(path.strip()).expanduser())


def _privately(argument: str) -> Step:
    to, _, text = argument.partition(" ")
    if not (to and text.strip()):
        raise ValueError("it takes an address and a text: private sip:bob@… TEXT")
    return SayPrivately(to, text.strip())


def _seconds(argument: str) -> float:
    try:
        seconds = float(_needs("the number of seconds", argument))
    except ValueError:
        seconds = -1.0
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("it takes a number of seconds")
    return seconds


LANGUAGE: dict[str, Word] = {
    "text": Word(
        "TEXT",
        "say it, as text/plain",
        "text Hello",
        lambda argument: SayText(_needs("the text", argument)),
    ),
    "cpim": Word(
        "TEXT",
        "say it in a message/cpim envelope",
        "cpim Hello",
        lambda argument: SayCpim(_needs("the text", argument)),
    ),
    "file": Word(
        "PATH",
        "send a file",
        "file photo.jpg",
        lambda argument: SendFile(_read_path(argument)),
    ),
    "offer": Word(
        "PATH",
        "offer a file in the call (RFC 5547), and send it when it is wanted",
        "offer photo.jpg",
        lambda argument: OfferFile(_read_path(argument)),
    ),
    "multipart": Word(
        "TEXT | PATH",
        "send a text and a file as one message",
        "multipart Look | photo.jpg",
        _multipart,
    ),
    "private": Word(
        "WHO TEXT",
        "say it to one of those in a chat room alone",
        "private bob@example.com Hello",
        _privately,
    ),
    "nick": Word(
        "NAME",
        "ask to be called this, in a chat room or by the other side",
        "nick Alice",
        lambda argument: SetNickname(_needs("the nickname", argument)),
    ),
    "typing": Word(
        "",
        "tell that we are typing; the prompt does it by itself",
        "typing",
        lambda argument: _alone(argument, Type()),
    ),
    "wait": Word(
        "SECONDS",
        "do nothing for this many seconds",
        "wait 2.5",
        lambda argument: Wait(_seconds(argument)),
    ),
    "expect": Word(
        "TEXT",
        "wait for a text, or a file of a name, with this in it",
        "expect thanks",
        lambda argument: Expect(_needs("the text to wait for", argument)),
    ),
    "nothing": Word(
        "SECONDS",
        "see that nothing comes for this many seconds",
        "nothing 0.5",
        lambda argument: ExpectNothing(_seconds(argument)),
    ),
    "timeout": Word(
        "SECONDS",
        f"how long to wait from now on, if not {EXPECT_TIME:g} s",
        "timeout 10",
        lambda argument: SetTimeout(_seconds(argument)),
    ),
    "delivered": Word(
        "",
        "wait until all that was said has arrived",
        "delivered",
        lambda argument: _alone(argument, AwaitDelivery()),
    ),
    "quit": Word(
        "",
        "hang up as soon as all has arrived",
        "quit",
        lambda argument: _alone(argument, Quit()),
    ),
}
"""All steps, by the words that they begin with."""
