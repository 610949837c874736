"""One party of a SIP call: a user agent, and a port for message sessions."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import msrp
import sip
from msrp_chat.command_line.groups import ACCEPT_TYPES
from msrp_chat.command_line.options import SipOptions, TalkOptions
from msrp_chat.commands.addresses import uri_host
from msrp_chat.commands.identity import Identity
from msrp_chat.commands.ports import PROFILES, opened, way_in
from msrp_chat.commands.recorders import recorded
from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.hold import Lost, Plan, hold
from msrp_chat.conversation.save import Saver
from msrp_chat.conversation.transfers import Transfers
from msrp_chat.events import Answered, Ended
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = [
    "Party",
    "open_party",
    "open_saver",
    "session_config",
]

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
    listener: msrp.MsrpListener | msrp.MsrpRelay
    identity: Identity
    options: SipOptions
    output: Output
    saver: Saver

    def media(
        self,
        ready: Callable[[Conversation], None],
        output: Output,
    ) -> list[sip.Media]:
        """Return the media of one call: files, and messages.

        Args:
            ready: Called with the conversation once both have agreed on it.
            output: Who is told what happens in it.
        """
        profile = PROFILES.get(self.options.profile or "")
        transfers = Transfers(self.listener, output, self.saver, self.options.max_size)

        def prepare(connection: msrp.MsrpConnection) -> None:
            # The media of a call start when the ACK is sent, or has come.
            output.tell(Answered())
            conversation = Conversation(
                connection,
                output,
                self.saver,
                echo=self.options.echo,
                receipts=self.options.receipts,
                transfers=transfers,
            )
            ready(conversation)

        messages = msrp.MsrpMedia(
            self.listener,
            on_connection=prepare,
            accept_types=_accepted(self.options),
            max_size=self.options.max_size,
            local_address=self.identity.address,
            config=session_config(self.options, profile),
            recovery_time=_RECOVERY_TIME,
            profile=profile,
            languages=self.options.languages,
            nickname=self.options.nickname,
        )
        # In this order: a medium for messages would take a file for a session.
        return [transfers.answerer, messages]

    async def hold(
        self, call: sip.Call, conversation: Conversation, plan: Plan, output: Output
    ) -> None:
        """Talk until one side hangs up, and see to it that both have.

        Raises:
            ChatError: Something went wrong with the call or in it.
        """
        conversation.call = call
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
        closing_time: Seconds for a CANCEL or a BYE at the very end.

    Raises:
        ChatError: A port isn't free, or a certificate can't be used.
    """
    sender = options.sender or f"sip:{name}@{uri_host(advertised_host or host)}"
    identity = Identity.parse(sender)
    listener = way_in(options, host, advertised_host)
    agent = sip.UserAgent(
        identity.sip_address,
        listen=sip_listen,
        server_ssl=server_ssl,
        client_ssl=_client_ssl(options),
        outbound_proxy=options.proxy,
        credentials=_credentials(options),
        limits=sip.Limits(closing_time=closing_time),
    )
    async with contextlib.AsyncExitStack() as stack:
        # First and last, so that nothing is missed.
        await stack.enter_async_context(recorded(options, output, [listener, agent]))
        await stack.enter_async_context(opened(listener, output))
        try:
            await stack.enter_async_context(agent)
        except sip.TransportError as exc:
            raise ChatError(str(exc), ExitCode.UNREACHABLE) from exc
        saver = await open_saver(options)
        yield Party(agent, listener, identity, options, output, saver)


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


def session_config(
    options: TalkOptions, profile: msrp.Profile | None = None
) -> msrp.SessionConfig:
    """Return what a session takes."""
    return dataclasses.replace(
        (profile or msrp.Profile()).session_config,
        max_message_length=options.max_size,
        accept_types=msrp.AcceptTypes(options.accept_types or ACCEPT_TYPES),
        limits=msrp.Limits(
            max_held_octets=max(msrp.Limits().max_held_octets, options.max_size)
        ),
    )


def _accepted(options: SipOptions) -> tuple[str, ...] | None:
    """Return the types of content to take, if the profile doesn't say."""
    if options.accept_types is not None or options.profile is not None:
        return options.accept_types
    return ACCEPT_TYPES


def _credentials(options: SipOptions) -> tuple[str, str] | None:
    if options.user is None or options.password is None:
        return None
    return options.user, options.password


def _client_ssl(options: SipOptions) -> ssl.SSLContext | None:
    if options.ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=options.ca)
    except ssl.SSLError as exc:
        raise ChatError(f"{options.ca}: no PEM certificate", ExitCode.USAGE) from exc
    except OSError as exc:
        problem = f"{options.ca}: {exc.strerror or 'it cannot be read'}"
        raise ChatError(problem, ExitCode.USAGE) from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python says none.
    return context


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
