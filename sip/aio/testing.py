"""A network for tests that loses and mixes up real datagrams.

:class:`BadUdp` stands between two user agents as a NAT would: one calls its address,
the other sees the datagrams come from it.  :mod:`sip.testing` has the same for cores
that never see a socket.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["BadUdp"]

_MOST_CALLERS = 64
"""Addresses that may send through it; it is a tool for tests, not a NAT."""

_Address = tuple[str, int]


class BadUdp:
    """Passes datagrams on to one address, and the answers back, badly.

    Use it as a context manager.

    Args:
        target: Where to pass on what comes.
        seed: What the dice begin with; but the order in which datagrams come, and so
            their fate, isn't the same in each run.
        loss: How likely it is that a datagram is lost.
        delay: The longest time on the way, in seconds; datagrams that are sent within
            it of each other overtake each other.
        streak: How often the same octets are lost at most, one after another.  An
            INVITE is sent seven times (:rfc:`3261#section-17.1.1.2`), and of those
            that chance alone decides about one in 4,600 never arrives if three in ten
            are lost: a test with hundreds of calls would fail now and then, rightly.

    Attributes:
        passed: How many datagrams arrived.
        lost: How many didn't.
    """

    def __init__(
        self,
        target: _Address,
        seed: int,
        *,
        loss: float = 0.3,
        delay: float = 0.05,
        streak: int | None = None,
    ) -> None:
        self.passed = 0
        self.lost = 0
        self._target = target
        self._dice = random.Random(seed)
        self._loss = loss
        self._delay = delay
        self._streak = streak
        self._lost_before: dict[int, int] = {}
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[_Address, asyncio.DatagramTransport] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Open the socket to call."""
        self._front = await _open(_Side(self._came))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all sockets; what is on its way is lost."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in (self._front, *self._backs.values()):
            if transport is not None:
                transport.close()
        await asyncio.sleep(0)  # They close within the next turn of the loop.

    @property
    def port(self) -> int:
        """The port to call on 127.0.0.1."""
        assert self._front is not None
        port: int = self._front.get_extra_info("sockname")[1]
        return port

    def _came(self, data: bytes, source: _Address) -> None:
        back = self._backs.get(source)
        if back is not None:
            self._throw(back, data, self._target)
        elif len(self._backs) + len(self._tasks) < _MOST_CALLERS:
            task = asyncio.get_running_loop().create_task(self._admit(data, source))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _admit(self, data: bytes, source: _Address) -> None:
        """Open the socket from which a new caller is heard, as a NAT does."""

        def answered(data: bytes, _: _Address) -> None:
            assert self._front is not None
            self._throw(self._front, data, source)

        back = await _open(_Side(answered))
        if source in self._backs:  # Two datagrams came at once.
            back.close()
            back = self._backs[source]
        self._backs[source] = back
        self._throw(back, data, self._target)

    def _throw(
        self, transport: asyncio.DatagramTransport, data: bytes, target: _Address
    ) -> None:
        if self._is_lost(data):
            self.lost += 1
            return
        self.passed += 1
        wait = self._dice.uniform(0.0, self._delay)
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            self._timers.discard(timer)
            transport.sendto(data, target)

        timer = loop.call_later(wait, arrive)
        self._timers.add(timer)

    def _is_lost(self, data: bytes) -> bool:
        lost = self._dice.random() < self._loss
        if self._streak is None:
            return lost
        key = hash(data)
        before = self._lost_before.pop(key, 0)
        if lost and before < self._streak:
            self._lost_before[key] = before + 1
            return True
        return False


class _Side(asyncio.DatagramProtocol):
    """One socket."""

    def __init__(self, came: Callable[[bytes, _Address], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Take a datagram."""
        self._came(data, (str(addr[0]), int(addr[1])))


async def _open(side: _Side) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: side, local_addr=("127.0.0.1", 0)
    )
    # Only what is lost on purpose shall be.
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return transport
