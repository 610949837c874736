"""Holding a conversation: until all is said, or the other side hangs up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.steps import (
    Quit,
    ScriptLine,
    Speaker,
    Step,
    step_itself,
)
from msrp_chat.outcome import ChatError

__all__ = ["Keyboard", "Lost", "Plan", "hold", "words_of"]

_HUNG_UP_EARLY = "the other side hung up before all was said"
_CLOSED_EARLY = "the other side closed the message session before all was said"


class Keyboard(Protocol):
    """Where somebody types."""

    async def __call__(self, speaker: Speaker) -> None:
        """Let somebody talk; return when he wants to hang up."""

    async def attend(self) -> None:
        """Read also while there is nobody to talk to; return at the end of it all."""


class Lost(ChatError):
    """The session was over too early.  If a BYE follows at once, the peer hung up."""

    def __init__(self, problem: str, *, where: str, finished: bool) -> None:
        super().__init__(where + problem)
        self._where = where
        self._finished = finished

    def explained_by_bye(self) -> ChatError | None:
        """Return what is wrong if the peer has hung up; ``None`` if nothing is."""
        return None if self._finished else ChatError(self._where + _HUNG_UP_EARLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What our side does."""

    steps: Sequence[Step] = ()
    """What to say."""

    prompt: Keyboard | None = None
    """What to run after that: it returns when somebody wants to hang up."""

    stays: bool
    """Whether to leave the hanging up to the other side then."""

    wait: float
    """If not: seconds of silence to wait for before hanging up."""


class _Talk:
    """Our side of it, while it runs."""

    def __init__(self, conversation: Conversation, plan: Plan) -> None:
        self.finished = False
        """Whether all has been said that was to be said."""
        self._step: Step | None = None
        self._conversation = conversation
        self._plan = plan

    @property
    def where(self) -> str:
        """What to put before a problem, so that people know where it ended."""
        step = self._step
        return f"{step.where}: " if isinstance(step, ScriptLine) else ""

    async def run(self) -> None:
        plan, conversation = self._plan, self._conversation
        for step in plan.steps:
            self._step = step
            if isinstance(step_itself(step), Quit):
                await self._finish()
                return
            await step.perform(conversation)
        self._step = None
        await self._finish()
        if plan.prompt is not None:
            await plan.prompt(conversation)
        elif plan.stays:
            await conversation.over()
        else:
            await conversation.silence(plan.wait)

    async def _finish(self) -> None:
        await self._conversation.settled()
        self.finished = True


async def hold(conversation: Conversation, plan: Plan) -> bool:
    """Talk, until there is reason to hang up.

    Returns:
        Whether the session is still there.

    Raises:
        ChatError: There was no session, it was lost, or the other side ended it
            before all was said.
    """
    await conversation.opened()
    talk = _Talk(conversation, plan)
    over = asyncio.ensure_future(conversation.over())
    talking = asyncio.create_task(talk.run(), name="msrp-chat talk")
    try:
        await asyncio.wait((over, talking), return_when=asyncio.FIRST_COMPLETED)
        if not over.done():
            talking.result()
            return True
    except asyncio.CancelledError:
        conversation.abandon()
        raise
    finally:
        over.cancel()
        talking.cancel()
        await asyncio.wait((over, talking))
        if not talking.cancelled():
            talking.exception()  # If the session is over, that is why it failed.
    error = over.result().error
    if error is not None:
        problem = f"the connection to the other side was lost: {words_of(error)}"
        raise Lost(problem, where=talk.where, finished=talk.finished)
    if not talk.finished:
        raise Lost(_CLOSED_EARLY, where=talk.where, finished=False)
    return False


def words_of(error: BaseException) -> str:
    """Say what broke, in words: the number of an error of the system helps nobody."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno)
        cause = cause.__cause__
    return str(error)
