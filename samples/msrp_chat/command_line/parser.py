"""The commands and options, and the words about them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from msrp_chat.command_line import groups, manual, readers
from msrp_chat.command_line.completion import SHELLS
from msrp_chat.outcome import ExitCode

__all__ = ["Run", "build_parser"]

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


class _Version(argparse.Action):
    """Prints the version, which is only then looked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.exit(message=f"msrp-chat {_version()}\n")


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("msrpkit")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def build_parser(
    *, demo: Run, listen: Run, call: Run, session: Run, completion: Run
) -> argparse.ArgumentParser:
    """Return what reads the command line.

    The namespace that it gives has ``run`` and ``verbose``; the rest are the fields
    of the options of the command, see :mod:`msrp_chat.command_line.options`.

    Args:
        demo: What runs the command of this name; likewise the others.
        listen: See above.
        call: See above.
        session: See above.
        completion: See above.
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
    _add_completion(commands, completion)
    parser.add_argument(
        "--version",
        action=_Version,
        nargs=0,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        help="show the version and end",
    )
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
    groups.add_save(command)


def _add_listen(commands: _Commands, run: Run) -> None:
    command = _add_command(
        commands,
        "listen",
        run,
        summary="wait for calls and answer them",
        description=manual.LISTEN,
        epilog=manual.SCRIPT,
    )
    groups.add_talking(command)
    groups.add_sip(
        command, address="127.0.0.1; 0.0.0.0 is all addresses of this machine"
    )
    groups.add_account(command)
    groups.add_profile(command)
    command.add_argument(
        "--registrar",
        metavar="URI",
        type=readers.read_sip_uri,
        help="register there: calls for our address come here then",
    )
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


def _add_completion(commands: _Commands, run: Run) -> None:
    command = commands.add_parser(
        "completion",
        prog="msrp-chat completion",
        usage="msrp-chat completion SHELL",
        help="make a shell complete our commands and options",
        description=manual.COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run, command=command.prog, verbose=0)
    command.add_argument(
        "shell", metavar="SHELL", choices=SHELLS, help=" or ".join(SHELLS)
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
    groups.add_talking(command)
    groups.add_sip(command, address="the one by which the other side is reached")
    groups.add_account(command)
    groups.add_profile(command)
    command.add_argument(
        "--location",
        metavar="LAT,LON[,METRES]",
        type=readers.read_location,
        help="tell an emergency service that we are there, within so many metres",
    )
    groups.add_timeout(command, "an answer")


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
    groups.add_talking(command)
    groups.add_timeout(command, "the session")
    command.add_argument(
        "--patience",
        metavar="SECONDS",
        type=readers.read_seconds,
        help="with --passive: end with 3 if nobody has connected by then, instead of"
        " after --timeout",
    )
