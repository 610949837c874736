"""The demo's own judgement: each thing that is missing must make it fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from msrp_chat.conversation.save import digest
from msrp_chat.demo.checks import Transcript, checks_of
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

TYPES = {
    "text": "text/plain;charset=utf-8",
    "cpim": "message/cpim",
    "multipart": 'multipart/mixed;boundary="b"',
    "file": "image/jpeg",
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"a picture")
    return path


def send(
    sender: Transcript, recipient: Transcript, message_id: str, kind: str, path: Path
) -> None:
    sent: list[Event] = [
        Sending(message_id=message_id, kind=kind, content_type="", octets=1, text="A"),
        Delivered(message_id=message_id),
        Report(message_id=message_id, status=200),
    ]
    sender.events += sent
    message = Message(
        message_id=message_id, content_type=TYPES[kind], octets=1, sender=None
    )
    text = TextReceived(message_id=message_id, text="A", content_type="")
    file = FileReceived(
        message_id=message_id, filename="a", content_type="", octets=1,
        sha256=digest(path), path=str(path),
    )  # fmt: skip
    recipient.events.append(message)
    if kind != "file":
        recipient.events.append(text)
    if kind in ("file", "multipart"):
        recipient.events.append(file)


@pytest.fixture
def parties(picture: Path) -> tuple[Transcript, Transcript]:
    """Return what both tell when all is well."""
    caller, console = Transcript(exit_code=0), Transcript(exit_code=0)
    caller.events.append(Ringing(status=180, reason="Ringing"))
    for party in (caller, console):
        party.events += [Answered(), Opened(tls=True, active=party is caller)]
    for number, kind in enumerate(TYPES):
        send(caller, console, f"caller{number}", kind, picture)
        if kind != "file":
            send(console, caller, f"console{number}", kind, picture)
    caller.events.append(Ended(reason="we hung up"))
    console.events.append(Ended(reason="the peer hung up"))
    return caller, console


def failed(parties: tuple[Transcript, Transcript], sent: Path) -> list[str]:
    return [c.claim for c in checks_of(*parties, tls=True, sent=sent) if not c.holds]


def test_all_is_well_when_all_has_happened(
    parties: tuple[Transcript, Transcript], picture: Path
) -> None:
    assert failed(parties, picture) == []


def test_nothing_is_well_when_nothing_has_happened(picture: Path) -> None:
    checks = checks_of(Transcript(), Transcript(), tls=True, sent=picture)
    assert [check.claim for check in checks if check.holds] == []


@pytest.mark.parametrize("party", [0, 1], ids=["caller", "console"])
def test_each_thing_that_is_missing_is_noticed(
    parties: tuple[Transcript, Transcript], picture: Path, party: int
) -> None:
    transcript = parties[party]
    for event in list(transcript.events):
        at = transcript.events.index(event)
        del transcript.events[at]
        # Only the caller's picture has to be reported, and is no message to read.
        picture_id = getattr(event, "message_id", "") == "caller3"
        needless = (isinstance(event, Report) and not picture_id) or (
            isinstance(event, Message) and picture_id
        )
        assert bool(failed(parties, picture)) != needless, event
        transcript.events.insert(at, event)
    assert failed(parties, picture) == []


def _exit_code(caller: Transcript, saved: Path) -> None:
    caller.exit_code = 1


def _transport(caller: Transcript, saved: Path) -> None:
    caller.events[:] = [
        Opened(tls=False, active=True) if isinstance(e, Opened) else e
        for e in caller.events
    ]


def _octet(caller: Transcript, saved: Path) -> None:
    saved.write_bytes(b"a pictuRe")


def _file(caller: Transcript, saved: Path) -> None:
    saved.unlink()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_exit_code, id="exit-code"),
        pytest.param(_transport, id="transport"),
        pytest.param(_octet, id="another-octet"),
        pytest.param(_file, id="no-file"),
    ],
)
def test_each_thing_that_is_wrong_is_noticed(
    parties: tuple[Transcript, Transcript],
    picture: Path,
    tmp_path: Path,
    spoil: Callable[[Transcript, Path], None],
) -> None:
    sent = tmp_path / "sent.jpg"
    sent.write_bytes(picture.read_bytes())
    assert failed(parties, sent) == []
    spoil(parties[0], picture)
    assert failed(parties, sent) != []
