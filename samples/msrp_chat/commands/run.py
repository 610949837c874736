"""Running one command to its end: signals, stray errors, and the exit code."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import stat
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TextIO, TypeVar

from msrp_chat.command_line.options import TalkOptions
from msrp_chat.commands.signals import Signals
from msrp_chat.conversation.hold import Plan
from msrp_chat.conversation.script import check_files
from msrp_chat.events import Notice, Problem
from msrp_chat.events.output import Output, open_output
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.streams import complain, forget_typed, has_failed

__all__ = ["finish", "talk"]

_NOT_READ = (
    "standard input is not read, for it isn't a terminal;"
    " --script /dev/stdin takes steps from it"
)

_log = logging.getLogger("msrp_chat")

OptionsT = TypeVar("OptionsT", bound=TalkOptions)


def talk(
    command: Callable[[OptionsT, Output, Plan], Awaitable[None]],
    options: OptionsT,
    *,
    stays: bool,
) -> ExitCode:
    """Run a command that talks, and return how it ended.

    Args:
        command: What to run.
        options: What the command line says.
        stays: Whether the other side is to hang up when all is said.
    """
    prompting = not options.is_scripted and sys.stdin.isatty() and sys.stdout.isatty()
    if prompting:
        options = dataclasses.replace(options, receipts=True)
    output, screen = open_output(json=options.json, prompting=prompting)
    signals = Signals(output)

    async def main() -> None:
        prompt = None
        if prompting:
            # It takes a while to import, and most calls need none.
            from msrp_chat.terminal.prompt import Prompt

            prompt = Prompt(screen, signals.interrupt)
        plan = Plan(steps=options.steps, prompt=prompt, stays=stays, wait=options.wait)
        if not (prompting or options.is_scripted) and _is_piped(sys.stdin):
            output.tell(Notice(text=_NOT_READ))
        await command(options, output, plan)

    try:
        check_files(options.steps)
    except ChatError as exc:
        return _give_up(exc, output)
    try:
        return finish(main, output, signals)
    finally:
        screen.close()
        if prompting:
            forget_typed(sys.stdin)


def finish(
    main: Callable[[], Awaitable[None]], output: Output, signals: Signals
) -> ExitCode:
    """Run something to its end, and tell of its failure in one line."""
    try:
        asyncio.run(_guarded(main, signals))
    except ChatError as exc:
        problem = signals.problem or exc
    except KeyboardInterrupt:
        problem = ChatError("interrupted", ExitCode.INTERRUPTED)
    except asyncio.CancelledError:
        if signals.problem is None:
            raise
        problem = signals.problem
    except ModuleNotFoundError as exc:
        if exc.name != "prompt_toolkit":
            raise
        words = (
            "a prompt needs prompt_toolkit: install msrpkit[terminal], or use --text"
        )
        problem = ChatError(words, ExitCode.USAGE)
    else:
        if signals.problem is None:
            return ExitCode.FAILED if has_failed(sys.stdout) else ExitCode.DONE
        problem = signals.problem
    finally:
        signals.detach()
    return _give_up(problem, output)


def _is_piped(stream: TextIO) -> bool:
    """Tell whether there may be something to read that somebody wants to be read."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _give_up(problem: ChatError, output: Output) -> ExitCode:
    output.tell(Problem(text=str(problem), exit_code=int(problem.exit_code)))
    complain(str(problem))
    return problem.exit_code


async def _guarded(main: Callable[[], Awaitable[None]], signals: Signals) -> None:
    asyncio.get_running_loop().set_exception_handler(_report)
    this = asyncio.current_task()
    assert this is not None
    signals.attach(this)
    await main()


def _report(loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
    """Say in one line what nobody has caught; the rest goes to the log."""
    error = context.get("exception")
    words = context.get("message")
    if isinstance(error, BaseException):
        _log.debug("%s", words, exc_info=error)
        words = f"{words}: {type(error).__name__}: {error}"
    complain(f"{words} (-v tells more)")
