"""The steps of a conversation: what can be said, waited for, and done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msrp_chat.outcome import ChatError

__all__ = [
    "AwaitDelivery",
    "Expect",
    "ExpectNothing",
    "OfferFile",
    "Quit",
    "SayCpim",
    "SayPrivately",
    "SayText",
    "ScriptLine",
    "SendFile",
    "SendMultipart",
    "SetNickname",
    "SetTimeout",
    "Speaker",
    "Step",
    "Type",
    "Wait",
    "step_itself",
]


class Speaker(Protocol):
    """Who performs steps."""

    async def say_text(self, text: str) -> None:
        """Send text as text/plain."""

    async def say_cpim(self, text: str) -> None:
        """Send text in a message/cpim envelope."""

    async def say_privately(self, to: str, text: str) -> None:
        """Send text that is for one of those in a room alone."""

    async def use_nickname(self, nickname: str) -> None:
        """Ask to be called something else."""

    def composing(self) -> None:
        """Take note that somebody is typing."""

    async def send_file(self, path: Path) -> None:
        """Send a file."""

    async def offer_file(self, path: Path) -> None:
        """Offer a file in the call, and send it when it is wanted."""

    async def send_multipart(self, text: str, path: Path) -> None:
        """Send text and a file as one message."""

    async def expect(self, text: str) -> None:
        """Wait until a text or the name of a file has ``text`` in it."""

    async def expect_nothing(self, seconds: float) -> None:
        """See that nothing comes for a while."""

    async def expect_delivery(self) -> None:
        """Wait until all that was sent has arrived."""

    def set_timeout(self, seconds: float) -> None:
        """Say how long to wait for what is expected from now on."""


class Step(Protocol):
    """One thing to do."""

    async def perform(self, speaker: Speaker) -> None:
        """Do it.

        Raises:
            ChatError: It can't be done.
        """


@dataclass(frozen=True, slots=True)
class SayText:
    """Send text as text/plain."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.say_text(self.text)


@dataclass(frozen=True, slots=True)
class SayCpim:
    """Send text in a message/cpim envelope."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.say_cpim(self.text)


@dataclass(frozen=True, slots=True)
class SayPrivately:
    """Send text to one of those in a room alone."""

    to: str
    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.say_privately(self.to, self.text)


@dataclass(frozen=True, slots=True)
class SetNickname:
    """Ask to be called something else."""

    nickname: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.use_nickname(self.nickname)


@dataclass(frozen=True, slots=True)
class Type:
    """Tell that we are typing."""

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        speaker.composing()


@dataclass(frozen=True, slots=True)
class SendFile:
    """Send a file."""

    path: Path

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.send_file(self.path)


@dataclass(frozen=True, slots=True)
class OfferFile:
    """Offer a file, as :rfc:`5547` has it."""

    path: Path

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.offer_file(self.path)


@dataclass(frozen=True, slots=True)
class SendMultipart:
    """Send text and a file as one message."""

    text: str
    path: Path

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.send_multipart(self.text, self.path)


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for what the other side says."""

    text: str

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.expect(self.text)


@dataclass(frozen=True, slots=True)
class ExpectNothing:
    """See that the other side says nothing."""

    seconds: float

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.expect_nothing(self.seconds)


@dataclass(frozen=True, slots=True)
class AwaitDelivery:
    """Wait until all that was said has arrived."""

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        await speaker.expect_delivery()


@dataclass(frozen=True, slots=True)
class SetTimeout:
    """Say how long to wait for what is expected from now on."""

    seconds: float

    async def perform(self, speaker: Speaker) -> None:
        """Do it."""
        speaker.set_timeout(self.seconds)


@dataclass(frozen=True, slots=True)
class Quit:
    """Hang up."""

    async def perform(self, speaker: Speaker) -> None:
        """Do nothing more: whoever performs the steps ends with this one."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """A step that is written in a script, which knows where."""

    step: Step
    where: str
    """The script, the number of the line, and what it says."""

    async def perform(self, speaker: Speaker) -> None:
        """Do it, and say which line it is that did not come true."""
        try:
            await self.step.perform(speaker)
        except ChatError as exc:
            raise ChatError(f"{self.where}: {exc}", exc.exit_code) from exc


def step_itself(step: Step) -> Step:
    """Return the step, wherever it is written."""
    return step.step if isinstance(step, ScriptLine) else step
