"""All taps of a connection, a listener or an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from recording.aio.tap import MAX_WAITING, Tap
from recording.records import MessageRecord, WireRecord

__all__ = ["Tappable", "Taps", "TapsOwner"]

Make = Callable[[], MessageRecord]
MakeWire = Callable[[], WireRecord]


class TapsOwner(Protocol):
    """What has taps."""

    def taps_changed(self) -> None:
        """Be told that a tap has come, or gone."""


class Taps:
    """The taps of one thing, and of the larger one that it is a part of.

    Args:
        owner: Is told when taps come and go.
        larger: Whose taps hear of it, too.
    """

    __slots__ = ("_larger", "_messages", "_owner", "_wire")

    def __init__(self, owner: TapsOwner, larger: Taps | None = None) -> None:
        self._larger = larger
        self._owner = owner
        self._messages: tuple[Tap[MessageRecord], ...] = ()
        self._wire: tuple[Tap[WireRecord], ...] = ()

    def add(
        self, callback: Callable[[MessageRecord], object], max_waiting: int
    ) -> Tap[MessageRecord]:
        """Tell somebody of messages."""
        tap = Tap(callback, max_waiting=max_waiting, on_removed=self._remove)
        self._messages += (tap,)
        self._owner.taps_changed()
        return tap

    def add_wire(
        self, callback: Callable[[WireRecord], object], max_waiting: int
    ) -> Tap[WireRecord]:
        """Tell somebody of what goes over the wire."""
        tap = Tap(callback, max_waiting=max_waiting, on_removed=self._remove_wire)
        self._wire += (tap,)
        self._owner.taps_changed()
        return tap

    @property
    def hears_messages(self) -> bool:
        """Whether anybody wants to be told of messages."""
        larger = self._larger
        return bool(self._messages) or (larger is not None and larger.hears_messages)

    @property
    def hears_wire(self) -> bool:
        """Whether anybody wants to be told of what goes over the wire."""
        larger = self._larger
        return bool(self._wire) or (larger is not None and larger.hears_wire)

    @property
    def hears_anything(self) -> bool:
        """Whether there is any tap."""
        return self.hears_messages or self.hears_wire

    def tell(self, make: Make, octets: int) -> None:
        """Tell of a message.

        Args:
            make: Makes the record.
            octets: How many it holds.
        """
        for tap in self._messages:
            tap.put(make, octets)
        if self._larger is not None:
            self._larger.tell(make, octets)

    def tell_wire(self, make: MakeWire, octets: int) -> None:
        """Tell of a request or response; as :meth:`tell`."""
        for tap in self._wire:
            tap.put(make, octets)
        if self._larger is not None:
            self._larger.tell_wire(make, octets)

    def end(self) -> None:
        """Let them go: there is nothing more to hear."""
        for tap in self._messages:
            tap.remove()
        for wire_tap in self._wire:
            wire_tap.remove()

    def _remove(self, tap: Tap[MessageRecord]) -> None:
        self._messages = tuple(each for each in self._messages if each is not tap)
        self._owner.taps_changed()

    def _remove_wire(self, tap: Tap[WireRecord]) -> None:
        self._wire = tuple(each for each in self._wire if each is not tap)
        self._owner.taps_changed()


class Tappable:
    """What taps can be added to."""

    taps: Taps
    """Those that were added, and those of what this is a part of."""

    def add_tap(
        self,
        callback: Callable[[MessageRecord], object],
        *,
        max_waiting: int = MAX_WAITING,
    ) -> Tap[MessageRecord]:
        """Have somebody told of each message, once, when all is known of it.

        The callback runs beside the event loop, in a thread of its own, or in the loop
        if it is an ``async def``.  It can't slow, change or break anything: if it
        raises, blocks or falls behind it loses records, and
        :attr:`~recording.MessageRecord.lost` of the next one says how many.

        Args:
            callback: Called with each :class:`~recording.MessageRecord`, one at a time.
            max_waiting: Records that may wait for it; more are lost.

        Returns:
            What removes it again, and waits for it.
        """
        return self.taps.add(callback, max_waiting)

    def add_wire_tap(
        self,
        callback: Callable[[WireRecord], object],
        *,
        max_waiting: int = MAX_WAITING,
    ) -> Tap[WireRecord]:
        """Have somebody told of each request and response as it goes over the wire.

        All else is as for :meth:`add_tap`.

        Args:
            callback: Called with each :class:`~recording.WireRecord`, in the order of
                the wire.
            max_waiting: Records that may wait for it; more are lost.

        Returns:
            What removes it again, and waits for it.
        """
        return self.taps.add_wire(callback, max_waiting)
