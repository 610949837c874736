"""The page about the program says what is so."""

from __future__ import annotations

import argparse
import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from msrp_chat import events
from msrp_chat.cli import main
from msrp_chat.command_line.accounts import KEYS, read_account
from msrp_chat.command_line.parser import build_parser
from msrp_chat.conversation import script
from msrp_chat.outcome import ExitCode
from msrp_chat.terminal.prompt import help_text
from tests.samples.processes import PICTURE, ROOT, Chats

PAGE = (ROOT / "docs" / "msrp-chat.md").read_text(encoding="utf-8")

EVENTS = [
    kind
    for name in events.__all__
    if isinstance(kind := getattr(events, name), type)
    and issubclass(kind, events.Event)
    and kind is not events.Event
]


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def block(kind: str, title: str) -> str:
    return section(title).partition(f"```{kind}\n")[2].partition("```")[0]


def commands() -> dict[str, argparse.ArgumentParser]:
    def nothing(options: dict[str, object]) -> ExitCode:
        return ExitCode.DONE

    parser = build_parser(
        demo=nothing, listen=nothing, call=nothing, session=nothing, completion=nothing
    )
    (action,) = (
        a for a in parser._actions if isinstance(a, argparse._SubParsersAction)
    )
    return dict(action.choices)


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_documented_with_its_members(kind: type[events.Event]) -> None:
    row = re.search(rf"^\| `{kind.name}` \|(.*)$", section("JSON"), re.MULTILINE)
    assert row is not None
    members = re.findall(r"`(\w+)`", row[1].rpartition(" | ")[2])
    for field in dataclasses.fields(kind):
        assert field.name in members


def test_no_event_is_documented_that_is_none() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\|.*\|$", section("JSON"), re.MULTILINE)
    assert {kind.name for kind in EVENTS} == set(rows) - {"event"}


def test_every_command_is_documented_and_no_option_that_is_none() -> None:
    table = PAGE.partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == {
        *commands(), "command"
    } - {"command"}  # fmt: skip
    known = {
        name
        for command in commands().values()
        for action in command._actions
        for name in action.option_strings
    }
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= known


def test_every_step_is_documented_and_means_what_the_help_says() -> None:
    rows = [line.split("  ", 1) for line in block("text", "Scripts").splitlines()]
    said = {example.strip(): meaning.strip() for example, meaning in rows}
    assert said == {word.example: word.meaning for word in script.LANGUAGE.values()}
    assert len(script.parse_script(said)) == len(script.LANGUAGE)


async def test_the_script_on_the_page_comes_true(chats: Chats, tmp_path: Path) -> None:
    lines = [line[:30].strip() for line in block("text", "Scripts").splitlines()]
    talk = tmp_path / "talk"
    text = "\n".join(lines).replace("photo.jpg", str(PICTURE))
    assert text.count("wait 2.5") == 1
    talk.write_text(text.replace("wait 2.5", "wait 0.1"))  # Nobody learns from more.
    reply = tmp_path / "reply"
    reply.write_text("expect Look\ntext thanks\n")
    # For nicknames and private messages.
    profile = ("--profile", "emergency")
    listener, uri = await chats.listen("--script", reply, *profile)
    caller = await chats.run("call", uri, "--json", "--script", talk, *profile)
    assert (caller.code, (await listener.result()).code) == (0, 0), caller.stderr


async def test_what_does_not_come_true_is_told_as_on_the_page(
    chats: Chats, tmp_path: Path
) -> None:
    complaint = PAGE.partition("--script talk\nmsrp-chat: ")[2].partition("\n")[0]
    talk = tmp_path / "talk"
    talk.write_text("timeout 0.2\nexpect Where are you?\n")
    listener, uri = await chats.listen("--echo")
    caller = await chats.run("call", uri, "--script", talk)
    assert caller.code == 1
    (told,) = caller.complaints
    assert told == complaint.replace("talk,", f"{talk},").replace("5 s", "0.2 s")
    assert (await listener.result()).code == 0


def test_the_accounts_on_the_page_have_all_that_they_may_have(tmp_path: Path) -> None:
    text = block("toml", "Accounts")
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    said = tomllib.loads(text)["accounts"]["work"]
    assert set(said) == set(KEYS) - {"password"}
    account = read_account(path, None)
    assert account.ca == tmp_path / "authorities.pem"
    assert account.save == Path("~/Downloads").expanduser()
    assert account.tls is True


def test_exit_codes_are_documented() -> None:
    table = re.findall(r"^\| ([\d, ]+) \|", section("Exit codes"), re.MULTILINE)
    codes = {int(code) for row in table for code in row.split(",")}
    assert codes == set(map(int, ExitCode))


def test_what_is_typed_is_documented() -> None:
    typed = set(re.findall(r"`(/\w+)", section("At the prompt")))
    assert typed <= {*re.findall(r"/\w+", help_text()), "/help"}


@pytest.mark.parametrize("command", ["bash", "zsh", "fish"])
def test_completion_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", command]) == 0
    assert "msrp-chat" in capsys.readouterr().out
