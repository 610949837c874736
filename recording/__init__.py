"""Keeping a record of what was said: taps, and what they write.

Emergency services log every message of a call (NENA-STA-010, 4.12.3), and when
something goes wrong the octets are wanted, too.  A *tap* is added to a connection, a
listener, a relay or a user agent, and a callback hears of each message once
(:class:`MessageRecord`: all that is known of it when it is over), or of each request
and response as it goes over the wire (:class:`WireRecord`).

This room knows neither MSRP nor SIP: those rooms make the records.  The records and
what they are written as, :func:`to_json_line` and :class:`PcapngEncoder`, are values
and functions; :mod:`recording.aio` has the queue with its thread, and the files.  What
a tap does costs the call nothing but to put a record into that queue, whatever the
callback does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from recording.errors import RecordingFailed
from recording.json_lines import LogElement, log_event, to_json_line
from recording.masking import without_credentials
from recording.pcapng import PcapngEncoder
from recording.records import (
    CallIdentity,
    Direction,
    Endpoint,
    MessageRecord,
    Outcome,
    Protocol,
    Transport,
    WireRecord,
)

if TYPE_CHECKING:
    from recording.aio.clock import utc_now
    from recording.aio.files import JsonLinesFile, PcapngFile
    from recording.aio.logs import log_wire
    from recording.aio.tap import Tap
    from recording.aio.taps import Tappable, Taps

_LATER = {
    "JsonLinesFile": "recording.aio.files",
    "PcapngFile": "recording.aio.files",
    "Tap": "recording.aio.tap",
    "Tappable": "recording.aio.taps",
    "Taps": "recording.aio.taps",
    "log_wire": "recording.aio.logs",
    "utc_now": "recording.aio.clock",
}

__all__ = [
    "CallIdentity",
    "Direction",
    "Endpoint",
    "JsonLinesFile",
    "LogElement",
    "MessageRecord",
    "Outcome",
    "PcapngEncoder",
    "PcapngFile",
    "Protocol",
    "RecordingFailed",
    "Tap",
    "Tappable",
    "Taps",
    "Transport",
    "WireRecord",
    "log_event",
    "log_wire",
    "to_json_line",
    "utc_now",
    "without_credentials",
]

if not TYPE_CHECKING:  # Else a type checker took every name for one of ours.

    def __getattr__(name: str) -> object:
        """Import what wasn't asked for before (:pep:`562`)."""
        home = _LATER.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(home), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
