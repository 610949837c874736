"""Accounts, and what of them goes into the options of a command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from msrp_chat.cli import main
from msrp_chat.command_line.accounts import (
    Account,
    config_path,
    find_password,
    read_account,
)
from msrp_chat.command_line.filling import fill_in
from msrp_chat.outcome import ChatError, ExitCode

TWO = """
account = "home"

[accounts.work]
address = "Alice <sip:alice@example.com>"
user = "alice"
password = "secret"

[accounts.home]
proxy = "sip:192.0.2.1;transport=tcp"
tls = true
cert = "home.pem"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TWO)
    path.chmod(0o600)
    return path


def unsaid(**said: Any) -> dict[str, Any]:
    """Return the options of a command with which nothing was said but this."""
    names = (
        "config", "account", "user", "registrar", "proxy", "ca", "relay", "save",
        "relay_unproven", "sender", "tls", "cert", "key",
    )  # fmt: skip
    return {**dict.fromkeys(names), **said}


def test_an_account_is_chosen_by_name_by_the_file_or_as_the_only_one(
    config: Path,
) -> None:
    assert read_account(config, "work").user == "alice"
    assert read_account(config, None).tls is True
    config.write_text(TWO.replace('account = "home"', ""))
    assert read_account(config, None).user == "alice", "the first"


def test_without_a_file_there_is_an_empty_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path({"XDG_CONFIG_HOME": str(tmp_path)}) == (
        tmp_path / "msrp-chat" / "config.toml"
    )
    assert config_path({"HOME": "/nowhere"}).parts[-3:] == (
        ".config", "msrp-chat", "config.toml",
    )  # fmt: skip
    assert read_account(None, None) == Account()
    with pytest.raises(ChatError, match="no such file"):
        read_account(None, "work")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[accounts.a", "no TOML"),
        ("[account.a]\n[accounts.b]\naddress = 'a@b.example'", "there is no account"),
        ("accounts = 1", "begins an account"),
        ("colour = 1", "'colour' is neither"),
        ("[accounts.a]\nadress = 'a@b.example'", "'adress' of 'a' is none of address"),
        ("[accounts.a]\naddress = 'a b c'", "'address' of 'a': 'a b c' is not an"),
        ("[accounts.a]\ntls = 'yes'", "'tls' of 'a': it takes true or false"),
        ("[accounts.a]\nuser = 3", "'user' of 'a': it takes a text"),
        ("[accounts.a]\nrelay = 'http://x'", "a relay looks like msrps:"),
        ("\xff", "no TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    call = ["call", "sip:bob@127.0.0.1", "--text", "A", "--config", str(path)]
    assert main(call) == ExitCode.USAGE
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"msrp-chat: {path}: ")
    assert words in complaint
    assert complaint.count("\n") == 1


def test_a_password_that_others_may_read_is_warned_of(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_account(config, "work")
    assert capsys.readouterr().err == ""
    config.chmod(0o640)
    read_account(config, "home")
    assert capsys.readouterr().err == "", "there is none in it"
    read_account(config, "work")
    assert f"chmod 600 {config}" in capsys.readouterr().err


def test_a_password_comes_from_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_password(Account(user="a", password="p")) == "p"
    command = f"{sys.executable} -c 'print(\"from a command\")'"
    assert find_password(Account(user="a", password_command=command)) == (
        "from a command"
    )
    for broken in ("/no/such/program", f"{sys.executable} -c ''", "'"):
        with pytest.raises(ChatError, match="gave no password"):
            find_password(Account(user="a", password_command=broken))
    monkeypatch.setenv("MSRP_CHAT_PASSWORD", "from the environment")
    assert find_password(Account(user="a")) == "from the environment"
    monkeypatch.delenv("MSRP_CHAT_PASSWORD")
    with pytest.raises(ChatError, match="MSRP_CHAT_PASSWORD"):
        find_password(Account(user="a"))


def test_what_is_said_counts_more_than_the_account(config: Path) -> None:
    options = unsaid(config=config, account="work", sender="bob@example.com")
    fill_in(options)
    assert options["sender"] == "bob@example.com"
    assert (options["user"], options["password"]) == ("alice", "secret")
    assert (options["relay_user"], options["relay_password"]) == ("alice", "secret")
    assert options["tls"] is False
    assert "config" not in options
    options = unsaid(config=config)
    fill_in(options)
    assert options["cert"] == config.parent / "home.pem"
    assert options["proxy"] == "sip:192.0.2.1;transport=tcp"


def test_a_service_at_a_host_is_the_service_by_that_host() -> None:
    options = unsaid(uri="sip:urn:service:sos.fire@192.0.2.1:5062;transport=tcp")
    fill_in(options)
    assert options["uri"] == "urn:service:sos.fire"
    assert options["proxy"] == "sip:192.0.2.1:5062;transport=tcp"
