"""What happens in a call, and how it is said to people.

Each event is one JSON object (:func:`to_json`, :func:`from_json`) and one line in
the terminal, or none (:meth:`Event.line`).
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass
from typing import ClassVar

from msrp_chat.line import Line, Mood, Who, amount, one_line

__all__ = [
    "Answered",
    "Calling",
    "Delivered",
    "Ended",
    "Event",
    "FileReceived",
    "Incomplete",
    "Invited",
    "Listening",
    "Message",
    "Notice",
    "Opened",
    "Problem",
    "Progress",
    "Refused",
    "Report",
    "Ringing",
    "Sending",
    "Summary",
    "TextReceived",
    "Undelivered",
    "from_json",
    "to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened."""

    name: ClassVar[str] = ""
    """Its name in JSON."""

    def line(self) -> Line | None:
        """Return how to show it, if it is to be shown."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening(Event):
    """The other side can call or connect now."""

    name = "listening"

    uri: str
    """What to call: a SIP URI, or an MSRP URI if there is no SIP."""

    tls: bool
    fingerprint: str | None = None
    """Of our certificate."""

    def line(self) -> Line:
        """Say where to call."""
        return Line(f"waiting at {self.uri}", Mood.GOOD, note=_over(self.tls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling(Event):
    """We send an INVITE."""

    name = "calling"

    uri: str
    sender: str
    tls: bool

    def line(self) -> Line:
        """Say who is called."""
        return Line(f"INVITE {self.uri}", who=Who.US, note=_over(self.tls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited(Event):
    """Somebody calls."""

    name = "invited"

    sender: str
    uri: str
    """Whom they want."""

    def line(self) -> Line:
        """Say who calls."""
        return Line(f"calls {self.uri}", who=Who.THEM, note=self.sender)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing(Event):
    """There is a provisional response."""

    name = "ringing"

    status: int
    reason: str

    def line(self) -> Line:
        """Say what it is."""
        return Line(f"{self.status} {self.reason}", who=Who.THEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    """The call was answered with 200, and that was acknowledged with ACK."""

    name = "answered"

    def line(self) -> Line:
        """Say so."""
        return Line("200 OK, ACK", note="the call stands")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """Messages can flow."""

    name = "opened"

    tls: bool
    active: bool
    """Whether we have opened the connection."""

    def line(self) -> Line:
        """Say so."""
        return Line(f"message session: {_over(self.tls)}", Mood.GOOD)


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

    def line(self) -> Line:
        """Show where it is."""
        called = one_line(self.filename or self.content_type)
        path = one_line(self.path)
        text = f"[{called}, {amount(self.octets)}] saved as {path}"
        return Line(text, Mood.SAID, Who.THEM, f"SHA-256 {self.sha256}")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """The call or the session is over."""

    name = "ended"

    reason: str

    def line(self) -> Line:
        """Say why."""
        return Line(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Event):
    """What it amounts to."""

    name = "summary"

    sessions: int
    messages_sent: int
    messages_received: int
    octets_sent: int
    octets_received: int
    seconds: float

    def line(self) -> Line:
        """Say it in a sentence."""
        return Line(
            f"{_count(self.sessions, 'session')} of {self.seconds:.1f} s in all:"
            f" sent {_count(self.messages_sent, 'message')}"
            f" ({amount(self.octets_sent)}),"
            f" received {self.messages_received} ({amount(self.octets_received)})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something that is good to know."""

    name = "notice"

    text: str

    def line(self) -> Line:
        """Say it."""
        return Line(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Event):
    """What went wrong with a call, or with everything."""

    name = "error"

    text: str
    exit_code: int


_EVENTS: dict[str, type[Event]] = {
    event.name: event
    for event in (
        Answered,
        Calling,
        Delivered,
        Ended,
        FileReceived,
        Incomplete,
        Invited,
        Listening,
        Message,
        Notice,
        Opened,
        Problem,
        Progress,
        Refused,
        Report,
        Ringing,
        Sending,
        Summary,
        TextReceived,
        Undelivered,
    )
}


def to_json(event: Event, when: datetime.datetime, **more: str | int) -> str:
    """Return an event as one line of JSON; what isn't known is left out."""
    known = {k: v for k, v in dataclasses.asdict(event).items() if v is not None}
    stamp = when.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    return json.dumps({"event": event.name, "time": stamp, **more, **known})


def from_json(text: str) -> tuple[Event, datetime.datetime]:
    """Return the event that a line tells, and when it was.

    Raises:
        ValueError: It tells none.
    """
    members = json.loads(text)
    try:
        kind = _EVENTS[members.pop("event")]
        when = datetime.datetime.fromisoformat(members.pop("time"))
        members.pop("call", None)
        fields = {f.name: None for f in dataclasses.fields(kind)}
        return kind(**(fields | members)), when
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("no event") from exc


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _over(tls: bool) -> str:
    return "MSRP over TLS" if tls else "MSRP over TCP"
