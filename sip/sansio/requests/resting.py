"""Servers that want to be spared for a while (:rfc:`3261#section-21.5.4`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sip.errors import SipParseError
from sip.fields.retry_after import RetryAfter
from sip.message import Response
from sip.sansio.hop import Hop
from sip.sansio.limits import Limits

__all__ = ["Resting", "retry_after"]


class Resting:
    """The hops that answered 503 with ``Retry-After``.

    They are asked after all others, and not left out: one that is the only way to
    a PSAP is asked all the same.

    Args:
        limits: How many to remember, and for how long at most.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._until: dict[Hop, float] = {}

    def note(self, hop: Hop, response: Response, now: float) -> None:
        """Take note of the 503 of a hop."""
        seconds = retry_after(response)
        if not seconds:
            return
        key = _key(hop)
        self._until.pop(key, None)
        self._until[key] = now + min(seconds, self._limits.longest_rest)
        if len(self._until) > self._limits.resting_hops:
            del self._until[next(iter(self._until))]

    def last(self, hops: Sequence[Hop], now: float) -> list[Hop]:
        """Return hops with those that rest at the end."""
        for key in [key for key, until in self._until.items() if until <= now]:
            del self._until[key]
        if not self._until:
            return list(hops)
        return sorted(hops, key=lambda hop: _key(hop) in self._until)


def retry_after(response: Response) -> int | None:
    """Return the seconds that a response asks to wait, if it tells."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return RetryAfter.parse(value).seconds
    except SipParseError:
        return None


def _key(hop: Hop) -> Hop:
    return replace(hop, flow=None, server_name="")
