"""The command line of ``msrp-chat``: from arguments to an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from msrp_chat.command_line.filling import fill_in
from msrp_chat.command_line.parser import build_parser
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.streams import complain, guarded, open_streams

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: What stands behind the name of the program.

    Returns:
        The exit code, see :class:`msrp_chat.outcome.ExitCode`.
    """
    open_streams()
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        # Before there was an event loop, as while a script is read from a pipe.
        complain("interrupted")
        return ExitCode.INTERRUPTED


def _main(arguments: Sequence[str] | None) -> int:
    parser = build_parser(
        demo=_run_demo,
        listen=_run_listen,
        call=_run_call,
        session=_run_session,
        completion=_run_completion,
    )
    try:
        options = vars(parser.parse_args(arguments))
    except SystemExit as exc:
        # After --help with 0, after an error with 2.
        return exc.code if isinstance(exc.code, int) else int(ExitCode.USAGE)
    try:
        if "account" in options:
            fill_in(options)
        _check_combination(options)
    except ChatError as exc:
        complain(f"{exc} (see {options['command']} --help)")
        return exc.exit_code
    del options["command"]
    _set_up_logging(options.pop("verbose"))
    run: Callable[[dict[str, Any]], ExitCode] = options.pop("run")
    return int(run(options))


def _check_combination(options: dict[str, Any]) -> None:
    """Refuse options that don't go together.

    Raises:
        ChatError: They don't.
    """
    problem = _clash_of_target(options) or _clash_of_certificate(options)
    if problem is not None:
        raise ChatError(problem, ExitCode.USAGE)


def _clash_of_target(options: dict[str, Any]) -> str | None:
    uri, proxy = options.get("uri"), options.get("proxy")
    if uri is not None and proxy is None and not uri.lower().startswith("sip"):
        return f"{uri} doesn't say where to go: give a --proxy"
    if options.get("active") is True and options["patience"] is not None:
        return "--patience is for --passive: who connects doesn't wait"
    return None


def _clash_of_certificate(options: dict[str, Any]) -> str | None:
    certificate = options.get("cert")
    if certificate is None:
        for option in ("key", "sips_port"):
            if options.get(option) is not None:
                return f"--{option.replace('_', '-')} needs a --cert"
    path = options.get("local_path")
    if path is not None:
        unused = next((o for o in ("cert", "fingerprint") if options[o]), None)
        if unused and not path.lower().startswith("msrps:"):
            return f"--{unused} is for TLS: both paths must be msrps: then"
    elif certificate is not None and not options["tls"]:
        if options.get("sips_port") is None:
            more = " or --sips-port" if "sips_port" in options else ""
            return f"--cert is for TLS: it needs --tls{more}"
    return None


def _run_completion(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.command_line.completion import completion_for

    # Nothing of it is run, so it doesn't matter what would be.
    nothing = _run_completion
    parser = build_parser(
        demo=nothing, listen=nothing, call=nothing, session=nothing, completion=nothing
    )
    with guarded(sys.stdout):
        print(completion_for(options["shell"], parser), end="", flush=True)
    return ExitCode.DONE


# What each command does; what it needs is imported only now.


def _run_demo(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.command_line.options import DemoOptions
    from msrp_chat.demo.demo import run_demo

    # Each once, and the simpler one first.
    wanted = set(options["transports"] or ("tcp", "tls"))
    options["transports"] = tuple(sorted(wanted))
    return run_demo(DemoOptions(**options))


def _run_listen(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.command_line.options import ListenOptions
    from msrp_chat.commands.listen import listen
    from msrp_chat.commands.run import talk

    return talk(listen, ListenOptions(**options), stays=True)


def _run_call(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.command_line.options import CallOptions
    from msrp_chat.commands.call import call
    from msrp_chat.commands.run import talk

    asked = CallOptions(**options)
    return talk(call, asked, stays=asked.echo or not asked.steps)


def _run_session(options: dict[str, Any]) -> ExitCode:
    from msrp_chat.command_line.options import SessionOptions
    from msrp_chat.commands.run import talk
    from msrp_chat.commands.session import session

    asked = SessionOptions(**options)
    stays = asked.echo or not (asked.active and asked.steps)
    return talk(session, asked, stays=stays)


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
