"""How long SIP waits, and for what (:rfc:`3261#section-17.1.1.1`).

Every interval of the transaction layer is made of three lengths of time.  They
are a value so that tests can shorten them, and never a module variable.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Timers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """The lengths of time that all timers are made of, in seconds."""

    t1: float = 0.5
    """An estimate of the round-trip time."""

    t2: float = 4.0
    """The longest time between two sendings of the same message."""

    t4: float = 5.0
    """How long a message may live in the network."""

    trying_after: float = 0.2
    """When an INVITE that has no answer yet gets its 100
    (:rfc:`3261#section-17.2.1`)."""

    session_expires: int | None = 1800
    """Seconds that a call may go on without a sign of life, where we have a say in it
    (:rfc:`4028`); ``None`` not to ask for such signs."""

    min_session_expires: int = 90
    """The shortest such time that we bear, at least 90 s."""

    randbelow: Callable[[int], int] = secrets.randbelow
    """What is random in waiting: gives a number from 0 up to, but not including,
    another."""

    @property
    def timeout(self) -> float:
        """How long to wait for an answer: timers B, F, H, J, L and M."""
        return 64 * self.t1

    @property
    def absorb_responses(self) -> float:
        """How long a refused INVITE is remembered on UDP: timer D.

        The server may repeat its response for timer H, which is 32 seconds
        with the default T1, whatever T1 is here.
        """
        return max(32.0, self.timeout)

    @property
    def late_trying(self) -> float:
        """When a request other than INVITE gets its 100.

        By then timer E of the client has grown to T2; earlier it would only
        make the client wait longer (:rfc:`4320#section-4.1`).
        """
        elapsed, interval = 0.0, self.t1
        while interval < self.t2:
            elapsed += interval
            interval *= 2
        return elapsed
