"""Events as lines in the terminal."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from msrp_chat.events.calls import (
    Calling,
    Ended,
    Invited,
    Listening,
    Opened,
    Problem,
    Summary,
)
from msrp_chat.events.event import Event
from msrp_chat.events.messages import (
    Composing,
    Delivered,
    Displayed,
    FileReceived,
    Incomplete,
    Message,
    Progress,
    Receiving,
    Refused,
    Report,
    Sending,
    Sent,
    TextReceived,
    Undelivered,
)
from msrp_chat.terminal.line import Line, Tick, Who
from msrp_chat.terminal.screen import LABEL_WIDTH, Screen, harmless

__all__ = ["HumanOutput", "short_name"]

_SOMEBODY = "peer"

_MOST_TYPING = 3
"""Names that there is room for."""


class HumanOutput:
    """One line per event that is worth one.

    Args:
        screen: Where to write.
        us: What to call our side.
        them: What to call the other; by default as its URI does.
        brief: Whether to leave out of what type texts are.
    """

    def __init__(
        self,
        screen: Screen,
        us: str = "you",
        them: str | None = None,
        *,
        brief: bool = False,
    ) -> None:
        self.screen = screen
        self._us = us
        self._them = them
        self._brief = brief
        self._names: dict[int, str] = {}
        """Who is in the calls that are going on."""
        self._numbered: set[int] = set()
        """Those of them that have to be told apart."""
        self._opened: set[int] = set()
        """Those in which messages can flow."""
        self._idle = ""
        self._typing: dict[str, None] = {}

    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        """Show an event, with the number of its call if there are several."""
        when = when or datetime.datetime.now(datetime.UTC)
        number = self._number(event, call)
        line = self._shorter(event)
        label = "" if line is None else self._label(line, call, number)
        if isinstance(event, TextReceived) and event.speaker is not None:
            label = short_name(event.speaker)
        if isinstance(event, Sending) and line is not None:
            self.screen.begin(
                event.message_id, line, label, when, receipt=event.receipt
            )
            return
        self._change(event, self._who_sends(call, number))
        if line is not None and not self._is_ticked(event):
            self.screen.show(line, label, when)
        if isinstance(event, FileReceived) and event.width is not None:
            self.screen.picture(Path(event.path))
        self._set_status(event, call)

    def _shorter(self, event: Event) -> Line | None:
        line = event.line()
        if line is None or not self._brief:
            return line
        match event:
            case Sending(filename=None, to=None) | TextReceived(private=False):
                return replace(line, note="")
        return line

    def _is_ticked(self, event: Event) -> bool:
        """Tell whether a tick says as much as a line would."""
        return isinstance(event, Report) and event.status == 200 and self.screen.ticks

    def _change(self, event: Event, sender: str) -> None:
        """Change the line of what began before."""
        match event:
            case Sent():
                self.screen.tick(event.message_id, Tick.SENT)
            case Delivered():
                self.screen.tick(event.message_id, Tick.DELIVERED)
            case Displayed(status="displayed"):
                self.screen.tick(event.message_id, Tick.DISPLAYED)
            case Composing():
                who = sender if event.sender is None else short_name(event.sender)
                self._set_typing(who, event.active)
            case Undelivered():
                self.screen.tick(event.message_id, Tick.FAILED)
            case Progress():
                self.screen.progress(
                    event.message_id, event.filename, event.done, event.total
                )
            case Receiving():
                name = event.filename or event.content_type
                self.screen.progress(
                    event.message_id, name, event.done, event.total, sender
                )
            case Message() | FileReceived() | Incomplete() | Refused():
                self.screen.drop(event.message_id)

    def _set_typing(self, who: str, active: bool) -> None:
        if active:
            self._typing[who] = None
        else:
            self._typing.pop(who, None)
        names = list(self._typing)[:_MOST_TYPING]
        verb = "is" if len(names) == 1 else "are"
        self.screen.typing = f"{', '.join(names)} {verb} typing …" if names else ""

    # Who it is.

    def _number(self, event: Event, call: int | None) -> int | None:
        """Return the number of a call if it has to be told."""
        if call is None:
            return None
        match event:
            case Calling():
                self._names[call] = short_name(event.uri)
            case Invited():
                self._names[call] = short_name(event.sender)
        self._names.setdefault(call, _SOMEBODY)
        if len(self._names) > 1:
            self._numbered |= self._names.keys()
        return call if call in self._numbered else None

    def _label(self, line: Line, call: int | None, number: int | None) -> str:
        if line.who is Who.THEM:
            return self._who_sends(call, number)
        return _numbered(self._us if line.who is Who.US else "", number)

    def _who_sends(self, call: int | None, number: int | None) -> str:
        them = self._them or self._names.get(call or 0, _SOMEBODY)
        return _numbered(them, number)

    def _set_status(self, event: Event, call: int | None) -> None:
        """Say in the line for that what is going on in all."""
        match event:
            case Listening():
                self._idle = f"waiting at {event.uri}"
            case Opened():
                name = self._names.get(call or 0, _SOMEBODY)
                over = "TLS" if event.tls else "TCP"
                self.screen.status = f"with {name} over {over}"
                self._opened.add(call or 0)
                return
            case Problem() | Summary() if call is not None:
                self._forget(call)
            case Ended() if call is not None and call not in self._opened:
                self._forget(call)  # It never was one, and there is no summary.
            case _:
                return
        if not self._opened:
            self.screen.status = self._idle

    def _forget(self, call: int) -> None:
        self._set_typing(self._names.pop(call, _SOMEBODY), active=False)
        self._numbered.discard(call)
        self._opened.discard(call)


def _numbered(label: str, number: int | None) -> str:
    if number is None:
        return label
    # The number is what counts, so it is the name that is cut.
    label = (label or "call")[: LABEL_WIDTH - 1 - len(str(number))]
    return f"{label} {number}"


def short_name(uri: str) -> str:
    """Return what to call whoever has a URI, in a few characters.

    It may be what a stranger has written, and never looks as if it were us.
    """
    whole = uri.partition(";")[0].partition("?")[0]
    user, at, _ = whole.partition(":")[2].partition("@")
    name = user.rpartition(":")[2] if not at else user
    name = "".join(harmless(name).split())[:LABEL_WIDTH]
    return _SOMEBODY if name.casefold() in ("", "you", "call") else name
