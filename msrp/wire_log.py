"""What goes over the wire, for those who have to keep a record of it.

Emergency services log every message of a call as it was, with its time and direction
(NENA-STA-010, ``NonRtpMediaMessageLogEvent``).  A :data:`WireLog` is given each MSRP
message once: each chunk, each response and each report.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["WireDirection", "WireLog", "WireMessage"]


class WireDirection(enum.Enum):
    """Which way a message goes."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """One request or response, as it went over the wire."""

    direction: WireDirection

    time: datetime.datetime
    """When its last octet was read, or handed to the transport; in UTC."""

    session_id: str | None
    """Of the session of ours that it is to or from; ``None`` if it doesn't say."""

    peer: str
    """The other end of the connection, as host and port."""

    octets: bytes
    """All of it, from ``MSRP`` to the CRLF behind the continuation flag; of a body that
    is larger than was asked for only the beginning."""

    size: int
    """How many octets it had on the wire."""

    is_complete: bool = True
    """Whether it has an end; the last of a connection that breaks may have none."""

    @property
    def is_cut(self) -> bool:
        """Whether some of its body isn't in :attr:`octets`."""
        return len(self.octets) < self.size


WireLog: TypeAlias = Callable[[WireMessage], None]
"""Is called with each message, in the order of the wire, before anything is done about
it; so it must return soon, and only take note."""
