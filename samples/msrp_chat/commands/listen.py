"""``msrp-chat listen``: wait for calls, answer them, talk."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl

import msrp
import sip
from msrp_chat.command_line.options import ListenOptions
from msrp_chat.commands.addresses import own_address, uri_host
from msrp_chat.commands.party import Party, open_party
from msrp_chat.commands.ports import local_certificate
from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.hold import Plan
from msrp_chat.events import Ended, Invited, Listening, Notice, Problem
from msrp_chat.events.output import CallOutput, Output
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.streams import complain

__all__ = ["listen"]

_BUSY = 486


async def listen(options: ListenOptions, output: Output, plan: Plan) -> None:
    """Wait for calls and hold them; for ever, or for one.

    Raises:
        ChatError: A port isn't free, nobody has called in time, or something went
            wrong in the only call.
    """
    host = options.address or "127.0.0.1"
    advertised = await own_address(None) if _is_any(host) else host
    sip_listen = [f"udp://{uri_host(host)}:{options.sip_port}"]
    server_ssl = _server_ssl(options)
    if server_ssl is not None:
        sip_listen.append(f"tls://{uri_host(host)}:{options.sips_port}")
    async with open_party(
        options,
        output,
        host=host,
        name="console",
        sip_listen=sip_listen,
        advertised_host=advertised,
        server_ssl=server_ssl,
    ) as party:
        reception = _Answering(party, options, plan)
        party.agent.on_invite(reception.take)
        if options.registrar is not None:
            await _register(party, options.registrar)
        _announce(party, advertised)
        await reception.run()


class _Answering:
    """Takes the calls of one party."""

    def __init__(self, party: Party, options: ListenOptions, plan: Plan) -> None:
        self._party = party
        self._options = options
        self._plan = plan
        self._busy = False
        self._number = 0
        self._called = asyncio.Event()
        self._first: asyncio.Future[ChatError | None]
        self._first = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Wait for what ends this command.

        Raises:
            ChatError: It isn't a call that went well.
        """
        waiting = [asyncio.create_task(self._wait(), name="msrp-chat waits")]
        if self._plan.prompt is not None:
            reading = self._plan.prompt.attend()
            waiting.append(asyncio.create_task(reading, name="msrp-chat keyboard"))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                if task.done():
                    task.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    async def _wait(self) -> None:
        patience = self._options.patience
        try:
            async with asyncio.timeout(patience):
                await self._called.wait()
        except TimeoutError:
            problem = f"nobody has called within {patience:g} s"
            raise ChatError(problem, ExitCode.UNREACHABLE) from None
        if not self._options.once:
            await asyncio.Event().wait()
        problem_of_first = await self._first
        if problem_of_first is not None:
            raise problem_of_first

    async def take(self, call: sip.IncomingCall) -> None:
        """Hold one call, from INVITE to BYE."""
        self._called.set()
        self._number = number = self._number + 1
        output = CallOutput(self._party.output, number)
        uri = str(call.request.uri)
        output.tell(Invited(sender=str(call.remote.uri), uri=uri))
        if _may_be_for_help(call.request):
            # Reading XML, which most calls don't bring, takes long to import.
            from msrp_chat.commands.emergency import help_wanted

            wanted = help_wanted(call.request)
            if wanted is not None:
                output.tell(wanted)
        problem: ChatError | None = None
        try:
            await self._answer(call, output)
        except ChatError as exc:
            problem = exc
        except sip.NegotiationFailed as exc:
            problem = ChatError(f"refused the call: {exc}{self._hint(call)}")
        except sip.CallError as exc:
            problem = ChatError(f"the call did not come about: {exc}")
        if problem is not None and not self._options.once:
            output.tell(Problem(text=str(problem), exit_code=int(problem.exit_code)))
            complain(f"call {number}: {problem}")
        if not self._first.done():
            self._first.set_result(problem)

    def _hint(self, call: sip.IncomingCall) -> str:
        """Say what a caller whose offer doesn't fit might have wanted."""
        wants_tls = b"MSRP/TLS" in call.request.body or b"msrps:" in call.request.body
        if wants_tls == self._options.tls:
            return ""
        if wants_tls:
            return " (the caller wants TLS: it needs --tls here)"
        return " (the caller has no TLS, and --tls wants it)"

    async def _answer(self, call: sip.IncomingCall, output: Output) -> None:
        refusal = self._refusal()
        if refusal is not None:
            await call.reject(refusal)
            output.tell(Ended(reason=f"refused the call with {refusal}"))
            return
        conversations: list[Conversation] = []
        # Only one can be at the keyboard; scripts can be in any number of calls.
        self._busy = self._plan.prompt is not None
        try:
            await call.ringing()
            media = self._party.media(conversations.append, output)
            await call.answer(media)
            await self._party.hold(call, conversations[0], self._plan, output)
        finally:
            self._busy = False
        output.tell(conversations[0].summary())

    def _refusal(self) -> int | None:
        if self._options.reject is not None:
            return self._options.reject
        return _BUSY if self._busy else None


def _may_be_for_help(request: sip.Request) -> bool:
    """Tell whether a call brings more than calls do, to be read with care then."""
    headers = request.headers
    named = [*headers.get_all("To"), *headers.get_all("History-Info")]
    if any("urn:service:" in each.lower() for each in [str(request.uri), *named]):
        return True
    # A body of several parts may have a location among them.
    kind = headers.get("Content-Type") or ""
    return "Geolocation" in headers or "multipart" in kind.lower()


async def _register(party: Party, registrar: str) -> None:
    """Say where we are, for as long as we listen."""
    try:
        await party.agent.register(registrar)
    except sip.CallRefused as exc:
        raise ChatError(f"{registrar} doesn't register us: {exc}") from exc
    except (sip.SipError, ValueError) as exc:
        problem = f"{registrar} doesn't register us: {exc}"
        raise ChatError(problem, ExitCode.UNREACHABLE) from exc
    words = f"registered as {party.agent.address.uri} with {registrar}"
    party.output.tell(Notice(text=words))


def _announce(party: Party, host: str) -> None:
    fingerprint = None
    if isinstance(party.listener, msrp.MsrpListener) and party.listener.local_cert:
        fingerprint = str(party.listener.local_cert.fingerprint)
    for hop in party.agent.listening:
        # UDP and TCP share a port, and TCP bears messages of any size.
        if hop.transport is not sip.Transport.UDP:
            uri = (
                f"sip:console@{uri_host(host)}:{hop.port}"
                f";transport={hop.transport.value}"
            )
            party.output.tell(
                Listening(uri=uri, tls=party.options.tls, fingerprint=fingerprint)
            )


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _server_ssl(options: ListenOptions) -> ssl.SSLContext | None:
    if options.sips_port is None or options.cert is None:
        return None
    local_certificate(options)  # It says better what is wrong.
    try:
        return sip.tls_server_context(options.cert, options.key)
    except ssl.SSLError as exc:
        reason = (exc.reason or "not usable for TLS").replace("_", " ").lower()
        problem = f"{options.cert}: {reason}"
        raise ChatError(problem, ExitCode.USAGE) from exc
    except OSError as exc:
        problem = f"{options.cert}: {exc.strerror or 'it cannot be read'}"
        raise ChatError(problem, ExitCode.USAGE) from exc
