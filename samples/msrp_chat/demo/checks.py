"""What has to be true after a call of the demo, from what both parties told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from msrp_chat.conversation.save import digest
from msrp_chat.events import (
    Answered,
    Delivered,
    Ended,
    Event,
    FileReceived,
    Message,
    Opened,
    Report,
    Ringing,
    Sending,
    TextReceived,
)

__all__ = ["Check", "Transcript", "checks_of"]

EventT = TypeVar("EventT", bound=Event)


@dataclass(slots=True)
class Transcript:
    """What one party told."""

    events: list[Event] = field(default_factory=list)
    exit_code: int | None = None

    def every(self, kind: type[EventT]) -> list[EventT]:
        """Return all events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def ids(self, kind: str) -> set[str]:
        """Return the ids of all messages of one kind that were sent."""
        return {s.message_id for s in self.every(Sending) if s.kind == kind}


@dataclass(frozen=True, slots=True)
class Check:
    """Something that has to be true, and whether it is."""

    claim: str
    holds: bool


def checks_of(
    caller: Transcript, console: Transcript, *, tls: bool, sent: Path
) -> list[Check]:
    """Check one call.

    Args:
        caller: What the caller told.
        console: What the console told.
        tls: Whether the session was to run over TLS.
        sent: The file that went both ways.
    """
    checks = [
        Check("INVITE was answered with 180", _rang(caller)),
        Check(
            "200 and ACK set the call up",
            all(len(party.every(Answered)) == 1 for party in (caller, console)),
        ),
        Check(
            f"the session ran over {'TLS' if tls else 'TCP'}",
            all(
                [o.tls for o in party.every(Opened)] == [tls]
                for party in (caller, console)
            ),
        ),
        Check("BYE ended the call on both sides", _ended(caller, console)),
        Check(
            "both processes ended with 0",
            caller.exit_code == console.exit_code == 0,
        ),
    ]
    expected = digest(sent)
    checks += _checks_one_way(caller, console, "the caller's", expected)
    checks += _checks_one_way(console, caller, "the console's", expected)
    checks += _check_picture(caller, console, expected)
    return checks


def _rang(caller: Transcript) -> bool:
    return any(ringing.status == 180 for ringing in caller.every(Ringing))


def _ended(caller: Transcript, console: Transcript) -> bool:
    reasons = [e.reason for party in (caller, console) for e in party.every(Ended)]
    return reasons == ["we hung up", "the peer hung up"]


def _checks_one_way(
    sender: Transcript, recipient: Transcript, whose: str, expected: str
) -> Iterator[Check]:
    """Check what every party sends: text, CPIM, and a multipart message."""
    said = {s.message_id: s.text for s in sender.every(Sending)}
    heard = {t.message_id: t.text for t in recipient.every(TextReceived)}
    types = {m.message_id: m.content_type for m in recipient.every(Message)}
    saved = {f.message_id: f for f in recipient.every(FileReceived)}
    delivered = {d.message_id for d in sender.every(Delivered)}
    for kind, essence in (
        ("text", "text/plain"),
        ("cpim", "message/cpim"),
        ("multipart", "multipart/mixed"),
    ):
        ids = sender.ids(kind)
        arrived = bool(ids) and all(
            heard.get(i) == said[i] and types.get(i, "").startswith(essence)
            for i in ids
        )
        yield Check(f"{whose} texts arrived as {essence}", arrived)
    files = sender.ids("file") | sender.ids("multipart")
    yield Check(
        f"{whose} pictures arrived and were saved octet for octet",
        bool(files)
        and files <= saved.keys()
        and all(_is_identical(file, expected) for file in saved.values()),
    )
    yield Check(
        f"{whose} messages are all known to be delivered",
        bool(said) and delivered == said.keys(),
    )


def _check_picture(
    caller: Transcript, console: Transcript, expected: str
) -> Sequence[Check]:
    pictures = caller.ids("file")
    received = {f.message_id for f in console.every(FileReceived)}
    reported = {r.message_id for r in caller.every(Report) if r.status == 200}
    return (
        Check("the picture arrived by itself", bool(pictures) and pictures <= received),
        Check(
            "a delivery report came back for it",
            bool(pictures) and pictures <= reported,
        ),
    )


def _is_identical(file: FileReceived, expected: str) -> bool:
    try:
        return file.sha256 == digest(Path(file.path)) == expected
    except OSError:
        return False
