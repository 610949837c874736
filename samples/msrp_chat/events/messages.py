"""What happens to messages, ours and theirs."""

from __future__ import annotations

from dataclasses import dataclass

from msrp_chat.events.event import Event
from msrp_chat.terminal.line import Line, Mood, Who, amount, one_line

__all__ = [
    "Composing",
    "Delivered",
    "Displayed",
    "FileReceived",
    "Incomplete",
    "Message",
    "Progress",
    "Receiving",
    "Refused",
    "Report",
    "Sending",
    "Sent",
    "TextReceived",
    "Undelivered",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending(Event):
    """A message is on its way."""

    name = "sending"

    message_id: str
    kind: str
    """``text``, ``cpim``, ``file``, ``offer``, ``multipart`` or ``echo``."""

    content_type: str
    octets: int
    """Those of the text or the file, without what goes around them."""

    text: str | None = None
    filename: str | None = None
    sha256: str | None = None
    """Of the file."""

    to: str | None = None
    """The one it is for, if it isn't for all in a room."""

    receipt: bool = False
    """Whether we have asked to hear when it is displayed."""

    def line(self) -> Line | None:
        """Show what we say."""
        if self.kind == "echo":
            return None
        said = [] if self.text is None else [self.text]
        if self.filename is not None:
            said.append(f"[{one_line(self.filename)}, {amount(self.octets)}]")
        note = self.content_type if self.to is None else f"to {self.to} alone"
        return Line("  ".join(said), Mood.SAID, Who.US, note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """Some of a file is on its way."""

    name = "progress"

    message_id: str
    filename: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """The last octet of a message has gone out."""

    name = "sent"

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Event):
    """A message has arrived, as far as its sender can know."""

    name = "delivered"

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Displayed(Event):
    """The peer tells that somebody has seen a message, or won't tell."""

    name = "displayed"

    message_id: str
    status: str
    """``displayed``, or why that isn't known: ``forbidden``, ``error``."""

    by: str | None
    """Who has seen it, if that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composing(Event):
    """Somebody has begun to type, or has stopped."""

    name = "composing"

    active: bool
    sender: str | None
    """Who, if that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered(Event):
    """A message didn't arrive, or nobody knows."""

    name = "undelivered"

    message_id: str
    status: int | None
    """The code that the peer or a relay gave, if any."""

    reason: str

    def line(self) -> Line:
        """Say why."""
        return Line(f"not delivered: {self.reason}", Mood.BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """A message has arrived; what is in it follows."""

    name = "message"

    message_id: str
    content_type: str
    octets: int
    sender: str | None
    """Who it says it is from."""

    problem: str | None = None
    """Why something in it couldn't be read as it should have been."""

    def line(self) -> Line | None:
        """Show only what is odd."""
        return None if self.problem is None else Line(self.problem, Mood.BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReceived(Event):
    """Text has arrived, alone or as a part of a message."""

    name = "text"

    message_id: str
    text: str
    content_type: str
    """That of the message it is in."""

    speaker: str | None = None
    """Who says it, where there are several."""

    private: bool = False
    """Whether it is for us alone, in a room."""

    def line(self) -> Line:
        """Show it."""
        note = "to you alone" if self.private else self.content_type
        return Line(self.text, Mood.SAID, Who.THEM, note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving(Event):
    """Some of a long message has arrived."""

    name = "receiving"

    message_id: str
    filename: str | None
    content_type: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceived(Event):
    """A file has arrived and was saved."""

    name = "file"

    message_id: str
    filename: str | None
    """What the sender calls it, made harmless."""

    content_type: str
    octets: int
    sha256: str
    path: str
    """Where it was saved."""

    width: int | None = None
    """Of a picture."""

    height: int | None = None

    def line(self) -> Line:
        """Show where it is."""
        called = one_line(self.filename or self.content_type)
        path = one_line(self.path)
        size = amount(self.octets)
        if self.width is not None:
            size += f", {self.width} × {self.height}"
        text = f"[{called}, {size}] saved as {path}"
        return Line(text, Mood.SAID, Who.THEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Event):
    """A delivery report about a message of ours."""

    name = "report"

    message_id: str
    status: int
    first: int | None = None
    """The first octet that it is about, counted from one."""

    last: int | None = None

    def line(self) -> Line | None:
        """Say it once per message, and when something is wrong."""
        if self.status != 200:
            return Line(f"delivery report: {self.status}", Mood.BAD)
        if self.first not in (1, None) or self.last is None:
            return None
        return Line(f"delivery report: all {self.last:,} octets", Mood.GOOD, Who.THEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    """We have refused a message."""

    name = "refused"

    message_id: str
    content_type: str
    status: int

    def line(self) -> Line:
        """Say which."""
        text = f"refused a message of type {self.content_type} with {self.status}"
        return Line(text, Mood.BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete(Event):
    """A message of which no more will come; what there is was kept."""

    name = "incomplete"

    message_id: str
    content_type: str
    octets: int
    path: str | None
    """Where that is; ``None`` if there was nothing."""

    problem: str

    def line(self) -> Line:
        """Say what is left of it."""
        kept = "" if self.path is None else f", kept as {one_line(self.path)}"
        text = f"a message broke off after {amount(self.octets)}{kept}: {self.problem}"
        return Line(text, Mood.BAD)
