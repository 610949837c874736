"""Thousands of sessions on one listener, well or badly ended, leave nothing behind."""

from __future__ import annotations

import asyncio
import enum
import functools
import gc
import logging
import os
import random
import resource
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

SEED = 4975

SUCCESSIVE = 1000
CONCURRENT = 500

SECURED = 100
"""Sessions over TLS, which costs about ten times as much to set up."""

WARM_UP = 100
"""Sessions after which all is imported and made that is made once."""

OURS = ("msrp", "sdp", "cpim", "mime", "markup", "digest", "recording")
"""Packages whose caches are emptied before anything is counted."""

FILES = 2 * CONCURRENT + 200
"""File descriptors that the busiest moment needs: two for each session."""

SPARE_BLOCKS = 200
"""Blocks of memory by which a round may grow: asyncio and the interpreter keep some
for later, up to a hundred, and give them back in another round.  No object of ours is
less than one, so not every second session of a round may leave any."""

SPARE_SHARE = 0.1
"""By how much of itself the process may grow."""

CANCELLED_TIMERS = 1000
"""Timers that were cancelled, enough of them that asyncio sweeps all such out."""

TURNS = 40
"""Turns of the loop in which a session comes up, talks and ends, about; tasks are
cancelled after a random number of them."""

PATIENCE = 200
"""How often to look again while asyncio is still about to close the last sockets."""

PICTURE = bytes(range(256)) * 20


_Gather = Callable[[], Awaitable[None]]


class Fate(enum.Enum):
    """How a session goes."""

    TEXTS = "texts"
    PICTURE = "picture"
    CANCELLED = "cancelled"
    KILLED = "killed"


@dataclass(slots=True)
class Soak:
    """Sessions with one listener, and what became of them."""

    listener: msrp.MsrpListener
    random: random.Random = field(default_factory=lambda: random.Random(SEED))
    went_well: Counter[Fate] = field(default_factory=Counter)
    """Of each fate, how many sessions went as they should."""
    cut_off: int = 0
    """Tasks that were still at work when they were cancelled."""

    def ends(self) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
        """Make both ends of a session that is called on the listener."""
        cert = self.listener.local_cert  # Good enough for both.
        uri = msrp.MsrpUri(
            "msrps" if cert else "msrp",
            "127.0.0.1",
            9,
            f"s{self.random.getrandbits(80)}",
        )
        offered = msrp.offer_media(
            uri,
            setup="active",
            accept_types=["*"],
            fingerprints=[cert.fingerprint] if cert else [],
        )
        answered = self.listener.answer(offered, accept_types=["*"])
        assert answered is not None
        return (
            msrp.MsrpConnection.create_from_sdp(
                offered, answered, is_incoming=False, local_cert=cert
            ),
            msrp.MsrpConnection.create_from_sdp(
                offered, answered, is_incoming=True, listener=self.listener
            ),
        )

    async def run(self, fate: Fate, gather: _Gather | None = None) -> None:
        """Run one session from its beginning to its end.

        Args:
            fate: How it goes.
            gather: What to wait for once it is established.
        """
        task = asyncio.create_task(self._live(fate, gather))
        if fate is Fate.CANCELLED:
            for _ in range(self.random.randrange(TURNS)):
                await asyncio.sleep(0)
            self.cut_off += task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
            self.went_well[fate] += 1
        elif fate is Fate.CANCELLED:
            self.went_well[fate] += 1

    async def _live(self, fate: Fate, gather: _Gather | None) -> None:
        ends = self.ends()
        for end in ends:
            end.max_message_length = len(PICTURE)
        async with AsyncExitStack() as stack:
            for end in self.random.sample(ends, 2):
                stack.push_async_callback(end.shutdown)
            await ends[1].start()
            await ends[0].start()
            await ends[1].established()
            if gather is not None:
                await gather()
            await self._talk(fate, *self.random.sample(ends, 2))

    async def _talk(
        self, fate: Fate, one: msrp.MsrpConnection, two: msrp.MsrpConnection
    ) -> None:
        content = "image/png" if fate is Fate.PICTURE else "text/plain"
        octets = PICTURE if fate is Fate.PICTURE else b"Is anybody hurt?"
        sent = await one.send_message(content, octets, success_report=True)
        received = await anext(two)
        assert (received.content_type, received.contents) == (content, octets)
        if fate is Fate.KILLED:
            await two.send_message("image/png", PICTURE)
            reset(one)
            for end in (one, two):
                assert (await end.closed()).reason is not msrp.CloseReason.BY_US
            return
        await sent.delivered()
        await two.send_text("No.")
        assert (await anext(one)).contents == b"No."


def reset(connection: msrp.MsrpConnection) -> None:
    """Break a connection as a crash of its host does: no FIN, but a RST."""
    stream = connection._started().stream
    assert stream is not None
    transport = stream._transport
    assert transport is not None
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


