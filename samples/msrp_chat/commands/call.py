"""``msrp-chat call``: call somebody, talk, hang up."""

from __future__ import annotations

from typing import TypedDict

import mime
import msrp
import sip
from msrp_chat.command_line.options import CallOptions
from msrp_chat.commands.addresses import own_address, uri_host
from msrp_chat.commands.party import Party, open_party
from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.hold import Plan
from msrp_chat.events import Calling, Ringing
from msrp_chat.events.output import CallOutput, Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = ["call"]

_NOT_ACCEPTABLE = 488

_CANCEL_TIME = 1.0
"""Seconds for a CANCEL to be answered.  Somebody is waiting for us to end, and a
peer that hasn't answered so far may never do."""


async def call(options: CallOptions, output: Output, plan: Plan) -> None:
    """Call somebody, talk, hang up.

    Raises:
        ChatError: There was no call, or something went wrong in it.
    """
    next_hop = sip.parse_uri(options.proxy or options.uri)
    host = next_hop.host.strip("[]") if isinstance(next_hop, sip.SipUri) else None
    address = options.address or await own_address(host)
    async with open_party(
        options,
        output,
        host=address,
        name="caller",
        sip_listen=[f"udp://{uri_host(address)}:{options.sip_port}"],
        closing_time=_CANCEL_TIME,
    ) as party:
        output = CallOutput(output, 1)
        output.tell(
            Calling(uri=options.uri, sender=party.identity.sip_address, tls=options.tls)
        )
        conversations: list[Conversation] = []
        ongoing = await _invite(party, options, conversations, output)
        await party.hold(ongoing, conversations[0], plan, output)
        output.tell(conversations[0].summary())


async def _invite(
    party: Party,
    options: CallOptions,
    conversations: list[Conversation],
    output: Output,
) -> sip.Call:
    def progressed(response: sip.Response) -> None:
        words = sip.reason_phrase(response.status) or ""
        output.tell(Ringing(status=response.status, reason=words))

    try:
        return await party.agent.invite(
            options.uri,
            media=party.media(conversations.append, output),
            **_details(party, options),
            timeout=options.timeout,
            on_progress=progressed,
        )
    except msrp.ConnectionFailed as exc:  # Of the relay, which is asked first.
        raise ChatError(str(exc), ExitCode.UNREACHABLE) from exc
    except (sip.SipError, ValueError) as exc:
        raise _explain(exc, options) from exc


class _Details(TypedDict, total=False):
    """What an INVITE may bring besides the offer."""

    headers: tuple[tuple[str, str], ...]
    parts: tuple[mime.Part, ...]


def _details(party: Party, options: CallOptions) -> _Details:
    """Return what a call for help, or one that says where we are, brings."""
    if options.location is None and not options.uri.lower().startswith("urn:"):
        return {}
    # Reading XML, which most calls don't bring, takes long to import.
    from msrp_chat.commands.emergency import describe_call

    details = describe_call(options, party.identity.domain)
    return {"headers": details.headers, "parts": details.parts}


def _explain(error: Exception, options: CallOptions) -> ChatError:
    """Say in one line why there is no call, and what might help."""
    match error:
        case sip.CallRefused(status=status):
            hint = ""
            if status == _NOT_ACCEPTABLE:
                other = "without" if options.tls else "with"
                hint = f"; perhaps it works {other} --tls"
            return ChatError(f"{options.uri}: {error}{hint}")
        case sip.CallTimeout() | sip.TransportError():
            return ChatError(str(error), ExitCode.UNREACHABLE)  # It says where.
        case sip.NegotiationFailed():
            return ChatError(f"{options.uri}: no message session: {error}")
        case sip.LocalError():
            return ChatError(f"cannot call {options.uri}: {error}", ExitCode.USAGE)
        case _:
            return ChatError(f"{options.uri}: {error}")
