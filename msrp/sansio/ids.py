"""Transaction ids and Message-IDs.

They are cut from random octets that are fetched for many at a time: asking the
system costs more than all else that is done for a chunk.
"""

from __future__ import annotations

import os
import secrets

__all__ = ["IdSupply", "new_message_id", "new_transaction_id"]

_AT_A_TIME = 128
"""Ids for which random octets are fetched at once."""


class IdSupply:
    """Random ids of one length.

    Args:
        digits: Hexadecimal digits of each.
    """

    __slots__ = ("_digits", "_ready")

    def __init__(self, digits: int) -> None:
        self._digits = digits
        self._ready: list[str] = []
        # Else parent and child would give out the same ones.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._ready.clear)

    def next(self) -> str:
        """Return one that was never returned before."""
        try:
            return self._ready.pop()
        except IndexError:
            octets = self._digits // 2
            random = secrets.token_bytes(octets * _AT_A_TIME)
            self._ready += random.hex(" ", octets).split()
            return self._ready.pop()


new_transaction_id = IdSupply(16).next
"""Return a transaction id of 64 random bits (:rfc:`4975#section-7.1`)."""

new_message_id = IdSupply(24).next
"""Return a Message-ID that no endpoint will ever repeat."""
