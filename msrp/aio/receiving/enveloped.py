"""A message in a CPIM envelope, of which it is decided where it goes once that is open.

Until the head of the envelope is here the octets are in memory.  Then the policy is
asked, and what it wants gets them: memory all of them, anything else the content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from msrp.content import EnvelopeOpener
from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.imdn import UNDERSTOOD
from msrp.policy import Announcement, Store
from msrp.sansio.reassembler import MemoryStore
from msrp.status import StatusCode

__all__ = ["MAX_WAITING", "EnvelopedStore"]

MAX_WAITING = 256 * 1024
"""Octets that may wait for the head of their envelope: what a peer sends first that
begins somewhere in the middle.  With more of them it isn't waited for."""


class EnvelopedStore:
    """A :class:`~msrp.policy.Store` for one ``message/cpim``.

    Args:
        announcement: What the first chunk says.
        decide: Asked once where it goes, with what is known of its content and with
            the octets of the envelope's head; a number is a refusal.
        max_ranges: Pieces that it may come in before that.
    """

    def __init__(
        self,
        announcement: Announcement,
        decide: Callable[[Announcement, int], Store | int],
        max_ranges: int,
    ) -> None:
        self.announcement = announcement
        """What was announced to the policy, once that was asked."""
        self.envelope = EnvelopeOpener(UNDERSTOOD)
        self.problem: str | None = None
        """Why an envelope isn't opened."""
        self.inner: Store | None = None
        """Where it goes."""
        self.skipped = 0
        """Octets of the head that don't go there."""
        self._decide = decide
        self._refusal: RemoteProtocolError | None = None
        self._waiting = MemoryStore(0, max_ranges)
        self._fed = 0

    @property
    def store(self) -> Store:
        """Where it goes; as long as that isn't known, memory."""
        return self._waiting if self.inner is None else self.inner

    @property
    def max_length(self) -> int | None:
        """Octets that it takes at most, its envelope included."""
        limit = None if self.inner is None else self.inner.max_length
        return None if limit is None else limit + self.skipped

    @property
    def held(self) -> int:
        """Octets that it keeps in memory."""
        return self.store.held

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong; see :class:`msrp.policy.Store`."""
        if self._refusal is not None:
            raise self._refusal
        if self.inner is not None:
            self._pass_on(self.inner, offset, data)
            return
        self._waiting.write(offset, data)
        if offset <= self._fed:
            self._look(self._start())
        elif self._waiting.held > MAX_WAITING:
            self._settle_unopened("the head of the envelope came too late")

    def finish(self, size: int) -> None:
        """Be told that all octets are here; see :class:`msrp.policy.Store`."""
        if self.inner is None:
            try:
                self.envelope.end()
            except RemoteProtocolError as error:
                self._settle_unopened(str(error))
            else:
                self._settle_opened()
        assert self.inner is not None
        self.inner.finish(size - self.skipped)

    def give_up(self, *, keep: bool) -> None:
        """Be told that no more will come."""
        self.store.give_up(keep=keep)

    def _start(self) -> bytes:
        """Return the octets from the first one on, as far as there is no gap."""
        ranges = self._waiting.ranges()
        return ranges[0][1] if ranges and ranges[0][0] == 0 else b""

    def _look(self, start: bytes) -> None:
        """See whether that is enough to open the envelope."""
        more, self._fed = start[self._fed :], len(start)
        try:
            self.envelope.feed(more)
        except RemoteProtocolError as error:
            self._settle_unopened(str(error))
            return
        if self.envelope.is_open:
            self._settle_opened()

    def _settle_opened(self) -> None:
        envelope, known = self.envelope, self.announcement
        assert envelope.content_type is not None
        self.problem = envelope.problem
        outermost = envelope.envelopes[0]
        sender = outermost.sender
        disposition = envelope.disposition or known.disposition
        self.announcement = replace(
            known,
            content_type=envelope.content_type,
            size=None if known.size is None else max(0, known.size - envelope.size),
            disposition=disposition,
            in_envelope=True,
            sender=None if sender is None else sender.uri,
            recipients=tuple(address.uri for address in outermost.to),
        )
        self._settle(envelope.size)

    def _settle_unopened(self, problem: str) -> None:
        self.problem = problem
        self._settle(0)

    def _settle(self, head: int) -> None:
        """Ask where it goes, and put there what has waited."""
        store = self._decide(self.announcement, head)
        if isinstance(store, int):
            self._refuse(RemoteProtocolError("the policy refuses it", status=store))
        self.skipped = 0 if isinstance(store, MemoryStore) else head
        ranges = self._waiting.ranges()
        claimed = head + (self.announcement.size or 0)
        stop = max((at + len(octets) for at, octets in ranges), default=0)
        limit = store.max_length
        if limit is not None and max(claimed, stop) - self.skipped > limit:
            store.give_up(keep=False)
            problem = f"the message has more than {limit} octets"
            self._refuse(LimitExceeded(problem, status=StatusCode.STOP_SENDING))
        self.inner, self._waiting = store, MemoryStore(0, 0)
        for offset, octets in ranges:
            self._pass_on(store, offset, octets)

    def _refuse(self, refusal: RemoteProtocolError) -> NoReturn:
        self._refusal, self._waiting = refusal, MemoryStore(0, 0)
        raise refusal

    def _pass_on(self, store: Store, offset: int, data: bytes) -> None:
        start = offset - self.skipped
        if start < 0:  # The head, or some of it.
            start, data = 0, data[-start:]
        if data:
            store.write(start, data)
