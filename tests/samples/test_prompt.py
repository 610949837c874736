"""The prompt, typed at by a pipe."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from msrp_chat.conversation.script import LANGUAGE
from msrp_chat.outcome import ChatError
from msrp_chat.terminal.plain import PlainScreen
from msrp_chat.terminal.prompt import Prompt


class Recorder:
    """Does nothing, and remembers what it should have done."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.key_presses = 0

    async def say_text(self, text: str) -> None:
        self.done.append(("text", text))
        if text == "fail":
            raise ChatError("cannot send this")

    async def say_privately(self, to: str, text: str) -> None:
        self.done.append(("private", to, text))

    async def use_nickname(self, nickname: str) -> None:
        self.done.append(("nick", nickname))

    def composing(self) -> None:
        self.key_presses += 1

    async def say_cpim(self, text: str) -> None:
        self.done.append(("cpim", text))

    async def send_file(self, path: Path) -> None:
        self.done.append(("file", path))

    async def offer_file(self, path: Path) -> None:
        self.done.append(("offer", path))

    async def send_multipart(self, text: str, path: Path) -> None:
        self.done.append(("multipart", text, path))

    async def expect(self, text: str) -> None:
        self.done.append(("expect", text))

    async def expect_nothing(self, seconds: float) -> None:
        self.done.append(("nothing", seconds))

    async def expect_delivery(self) -> None:
        self.done.append("delivered")

    def set_timeout(self, seconds: float) -> None:
        self.done.append(("timeout", seconds))


def nobody() -> None:
    raise AssertionError("nobody has pressed Ctrl-C")


class Paper(io.StringIO):
    """Tells when somebody was told that nobody hears him."""

    def __init__(self) -> None:
        super().__init__()
        self.noted = asyncio.Event()

    def write(self, text: str) -> int:
        if "not said" in text:
            self.noted.set()
        return super().write(text)


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with (
        create_pipe_input() as pipe,
        create_app_session(input=pipe, output=DummyOutput()),
    ):
        yield pipe


async def run(keyboard: PipeInput, typed: str) -> tuple[list[object], str]:
    speaker, shown = Recorder(), io.StringIO()
    keyboard.send_text(typed)
    async with asyncio.timeout(10):
        await Prompt(PlainScreen(shown), nobody)(speaker)
    return speaker.done, shown.getvalue()


async def test_what_is_typed_is_said(keyboard: PipeInput) -> None:
    done, _ = await run(keyboard, "Hello\r\r  there  \r/cpim wrapped\r/quit\rnever\r")
    assert done == [("text", "Hello"), ("text", "there"), ("cpim", "wrapped")]


async def test_files_are_sent(keyboard: PipeInput, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    done, _ = await run(keyboard, f"/file {path}\r/multipart Look | {path}\r/quit\r")
    assert done == [("file", path), ("multipart", "Look", path)]


async def test_a_mistake_is_told_and_the_prompt_goes_on(keyboard: PipeInput) -> None:
    done, shown = await run(keyboard, "/shout\r/file /no/such\rfail\r/help\rA\r/quit\r")
    assert done == [("text", "fail"), ("text", "A")]
    for words in (
        "/shout is none of /text, ",
        "/no/such: No such file",
        "cannot send this",
    ):
        assert words in shown
    assert "/multipart TEXT | PATH" in shown


async def test_typing_is_told_unless_it_is_a_command(keyboard: PipeInput) -> None:
    speaker = Recorder()
    keyboard.send_text("/nick Ann\r/private sip:bob@b.example Psst\rHi\r/quit\r")
    async with asyncio.timeout(10):
        await Prompt(PlainScreen(io.StringIO()), nobody)(speaker)
    assert speaker.done == [
        ("nick", "Ann"), ("private", "sip:bob@b.example", "Psst"), ("text", "Hi"),
    ]  # fmt: skip
    assert speaker.key_presses == 2


async def test_ctrl_d_hangs_up(keyboard: PipeInput) -> None:
    assert (await run(keyboard, "A\r\x04"))[0] == [("text", "A")]


async def test_ctrl_c_interrupts(keyboard: PipeInput) -> None:
    speaker, interrupted = Recorder(), asyncio.Event()
    prompt = Prompt(PlainScreen(io.StringIO()), interrupted.set)
    talking = asyncio.create_task(prompt(speaker))
    keyboard.send_text("A\r\x03B\r")
    async with asyncio.timeout(10):
        await interrupted.wait()
    talking.cancel()
    await asyncio.wait([talking])
    assert speaker.done == [("text", "A")]


async def test_a_text_may_begin_with_a_slash(keyboard: PipeInput) -> None:
    done, _ = await run(keyboard, "//me waves\r/quit\r")
    assert done == [("text", "/me waves")]


async def test_every_command_is_in_the_help(keyboard: PipeInput) -> None:
    _, shown = await run(keyboard, "/help\r/quit\r")
    for name in LANGUAGE:
        assert f"  /{name} " in shown


async def test_nothing_that_is_typed_before_goes_to_the_next_caller(
    keyboard: PipeInput,
) -> None:
    shown, speaker = Paper(), Recorder()
    async with asyncio.timeout(10):
        prompt = Prompt(PlainScreen(shown), nobody)
        attending = asyncio.create_task(prompt.attend())
        keyboard.send_text("too early\r")
        await shown.noted.wait()
        talking = asyncio.create_task(prompt(speaker))
        await asyncio.sleep(0)
        keyboard.send_text("Hello\r/quit\r")
        await talking
        assert not attending.done(), "only the call was hung up"
        keyboard.send_text("too late\r/quit\r")
        await attending
    assert speaker.done == [("text", "Hello")]


async def test_a_call_that_is_over_takes_nothing_more(keyboard: PipeInput) -> None:
    shown, speaker = io.StringIO(), Recorder()
    async with asyncio.timeout(10):
        prompt = Prompt(PlainScreen(shown), nobody)
        attending = asyncio.create_task(prompt.attend())
        await asyncio.sleep(0)
        talking = asyncio.create_task(prompt(speaker))
        await asyncio.sleep(0)
        talking.cancel()
        await asyncio.wait([talking])
        keyboard.send_text("Hello\r\x04")
        await attending
    assert speaker.done == []
    assert "Nobody is on the line" in shown.getvalue()
