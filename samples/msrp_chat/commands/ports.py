"""Where peers reach our message sessions: a port of ours, or a relay."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterator

import msrp
from msrp_chat.command_line.options import SipOptions, TalkOptions
from msrp_chat.events import Notice
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = [
    "PROFILES",
    "listening",
    "local_certificate",
    "open_listener",
    "opened",
    "way_in",
]

PROFILES = {"emergency": msrp.Profile.EMERGENCY, "plain": msrp.Profile.PLAIN}
"""What the names on the command line mean."""


WayIn = msrp.MsrpListener | msrp.MsrpRelay
"""What peers reach our sessions by."""


def way_in(options: SipOptions, host: str, advertised_host: str | None) -> WayIn:
    """Return what peers reach our sessions by; it isn't open yet.

    Args:
        options: What the command line says.
        host: The address to listen on.
        advertised_host: What to tell peers to connect to, if not that.

    Raises:
        ChatError: The certificate isn't good enough, or the relay can't be one.
    """
    if options.relay is not None:
        return _relay(options, options.relay)
    return open_listener(
        host,
        options.msrp_port,
        local_certificate(options) if options.tls else None,
        advertised_host,
        PROFILES.get(options.profile or ""),
    )


@contextlib.asynccontextmanager
async def opened(way: WayIn, output: Output) -> AsyncIterator[None]:
    """Listen, or ask the relay to; and stop at the end.

    Args:
        way: Which.
        output: Who is told of peers that are turned away.

    Raises:
        ChatError: The port isn't free, or the relay isn't there or doesn't want us.
    """
    if isinstance(way, msrp.MsrpListener):
        async with listening(way, output):
            yield
        return
    try:
        await way.start()
    except msrp.ConnectionFailed as exc:
        refused = isinstance(exc, msrp.AuthorizationFailed) and exc.code is not None
        code = ExitCode.FAILED if refused else ExitCode.UNREACHABLE
        raise ChatError(str(exc), code) from exc
    try:
        yield
    finally:
        await way.close()


def _relay(options: SipOptions, uri: str) -> msrp.MsrpRelay:
    """Return a relay that nobody has asked for anything yet.

    Raises:
        ChatError: It can't be one.
    """
    try:
        return msrp.MsrpRelay(
            uri,
            username=options.relay_user or "",
            password=options.relay_password or "",
            accept_unproven=options.relay_unproven,
            # Who says msrp: wants no TLS, as in a laboratory.
            allow_plain_tcp=uri.lower().startswith("msrp:"),
            tls=None if options.ca is None else msrp.TlsPolicy.by_authority(options.ca),
            profile=PROFILES.get(options.profile or ""),
        )
    except (msrp.MsrpError, OSError) as exc:
        raise ChatError(f"{uri}: {exc}", ExitCode.USAGE) from exc


def open_listener(
    host: str,
    port: int,
    certificate: msrp.LocalCertificate | None,
    advertised_host: str | None = None,
    profile: msrp.Profile | None = None,
) -> msrp.MsrpListener:
    """Return a listener that hasn't begun to listen.

    Raises:
        ChatError: The certificate isn't good enough for TLS.
    """
    try:
        return msrp.MsrpListener(
            host,
            port,
            local_cert=certificate,
            advertised_host=advertised_host,
            profile=profile,
        )
    except msrp.CertificateUnusable as exc:
        raise ChatError(str(exc), ExitCode.USAGE) from exc


class _Refusals(logging.Handler):
    """Tells people what the listener only logs: whom it has turned away."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.INFO)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.tell(Notice(text=record.getMessage()))


@contextlib.contextmanager
def _told_of_refusals(output: Output) -> Iterator[None]:
    log, handler = logging.getLogger("msrp.listener"), _Refusals(output)
    level = log.level
    if not log.isEnabledFor(logging.INFO):
        log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@contextlib.asynccontextmanager
async def listening(listener: msrp.MsrpListener, output: Output) -> AsyncIterator[None]:
    """Listen for message sessions, and stop at the end.

    Args:
        listener: Where to.
        output: Who is told of those that are turned away.

    Raises:
        ChatError: The port isn't free, or isn't ours.
    """
    try:
        await listener.start()
    except msrp.ConnectionFailed as exc:
        cause = exc.__cause__
        # What asyncio says of it names the address once more.
        number = getattr(cause, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else "no such address"
        problem = f"cannot listen on {exc.target}: {reason}"
        raise ChatError(problem, ExitCode.UNREACHABLE) from exc
    try:
        with _told_of_refusals(output):
            yield
    finally:
        await listener.close()


def local_certificate(options: TalkOptions) -> msrp.LocalCertificate:
    """Return the certificate to show in message sessions.

    Raises:
        ChatError: The files that were given can't be used.
    """
    if options.cert is None:
        return msrp.LocalCertificate.self_signed("msrp-chat")
    try:
        return msrp.LocalCertificate.load(options.cert, options.key)
    except msrp.CertificateUnusable as exc:
        raise ChatError(str(exc), ExitCode.USAGE) from exc
