"""``msrp-chat demo``: both parties of a call, each in a process of its own.

The parties are ``msrp-chat listen`` and ``msrp-chat call`` with a script each; what
they do, they tell as JSON.  Here that is shown as one conversation, and in the end
it is checked that all of it has happened (:mod:`msrp_chat.demo.checks`).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import sys
import tempfile
from pathlib import Path

from msrp_chat.command_line.options import DemoOptions
from msrp_chat.commands.run import finish
from msrp_chat.commands.signals import Signals
from msrp_chat.conversation.script import check_file
from msrp_chat.demo.checks import Check, Transcript, checks_of
from msrp_chat.demo.child import Child, start_child
from msrp_chat.demo.script import CALLER, CONSOLE, write_script
from msrp_chat.demo.view import NOTHING, DemoView
from msrp_chat.events import Event, Listening, Summary
from msrp_chat.events.output import JsonOutput
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.screen import open_screen

__all__ = ["run_demo"]

_PATIENCE = 30
"""Seconds that the console waits for the caller, who needs one or two."""

_AFTERMATH = 5.0
"""Seconds between the ends of the two parties, if nothing is wrong."""

_ROOM = 1 << 20
"""Octets around the file in a multipart message, and more."""


def run_demo(options: DemoOptions) -> ExitCode:
    """Run the demo, and return how it ended."""
    screen = open_screen(sys.stderr if options.json else sys.stdout)
    view = DemoView(screen, JsonOutput(sys.stdout) if options.json else None)
    try:
        return finish(_Demo(options, view).run, view, Signals(view))
    finally:
        screen.close()


class _Demo:
    """The calls that are wanted, one after the other."""

    def __init__(self, options: DemoOptions, view: DemoView) -> None:
        self._options = options
        self._view = view
        self._sent = options.file.absolute()

    async def run(self) -> None:
        """Hold all calls.

        Raises:
            ChatError: Not everything has happened that should have.
        """
        size = check_file(self._options.file)
        saved = self._prepare_directory()
        self._view.begin(self._sent, size, saved)
        try:
            failed = await self._run_calls(saved.absolute(), size)
        finally:
            if self._options.save is None:
                _remove_if_empty(saved)
        self._view.end(saved)
        if failed:
            claims = "; ".join(check.claim for check in failed)
            raise ChatError(f"the demo failed, for this isn't true: {claims}")

    async def _run_calls(self, saved: Path, size: int) -> list[Check]:
        failed: list[Check] = []
        transports = self._options.transports
        with tempfile.TemporaryDirectory(prefix="msrp-chat-") as scratch:
            for number, transport in enumerate(transports, start=1):
                self._view.begin_call(transport, number, len(transports))
                failed += await self._run_call(
                    transport, saved / transport, Path(scratch), size
                )
        return failed

    def _prepare_directory(self) -> Path:
        """Return where received files go; it is there.

        Raises:
            ChatError: It can't be made.
        """
        saved = self._options.save
        if saved is None:
            return Path(tempfile.mkdtemp(prefix="msrp-chat-demo-"))
        try:
            saved.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            problem = f"cannot save anything in {saved}: {exc.strerror or exc}"
            raise ChatError(problem, ExitCode.USAGE) from exc
        return saved

    async def _run_call(
        self, transport: str, save: Path, scratch: Path, size: int
    ) -> list[Check]:
        call = _Call(transport, self._view)
        both = ["--max-size", str(max(64 << 20, size + _ROOM))]
        if transport == "tls":
            both.append("--tls")
        arguments = {
            party: [
                *both,
                *("--save", str(save / party)),
                *("--script", str(write_script(party, scratch, self._sent))),
            ]
            for party in (CALLER, CONSOLE)
        }
        await call.run(arguments)
        checks = checks_of(
            call.transcripts[CALLER],
            call.transcripts[CONSOLE],
            tls=transport == "tls",
            sent=self._sent,
        )
        self._view.end_call(transport, checks, _total(call.transcripts[CALLER]))
        return [check for check in checks if not check.holds]


def _remove_if_empty(directory: Path) -> None:
    """Remove a directory unless there is a file somewhere in it."""
    inner = sorted(directory.rglob("*"), reverse=True)
    if not any(path.is_file() for path in inner):
        for path in (*inner, directory):
            path.rmdir()


class _Call:
    """One call: two processes, and what they tell."""

    def __init__(self, transport: str, view: DemoView) -> None:
        self.transcripts = {CALLER: Transcript(), CONSOLE: Transcript()}
        self._transport = transport
        self._view = view
        self._uri: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self, arguments: dict[str, list[str]]) -> None:
        """Run both parties to their ends.

        Raises:
            ChatError: There was nobody to call.
        """
        listen = ["listen", "--once", "--patience", str(_PATIENCE)]
        async with (
            self._view.showing(),
            start_child([*listen, *arguments[CONSOLE]], self._hear_console) as console,
        ):
            await self._wait_until_listening(console)
            call = ["call", "urn:service:sos", "--proxy", self._uri.result()]
            async with start_child(
                [*call, *arguments[CALLER]], self._hear_caller
            ) as caller:
                self.transcripts[CALLER].exit_code = await caller.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AFTERMATH):
                    self.transcripts[CONSOLE].exit_code = await console.wait()
            for child in (caller, console):
                if child.complaint:
                    self._view.complain(child.complaint)

    async def _wait_until_listening(self, console: Child) -> None:
        ended = asyncio.create_task(console.wait())
        try:
            await asyncio.wait((self._uri, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not self._uri.done():
            raise ChatError(f"the console did not start: {console.complaint}")

    def _hear_console(self, event: Event, when: datetime.datetime) -> None:
        if isinstance(event, Listening) and not self._uri.done():
            self._uri.set_result(event.uri)
        self._hear(CONSOLE, event, when)

    def _hear_caller(self, event: Event, when: datetime.datetime) -> None:
        self._hear(CALLER, event, when)

    def _hear(self, party: str, event: Event, when: datetime.datetime) -> None:
        self.transcripts[party].events.append(event)
        self._view.hear(self._transport, party, event, when)


def _total(caller: Transcript) -> Summary:
    """Return what the call amounts to, both ways."""
    return next(iter(caller.every(Summary)), NOTHING)
