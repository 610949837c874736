"""Accounts: who we are, and by whom we are reached, in a file.

::

    account = "work"               # the one to use if --account names none

    [accounts.work]
    address = "Alice <sip:alice@example.com>"
    registrar = "sip:example.com"
    user = "alice"
    password-command = "pass show sip/alice"

What is said on the command line counts more than what is in the file.
"""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import os
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msrp_chat.command_line import readers
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.streams import complain

__all__ = ["KEYS", "Account", "config_path", "find_password", "read_account"]

_LARGEST_FILE = 1 << 20
"""Octets of a file of accounts; a name may stand for something without end."""

_PASSWORD_TIME = 60.0
"""Seconds for a command that gives a password: it may ask somebody for another one."""

PASSWORD_VARIABLE = "MSRP_CHAT_PASSWORD"
"""The variable of the environment that may hold the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the file says of one account; ``None`` where it says nothing."""

    address: str | None = None
    """Who we are."""

    user: str | None = None
    """Who we are for those who ask for a password, if that isn't in the address."""

    password: str | None = None
    password_command: str | None = None
    """What prints the password."""

    registrar: str | None = None
    """Where ``listen`` says where we are."""

    proxy: str | None = None
    """Where all requests go first."""

    tls: bool | None = None
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    relay: str | None = None
    """The MSRP relay that our messages go through."""

    relay_user: str | None = None
    relay_password: str | None = None
    """For the relay, if that isn't the same as for SIP."""

    relay_unproven: bool | None = None
    """Whether to take a relay that doesn't show that it knows the password."""

    save: Path | None = None
    """Where received files go."""


def config_path(environment: Mapping[str, str]) -> Path:
    """Return where the file is if nobody says."""
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "msrp-chat" / "config.toml"


def read_account(path: Path | None, name: str | None) -> Account:
    """Read an account.

    Args:
        path: The file; if not given, the usual one, which need not be there.
        name: Which; if not given, the one that the file says, or the only one.

    Raises:
        ChatError: There is no such file or account, or something in it is wrong.
    """
    where = path or config_path(os.environ)
    config = _load(where, must_exist=path is not None or name is not None)
    for key in config.keys() - {"account", "accounts"}:
        raise _wrong(where, f"{key!r} is neither 'account' nor 'accounts'")
    accounts = config.get("accounts", {})
    if not isinstance(accounts, dict):
        raise _wrong(where, "[accounts.NAME] begins an account")
    name = name or config.get("account") or (next(iter(accounts), None))
    if name is None:
        return Account()
    if not isinstance(name, str) or not isinstance(accounts.get(name), dict):
        raise _wrong(where, f"there is no account {name!r}")
    account = _account(where, name, accounts[name])
    _warn_of_readers(where, account)
    return account


def find_password(account: Account) -> str:
    """Return the password of an account, from wherever it is to be had.

    Raises:
        ChatError: It isn't to be had.
    """
    if account.password is not None:
        return account.password
    if account.password_command is not None:
        return _ask_command(account.password_command)
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {account.user}: ")
    problem = f"there is no password for {account.user}: put it into"
    raise ChatError(f"{problem} {PASSWORD_VARIABLE}", ExitCode.USAGE)


def _load(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError as exc:
        if must_exist:
            raise _wrong(path, "no such file") from exc
        return {}
    except OSError as exc:
        raise _wrong(path, exc.strerror or "it cannot be read") from exc
    if len(data) > _LARGEST_FILE:
        raise _wrong(path, "too long for a file of accounts")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise _wrong(path, f"no TOML: {exc}") from exc


def _account(path: Path, name: str, entries: Mapping[str, object]) -> Account:
    values: dict[str, Any] = {}
    for key, value in entries.items():
        read = KEYS.get(key)
        if read is None:
            known = ", ".join(KEYS)
            raise _wrong(path, f"{key!r} of {name!r} is none of {known}")
        try:
            read_value = read(value)
        except (argparse.ArgumentTypeError, ValueError) as exc:
            raise _wrong(path, f"{key!r} of {name!r}: {exc}") from exc
        if isinstance(read_value, Path):
            read_value = path.parent / read_value.expanduser()
        values[key.replace("-", "_")] = read_value
    return Account(**values)


def _warn_of_readers(path: Path, account: Account) -> None:
    """Say so if a password can be read by others."""
    if account.password is None and account.relay_password is None:
        return
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        complain(
            f"{path} holds a password and others may read it:"
            f" chmod 600 {shlex.quote(str(path))}"
        )


def _ask_command(command: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            stdout=subprocess.PIPE,
            check=True,
            timeout=_PASSWORD_TIME,
        )
        return done.stdout.decode().splitlines()[0]
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as exc:
        problem = f"the password-command gave no password: {command}"
        raise ChatError(problem, ExitCode.USAGE) from exc


def _wrong(path: Path, problem: str) -> ChatError:
    return ChatError(f"{path}: {problem}", ExitCode.USAGE)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it takes a text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it takes true or false")
    return value


def _path(value: object) -> Path:
    return Path(_text(value))


def _checked(read: Callable[[str], str]) -> Callable[[object], str]:
    return lambda value: read(_text(value))


KEYS: dict[str, Callable[[object], object]] = {
    "address": _checked(readers.read_address),
    "user": _text,
    "password": _text,
    "password-command": _text,
    "registrar": _checked(readers.read_sip_uri),
    "proxy": _checked(readers.read_sip_uri),
    "tls": _truth,
    "cert": _path,
    "key": _path,
    "ca": _path,
    "relay": _checked(readers.read_relay_uri),
    "relay-user": _text,
    "relay-password": _text,
    "relay-unproven": _truth,
    "save": _path,
}
"""What an account may have, and what reads it."""

assert {key.replace("-", "_") for key in KEYS} == {
    field.name for field in dataclasses.fields(Account)
}
