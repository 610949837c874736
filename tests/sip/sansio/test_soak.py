"""Ten thousand calls leave nothing behind.

Each costs both cores a millisecond or two.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import pytest

from sip.sansio.events import (
    CallAnswered,
    CallEnded,
    CallReceived,
    EndReason,
    Event,
)
from sip.testing import Network, Node
from sip.uri import parse_uri

CALLS = 10_000
AT_ONCE = 50
BETWEEN = 2.0
"""Seconds of the virtual clock from one lot to the next: 25 calls a second."""

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"


class Exchange:
    """Alice calls Bob, who answers; she hangs up at once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.alice = network.node("192.0.2.1")
        self.bob = network.node("192.0.2.2")
        self.alice.on_event = self._alice_hears
        self.bob.on_event = self._bob_hears
        self.ended = 0
        self._uri = parse_uri("sip:bob@192.0.2.2")

    def call(self) -> None:
        for _ in range(AT_ONCE):
            self.alice.core.invite(
                self._uri, self.network.now, body=SDP, content_type="application/sdp"
            )
        self.network.run(BETWEEN)
        self.network.log.clear()
        self.alice.events.clear()
        self.bob.events.clear()

    def _alice_hears(self, event: Event) -> None:
        if isinstance(event, CallAnswered):
            event.call.acknowledge(self.network.now)
            event.call.bye(self.network.now)

    def _bob_hears(self, event: Event) -> None:
        now = self.network.now
        if isinstance(event, CallReceived):
            event.call.provisional(180, now)
            event.call.accept(now, body=SDP, content_type="application/sdp")
        elif isinstance(event, CallEnded):
            assert event.reason is EndReason.REMOTE_BYE
            self.ended += 1


def collections_of(thing: object, seen: set[int] | None = None) -> dict[str, int]:
    """Give the size of every collection that an object of ours holds, by its path."""
    seen = set() if seen is None else seen
    found: dict[str, int] = {}
    if id(thing) in seen or not type(thing).__module__.startswith("sip."):
        return found
    seen.add(id(thing))
    names = {*getattr(thing, "__dict__", {}), *_slots_of(type(thing))}
    for name in names:
        value = getattr(thing, name, None)
        if isinstance(value, dict | list | set):
            found[name] = len(value)
        else:
            inner = collections_of(value, seen)
            found |= {f"{name}.{path}": size for path, size in inner.items()}
    return found


def _slots_of(kind: type) -> list[str]:
    return [name for c in kind.__mro__ for name in getattr(c, "__slots__", ())]


def growing(node: Node) -> dict[str, int]:
    """Give what a core holds that isn't empty and isn't told by the application."""
    return {path: n for path, n in collections_of(node.core).items() if n}


@contextlib.contextmanager
def collected_by_hand() -> Iterator[None]:
    """Leave garbage, if there is any, where it is until somebody asks for it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_call_that_is_over_leaves_nothing_to_the_garbage_collector(
    network: Network,
) -> None:
    calls = Exchange(network)
    calls.call()
    network.run(64.0)
    with collected_by_hand():
        calls.call()
        network.run(64.0)
        assert gc.collect() == 0


@pytest.mark.timeout(180)
@pytest.mark.rule("SIP-68", "SIP-24", "SIP-25", "SIP-27")
def test_thousands_of_calls_leave_nothing_behind(network: Network) -> None:
    calls = Exchange(network)
    at_rest = growing(calls.alice), growing(calls.bob)
    counts: list[int] = []
    lots = CALLS // AT_ONCE
    with collected_by_hand():  # There is nothing to collect on the way.
        for lot in range(1, lots + 1):
            calls.call()
            # What goes on at a time is the same from the 32nd second on.
            if lot in (lots // 2, lots):
                assert gc.collect() == 0
                counts.append(len(gc.get_objects()))
    assert calls.ended == CALLS
    assert abs(counts[1] - counts[0]) < counts[0] * 0.02
    assert growing(calls.alice) != at_rest[0]
    network.run(64.0)
    assert (growing(calls.alice), growing(calls.bob)) == at_rest
    for node in (calls.alice, calls.bob):
        assert node.core.calls == frozenset()
        assert node.core.next_timeout() is None
