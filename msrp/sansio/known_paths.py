"""The paths that stand in each request of a session, read once for a connection.

Nearly every SEND begins with the same two fields as the one before it in its session.
What they say is remembered here, and only what follows them is read: for a short
message the URIs would cost more than all else together, and a cache for all
connections would be too small for a port with thousands of busy sessions.
"""

from __future__ import annotations

import re

from msrp.headers import ByteRange, FailureReport, RequestHead
from msrp.uri import MsrpUri

__all__ = ["KnownPaths"]

_MAX_KNOWN = 256
"""Pairs of paths to remember for one connection, which may carry as many sessions;
who has more has them read again."""

_MAX_LENGTH = 512
"""Octets of a pair that is worth it; those of long paths through relays are rare."""

_NEXT_FIELD = b"\r\nMessage-ID: "

# What follows the paths, as nearly every stack writes it; see msrp.headers.
_USUAL_REST = re.compile(
    rb"\r\nMessage-ID: ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31})"
    rb"(?:\r\nSuccess-Report: (yes|no))?"
    rb"(?:\r\nFailure-Report: (yes|no|partial))?"
    rb"(?:\r\nByte-Range: ([0-9]{1,19})-([0-9]{1,19}|\*)/([0-9]{1,19}|\*))?"
    rb"(?:\r\nContent-Type: ([!-~](?:[ -~]*[!-~])?))?"
)

_YES = FailureReport.YES
_FAILURE_REPORTS = {each.value.encode(): each for each in FailureReport}

_Path = tuple[MsrpUri, ...]


class KnownPaths:
    """Pairs of To-Path and From-Path that have come on one connection."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # A connection whose sessions are silent shall not take the room of a dict.
        self._known: dict[bytes, tuple[_Path, _Path]] | None = None

    def parse(self, transaction_id: str, block: bytes) -> RequestHead | None:
        """Read the head of a SEND; ``None`` if it begins with other paths.

        It reads what :meth:`msrp.headers.RequestHead.parse` reads, and leaves to that
        whatever is out of the ordinary.
        """
        at = block.find(_NEXT_FIELD)
        if at < 0 or self._known is None:
            return None
        paths = self._known.get(block[:at])
        match = None if paths is None else _USUAL_REST.fullmatch(block, at)
        if paths is None or match is None:
            return None
        message_id, success, failure, start, end, total, type_ = match.groups()
        byte_range = None
        if start is not None:
            byte_range = ByteRange(
                int(start),
                None if end == b"*" else int(end),
                None if total == b"*" else int(total),
            )
        return RequestHead(
            transaction_id,
            "SEND",
            paths[0],
            paths[1],
            message_id.decode(),
            byte_range,
            None if type_ is None else type_.decode(),
            success == b"yes",
            _YES if failure is None else _FAILURE_REPORTS[failure],
        )

    def remember(self, block: bytes, head: RequestHead) -> None:
        """Take note of the paths of a head, which belong to a session that is here.

        Others aren't worth it: anybody could send any number of them.
        """
        at = block.find(_NEXT_FIELD)
        # Two lines: with another field before Message-ID this would forget that.
        if not 0 < at <= _MAX_LENGTH or block.count(b"\n", 0, at) != 1:
            return
        if self._known is None or len(self._known) >= _MAX_KNOWN:
            self._known = {}
        self._known[block[:at]] = head.to_path, head.from_path
