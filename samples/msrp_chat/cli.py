"""The command line of ``msrp-chat``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from msrp_chat import manual, readers
from msrp_chat.outcome import ExitCode
from msrp_chat.script import SayText, SendFile, Step

__all__ = ["main"]

_MOST_OCTETS = 64 << 20
"""Octets of the largest message that is taken by default: messages are gathered
in memory, and this is a long film from a telephone."""

_ACCEPT_TYPES = ("text/plain", "message/cpim", "*")
"""Plain text first: a peer that wraps everything in CPIM shows less."""

_PICTURE = Path(__file__).with_name("picture.jpg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: What stands behind the name of the program.

    Returns:
        The exit code, see :class:`msrp_chat.outcome.ExitCode`.
    """
    parser = _parser()
    try:
        options = vars(parser.parse_args(arguments))
        _check_combination(parser, options)
    except SystemExit as exc:
        # After --help with 0, after an error with 2.
        return exc.code if isinstance(exc.code, int) else int(ExitCode.USAGE)
    for stream in (sys.stdout, sys.stderr):
        # Where a character is missing another is shown, and nothing breaks.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    _set_up_logging(options.pop("verbose"))
    run: Callable[[dict[str, Any]], ExitCode] = options.pop("run")
    return int(run(options))


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        problem = f"msrp-chat: {message} (see {self.prog} --help)\n"
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


def _check_combination(
    parser: argparse.ArgumentParser, options: dict[str, Any]
) -> None:
    """Refuse options that don't go together."""
    uri, proxy = options.get("uri"), options.get("proxy")
    if uri is not None and proxy is None and not uri.lower().startswith("sip"):
        parser.error(f"{uri} doesn't say where to go: give a --proxy")
    if options.get("key") is not None and options["cert"] is None:
        parser.error("--key needs a --cert")
    if options.get("sips_port") is not None and options["cert"] is None:
        parser.error("--sips-port needs a --cert")


# What each command does; what it needs is imported only now.


def _run_demo(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.demo import run_demo
    from msrp_chat.options import DemoOptions

    options["transports"] = options["transports"] or ("tcp", "tls")
    return run_demo(DemoOptions(**options))


def _run_listen(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.listen import listen
    from msrp_chat.options import ListenOptions
    from msrp_chat.run import talk

    return talk(listen, ListenOptions(**options), stays=True)


def _run_call(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.call import call
    from msrp_chat.options import CallOptions
    from msrp_chat.run import talk

    asked = CallOptions(**options)
    return talk(call, asked, stays=asked.echo or not asked.steps)


def _run_session(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.options import SessionOptions
    from msrp_chat.run import talk
    from msrp_chat.session import session

    asked = SessionOptions(**options)
    stays = asked.echo or not (asked.active and asked.steps)
    return talk(session, asked, stays=stays)


# The options.


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        usage="msrp-chat COMMAND [OPTION]...",
        prog="msrp-chat",
        description=manual.DESCRIPTION,
        epilog=manual.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_listen(commands)
    _add_call(commands)
    _add_session(commands)
    return parser


def _add_command(
    commands: _Commands,
    name: str,
    run: Callable[[dict[str, Any]], ExitCode],
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
    command.set_defaults(run=run)
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


def _add_demo(
    commands: _Commands,
) -> None:
    command = _add_command(
        commands,
        "demo",
        _run_demo,
        summary="see two parties hold a call, over TCP and over TLS",
        description=manual.DEMO,
    )
    command.add_argument(
        "--tcp",
        dest="transports",
        action="store_const",
        const=("tcp",),
        help="only over TCP",
    )
    command.add_argument(
        "--tls",
        dest="transports",
        action="store_const",
        const=("tls",),
        help="only over TLS",
    )
    command.add_argument(
        "--file",
        metavar="PATH",
        type=Path,
        default=_PICTURE,
        help="what to send instead of the picture that comes with this program",
    )
    _add_save(command)


def _add_listen(
    commands: _Commands,
) -> None:
    command = _add_command(
        commands,
        "listen",
        _run_listen,
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


def _add_call(
    commands: _Commands,
) -> None:
    command = _add_command(
        commands,
        "call",
        _run_call,
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


def _add_session(
    commands: _Commands,
) -> None:
    command = _add_command(
        commands,
        "session",
        _run_session,
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


def _add_talking(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what to say and what to take")
    command.set_defaults(steps=())
    for name, metavar, reader, what in (
        ("text", "TEXT", str, "say this; may be repeated, like the next two"),
        ("file", "PATH", Path, "send this file"),
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


def _set_up_logging(verbose: int) -> None:
    """Log to stderr if that is wanted, and else not at all: events tell what counts."""
    if verbose:
        logging.basicConfig(
            level=logging.INFO if verbose == 1 else logging.DEBUG,
            format="%(asctime)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
    else:
        # Not even to the handler of last resort.
        logging.getLogger().addHandler(logging.NullHandler())
