"""The command line of ``msrp-chat``: from arguments to an exit code."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from msrp_chat.outcome import ExitCode
from msrp_chat.parser import build_parser

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: What stands behind the name of the program.

    Returns:
        The exit code, see :class:`msrp_chat.outcome.ExitCode`.
    """
    parser = build_parser(
        demo=_run_demo, listen=_run_listen, call=_run_call, session=_run_session
    )
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
