"""The commands and options, and the words about them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from msrp_chat.command_line import manual, readers
from msrp_chat.conversation.steps import SayText, SendFile, Step
from msrp_chat.outcome import ExitCode

__all__ = ["Run", "build_parser"]

_MOST_OCTETS = 64 << 20
"""Octets of the largest message that is taken by default: messages are gathered
in memory, and this is a long film from a telephone."""

_ACCEPT_TYPES = ("text/plain", "message/cpim", "*")
"""Plain text first: a peer that wraps everything in CPIM shows less."""

_PICTURE = Path(__file__).parent.with_name("demo") / "picture.jpg"

Run: TypeAlias = Callable[[dict[str, Any]], ExitCode]
"""Runs a command with its options by name."""

_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split("\n"))
        # Without a command: each has a help of its own.
        command = "COMMAND " if self.prog == "msrp-chat" else ""
        problem = f"msrp-chat: {line} (see {self.prog} {command}--help)\n"
        self.exit(ExitCode.USAGE, problem)


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


def build_parser(
    *, demo: Run, listen: Run, call: Run, session: Run
) -> argparse.ArgumentParser:
    """Return what reads the command line.

    The namespace that it gives has ``run`` and ``verbose``; the rest are the fields
    of the options of the command, see :mod:`msrp_chat.command_line.options`.

    Args:
        demo: What runs the command of this name; likewise the others.
        listen: See above.
        call: See above.
        session: See above.
    """
    parser = _Parser(
        usage="msrp-chat COMMAND [OPTION]...",
        prog="msrp-chat",
        description=manual.DESCRIPTION,
        epilog=manual.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_demo(commands, demo)
    _add_listen(commands, listen)
    _add_call(commands, call)
    _add_session(commands, session)
    return parser


def _add_command(
    commands: _Commands,
    name: str,
    run: Run,
    *,
    summary: str,
    description: str,
    usage: str = "",
    epilog: str = "",
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        prog=f"msrp-chat {name}",
        usage=f"msrp-chat {name} {usage}[OPTION]...",
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run, command=command.prog)
    command.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="log to stderr what goes on; twice: everything",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="write one JSON object per event to stdout, and text for people to stderr",
    )
    return command


def _add_demo(commands: _Commands, run: Run) -> None:
    command = _add_command(
        commands,
        "demo",
        run,
        summary="see two parties hold a call, over TCP and over TLS",
        description=manual.DEMO,
    )
    command.add_argument(
        "--tcp",
        dest="transports",
        action="append_const",
        const="tcp",
        help="over TCP; without --tcp and --tls over both",
    )
    command.add_argument(
        "--tls",
        dest="transports",
        action="append_const",
        const="tls",
        help="over TLS; without --tcp and --tls over both",
    )
    command.add_argument(
        "--file",
        metavar="PATH",
        type=readers.read_path,
        default=_PICTURE,
        help="what to send instead of the picture that comes with this program",
    )
    _add_save(command)


def _add_listen(commands: _Commands, run: Run) -> None:
    command = _add_command(
        commands,
        "listen",
        run,
        summary="wait for calls and answer them",
        description=manual.LISTEN,
        epilog=manual.SCRIPT,
    )
    _add_talking(command)
    _add_sip(command, address="127.0.0.1; 0.0.0.0 is all addresses of this machine")
    command.add_argument(
        "--sips-port",
        metavar="N",
        type=readers.read_port,
        help="take SIP over TLS too, on this port; needs --cert",
    )
    command.add_argument(
        "--once", action="store_true", help="end after the first call, as it has ended"
    )
    command.add_argument(
        "--patience",
        metavar="SECONDS",
        type=readers.read_seconds,
        help="end with 3 if nobody has called by then",
    )
    command.add_argument(
        "--reject",
        metavar="STATUS",
        type=readers.read_status,
        help="refuse all calls with this, such as 486",
    )


def _add_call(commands: _Commands, run: Run) -> None:
    command = _add_command(
        commands,
        "call",
        run,
        summary="call a SIP URI",
        description=manual.CALL,
        usage="SIP-URI ",
        epilog=manual.SCRIPT,
    )
    command.add_argument(
        "uri", metavar="SIP-URI", type=readers.read_sip_uri, help="whom to call"
    )
    _add_talking(command)
    _add_sip(command, address="the one by which the other side is reached")
    command.add_argument(
        "--proxy",
        metavar="URI",
        type=readers.read_sip_uri,
        help="send the INVITE there first",
    )
    command.add_argument(
        "--ca",
        metavar="FILE",
        type=Path,
        help="certificates to trust for SIP over TLS (sips:), instead of the system's",
    )
    _add_timeout(command, "an answer")


def _add_session(commands: _Commands, run: Run) -> None:
    command = _add_command(
        commands,
        "session",
        run,
        summary="hold a message session without SIP",
        description=manual.SESSION,
        usage="--local-path URI --remote-path URI --active|--passive\n"
        "                         ",
        epilog=manual.SCRIPT,
    )
    for whose, what in (
        ("local", "our URI; port 0 lets the system choose"),
        ("remote", "the URI of the other side"),
    ):
        command.add_argument(
            f"--{whose}-path",
            metavar="URI",
            type=readers.read_msrp_uri,
            required=True,
            help=what,
        )
    who_connects = command.add_mutually_exclusive_group(required=True)
    who_connects.add_argument(
        "--active", action="store_true", help="connect to the other side"
    )
    who_connects.add_argument(
        "--passive",
        dest="active",
        action="store_false",
        help="wait for the other side to connect",
    )
    command.add_argument(
        "--fingerprint",
        metavar="HASH",
        type=readers.read_fingerprint,
        help="of the other side's certificate: 'sha-256 4A:AD:…'; without it an active"
        " side wants a certificate that the system trusts",
    )
    _add_talking(command)
    _add_timeout(command, "the session")
    command.add_argument(
        "--patience",
        metavar="SECONDS",
        type=readers.read_seconds,
        help="with --passive: end with 3 if nobody has connected by then, instead of"
        " after --timeout",
    )


def _add_talking(command: argparse.ArgumentParser) -> None:
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
    group.add_argument("--echo", action="store_true", help="send every message back")
    group.add_argument(
        "--wait",
        metavar="SECONDS",
        type=readers.read_seconds,
        default=1.0,
        help="hang up after this much silence, when all is said (default: 1)",
    )
    _add_save(group)
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
        default=_ACCEPT_TYPES,
        help="media types to take, the best first"
        f" (default: '{' '.join(_ACCEPT_TYPES)}')",
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


def _add_sip(command: argparse.ArgumentParser, *, address: str) -> None:
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
        help="run the message session over TLS (msrps), certificates being checked by"
        " their fingerprints",
    )


def _add_timeout(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=readers.read_seconds,
        default=60.0,
        help=f"how long to wait for {what} (default: 60)",
    )


def _add_save(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--save",
        metavar="DIR",
        type=Path,
        help="where to put received files (default: a new temporary directory, which"
        " is printed); a file never takes the place of another",
    )
