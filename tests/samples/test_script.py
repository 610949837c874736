"""Steps, from options, scripts and the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from msrp_chat.conversation.script import check_files, parse_script, parse_step
from msrp_chat.conversation.steps import (
    AwaitDelivery,
    Expect,
    ExpectNothing,
    OfferFile,
    Quit,
    SayCpim,
    SayPrivately,
    SayText,
    ScriptLine,
    SendFile,
    SendMultipart,
    SetNickname,
    SetTimeout,
    Step,
    Type,
    Wait,
)
from msrp_chat.outcome import ChatError, ExitCode


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("text Hello  there ", SayText("Hello  there")),
        ("cpim # no comment", SayCpim("# no comment")),
        ("file a b.jpg", SendFile(Path("a b.jpg"))),
        ("multipart Look | a | b.jpg", SendMultipart("Look", Path("a | b.jpg"))),
        ("wait 0.5", Wait(0.5)),
        ("  expect thanks", Expect("thanks")),
        ("quit", Quit()),
        ("nothing 2", ExpectNothing(2.0)),
        ("timeout 10", SetTimeout(10.0)),
        ("delivered", AwaitDelivery()),
        ("typing", Type()),
        ("offer a b.jpg", OfferFile(Path("a b.jpg"))),
        ("nick Ann of Bath", SetNickname("Ann of Bath")),
        ("private b@b.example Psst, Bob", SayPrivately("b@b.example", "Psst, Bob")),
    ],
)
def test_each_step_can_be_written(line: str, step: Step) -> None:
    assert parse_step(line) == step


@pytest.mark.parametrize(
    "line",
    ["shout Hello", "text", "cpim ", "file", "multipart Look", "multipart | a.jpg",
     "multipart Look |", "wait", "wait long", "wait -1", "wait inf", "wait nan",
     "nick", "private", "private b@b.example", "typing now",
     "expect", "nothing", "timeout soon", "delivered now", "quit now"],
)  # fmt: skip
def test_what_is_no_step_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_step(line)


def test_a_home_directory_may_be_written_short() -> None:
    assert parse_step("file ~/a.jpg") == SendFile(Path.home() / "a.jpg")


def test_comments_and_empty_lines_are_no_steps() -> None:
    script = ["# one", "", "  ", " # two", " quit "]
    assert parse_script(script, "talk") == [ScriptLine(Quit(), "talk, line 5, 'quit'")]


def test_the_line_of_a_mistake_is_told() -> None:
    with pytest.raises(ValueError, match="line 3: 'shout' is none of text, cpim"):
        parse_script(["quit", "", "shout Hello"])


def test_a_file_that_is_missing_is_found_before_it_is_sent(tmp_path: Path) -> None:
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.touch()
    check_files([SayText("A"), SendFile(there), SendMultipart("A", there)])
    for step in (SendFile(missing), SendMultipart("A", missing)):
        with pytest.raises(ChatError, match="missing: No such file") as caught:
            check_files([step])
        assert caught.value.exit_code is ExitCode.USAGE
