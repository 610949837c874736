"""Events as JSON and as lines."""

from __future__ import annotations

import datetime
import io

import pytest

from msrp_chat.events import Event, Report, Sending, TextReceived, from_json, to_json
from msrp_chat.events.for_people import HumanOutput
from msrp_chat.terminal.colour import ColourScreen
from msrp_chat.terminal.line import Line, Mood, Who
from msrp_chat.terminal.plain import PlainScreen
from msrp_chat.terminal.screen import Screen, harmless

NOON = datetime.datetime(2026, 5, 15, 12, 0, 0, 250_000, datetime.UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "event",
    [
        TextReceived(
            message_id="1", text="a\n\x1b[2J\u202e", content_type="text/plain"
        ),
        Sending(message_id="1", kind="text", content_type="x/y", octets=3),
        Report(message_id="1", status=200, first=1, last=10),
    ],
)
def test_an_event_can_be_read_again(event: Event) -> None:
    line = to_json(event, NOON, party="caller")
    assert line.isascii()
    assert "\n" not in line
    assert '"party": "caller"' in line
    assert from_json(to_json(event, NOON)) == (event, NOON)


@pytest.mark.parametrize("line", ["", "{}", "[]", "1", '{"event": "nonsense"}'])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        from_json(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("a\rb", "a\ufffdb"),
        ("one\r\ntwo\tthree", "one\ntwo three"),
        ("\u202ecod.exe", "\ufffdcod.exe"),
        ("\x9b2J", "\ufffd2J"),
        ("👩\u200d🚒 é", "👩\u200d🚒 é"),
    ],
)
def test_nothing_reaches_the_terminal_that_could_command_it(
    text: str, shown: str
) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("kind", [PlainScreen, ColourScreen])
def test_what_a_peer_says_is_shown_as_it_is(
    kind: type[PlainScreen | ColourScreen],
) -> None:
    stream = Terminal()
    screen: Screen = kind(stream)
    said = TextReceived(
        message_id="1", text="[red]no [/markup] \x1b[2J", content_type="text/plain"
    )
    HumanOutput(screen, "you", "ann").tell(said, NOON)
    assert "ann" in stream.getvalue()
    assert "[red]no [/markup] \ufffd[2J" in stream.getvalue()


def test_plain_lines_are_one_below_the_other() -> None:
    stream = io.StringIO()
    screen = PlainScreen(stream)
    screen.show(Line("one\ntwo", Mood.SAID, Who.THEM, "note"), "ann", NOON)
    screen.show(Line("broken", Mood.BAD), "", NOON)
    clock = NOON.astimezone().strftime("%H:%M:%S")
    assert stream.getvalue() == (
        f"{clock} ann      one\n                  two  (note)\n"
        f"{clock}          ! broken\n"
    )


def test_a_bar_in_plain_text_shows_quarters_once() -> None:
    stream = io.StringIO()
    screen = PlainScreen(stream)
    for done in range(0, 1001, 10):
        screen.progress("1", "a.jpg", done, 1000)
    assert [line.split("] ")[1] for line in stream.getvalue().splitlines()] == [
        f"{quarter} % of 1.0 kB" for quarter in (25, 50, 75, 100)
    ]


def test_a_bar_in_the_terminal_ends_at_the_whole() -> None:
    stream = Terminal()
    screen = ColourScreen(stream)
    for done in (0, 500_000, 1_000_000):
        screen.progress("1", "a.jpg", done, 1_000_000)
    screen.close()
    assert "a.jpg" in stream.getvalue()
    assert "100 %" in stream.getvalue()


def test_a_reader_that_has_gone_away_is_no_fault() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    PlainScreen(Broken()).note("anybody?")
