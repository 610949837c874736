"""Holding a conversation: until all is said, or the other side hangs up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.script import Quit, Speaker, Step
from msrp_chat.outcome import ChatError

__all__ = ["HUNG_UP_EARLY", "Keyboard", "Lost", "Plan", "hold", "words_of"]

HUNG_UP_EARLY = "the other side hung up before all was said"


class Keyboard(Protocol):
    """Where somebody types."""

    async def __call__(self, speaker: Speaker) -> None:
        """Let somebody talk; return when he wants to hang up."""

    async def attend(self) -> None:
        """Read also while there is nobody to talk to; return at the end of it all."""


class Lost(ChatError):
    """The connection broke.  If a BYE follows at once, the peer has hung up."""

    def __init__(self, problem: str, *, finished: bool) -> None:
        super().__init__(problem)
        self.finished = finished
        """Whether all had been said."""


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
        self._conversation = conversation
        self._plan = plan

    async def run(self) -> None:
        plan, conversation = self._plan, self._conversation
        for step in plan.steps:
            if isinstance(step, Quit):
                await conversation.settled()
                self.finished = True
                return
            await step.perform(conversation)
        await conversation.settled()
        self.finished = True
        if plan.prompt is not None:
            await plan.prompt(conversation)
        elif plan.stays:
            await conversation.over()
        else:
            await conversation.silence(plan.wait)


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
        raise Lost(problem, finished=talk.finished)
    if not talk.finished:
        raise ChatError(HUNG_UP_EARLY)
    return False


def words_of(error: BaseException) -> str:
    """Say what broke, in words: the number of an error of the system helps nobody."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno)
        cause = cause.__cause__
    return str(error)
