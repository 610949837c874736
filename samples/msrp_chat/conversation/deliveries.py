"""What has become of the messages that we have sent: nothing is lost silently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msrp
from msrp_chat.events import Delivered, Notice, Sending, Sent, Undelivered
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError

__all__ = ["Deliveries"]

_CONFIRM_TIME = 35.0
"""Seconds to wait for what nobody has confirmed.  A missing response fails after
30 s by itself, so what is still open then lacks only the report that was asked for."""

_NO_SUCH_SESSION = 481
_SESSION_GONE = "the other side has ended the session"
"""What 481 means to people: it was there before."""


class Deliveries:
    """Follows each message until it is known to have arrived or not.

    Args:
        output: Who is told.
        fail: Called with the first thing that goes wrong, and all after it.

    Attributes:
        messages: How many were sent.
        octets: How many they had.
    """

    def __init__(self, output: Output, fail: Callable[[ChatError], None]) -> None:
        self.messages = 0
        self.octets = 0
        self._output = output
        self._fail = fail
        self._open: dict[str, msrp.OutgoingMessage] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    def follow(self, sending: Sending, sent: msrp.OutgoingMessage) -> None:
        """Tell that a message is on its way, and later what has become of it."""
        self.messages += 1
        self.octets += sending.octets
        self._output.tell(sending)
        self._open[sent.message_id] = sent
        watcher = asyncio.create_task(self._follow(sent), name="msrp-chat delivery")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def settled(self) -> None:
        """Wait until it is known of every message whether it has arrived."""
        if self._watchers:
            await asyncio.wait(self._watchers, timeout=_CONFIRM_TIME)
        if self._open:
            text = f"no delivery report has come for {len(self._open)} message(s)"
            self._output.tell(Notice(text=text))

    def abandon(self) -> None:
        """Give up what is still on its way."""
        for message in list(self._open.values()):
            message.abort()

    async def told(self) -> None:
        """Wait until all that has happened was told: the session is over."""
        if self._watchers:
            await asyncio.wait(self._watchers)

    async def _follow(self, sent: msrp.OutgoingMessage) -> None:
        try:
            await sent.sent()
            self._output.tell(Sent(message_id=sent.message_id))
            await sent.delivered()
        except msrp.DeliveryError as exc:
            refusals = msrp.RequestRefused | msrp.FailureReported
            status = exc.code if isinstance(exc, refusals) else None
            reason = _SESSION_GONE if status == _NO_SUCH_SESSION else str(exc)
            self._output.tell(
                Undelivered(message_id=sent.message_id, status=status, reason=reason)
            )
            self._fail(ChatError(f"a message was not delivered: {reason}"))
        else:
            self._output.tell(Delivered(message_id=sent.message_id))
        finally:
            del self._open[sent.message_id]
