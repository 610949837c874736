"""Which rows are measured together, and by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks import idle, memory, others, scaling, startup, traffic, values
from benchmarks.effort import Effort
from benchmarks.figures import Measured

__all__ = ["GROUPS", "Group", "in_turn"]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that come out of the same runs."""

    name: str
    rows: tuple[str, ...]
    measure: Callable[[Effort], Awaitable[list[Measured]]]

    is_of_time: bool = True
    """Whether it needs the machine for itself.  Those of memory are measured together,
    as memory isn't less where others are busy, too."""


GROUPS = [
    Group("bulk-tcp", ("bulk-tcp",), traffic.measure_bulk),
    Group("bulk-tls", ("bulk-tls",), traffic.measure_bulk_tls),
    Group("chunks", ("chunks-2048",), traffic.chunks),
    Group("texts", ("texts",), traffic.text_messages),
    Group("ping", ("ping-median", "ping-p99"), traffic.pings),
    Group("chat-in-bulk", ("chat-in-bulk",), traffic.chat_in_bulk),
    Group("busy-sessions", ("busy-sessions",), traffic.busy_sessions),
    Group("idle", ("idle-tcp", "idle-tls"), idle.idle_sessions, False),
    Group("big-file", ("big-file",), memory.big_file, False),
    Group("file-peaks", ("sender-peak", "receiver-peak"), memory.file_peaks, False),
    Group("values", ("sdp", "cpim", "multipart"), values.values),
    Group("sip-read", ("sip-read", "sip-read-headers"), others.sip_messages),
    Group("sip-calls", ("sip-answering", "sip-calling"), others.sip_calls),
    Group("startup", ("import", "import-connection", "help"), startup.startup),
    Group("scale-sizes", ("scale-sizes",), scaling.sizes),
    Group("scale-sessions", ("scale-sessions",), scaling.sessions),
    Group("scale-per-read", ("scale-per-read",), scaling.per_read),
    Group("reassembly", ("reassembly",), scaling.reassembly),
]


def in_turn(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Yield which of the groups to measure at a time."""
    together = [group for group in groups if not group.is_of_time]
    for group in groups:
        if group.is_of_time:
            yield [group]
        elif group is together[0]:
            yield together
