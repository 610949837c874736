"""Every line of the table, with what it is measured against and what it has to be."""

from __future__ import annotations

from benchmarks.figures import TIMES, Aim, Row

__all__ = ["ROWS", "row"]


def _at_least(bound: float) -> Aim:
    return Aim(bound, at_least=True)


def _at_most(bound: float) -> Aim:
    return Aim(bound, at_least=False)


_BARE = "bare asyncio"

_ALL = [
    Row(
        "bulk-tcp",
        "one 1 GiB message in long interruptible chunks, TCP, into a sink that counts",
        f"{_BARE} stream",
        aim=_at_least(0.40),
    ),
    Row(
        "bulk-tls", "the same over TLS", f"{_BARE} stream over TLS", aim=_at_least(0.85)
    ),
    Row(
        "chunks-2048",
        "one 100 MiB message in 2,048-octet chunks, each answered 200",
        f"{_BARE}, same records, same window",
        aim=_at_least(0.50),
    ),
    Row(
        "texts",
        "50,000 text messages of 100 octets, each answered, hooks called",
        f"{_BARE} lines, same window",
        aim=_at_least(0.40),
    ),
    Row(
        "ping-median",
        "one text, wait for its response, 5,000 times: median",
        f"{_BARE} ping",
        TIMES,
        _at_most(1.7),
    ),
    Row("ping-p99", "the same: p99", f"{_BARE} ping", TIMES, _at_most(3.0)),
    Row(
        "chat-in-bulk",
        "a chat line every 10 ms while 1 GiB goes the same way on the same"
        " connection: p99",
        "the same line on an idle connection",
        TIMES,
        _at_most(25.0),
    ),
    Row(
        "busy-sessions",
        "200 busy sessions on one listener: messages per second of all",
        "one session",
        aim=_at_least(0.8),
    ),
]

ROWS = {one.name: one for one in _ALL}


def row(name: str) -> Row:
    """Return the row of this name."""
    return ROWS[name]