@dataclass(frozen=True, slots=True)
class Possessions:
    """What a process has besides its memory."""

    tasks: frozenset[asyncio.Task[object]]
    timers: frozenset[asyncio.TimerHandle]
    descriptors: int

    @classmethod
    def now(cls) -> Possessions:
        scheduled: list[asyncio.TimerHandle]
        scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        # Those that were cancelled only wait to be swept out.
        timers = frozenset(timer for timer in scheduled if not timer.cancelled())
        return cls(frozenset(asyncio.all_tasks()), timers, len(os.listdir("/dev/fd")))

    async def are_all(self, listener: msrp.MsrpListener) -> None:
        """Check that nothing else is there, nor anything in the listener."""
        for _ in range(PATIENCE):
            if self._besides():
                await asyncio.sleep(0.01)
        assert self._besides() == []
        assert remembered_by(listener) == []

    def _besides(self) -> list[object]:
        now = Possessions.now()
        descriptors = ["descriptor"] * (now.descriptors - self.descriptors)
        return [*(now.tasks - self.tasks), *(now.timers - self.timers), *descriptors]


def remembered_by(listener: msrp.MsrpListener) -> list[object]:
    """Return whatever a listener still remembers."""
    return [
        remembered
        for kept in (
            listener._uris._sessions,
            listener._arrivals.streams,
            listener._arrivals.unbound,
            listener._uris._expected,
            listener._uris._held,
            listener._uris._held_for,
            listener._arrivals.gates,
        )
        for remembered in kept
    ]


@pytest.fixture(autouse=True)
def _many_descriptors() -> Iterator[None]:
    """Let the process have as many sockets as the test needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(autouse=True)
def _few_records(caplog: pytest.LogCaptureFixture) -> None:
    """Log only errors: records of what was lost would be kept for the report."""
    caplog.set_level(logging.ERROR, logger="msrp")


async def leaves_nothing(
    soak: Soak,
    play: Callable[[Soak, int], Awaitable[None]],
    sessions: int,
    warm_up: int,
) -> None:
    """Look whether a number of sessions has left anything that fewer had not."""
    await play(soak, warm_up // len(Fate))
    before = Possessions.now()
    await before.are_all(soak.listener)
    blocks, resident = await memory()
    await play(soak, sessions // len(Fate))
    await before.are_all(soak.listener)
    more_blocks, more_resident = await memory()
    assert more_blocks < blocks + SPARE_BLOCKS
    assert more_resident < resident * (1 + SPARE_SHARE)


async def memory() -> tuple[int, int]:
    """Return how many blocks and pages there are, once what is over is collected."""
    loop = asyncio.get_running_loop()
    for _ in range(CANCELLED_TIMERS):
        loop.call_later(3600.0, int).cancel()
    await asyncio.sleep(0)
    gc.collect()
    for cache in caches():
        assert cache.cache_parameters()["maxsize"], f"{cache} grows without end"
        cache.cache_clear()
    gc.collect()  # Which lets go of what the interpreter keeps for later, too.
    return sys.getallocatedblocks(), resident_pages()


def caches() -> list[functools._lru_cache_wrapper[object]]:
    """Return what remembers values of ours, which is full sooner or later."""
    gc.unfreeze()  # They are older than any test; what is over is collected already.
    try:
        return [
            each
            for each in gc.get_objects()
            if isinstance(each, functools._lru_cache_wrapper)
            and each.__module__.startswith(OURS)
        ]
    finally:
        gc.freeze()


def resident_pages() -> int:
    """Return the resident set; without ``/proc`` a number that never changes."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) if statm.exists() else 1


async def one_after_another(soak: Soak, share: int) -> None:
    """Run a number of sessions of each fate in turn."""
    soak.went_well.clear()
    soak.cut_off = 0
    for fate in list(Fate) * share:
        await soak.run(fate)
    assert soak.went_well == dict.fromkeys(Fate, share)
    assert soak.cut_off > share // 3


async def all_at_once(soak: Soak, share: int) -> None:
    """Run a number of sessions of each fate, all of them open at some moment."""
    soak.went_well.clear()
    gathering = asyncio.Barrier(share * (len(Fate) - 1))
    most = 0

    async def gather() -> None:
        nonlocal most
        await gathering.wait()
        most = max(most, len(soak.listener._uris._sessions))

    await asyncio.gather(
        *(
            soak.run(fate, None if fate is Fate.CANCELLED else gather)
            for fate in list(Fate) * share
        )
    )
    assert soak.went_well == dict.fromkeys(Fate, share)
    assert most >= gathering.parties


async def test_a_thousand_sessions_one_after_another_leave_nothing_behind(
    board: Board,
) -> None:
    soak = Soak(await board.listener())
    await leaves_nothing(soak, one_after_another, SUCCESSIVE, WARM_UP)


async def test_five_hundred_sessions_at_once_leave_nothing_behind(board: Board) -> None:
    soak = Soak(await board.listener())
    await leaves_nothing(soak, all_at_once, CONCURRENT, CONCURRENT)


async def test_sessions_over_tls_leave_nothing_behind(
    board: Board, certs: tuple[msrp.LocalCertificate, msrp.LocalCertificate]
) -> None:
    soak = Soak(await board.listener(local_cert=certs[0]))
    await leaves_nothing(soak, all_at_once, SECURED, SECURED)
