"""What both sides have to remember (:rfc:`5438#section-7.1.2`, 7.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msrp.imdn.document import DispositionType, Imdn
from msrp.imdn.request import NotificationRequest

__all__ = ["ReceivedRequests", "SentRequests"]

MAX_SENT = 1_024
"""Messages of ours of which notifications are believed, the newest; there is no limit
to how late one may come."""

MAX_RECEIVED = 1_024
"""Messages of the peer that may still have to be answered, the newest."""

MAX_RECEIVED_OCTETS = 256 * 1024
"""What is remembered of them, in all."""

T = TypeVar("T")


class SentRequests(Generic[T]):
    """What we have asked, by imdn.Message-ID, and of which message."""

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent: dict[str, T] = {}

    def add(self, imdn_message_id: str, message: T) -> None:
        """Note that notifications of a message were asked for."""
        self._sent[imdn_message_id] = message
        if len(self._sent) > MAX_SENT:
            del self._sent[next(iter(self._sent))]

    def match(self, imdn: Imdn) -> T | None:
        """Return the message that a notification is about.

        It stays known: where there are several recipients, each may tell.
        """
        return self._sent.get(imdn.message_id)

    def values(self) -> list[T]:
        """Return all messages that are known."""
        return list(self._sent.values())


@dataclass(slots=True, eq=False)
class _Received:
    """A request, and what was answered of it."""

    request: NotificationRequest
    answered: set[DispositionType] = field(default_factory=set)
    messages: int = 0
    """How many messages have come with it."""


class ReceivedRequests:
    """What the peer has asked of us, by the Message-ID of MSRP."""

    __slots__ = ("_by_imdn_id", "_octets", "_received")

    def __init__(self) -> None:
        self._received: dict[str, _Received] = {}
        self._by_imdn_id: dict[str, _Received] = {}
        self._octets = 0

    def add(self, message_id: str, request: NotificationRequest) -> None:
        """Note what a message asks for.

        If another message had the same imdn.Message-ID, it is the same to whoever
        asks, and what was answered of that is answered of this.
        """
        if message_id in self._received:
            self._forget(message_id)
        known = self._by_imdn_id.get(request.message_id)
        if known is None:
            known = _Received(request)
            self._by_imdn_id[request.message_id] = known
            self._octets += request.size
        known.messages += 1
        self._received[message_id] = known
        while self._is_too_much:
            self._forget(next(iter(self._received)))

    def answer(
        self, message_id: str, disposition: DispositionType
    ) -> NotificationRequest | None:
        """Return what is to be answered now, and take it for answered.

        Returns:
            ``None`` if nothing was asked, nothing is known of it any more, or a
            notification of this type was there before (:rfc:`5438#section-7.2.1`).
        """
        received = self._received.get(message_id)
        if received is None or disposition in received.answered:
            return None
        received.answered.add(disposition)
        return received.request

    @property
    def _is_too_much(self) -> bool:
        return len(self._received) > MAX_RECEIVED or self._octets > MAX_RECEIVED_OCTETS

    def _forget(self, message_id: str) -> None:
        forgotten = self._received.pop(message_id)
        forgotten.messages -= 1
        if not forgotten.messages:
            del self._by_imdn_id[forgotten.request.message_id]
            self._octets -= forgotten.request.size
