"""Whether an offer asks for another transfer (:rfc:`5547#section-8.1`).

A call is refreshed, and other streams of it change, while a file is on its way or long
there: then its section is only repeated.  The ``file-transfer-id`` tells.
"""

from __future__ import annotations

import enum

from msrp.file_transfer.selector import FileSelector

__all__ = ["MAX_TRANSFERS", "Repetition", "SeenTransfers"]

MAX_TRANSFERS = 1_000
"""Transfers in one call.  All their ids have to be kept, and a peer could make up any
number, each with a selector as long as a line of SDP may be (8 KiB); what comes after
these is refused."""


class Repetition(enum.Enum):
    """What an offer is, compared with those before."""

    NEW = "a new transfer"
    """A file is to be sent, even if it is the same as before."""

    EXISTING = "the existing transfer"
    """Nothing is to be done: the file is on its way, or there."""

    ERROR = "an error"
    """The same transfer of another file, which can't be: it is to be refused."""


# By whether the id is known, and whether the file is the same (figure 3).
_TABLE = {
    (False, False): Repetition.NEW,
    (False, True): Repetition.NEW,
    (True, True): Repetition.EXISTING,
    (True, False): Repetition.ERROR,
}


class SeenTransfers:
    """The transfers that were offered in one call, by either side.

    Args:
        limit: How many to remember.
    """

    def __init__(self, limit: int = MAX_TRANSFERS) -> None:
        self._limit = limit
        self._selectors: dict[str, FileSelector] = {}

    @property
    def is_full(self) -> bool:
        """Whether no further transfer may begin."""
        return len(self._selectors) >= self._limit

    def judge(self, transfer_id: str, selector: FileSelector) -> Repetition:
        """Tell what an offer with this id and this selector is."""
        before = self._selectors.get(transfer_id)
        is_same = before is not None and not before.contradicts(selector)
        return _TABLE[before is not None, is_same]

    def note(self, transfer_id: str, selector: FileSelector) -> None:
        """Remember a transfer, accepted or not."""
        if not self.is_full:
            self._selectors.setdefault(transfer_id, selector)
