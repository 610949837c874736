"""What happens to messages, ours and theirs."""

from __future__ import annotations

from dataclasses import dataclass

from msrp_chat.events.event import Event
from msrp_chat.terminal.line import Line, Mood, Who, amount, one_line

__all__ = [
    "Delivered",
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
    """``text``, ``cpim``, ``file``, ``multipart`` or ``echo``."""

    content_type: str
    octets: int
    """Those of the text or the file, without what goes around them."""

    text: str | None = None
    filename: str | None = None
    sha256: str | None = None
    """Of the file."""

    def line(self) -> Line | None:
        """Show what we say."""
        if self.kind == "echo":
            return None
        said = [] if self.text is None else [self.text]
        if self.filename is not None:
            said.append(f"[{one_line(self.filename)}, {amount(self.octets)}]")
        return Line("  ".join(said), Mood.SAID, Who.US, self.content_type)


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

    def line(self) -> Line:
        """Show it."""
        return Line(self.text, Mood.SAID, Who.THEM, self.content_type)


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
