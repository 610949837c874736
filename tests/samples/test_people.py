"""Events as people see them: names, ticks, who types, what is going on."""

from __future__ import annotations

import asyncio
import io
import re

import pytest

from msrp_chat.events import (
    Calling,
    Composing,
    Delivered,
    Displayed,
    Ended,
    FileReceived,
    Incomplete,
    Invited,
    Listening,
    Opened,
    Receiving,
    Report,
    Sending,
    Sent,
    Summary,
    TextReceived,
    Undelivered,
)
from msrp_chat.events.for_people import HumanOutput, short_name
from msrp_chat.terminal.colour import ColourScreen
from msrp_chat.terminal.plain import PlainScreen

SUMMARY = Summary(
    sessions=1, messages_sent=0, messages_received=0, octets_sent=0, octets_received=0,
    seconds=1.0,
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("sip:console@127.0.0.1:5060;transport=tcp", "console"),
        ("sip:+12025550123@example.com", "+1202555"),
        ("tel:+12025550123", "+1202555"),
        ("urn:service:sos.fire", "sos.fire"),
        ("sip:you@example.com", "peer"),
        ("sip:YOU@example.com", "peer"),
        ("sip:example.com", "example."),
        ("sip:\x1b[2J\u202ea@b.example", "�[2J�a"),
        ("", "peer"),
    ],
)
def test_a_peer_is_called_by_its_uri_and_never_as_we_are(uri: str, name: str) -> None:
    assert short_name(uri) == name


def said(key: str, text: str, *, receipt: bool = False) -> Sending:
    return Sending(
        message_id=key, kind="text", content_type="text/plain", octets=1, text=text,
        receipt=receipt,
    )  # fmt: skip


def heard(
    text: str, speaker: str | None = None, *, private: bool = False
) -> TextReceived:
    return TextReceived(
        message_id="x", text=text, content_type="text/plain", speaker=speaker,
        private=private,
    )  # fmt: skip


@pytest.fixture
def screen() -> ColourScreen:
    """Return one whose pending lines somebody else draws."""
    return ColourScreen(Terminal(), prompting=True)


@pytest.fixture
def output(screen: ColourScreen) -> HumanOutput:
    return HumanOutput(screen)


