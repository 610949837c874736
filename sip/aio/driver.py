"""What a user agent core wants, done: sockets, one timer, look-ups, tasks.

After whatever happens the core is asked what it wants until it wants nothing
(:meth:`Driver.flush`).  Events are handed to the user agent within that, so what
an event makes the application do goes out at once.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

from recording import Taps
from sip.aio.locating.resolver import Resolver
from sip.aio.requests.exchange import Exchange, Send
from sip.aio.tapping import AgentTap
from sip.aio.transport.layer import TransportLayer
from sip.errors import SipParseError, TransportError
from sip.message import Message, Response
from sip.name_addr import NameAddr
from sip.sansio.events import Event
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.limits import Limits
from sip.sansio.locate import way_back
from sip.sansio.requests.sender import Lookup
from sip.sansio.user_agent import UserAgentCore
from sip.uri import SipUri

__all__ = ["Driver"]

_log = logging.getLogger("sip.agent")

_MOST_WAYS_BACK = 64
"""Look-ups that may go on when another begins for a response: a peer chooses the
name, and a response that is lost is asked for again."""


class Driver:
    """Runs a user agent core on the asyncio loop.

    Args:
        core: The core.
        resolver: Finds the hops of URIs.
        on_event: Called with each event, and never within itself.
        server_ssl: The context to listen with TLS.
        client_ssl: The context to connect with TLS.
        pings: Whether to ping on every connection that we open.
    """

    def __init__(
        self,
        core: UserAgentCore,
        resolver: Resolver,
        on_event: Callable[[Event], None],
        *,
        server_ssl: ssl.SSLContext | None,
        client_ssl: ssl.SSLContext | None,
        pings: bool = False,
    ) -> None:
        self.core = core
        self._resolver = resolver
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lookups: set[asyncio.Task[None]] = set()
        self._exchanges: set[Exchange] = set()
        self._flushing = False
        self._closed = False
        self._tap: AgentTap | None = None
        self.transport = TransportLayer(
            self,
            self._transport_failed,
            limits=core.limits,
            server_ssl=server_ssl,
            client_ssl=client_ssl,
            pings=pings,
        )

    def taps_changed(self, taps: Taps) -> None:
        """Listen if somebody wants to hear something, and else don't."""
        if taps.hears_anything and self._tap is None:
            self._tap = AgentTap(taps, self.core.timers.timeout)
        elif self._tap is not None and not taps.hears_anything:
            self._tap.finish()
            self._tap = None
        self.transport.tap_by(self._tap)

    @property
    def address(self) -> NameAddr:
        """Who we are."""
        return self.core.address

    @property
    def limits(self) -> Limits:
        """How much of everything is held, and how long things may take."""
        return self.core.limits

    async def open(self, addresses: Sequence[Hop]) -> None:
        """Listen on all addresses, or on none.

        Raises:
            TransportError: One isn't free, or isn't ours.
            LocalError: One is for TLS and there is no certificate.
        """
        try:
            for address in addresses:
                await self.transport.listen(address)
        except BaseException:
            await self.transport.close()
            raise

    async def close(self) -> None:
        """Cancel all tasks and close all sockets."""
        self._closed = True
        for exchange in self._exchanges:
            exchange.give_up()
        if self._timer is not None:
            self._timer.cancel()
        known = self._tasks | self._lookups
        tasks = [task for task in known if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await self.transport.close()
            if self._tap is not None:
                self._tap.finish()

    def now(self) -> float:
        """Return the time, in seconds."""
        return self._loop.time()

    def flush(self) -> None:
        """Do what the core wants until it wants nothing."""
        if self._flushing or self._closed:
            return
        self._flushing = True
        try:
            while self._flush_once():
                pass
        finally:
            self._flushing = False
        self._set_timer()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something that is awaited or cancelled when the driver closes."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def wait_for_tasks(self) -> None:
        """Wait until everything spawned so far is done."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def report(self, message: str, error: BaseException) -> None:
        """Tell the loop's exception handler of a failure of the application."""
        self._loop.call_exception_handler({"message": message, "exception": error})

    def admit(self, method: str) -> None:
        """Take the requests of a method from now on."""
        self.core.admission = self.core.admission.including(method)

    async def exchange(self, send: Send) -> Response:
        """Send a request and wait for its final response.

        Raises:
            CallTimeout: Nobody answered.
            TransportError: No address took it.
            LocalError: The user agent is closed meanwhile.
        """
        exchange = Exchange(self.core.timers)
        send(self.core, exchange)
        self._exchanges.add(exchange)
        self.flush()
        try:
            return await exchange.answer
        finally:
            self._exchanges.discard(exchange)

    # What the transport tells.

    def message_received(self, message: Message, source: Hop) -> None:
        """Take a message."""
        if not self._closed:
            self.core.receive(message, source, self.now())
            self.flush()

    def invalid_received(self, error: SipParseError, source: Hop) -> None:
        """Take octets that are no message."""
        if not self._closed:
            self.core.receive_invalid(error, source, self.now())
            self.flush()

    def _transport_failed(self, outgoing: Outgoing, error: TransportError) -> None:
        if not self._closed:
            _log.info("%s", error)
            if self._tap is not None:
                self._tap.failed(outgoing.message, error)
            if self._send_elsewhere(outgoing):
                return
            self.core.transport_failed(outgoing, self.now(), error)
            self.flush()

    def _send_elsewhere(self, outgoing: Outgoing) -> bool:
        """Send a response to the other addresses of whoever is to have it."""
        if outgoing.others is None:
            uri = way_back(outgoing.message)
            if uri is None or len(self._lookups) >= _MOST_WAYS_BACK:
                return False
            self._run_lookup(self._find_way_back(outgoing, uri))
        elif outgoing.others:
            hop, *others = outgoing.others
            self.transport.send(Outgoing(outgoing.message, hop, others=others))
        return True

    async def _find_way_back(self, outgoing: Outgoing, uri: SipUri) -> None:
        try:
            hops = await self._resolver.resolve(uri)
        except TransportError as exc:
            _log.info("%s", exc)
            return
        except Exception as exc:
            # The application may have given us a DNS of its own.
            self.report("the look-up of a name in a Via failed", exc)
            return
        tried = (outgoing.hop.host, outgoing.hop.port)
        others = [hop for hop in hops if (hop.host, hop.port) != tried]
        self._send_elsewhere(replace(outgoing, others=others))

    # What the core wants.

    def _flush_once(self) -> bool:
        lookups = self.core.lookups()
        for lookup in lookups:
            hops = self._resolver.resolve_now(lookup.uri)
            if hops is None:
                self._look_up(lookup)
            else:
                self.core.found(lookup, hops, self.now())
        messages = self.core.messages_to_send()
        for outgoing in messages:
            self.transport.send(outgoing)
        events = self.core.events_received()
        for event in events:
            if self._tap is not None:
                self._tap.happened(event)
            self._on_event(event)
        # To have sent something makes for no more: who fails says so later.
        return bool(lookups or events)

    def _look_up(self, lookup: Lookup) -> None:
        # Nobody waits for a look-up when the agent is closed: it is cancelled.
        self._run_lookup(self._resolve(lookup))

    def _run_lookup(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _resolve(self, lookup: Lookup) -> None:
        hops: Sequence[Hop] = ()
        cause: TransportError | None = None
        try:
            hops = await self._resolver.resolve(lookup.uri)
        except TransportError as exc:
            cause = exc
        except Exception as exc:
            # The application may have given us a DNS of its own.
            cause = TransportError("the look-up of its address failed")
            cause.__cause__ = exc
            self.report("the look-up of a URI failed", exc)
        self.core.found(lookup, hops, self.now(), cause)
        self.flush()

    def _set_timer(self) -> None:
        due = self.core.next_timeout()
        if due is None:
            return
        if self._timer is not None:
            # Deadlines mostly move away, and one that comes too early costs less
            # than another timer for each message.
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.core.handle_timeout(self.now())
        self.flush()
