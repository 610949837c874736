"""Asking the application about what a peer wants to change."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sip.change import ChangeDecision, ChangePolicy, ProposedChange
from sip.sansio.limits import Limits

__all__ = ["Decider", "Verdict"]

_log = logging.getLogger("sip.call")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question."""

    decision: ChangeDecision
    """What to do."""

    status: int = 488
    """With what to refuse, if that is it."""


class Decider:
    """Asks the policy of one call, and waits for it only so long.

    Args:
        limits: How long.
        report: Told of a policy that fails.

    Attributes:
        policy: What decides; without one everything is accepted.
    """

    def __init__(
        self, limits: Limits, report: Callable[[str, BaseException], None]
    ) -> None:
        self.policy: ChangePolicy | None = None
        self._limits = limits
        self._report = report
        self._asking: asyncio.Task[Verdict] | None = None
        self._is_withdrawn = False

    async def decide(self, change: ProposedChange) -> Verdict | None:
        """Have it decided whether to do what the peer wants.

        Returns:
            ``None`` if the peer doesn't want it any more.
        """
        if self.policy is None or change.is_refresh:
            return Verdict(ChangeDecision.ACCEPT)
        asking = asyncio.get_running_loop().create_task(self._ask(self.policy, change))
        self._asking, self._is_withdrawn = asking, False
        try:
            await asyncio.wait([asking])
        finally:
            self._asking = None
            if asking.cancel():
                await asyncio.wait([asking])
        if self._is_withdrawn:
            return None
        if asking.cancelled():  # By the policy itself.
            return Verdict(ChangeDecision.REFUSE, 500)
        return asking.result()

    def withdraw(self) -> None:
        """Take note that nobody wants to know any more."""
        if self._asking is not None:
            self._is_withdrawn = True
            self._asking.cancel()

    async def _ask(self, policy: ChangePolicy, change: ProposedChange) -> Verdict:
        limits, patient = self._limits, change.may_take_time
        seconds = limits.decision_time if patient else limits.quick_decision_time
        try:
            decision = policy(change)
            if inspect.isawaitable(decision):
                decision = await asyncio.wait_for(decision, seconds)
            return Verdict(ChangeDecision(decision))
        except TimeoutError:
            _log.info("nobody has decided about a change within %g s", seconds)
            too_slow = change.request.method == "UPDATE"
            return Verdict(ChangeDecision.REFUSE, 504 if too_slow else 488)
        except Exception as exc:
            self._report("the policy for changes failed", exc)
            return Verdict(ChangeDecision.REFUSE, 500)
