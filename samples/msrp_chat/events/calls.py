"""What happens to a call, from INVITE to BYE, and to the program."""

from __future__ import annotations

from dataclasses import dataclass

from msrp_chat.events.event import Event
from msrp_chat.terminal.line import Line, Mood, Who, amount

__all__ = [
    "Answered",
    "Calling",
    "Ended",
    "HelpWanted",
    "Invited",
    "Listening",
    "Notice",
    "Opened",
    "Problem",
    "Ringing",
    "Summary",
    "Traced",
]


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
class HelpWanted(Event):
    """It is a call for help, or brings a location; what it brings."""

    name = "emergency"

    service: str | None
    test: bool
    """Whether nobody is in need."""

    locations: tuple[str, ...]
    """Where the caller is, or where that is to be had, in words."""

    languages: tuple[str, ...]
    """What the caller speaks, the best first."""

    identifier: str | None
    """What the call is called in all networks."""

    warnings: tuple[str, ...]
    """What is wrong with it."""

    def line(self) -> Line:
        """Say it in a few words."""
        said = [f"{self.service or 'a call'}{' (a test)' if self.test else ''}"]
        said += [f"from {location}" for location in self.locations]
        said += [f"speaks {', '.join(self.languages)}"] if self.languages else []
        said += [f"({warning})" for warning in self.warnings]
        return Line("; ".join(said), Mood.BAD if not self.test else Mood.GOOD, Who.THEM)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced(Event):
    """A request or a response has gone over the wire."""

    name = "trace"

    protocol: str
    """``SIP`` or ``MSRP``."""

    direction: str
    """``sent`` or ``received``."""

    peer: str
    """The other end, as host and port."""

    size: int
    """Octets on the wire."""

    text: str
    """It, or its beginning, without credentials; what isn't text is left out."""

    def line(self) -> Line:
        """Show it whole, below a line that says what it is."""
        arrow = "→" if self.direction == "sent" else "←"
        head = f"{arrow} {self.protocol} {self.peer} ({amount(self.size)})"
        return Line("\n".join([head, *self.text.splitlines()]))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _over(tls: bool) -> str:
    return "MSRP over TLS" if tls else "MSRP over TCP"