class Shown:
    """All that was written to stdout so far, without colours."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def __str__(self) -> str:
        self._text += re.sub(r"\x1b\[[0-9;]*m", "", self._capture.readouterr().out)
        return self._text


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    return Shown(capsys)


def pending(screen: ColourScreen) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.pending_lines())


def test_a_message_waits_below_until_it_has_arrived(
    screen: ColourScreen, output: HumanOutput, shown: Shown
) -> None:
    output.tell(said("1", "Hello"))
    assert "Hello" in pending(screen)
    assert "…" in pending(screen)
    output.tell(Sent(message_id="1"))
    assert "✓" in pending(screen)
    assert str(shown) == ""
    output.tell(Delivered(message_id="1"))
    assert pending(screen) == ""
    assert re.search(r"you +Hello +text/plain  ✓✓", str(shown))


def test_what_has_not_arrived_says_so_and_why(
    output: HumanOutput, shown: Shown
) -> None:
    output.tell(said("1", "Hello"))
    output.tell(Undelivered(message_id="1", status=413, reason="too much"))
    assert re.search(r"Hello +text/plain  ✗", str(shown))
    assert "not delivered: too much" in str(shown)


async def test_a_receipt_is_waited_for_but_not_when_an_answer_comes(
    screen: ColourScreen, output: HumanOutput, shown: Shown
) -> None:
    output.tell(said("1", "one", receipt=True))
    output.tell(Delivered(message_id="1"))
    assert "✓✓" in pending(screen)
    output.tell(Displayed(message_id="1", status="displayed", by=None))
    assert "✓✓\N{NO-BREAK SPACE}read" in str(shown)
    output.tell(said("2", "two", receipt=True))
    output.tell(Delivered(message_id="2"))
    output.tell(heard("an answer"))
    assert pending(screen) == ""
    assert str(shown).index("two") < str(shown).index("an answer")
    output.tell(Displayed(message_id="2", status="displayed", by=None))
    assert "✓✓ read: two" in str(shown)


async def test_nobody_waits_for_a_receipt_for_ever(
    screen: ColourScreen,
    output: HumanOutput,
    monkeypatch: pytest.MonkeyPatch,
    shown: Shown,
) -> None:
    monkeypatch.setattr("msrp_chat.terminal.colour._READING", 0.0)
    output.tell(said("1", "one", receipt=True))
    output.tell(Delivered(message_id="1"))
    await asyncio.sleep(0.01)
    assert pending(screen) == ""
    output.tell(Displayed(message_id="1", status="forbidden", by=None))
    assert "read" not in str(shown)


def test_of_many_that_wait_the_last_are_shown_and_the_others_counted(
    screen: ColourScreen, output: HumanOutput, shown: Shown
) -> None:
    for number in range(50):
        output.tell(said(str(number), f"text {number},"))
    lines = pending(screen).splitlines()
    assert len(lines) == 9
    assert "… and 42 more" in lines[0]
    assert "text 49," in lines[-1]
    screen.close()
    assert pending(screen) == ""
    assert "text 0," in str(shown)


def test_a_name_with_line_ends_takes_one_line(
    screen: ColourScreen, output: HumanOutput
) -> None:
    output.tell(
        Receiving(
            message_id="1", filename="a\nb\x1b[2J", content_type="x/y", done=1, total=4
        )
    )
    (line,) = pending(screen).splitlines()
    assert "a b\ufffd[2J" in line
    assert "25 % of 4 octets" in line


def test_a_success_report_is_a_tick_where_there_are_ticks(
    output: HumanOutput, shown: Shown
) -> None:
    report = Report(message_id="1", status=200, first=1, last=3)
    output.tell(report)
    assert str(shown) == ""
    paper = io.StringIO()
    HumanOutput(PlainScreen(paper)).tell(report)
    assert "delivery report: all 3 octets" in paper.getvalue()


def test_the_status_says_who_is_there_and_who_types(
    screen: ColourScreen, output: HumanOutput
) -> None:
    output.tell(Listening(uri="sip:a@b.example", tls=False))
    output.tell(Invited(sender="sip:ann@example.com", uri="sip:a@b.example"), call=1)
    output.tell(Opened(tls=True, active=False), call=1)
    assert screen.status == "with ann over TLS"
    for name in ("bob", "cid", "dan", "eve"):
        output.tell(Composing(active=True, sender=f"sip:{name}@example.com"), call=1)
    assert screen.typing == "bob, cid, dan are typing …"
    for name in ("bob", "cid", "dan", "eve"):
        output.tell(Composing(active=False, sender=f"sip:{name}@example.com"), call=1)
    output.tell(Composing(active=True, sender=None), call=1)
    assert screen.typing == "ann is typing …"
    output.tell(Ended(reason="the peer hung up"), call=1)
    output.tell(SUMMARY, call=1)
    assert (screen.status, screen.typing) == ("waiting at sip:a@b.example", "")


def test_a_bar_is_gone_when_the_file_is_here_or_will_never_be(
    screen: ColourScreen, output: HumanOutput
) -> None:
    for end in (
        FileReceived(
            message_id="1", filename="a", content_type="x/y", octets=4, sha256="",
            path="/a",
        ),
        Incomplete(
            message_id="1", content_type="x/y", octets=1, path=None, problem="lost"
        ),
    ):  # fmt: skip
        output.tell(
            Receiving(message_id="1", filename="a", content_type="x/y", done=1, total=4)
        )
        assert pending(screen) != ""
        output.tell(end)
        assert pending(screen) == ""


def test_a_call_that_is_refused_meanwhile_leaves_no_trace(
    screen: ColourScreen, output: HumanOutput, shown: Shown
) -> None:
    output.tell(Listening(uri="sip:a@b.example", tls=False))
    output.tell(Invited(sender="sip:ann@example.com", uri="sip:a@b.example"), call=1)
    output.tell(Opened(tls=False, active=False), call=1)
    output.tell(Invited(sender="sip:bob@example.com", uri="sip:a@b.example"), call=2)
    output.tell(Ended(reason="refused the call with 486"), call=2)
    assert screen.status == "with ann over TCP"
    assert "bob 2" in str(shown)
    output.tell(Ended(reason="the peer hung up"), call=1)
    output.tell(SUMMARY, call=1)
    output.tell(Invited(sender="sip:cid@example.com", uri="sip:a@b.example"), call=3)
    assert "cid      calls" in str(shown), "there is but one again"


def test_in_a_room_each_text_has_the_name_of_its_speaker() -> None:
    paper = io.StringIO()
    output = HumanOutput(PlainScreen(paper))
    output.tell(
        Calling(uri="sip:room@example.com", sender="sip:a@b", tls=False), call=1
    )
    output.tell(heard("Hello all", "sip:bob@example.com"), call=1)
    output.tell(heard("Psst", "sip:cid@example.com", private=True), call=1)
    assert "bob      Hello all  (text/plain)" in paper.getvalue()
    assert "cid      Psst  (to you alone)" in paper.getvalue()
