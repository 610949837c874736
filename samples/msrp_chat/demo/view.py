"""How the demo looks: two parties' events as one conversation.

Each message is shown once, when it has arrived: that is the proof.  What is said of
files is said by both: the digest that was sent stands beside that of what was saved.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msrp_chat.demo.checks import Check
from msrp_chat.demo.script import CALLER, CONSOLE
from msrp_chat.events import (
    Answered,
    Calling,
    Delivered,
    Ended,
    Event,
    FileReceived,
    Incomplete,
    Listening,
    Message,
    Notice,
    Opened,
    Progress,
    Refused,
    Report,
    Ringing,
    Sending,
    Summary,
    TextReceived,
    Undelivered,
)
from msrp_chat.events.for_people import HumanOutput
from msrp_chat.events.output import JsonOutput
from msrp_chat.terminal.line import Line, Mood, Who, amount
from msrp_chat.terminal.screen import Screen

__all__ = ["NOTHING", "DemoView"]

NOTHING = Summary(
    sessions=0,
    messages_sent=0,
    messages_received=0,
    octets_sent=0,
    octets_received=0,
    seconds=0.0,
)

_SHOWN: dict[str, tuple[type[Event], ...]] = {
    # The call is told by who makes it, so that nothing is told twice.
    CALLER: (Calling, Ringing, Answered, Opened),
    CONSOLE: (Listening,),
}
_SHOWN_OF_BOTH = (
    Delivered,
    Incomplete,
    Message,
    Notice,
    Progress,
    Refused,
    Report,
    TextReceived,
    Undelivered,
)

_SETTLING_TIME = 0.05
"""Seconds to gather events before they are shown in the order of their times: two
processes tell them, and the later of two may be read first."""


class DemoView:
    """Shows the demo.

    Args:
        screen: For people.
        json: For programs, if any.
    """

    def __init__(self, screen: Screen, json: JsonOutput | None) -> None:
        self._screen = screen
        self._json = json
        self._labelled = {
            CALLER: HumanOutput(screen, CALLER, CONSOLE),
            CONSOLE: HumanOutput(screen, CONSOLE, CALLER),
        }
        self._waiting: list[tuple[datetime.datetime, str, Event]] = []
        self._sent: dict[str, str] = {}
        """The digests of the files that were sent, by Message-ID."""
        self._results: list[tuple[str, bool, Summary]] = []

    # What the demo tells.

    def begin(self, sent: Path, size: int, saved: Path) -> None:
        """Say what is about to happen."""
        self._screen.note("Two processes on this machine hold a text call:")
        self._screen.note(f"a {CALLER} and the {CONSOLE} of a call taker.")
        self._screen.note("")
        self._screen.fact("sent", f"{sent} ({amount(size)})")
        self._screen.fact("saved in", str(saved))

    def begin_call(self, transport: str, number: int, total: int) -> None:
        """Head a call."""
        self._screen.head(f"Call {number} of {total}: MSRP over {transport.upper()}")

    def end_call(
        self, transport: str, checks: Sequence[Check], summary: Summary
    ) -> None:
        """Say what is wrong with a call, if anything."""
        for check in checks:
            if not check.holds:
                self._screen.fact("not true", check.claim, holds=False)
        self._results.append((transport, all(c.holds for c in checks), summary))

    def end(self, saved: Path) -> None:
        """Sum up."""
        self._screen.head("Summary")
        for transport, went_well, one in self._results:
            messages = one.messages_sent + one.messages_received
            octets = one.octets_sent + one.octets_received
            words = f"{messages} messages, {amount(octets)}, {one.seconds:.1f} s"
            self._screen.fact(f"over {transport.upper()}", words, holds=went_well)
        self._screen.fact("saved in", str(saved))
        if self._json is not None:
            self._json.tell(self._total())

    def complain(self, complaint: str) -> None:
        """Say what one of the processes has complained of."""
        self._screen.note(f"  {complaint}")

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Take an event of the demo itself: that it has failed."""
        if self._json is not None:
            self._json.tell(event, when, call=call)

    # What the parties tell.

    def hear(
        self, transport: str, party: str, event: Event, when: datetime.datetime
    ) -> None:
        """Take an event of a party."""
        if self._json is not None:
            self._json.tell(event, when, party=party, transport=transport)
        self._waiting.append((when, party, event))

    @contextlib.asynccontextmanager
    async def showing(self) -> AsyncIterator[None]:
        """Show what is heard, as long as this lasts."""
        task = asyncio.create_task(self._keep_showing(), name="msrp-chat view")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))
            self._show_waiting()
            self._screen.close()

    async def _keep_showing(self) -> None:
        while True:
            await asyncio.sleep(_SETTLING_TIME)
            self._show_waiting()

    def _show_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for when, party, event in sorted(waiting, key=lambda each: each[0]):
            self._show(party, event, when)

    def _show(self, party: str, event: Event, when: datetime.datetime) -> None:
        match event:
            case Sending(sha256=str(sha256)):
                self._sent[event.message_id] = sha256
                if event.kind == "file":
                    self._labelled[party].tell(event, when)
            case FileReceived():
                self._show_file(party, event, when)
            case Report(status=200, first=1, last=int(last)):
                line = Line(f"delivery report: all {last:,} octets", Mood.GOOD)
                self._screen.show(line, _other(party), when)
            case Ended() if party == CALLER:
                bye = Line("BYE", who=Who.US, note="the call is over")
                self._screen.show(bye, party, when)
            case _:
                if isinstance(event, (*_SHOWN[party], *_SHOWN_OF_BOTH)):
                    self._labelled[party].tell(event, when)

    def _show_file(
        self, party: str, file: FileReceived, when: datetime.datetime
    ) -> None:
        called = file.filename or file.content_type
        text = f"[{called}, {amount(file.octets)}] is here"
        self._screen.show(Line(text, Mood.GOOD, Who.US, "SHA-256:"), party, when)
        sent = self._sent.get(file.message_id)
        self._screen.fact("sent", sent or "unknown")
        self._screen.fact("received", file.sha256, holds=file.sha256 == sent)
        self._screen.fact("saved", file.path)

    def _total(self) -> Summary:
        summaries = [summary for _, _, summary in self._results]
        return Summary(
            sessions=sum(s.sessions for s in summaries),
            messages_sent=sum(s.messages_sent for s in summaries),
            messages_received=sum(s.messages_received for s in summaries),
            octets_sent=sum(s.octets_sent for s in summaries),
            octets_received=sum(s.octets_received for s in summaries),
            seconds=round(sum(s.seconds for s in summaries), 3),
        )


def _other(party: str) -> str:
    return CONSOLE if party == CALLER else CALLER
