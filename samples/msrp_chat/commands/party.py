"""One party of a SIP call: a user agent, and a port for message sessions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import msrp
import sip
from msrp_chat.command_line.options import SipOptions, TalkOptions
from msrp_chat.commands.identity import Identity, envelope_address
from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.hold import Lost, Plan, hold
from msrp_chat.conversation.save import Saver
from msrp_chat.events import Answered, Ended, Notice
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = [
    "Party",
    "listening",
    "local_certificate",
    "open_listener",
    "open_party",
    "open_saver",
    "own_address",
    "session_config",
    "uri_host",
]

_NOBODY = "192.0.2.1"
"""An address that nobody has (RFC 5737): the way there is the default route."""

_BYE_TIME = 3.0
"""Seconds that a BYE may take.  It is the last thing we do, and whoever is still
there answers at once."""

_SIP_GRACE = 2.0
"""Seconds between the end of the message session and the BYE of whoever ended it."""

_RECOVERY_TIME = 1.0
"""Seconds for a lost connection to be replaced.  Who sits at a terminal would rather
hear soon that the other side is gone; where it isn't, that takes far less."""


@dataclass(frozen=True, slots=True)
class Party:
    """What a command needs to make and take calls."""

    agent: sip.UserAgent
    listener: msrp.MsrpListener
    identity: Identity
    options: SipOptions
    output: Output
    saver: Saver

    def media(
        self,
        peer: sip.NameAddr,
        ready: Callable[[Conversation], None],
        output: Output,
    ) -> msrp.MsrpMedia:
        """Return the message stream for one call.

        Args:
            peer: Who is at the other end.
            ready: Called with the conversation once both have agreed on it.
            output: Who is told what happens in it.
        """

        def prepare(connection: msrp.MsrpConnection) -> None:
            # The media of a call start when the ACK is sent, or has come.
            output.tell(Answered())
            conversation = Conversation(
                connection, output, self.saver, echo=self.options.echo
            )
            ready(conversation)

        return msrp.MsrpMedia(
            self.listener,
            on_connection=prepare,
            accept_types=self.options.accept_types,
            max_size=self.options.max_size,
            local_address=self.identity.address,
            remote_address=envelope_address(peer),
            config=session_config(self.options),
            recovery_time=_RECOVERY_TIME,
        )

    async def hold(
        self, call: sip.Call, conversation: Conversation, plan: Plan, output: Output
    ) -> None:
        """Talk until one side hangs up, and see to it that both have.

        Raises:
            ChatError: Something went wrong with the call or in it.
        """
        try:
            if not await hold(conversation, plan):
                await _wait_for_bye(call)
        except Lost as exc:
            if not await _is_followed_by_bye(call):
                raise
            problem = exc.explained_by_bye()
            if problem is not None:
                raise problem from exc
        finally:
            await _hang_up(call)
            await conversation.close()
            if call.end_reason is not None:
                output.tell(Ended(reason=call.end_reason.value))
        if conversation.problem is not None:
            raise conversation.problem


@contextlib.asynccontextmanager
async def open_party(
    options: SipOptions,
    output: Output,
    *,
    host: str,
    name: str,
    sip_listen: Sequence[str],
    advertised_host: str | None = None,
    server_ssl: ssl.SSLContext | None = None,
    client_ssl: ssl.SSLContext | None = None,
    closing_time: float = _BYE_TIME,
) -> AsyncIterator[Party]:
    """Open the ports of a party, and close them at the end.

    Args:
        options: The options of the command.
        output: Where events go.
        host: The address to listen on for message sessions.
        name: The user part of our SIP URI, if no address was given.
        sip_listen: Where to listen for SIP.
        advertised_host: What to tell others to connect to, if not ``host``.
        server_ssl: What to show on SIP connections over TLS that we take.
        client_ssl: What to trust on those that we make.
        closing_time: Seconds for a CANCEL or a BYE at the very end.

    Raises:
        ChatError: A port isn't free, or a certificate can't be used.
    """
    sender = options.sender or f"sip:{name}@{uri_host(advertised_host or host)}"
    identity = Identity.parse(sender)
    listener = open_listener(
        host,
        options.msrp_port,
        local_certificate(options) if options.tls else None,
        advertised_host,
    )
    agent = sip.UserAgent(
        identity.sip_address,
        listen=sip_listen,
        server_ssl=server_ssl,
        client_ssl=client_ssl,
        limits=sip.Limits(closing_time=closing_time),
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(listening(listener, output))
        try:
            await stack.enter_async_context(agent)
        except sip.TransportError as exc:
            raise ChatError(str(exc), ExitCode.UNREACHABLE) from exc
        saver = await open_saver(options)
        yield Party(agent, listener, identity, options, output, saver)


def open_listener(
    host: str,
    port: int,
    certificate: msrp.LocalCertificate | None,
    advertised_host: str | None = None,
) -> msrp.MsrpListener:
    """Return a listener that hasn't begun to listen.

    Raises:
        ChatError: The certificate isn't good enough for TLS.
    """
    try:
        return msrp.MsrpListener(
            host, port, local_cert=certificate, advertised_host=advertised_host
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


async def open_saver(options: TalkOptions) -> Saver:
    """Return what saves received files.

    Raises:
        ChatError: There can be no such directory.
    """
    saver = Saver(options.save)
    try:
        await saver.prepare()
    except OSError as exc:
        problem = f"cannot save anything in {options.save}: {exc.strerror or exc}"
        raise ChatError(problem, ExitCode.USAGE) from exc
    return saver


def session_config(options: TalkOptions) -> msrp.SessionConfig:
    """Return what a session takes."""
    return msrp.SessionConfig(
        max_message_length=options.max_size,
        accept_types=msrp.AcceptTypes(options.accept_types),
        limits=msrp.Limits(
            max_held_octets=max(msrp.Limits().max_held_octets, options.max_size)
        ),
    )


async def own_address(host: str | None) -> str:
    """Return the address by which this machine reaches a host.

    A name that has no address may still be found by SIP's own ways; then it is the
    address of the default route.
    """
    loop = asyncio.get_running_loop()
    found = None
    if host is not None:
        with contextlib.suppress(OSError, UnicodeError):
            found = await loop.getaddrinfo(host, 5060, type=socket.SOCK_DGRAM)
    family, target = (
        (socket.AF_INET, (_NOBODY, 5060)) if not found else (found[0][0], found[0][4])
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(target)  # Which sends nothing.
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def uri_host(host: str) -> str:
    """Return a host as URIs have it."""
    return f"[{host}]" if ":" in host else host


async def _is_followed_by_bye(call: sip.Call) -> bool:
    """Tell whether the peer has hung up, and the connection broke only because of it.

    BYE goes another way than messages, and may be overtaken.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SIP_GRACE):
            return await call.ended() is sip.EndReason.REMOTE_BYE
    return False


async def _wait_for_bye(call: sip.Call) -> None:
    """Give the BYE time to come after the end of the session.

    Raises:
        ChatError: It doesn't come.
    """
    try:
        async with asyncio.timeout(_SIP_GRACE):
            await call.ended()
    except TimeoutError:
        problem = "the other side closed the message session without hanging up"
        raise ChatError(problem) from None


async def _hang_up(call: sip.Call) -> None:
    with contextlib.suppress(TimeoutError, sip.CallError):
        async with asyncio.timeout(_BYE_TIME):
            if call.answered:
                await call.bye()
            else:
                await call.ended()
