"""The time between the loss of a connection and its replacement.

How messages get over it is the core's business (:meth:`~msrp.sansio.session.Session.
replace`); here is what needs a clock and a conscience: how long to wait, and who may
be told what was meant for somebody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from msrp.aio.session.progress import Milestone, Progress
from msrp.errors import LocalProtocolError, MsrpError
from msrp.negotiation import Negotiated

__all__ = ["Recovery", "RecoveryOwner", "check_same_party"]


class RecoveryOwner(Protocol):
    """Whose connection is replaced."""

    def not_recovered(self) -> None:
        """Be told that nobody has done so in time."""


class Recovery:
    """Says how long a lost session still waits.

    Args:
        recovery_time: Seconds from the loss on.  They are not counted while an
            attempt is under way, but one that fails after them was the last.
        progress: Where to note that it is lost.
        owner: Who is told when they are over.
    """

    __slots__ = (
        "_attempted",
        "_busy",
        "_owner",
        "_progress",
        "_recovery_time",
        "_timer",
        "_until",
        "failed",
    )

    def __init__(
        self, recovery_time: float, progress: Progress, owner: RecoveryOwner
    ) -> None:
        self.failed: MsrpError | None = None
        """Why the last attempt has failed, if it has."""
        self._recovery_time = recovery_time
        self._progress = progress
        self._owner = owner
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._attempted = False

    def lost(self, error: MsrpError) -> None:
        """Begin to wait, or go on with it after an attempt that has failed."""
        loop = asyncio.get_running_loop()
        self.failed = error if self._attempted else None
        self._attempted = False
        self._progress.reach(Milestone.LOST)
        if self._until is None:
            self._until = loop.time() + self._recovery_time
        self.stop()
        self._timer = loop.call_at(self._until, self._owner.not_recovered)

    def found(self) -> None:
        """Note that there is a connection again."""
        self._until = None
        self._attempted = False
        self._progress.leave(Milestone.LOST)
        self.stop()

    def stop(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep the session while somebody tries to connect it.

        Raises:
            LocalProtocolError: Somebody does so already.
        """
        if self._busy:
            raise LocalProtocolError("this connection is being reestablished already")
        self._busy = self._attempted = True
        self.failed = None
        self.stop()
        self._progress.leave(Milestone.LOST)
        try:
            yield
        finally:
            self._busy = False


def check_same_party(before: Negotiated, after: Negotiated) -> None:
    """Make sure that new paths lead to whom the old ones have led to.

    Whoever holds the key of an announced certificate is who he was before; without
    certificates the host at the end of the path has to do.

    Raises:
        LocalProtocolError: That isn't evident.
    """
    if not _is_same_party(before, after):
        raise LocalProtocolError(
            "the new description may be of another party, which must not get what was"
            " meant for the first one: say allow_other_party=True if it may"
        )


def _is_same_party(before: Negotiated, after: Negotiated) -> bool:
    if before.secure and not after.secure:
        return False
    if before.secure and (before.remote_fingerprints or after.remote_fingerprints):
        common = set(before.remote_fingerprints) & set(after.remote_fingerprints)
        return bool(common)
    hosts = [each.remote_path[-1].host.lower() for each in (before, after)]
    return hosts[0] == hosts[1]
