"""What we send beside the messages of the application: typing, notifications.

Nobody has asked for them and nobody waits for them, so what becomes of them is no news
to the application.  Only whoever has made one hears that the peer doesn't want it.
"""

from __future__ import annotations

from collections.abc import Callable

from msrp.events import MessageDeliveryFailed, ReportReceived
from msrp.headers import FailureReport

__all__ = ["Asides"]

MAX_ON_THEIR_WAY = 64
"""How many may wait to be sent, or to be answered.  Most answer something that the peer
has sent, and one that sends without reading would have us pile them up."""

MAX_REMEMBERED = 16
"""Those that are out and may still be refused, as silence is all that we get for them
(``Failure-Report: partial``)."""

Refused = Callable[[int | None], None]


class Asides:
    """Those of one session, by Message-ID."""

    __slots__ = ("_on_their_way", "_out")

    def __init__(self) -> None:
        # Most sessions never have any.
        self._on_their_way: dict[str, tuple[Refused, FailureReport]] | None = None
        self._out: dict[str, Refused] | None = None

    @property
    def are_too_many(self) -> bool:
        """Whether no more may be sent for now."""
        return len(self._on_their_way or ()) >= MAX_ON_THEIR_WAY

    def add(
        self, message_id: str, refused: Refused, failure_report: FailureReport
    ) -> None:
        """Note one that is queued.

        Args:
            message_id: Its Message-ID.
            refused: Called with the code if it fails; ``None`` if there is none.
            failure_report: What it says of failures.
        """
        if self._on_their_way is None:
            self._on_their_way = {}
        self._on_their_way[message_id] = refused, failure_report

    def delivered(self, message_id: str) -> bool:
        """Note that a message has arrived; tell whether it is one of these."""
        if not self._on_their_way or message_id not in self._on_their_way:
            return False
        refused, failure_report = self._on_their_way.pop(message_id)
        if failure_report is FailureReport.PARTIAL:
            if self._out is None:
                self._out = {}
            self._out[message_id] = refused
            if len(self._out) > MAX_REMEMBERED:
                del self._out[next(iter(self._out))]
        return True

    def failed(self, event: MessageDeliveryFailed) -> bool:
        """Note that a message failed; tell whether it is one of these."""
        refused = self._take(event.message_id)
        if refused is None:
            return False
        refused(event.status_code)
        return True

    def reported(self, event: ReportReceived) -> bool:
        """Note what is reported of a message; tell whether it is one of these."""
        if event.message_id in (self._on_their_way or ()):
            return True  # The core knows it, and says what comes of that.
        if event.message_id not in (self._out or ()):
            return False
        refused = self._take(event.message_id)
        if refused is not None and event.status.namespace == "000":
            if event.status_code != 200:
                refused(event.status_code)
        return True

    def _take(self, message_id: str) -> Refused | None:
        if self._on_their_way and message_id in self._on_their_way:
            return self._on_their_way.pop(message_id)[0]
        return self._out.pop(message_id, None) if self._out else None
