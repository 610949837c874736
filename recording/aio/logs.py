"""Whole messages in the log of the program, for those who look for a mistake."""

from __future__ import annotations

import logging

from recording.aio.tap import MAX_WAITING, Tap
from recording.aio.taps import Taps
from recording.records import Direction, WireRecord

__all__ = ["MAX_BODY", "log_wire"]

MAX_BODY = 512
"""Octets of a body that the log gets: a session description, or a line of text."""


def log_wire(taps: Taps, logger: logging.Logger) -> Tap[WireRecord] | None:
    """Have each request and response in the log, if somebody reads it at DEBUG.

    Whether somebody does is looked at now, so that it costs nothing otherwise.
    Credentials are made unreadable before, as for any tap.

    Args:
        taps: Those of what is to be logged.
        logger: Where to.

    Returns:
        The tap that does it; ``None`` if nobody reads it.
    """
    if not logger.isEnabledFor(logging.DEBUG):
        return None

    def write(record: WireRecord) -> None:
        way = "to" if record.direction is Direction.SENT else "from"
        logger.debug("%s %s\n%s", way, record.peer, _shown(record))

    return taps.add_wire(write, MAX_WAITING)


def _shown(record: WireRecord) -> str:
    head, blank, body = record.octets.partition(b"\r\n\r\n")
    text = (head + blank + body[:MAX_BODY]).decode(errors="backslashreplace")
    hidden = record.size - len(head) - len(blank) - min(len(body), MAX_BODY)
    note = f"\n... and {hidden} octets more" if hidden else ""
    return text.replace("\r\n", "\n").rstrip("\n") + note
