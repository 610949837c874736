"""The options that several commands have, and the words about them."""

from __future__ import annotations

import argparse
from pathlib import Path

from msrp_chat.command_line import readers
from msrp_chat.conversation.steps import SayText, SendFile, Step

__all__ = [
    "ACCEPT_TYPES",
    "add_account",
    "add_profile",
    "add_save",
    "add_sip",
    "add_talking",
    "add_timeout",
]

_MOST_OCTETS = 64 << 20
"""Octets of the largest message that is taken by default: messages are gathered
in memory, and this is a long film from a telephone."""

ACCEPT_TYPES = ("text/plain", "message/cpim", "*")
"""Plain text first: a peer that wraps everything in CPIM shows less."""


class _AddStep(argparse.Action):
    """Adds to what is to be done, in the order of the command line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        steps: tuple[Step, ...] = getattr(namespace, "steps", ())
        match self.dest, values:
            case "text", str(text):
                steps += (SayText(text),)
            case "file", Path() as path:
                steps += (SendFile(path),)
            case _, list(script):
                steps += tuple(script)
        namespace.steps = steps


def add_talking(command: argparse.ArgumentParser) -> None:
    """Add what to say and what to take."""
    group = command.add_argument_group("what to say and what to take")
    command.set_defaults(steps=())
    for name, metavar, reader, what in (
        (
            "text",
            "TEXT",
            readers.read_text,
            "say this; may be repeated, like the next two",
        ),
        ("file", "PATH", readers.read_path, "send this file"),
        ("script", "FILE", readers.read_script, "do what this file says, see below"),
    ):
        group.add_argument(
            f"--{name}",
            metavar=metavar,
            type=reader,
            action=_AddStep,
            default=argparse.SUPPRESS,
            help=what,
        )
    group.add_argument(
        "--trace",
        action="store_true",
        help="show all SIP and MSRP messages as they pass, without credentials",
    )
    group.add_argument(
        "--log",
        metavar="FILE",
        type=Path,
        help="add a JSON object for each message to this file, as NG9-1-1 logs them",
    )
    group.add_argument(
        "--pcap",
        metavar="FILE",
        type=Path,
        help="add all SIP and MSRP messages to this capture, for Wireshark",
    )
    group.add_argument(
        "--receipts",
        action="store_true",
        help="ask to hear when texts are displayed, and tell when theirs are; at the"
        " prompt that is done in any case",
    )
    group.add_argument("--echo", action="store_true", help="send every message back")
    group.add_argument(
        "--wait",
        metavar="SECONDS",
        type=readers.read_seconds,
        default=1.0,
        help="hang up after this much silence, when all is said (default: 1)",
    )
    add_save(group)
    group.add_argument(
        "--max-size",
        metavar="OCTETS",
        type=readers.read_size,
        default=_MOST_OCTETS,
        help="of the largest message to take, such as 20M (default: 64M); more is"
        " refused with 413",
    )
    group.add_argument(
        "--accept-types",
        metavar="TYPES",
        type=readers.read_types,
        help="media types to take, the best first"
        f" (default: '{' '.join(ACCEPT_TYPES)}')",
    )
    group.add_argument(
        "--cert",
        metavar="FILE",
        type=Path,
        help="PEM certificate for TLS; without it one is made up, which the fingerprint"
        " in the SDP vouches for",
    )
    group.add_argument(
        "--key", metavar="FILE", type=Path, help="its key, if that is in another file"
    )


def add_sip(command: argparse.ArgumentParser, *, address: str) -> None:
    """Add who and where we are.

    Args:
        command: What gets these options.
        address: The address that is listened on by default, in words.
    """
    group = command.add_argument_group("who and where we are")
    group.add_argument(
        "--from",
        dest="sender",
        metavar="ADDRESS",
        type=readers.read_address,
        help="who we are: 'Alice <sip:alice@example.com>', or alice@example.com",
    )
    group.add_argument(
        "--address", metavar="HOST", help=f"to listen on (default: {address})"
    )
    for name, what in (("sip", "SIP"), ("msrp", "MSRP")):
        group.add_argument(
            f"--{name}-port",
            metavar="N",
            type=readers.read_port,
            default=0,
            help=f"for {what} (default: any that is free)",
        )
    group.add_argument(
        "--tls",
        action="store_true",
        default=None,
        help="run the message session over TLS (msrps), certificates being checked by"
        " their fingerprints",
    )


def add_profile(command: argparse.ArgumentParser) -> None:
    """Add what a peer of some kind expects."""
    group = command.add_argument_group("how sessions are described")
    group.add_argument(
        "--profile",
        choices=("emergency", "plain"),
        help="as networks of emergency services want them (CPIM, nicknames, languages,"
        " AES-256), or with nothing that isn't in RFC 4975",
    )
    group.add_argument(
        "--nick",
        dest="nickname",
        metavar="NAME",
        help="what we want to be called, in chat rooms and elsewhere",
    )
    group.add_argument(
        "--lang",
        dest="languages",
        metavar="TAGS",
        type=readers.read_languages,
        help="the languages that we speak, the best first: en,es",
    )


def add_timeout(command: argparse.ArgumentParser, what: str) -> None:
    """Add how long to wait.

    Args:
        command: What gets this option.
        what: For what.
    """
    command.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=readers.read_seconds,
        default=60.0,
        help=f"how long to wait for {what} (default: 60)",
    )


def add_save(command: argparse._ActionsContainer) -> None:
    """Add where received files go."""
    command.add_argument(
        "--save",
        metavar="DIR",
        type=Path,
        help="where to put received files (default: a new temporary directory, which"
        " is printed); a file never takes the place of another",
    )


def add_account(command: argparse.ArgumentParser) -> None:
    """Add whom others take us for, and by whom we are reached."""
    group = command.add_argument_group("accounts and servers")
    group.add_argument(
        "--account",
        metavar="NAME",
        help="take what isn't said here from this account of the file",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="that file (default: ~/.config/msrp-chat/config.toml)",
    )
    group.add_argument(
        "--user",
        metavar="NAME",
        help="who we are for those who ask for a password, which is in"
        " MSRP_CHAT_PASSWORD, or else is asked for",
    )
    group.add_argument(
        "--proxy",
        metavar="URI",
        type=readers.read_sip_uri,
        help="send all SIP requests there first",
    )
    group.add_argument(
        "--ca",
        metavar="FILE",
        type=Path,
        help="certificates to trust for SIP over TLS (sips:) and relays, instead of"
        " the system's",
    )
    group.add_argument(
        "--relay",
        metavar="URI",
        type=readers.read_relay_uri,
        help="send and receive messages through this MSRP relay: msrps://HOST;tcp",
    )
    group.add_argument(
        "--relay-unproven",
        action="store_true",
        default=None,
        help="take a relay that doesn't show that it knows the password",
    )
