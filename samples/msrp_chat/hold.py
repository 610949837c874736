"""Holding a conversation: until all is said, or the other side hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from msrp_chat.conversation import Conversation
from msrp_chat.outcome import ChatError
from msrp_chat.script import Quit, Step

__all__ = ["Plan", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What our side does."""

    steps: Sequence[Step] = ()
    """What to say."""

    prompt: Callable[[Conversation], Awaitable[None]] | None = None
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
        raise ChatError(f"the connection to the other side was lost: {error}")
    if not talk.finished:
        raise ChatError("the other side hung up before all was said")
    return False
