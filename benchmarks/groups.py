"""Which rows are measured together, and by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks import traffic
from benchmarks.figures import Measured
from benchmarks.traffic import Effort

__all__ = ["GROUPS", "Group"]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that come out of the same runs."""

    name: str
    rows: tuple[str, ...]
    measure: Callable[[Effort], Awaitable[list[Measured]]]


GROUPS = [
    Group("bulk-tcp", ("bulk-tcp",), traffic.measure_bulk),
    Group("bulk-tls", ("bulk-tls",), traffic.measure_bulk_tls),
    Group("chunks", ("chunks-2048",), traffic.chunks),
    Group("texts", ("texts",), traffic.text_messages),
    Group("ping", ("ping-median", "ping-p99"), traffic.pings),
    Group("chat-in-bulk", ("chat-in-bulk",), traffic.chat_in_bulk),
    Group("busy-sessions", ("busy-sessions",), traffic.busy_sessions),
]
