"""The program in a real terminal, as people see it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.samples.processes import PICTURE, Chats
from tests.samples.terminals import Terminal, needs_tmux, open_terminal

pytestmark = needs_tmux

CLOCK = re.compile(r"^\d\d:\d\d:\d\d ")


@pytest_asyncio.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    async with open_terminal(tmp_path) as opened:
        yield opened


async def call(
    terminal: Terminal, uri: str, *, width: int = 80, height: int = 24
) -> None:
    """Call somebody, and wait for the prompt."""
    await terminal.run("call", uri, width=width, height=height)
    await terminal.shows("Type what you want", "\n>")


async def at_the_bottom(terminal: Terminal) -> str:
    """Return what stands in the line to type, which is the last but the status."""
    lines = await terminal.until(
        lambda lines: lines[-1].startswith(" with console over TCP")
    )
    typed = next(line for line in reversed(lines[:-1]) if line)
    assert typed.startswith(">")
    return typed


async def test_the_prompt_stays_at_the_bottom_while_messages_arrive(
    terminal: Terminal, chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("expect go\n" + "text still here\n" * 40 + "text the last\n")
    listener, uri = await chats.listen("--script", script)
    await call(terminal, uri)
    await terminal.say("go")
    await terminal.type("half a sente")
    lines = await terminal.shows("the last", "with console over TCP")
    assert await at_the_bottom(terminal) == "> half a sente"
    assert len(lines) == 24
    everything = "\n".join(await terminal.lines(all_of_it=True))
    assert everything.count("still here") == 40
    assert everything.count("> ") == 1, "no prompt was left behind"
    await terminal.press("BSpace", "BSpace")
    await terminal.say("nce")
    await listener.event("text", text="half a sennce")


async def test_ticks_and_names_have_colours_and_a_peer_has_none_to_give(
    terminal: Terminal, chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("text \x1b[31mred\x1b[2J\x1b[1;1H \u202eevil\n")
    _, uri = await chats.listen("--receipts", "--script", script)
    await call(terminal, uri)
    await terminal.say("Hello")
    await terminal.shows("Hello  ✓✓", "evil")
    lines = await terminal.lines(colours=True)
    (evil,) = (line for line in lines if "evil" in line)
    assert "\ufffd[31mred\ufffd[2J\ufffd[1;1H \ufffdevil" in evil
    (hello,) = (line for line in lines if "Hello" in line)
    names = [re.search(r"\x1b\[1m\x1b\[(3\d)m(\w+)", line) for line in (evil, hello)]
    assert [name and name[2] for name in names] == ["console", "you"]
    assert len({name and name[1] for name in names}) == 2, "each has its colour"
    assert re.search(r"\x1b\[32m\S*  ✓✓", hello)


async def test_files_have_bars_both_ways_and_pictures_their_size(
    terminal: Terminal, chats: Chats, tmp_path: Path
) -> None:
    film = tmp_path / "film.bin"
    with film.open("wb") as file:
        file.truncate(12_000_000)
    _, uri = await chats.listen("--echo")
    await call(terminal, uri, width=100)
    await terminal.say(f"/send {PICTURE}")
    await terminal.shows("[picture.jpg, 1.17 MB]  image/jpeg  ✓✓", "1800 × 1200]")
    await terminal.say(f"/file {film}")
    bar = re.compile(r"^\d\d:\d\d:\d\d (\w+) +\[?film.bin.* ━.* \d+ % of 12.00 MB")
    seen: set[str] = set()

    def watch(lines: list[str]) -> bool:
        seen.update(m[1] for m in map(bar.match, lines) if m)
        return any("film.bin, 12.00 MB] saved" in line for line in lines)

    lines = await terminal.until(watch)
    assert seen == {"you", "console"}
    assert not any(map(bar.match, lines)), "bars are gone when it has come"
    assert await at_the_bottom(terminal) == ">"


async def test_ctrl_c_hangs_up_and_a_second_one_does_not_wait(
    terminal: Terminal, chats: Chats
) -> None:
    listener, uri = await chats.listen()
    await call(terminal, uri)
    await terminal.press("C-c")
    shown = "\n".join(await terminal.shows("ended with 130", "echo"))
    assert "interrupted: hanging up" in shown
    assert "we hung up" in shown
    assert (await listener.result()).every("ended")[0]["reason"] == "the peer hung up"


async def test_a_second_ctrl_c_ends_it_at_once_and_leaves_the_terminal_as_it_was(
    terminal: Terminal, chats: Chats
) -> None:
    listener, uri = await chats.listen()
    await call(terminal, uri)
    listener.stop()
    await terminal.press("C-c")
    await terminal.shows("interrupted: hanging up")
    await terminal.press("C-c")
    shown = "\n".join(await terminal.shows("ended with 130", "echo"))
    assert "we hung up" not in shown
    assert re.search(r"(?<!-)\bicanon\b", shown)
    assert re.search(r"(?<!-)\becho\b", shown)


async def test_a_line_of_any_kind_is_said_and_shown_whole(
    terminal: Terminal, chats: Chats
) -> None:
    listener, uri = await chats.listen("--echo")
    await call(terminal, uri)
    for text in (
        "日本語のテキスト " * 8,
        "👩\u200d🚒 🔥🔥 é",
        "שלום עולם, 911",
    ):
        await terminal.say(text)
        await listener.event("text", text=text.strip())
    await terminal.paste("x" * 10_000)  # Nobody types that much.
    await terminal.press("Enter")
    await listener.event("text", text="x" * 10_000)
    await terminal.until(
        lambda lines: "\n".join(lines).count("x" * 50) > 10 and ">" in lines
    )
    assert await at_the_bottom(terminal) == ">"
    await terminal.say("done")
    await terminal.shows("console  done")
    lines = await terminal.until(
        lambda lines: "".join(lines).count("x") >= 20_000, all_of_it=True
    )
    everything = "".join(lines)
    assert "שלום עולם, 911" in everything
    assert "日本語のテキスト" in everything


async def test_another_size_of_the_window_breaks_nothing(
    terminal: Terminal, chats: Chats
) -> None:
    _, uri = await chats.listen("--echo")
    await call(terminal, uri, width=120)
    await terminal.type("typed before")
    await terminal.resize(50, 12)
    await terminal.say(" and after")
    await terminal.shows("console  typed before and after")
    await terminal.resize(100, 30)
    await terminal.say("wide again")
    lines = await terminal.shows("console  wide again")
    assert await at_the_bottom(terminal) == ">"
    said = [line for line in lines if CLOCK.match(line) and "wide" in line]
    assert len(said) == 2


async def test_who_types_and_who_has_read_is_shown(
    terminal: Terminal, chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("expect Hello\ntyping\nexpect go on\ntext Yes?\n")
    listener, uri = await chats.listen("--receipts", "--script", script)
    await call(terminal, uri)
    await terminal.say("Hello")
    await terminal.shows("Hello  ✓✓ read", "console is typing …")
    await terminal.type("go on")
    await listener.event("composing", active=True)
    await terminal.press("Enter")
    await listener.event("text", text="go on")
    lines = await terminal.shows("Yes?")
    assert "is typing" not in lines[-1]


async def test_who_gives_no_receipts_has_what_was_said_all_the_same(
    terminal: Terminal, chats: Chats
) -> None:
    _, uri = await chats.listen()
    await call(terminal, uri)
    await terminal.say("Hello")
    await terminal.shows("\n>", "Hello  ✓✓\n")


async def test_help_and_mistakes_are_shown_and_nothing_is_lost(
    terminal: Terminal, chats: Chats
) -> None:
    listener, uri = await chats.listen()
    await call(terminal, uri, height=40)
    await terminal.say("/help")
    await terminal.shows("/multipart TEXT | PATH", "/send is /file")
    await terminal.say("/shout Hello")
    await terminal.shows("/shout is none of /text,")
    await terminal.say("//me waves")
    await listener.event("text", text="/me waves")
    await terminal.say("/bye")
    await terminal.shows("ended with 0")
