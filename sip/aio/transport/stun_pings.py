"""Pings over UDP, to registrars that answer them (:rfc:`5626#section-4.4.2`).

A NAT forgets within half a minute who sends to whom, unless somebody does.  Nobody is
sent STUN who hasn't said that it is understood: to others it is junk, and a reason to
listen no more.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable

from sip.sansio.hop import Hop
from sip.sansio.limits import Limits
from sip.stun import StunMessage

__all__ = ["StunPings"]

_LIFE = 7_200.0
"""Seconds without a word of the registrar after which it is pinged no more: twice
the time for which a registration lasts by default, and for most at most."""

_MOST_TARGETS = 32
"""How many registrars to ping; a console has one or two."""

_TRIES = 7
_LAST_WAIT = 16
"""How often to ask, and how many RTO to wait after the last time
(:rfc:`5389#section-7.2.1`)."""

SendDatagram = Callable[[bytes, Hop], None]


class _Target:
    """One registrar, as it is reached from one socket."""

    def __init__(self) -> None:
        self.interval = 0.0
        self.shortest = 0.0
        self.until = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.transaction_id: bytes | None = None
        self.tries = 0
        self.address: tuple[str, int] | None = None


class StunPings:
    """Pings all registrars that answer pings over UDP.

    Args:
        send: Sends a datagram.
        on_failure: Called with the hop by which a registrar isn't reached any more,
            or by another way than before, so that it can't reach us either.
        limits: How often to ping, and how long to wait.
    """

    def __init__(
        self, send: SendDatagram, on_failure: Callable[[Hop], None], limits: Limits
    ) -> None:
        self._send = send
        self._on_failure = on_failure
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._targets: dict[Hop, _Target] = {}

    def __len__(self) -> int:
        """Count whom it pings."""
        return len(self._targets)

    def start(self, hop: Hop, flow_timer: float | None = None) -> None:
        """Ping from now on, or go on for longer.

        Args:
            hop: Whom, and by which socket.
            flow_timer: Seconds after which the registrar takes a silent client for
                gone, if it has said so.
        """
        target = self._targets.get(hop)
        if target is None:
            if len(self._targets) >= _MOST_TARGETS:
                return
            target = self._targets[hop] = _Target()
        target.until = self._loop.time() + _LIFE
        interval = self._limits.stun_interval
        shortest = interval * 24 / 29
        if flow_timer is not None:
            interval = max(flow_timer, min(self._limits.pong_time, interval))
            shortest = interval * 0.8
        if interval != target.interval:
            target.interval, target.shortest = interval, shortest
            if target.transaction_id is None:
                self._plan(hop, target)

    def received(self, data: bytes, source: Hop) -> None:
        """Take a datagram that is STUN: answer what asks, and note what answers."""
        message = StunMessage.parse(data)
        if message is None:
            return
        if message.is_request:
            address = (source.host, source.port)
            answer = StunMessage(message.transaction_id, False, address)
            self._send(bytes(answer), source)
            return
        target = self._targets.get(source)
        if target is None or target.transaction_id != message.transaction_id:
            return
        target.transaction_id = None
        known, target.address = target.address, message.address
        if message.address is None or known not in (None, message.address):
            self._fail(source)
        else:
            self._plan(source, target)

    def stop(self) -> None:
        """Ping nobody any more."""
        for target in self._targets.values():
            if target.timer is not None:
                target.timer.cancel()
        self._targets.clear()

    def _plan(self, hop: Hop, target: _Target) -> None:
        wait = random.uniform(target.shortest, target.interval)
        self._wait(target, wait, self._begin, hop)

    def _begin(self, hop: Hop) -> None:
        target = self._targets[hop]
        if self._loop.time() > target.until:
            del self._targets[hop]
            return
        target.transaction_id = secrets.token_bytes(12)
        target.tries = 0
        self._ask(hop)

    def _ask(self, hop: Hop) -> None:
        target = self._targets[hop]
        if target.tries == _TRIES:
            self._fail(hop)
            return
        assert target.transaction_id is not None
        wait = self._limits.stun_rto * 2**target.tries
        target.tries += 1
        if target.tries == _TRIES:
            wait = self._limits.stun_rto * _LAST_WAIT
        self._wait(target, wait, self._ask, hop)
        self._send(bytes(StunMessage(target.transaction_id)), hop)

    def _wait(
        self, target: _Target, seconds: float, then: Callable[[Hop], None], hop: Hop
    ) -> None:
        if target.timer is not None:
            target.timer.cancel()
        target.timer = self._loop.call_later(seconds, then, hop)

    def _fail(self, hop: Hop) -> None:
        target = self._targets.pop(hop)
        if target.timer is not None:
            target.timer.cancel()
        self._on_failure(hop)
