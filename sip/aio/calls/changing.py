"""What an application can change in a call that runs: its media, and who sends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Generic, cast

import sdp
from recording import CallIdentity
from sip.aio.calls.renegotiation import Prepare, Renegotiation
from sip.change import ChangePolicy
from sip.errors import CallError, LocalError, NegotiationFailed
from sip.media import (
    Media,
    MediaT_co,
    RenegotiatingMedia,
    is_conferring,
    is_identified,
    is_introduced,
    is_renegotiating,
)
from sip.sansio.calls.call import Call as CallCore
from sip.sansio.calls.call import CallState
from sip.sansio.calls.events import CallAcknowledged, NegotiationEvent
from sip.streams import Proposal, Streams, among

if TYPE_CHECKING:
    from sip.aio.calls.call import CallOwner

__all__ = ["Changing"]

_log = logging.getLogger("sip.call")


class Changing(Generic[MediaT_co]):
    """The media of a call, and how they change.

    What the peer wants changed is done where the media follow
    (:class:`~sip.FollowingMedia`), and refused with 488 where they don't or where
    :attr:`change_policy` is against it.  Offers that
    cross, refreshes and repetitions are dealt with here and below.

    Attributes:
        on_change: Called after each change of the media, whoever wanted it.
    """

    _call: CallCore
    _owner: CallOwner

    def __init__(self, owner: CallOwner, core: CallCore, address: str) -> None:
        self.on_change: Callable[[], None] | None = None
        self._address = address
        self._streams = Streams(address, self._begin)
        self._renegotiation = Renegotiation(owner, core, self._streams, self._changed)
        self._renewing: list[Media] = []

    @property
    def media(self) -> list[MediaT_co]:
        """The media that run, in the order of the session description.

        They are of the kind that the call was made with.  Who adds others to it
        annotates it as ``sip.Call``, a call with any media.
        """
        return cast("list[MediaT_co]", self._streams.running)

    @property
    def candidates(self) -> list[Media]:
        """The media that may take a stream which the peer adds; yours to extend.

        All that the call was made or answered with are among them.  A stream that
        nobody takes is refused by itself, with port 0.
        """
        return self._streams.candidates

    @property
    def change_policy(self) -> ChangePolicy | None:
        """What decides about changes that the peer wants; ``None`` by default.

        It gets a :class:`~sip.ProposedChange` and returns a
        :class:`~sip.ChangeDecision`, or an awaitable of one.  What isn't decided in
        :attr:`Limits.decision_time` is refused, and everything stays as it is.  Nobody
        is asked about refreshes, or when the peer wants to hear our offer.
        """
        return self._renegotiation.decider.policy

    @change_policy.setter
    def change_policy(self, policy: ChangePolicy | None) -> None:
        self._renegotiation.decider.policy = policy

    @property
    def local_description(self) -> sdp.SessionDescription | None:
        """What we offered or answered, once both have spoken."""
        agreement = self._streams.agreement
        return None if agreement is None else agreement.local

    @property
    def remote_description(self) -> sdp.SessionDescription | None:
        """What the peer offered or answered, once both have spoken."""
        agreement = self._streams.agreement
        return None if agreement is None else agreement.remote

    async def change(
        self, media: Sequence[Media], *, timeout: float | None = None
    ) -> None:
        """Let other media run; return when they do.

        Those that run already and are wanted further aren't touched.  What isn't
        wanted any more is ended, once the peer knows; what is new is offered, and
        runs if the peer takes it.  Cancelling this takes the offer back if it isn't
        too late.

        Args:
            media: All media that are wanted.
            timeout: Seconds for the peer to decide; it may ask somebody.

        Raises:
            CallRefused: The peer refuses; everything is as it was.
            CallTimeout: It didn't decide in time; the same.
            CallOver: The call is over.
            NegotiationFailed: Its answer doesn't fit, or new media can't begin with it.
            LocalError: The call isn't answered yet, or there are no media.
        """
        if not media:
            raise LocalError("a call needs media")
        wanted = list(media)
        before = self.media

        async def prepare() -> Proposal:
            return await self._streams.offer(wanted)

        fresh = [m for m in wanted if not among(m, before)]
        self.candidates.extend(m for m in fresh if not among(m, self.candidates))
        try:
            await self._offer(prepare, timeout)
        except BaseException:
            await self._stop_unused(fresh)
            raise
        self.candidates[:] = [
            m for m in self.candidates if among(m, wanted) or not among(m, before)
        ]
        await self._stop_unused(fresh)

    async def hold(
        self, media: Sequence[Media] | None = None, *, timeout: float | None = None
    ) -> None:
        """Ask the peer not to send; its connection stays (:rfc:`3264#section-8.4`).

        Args:
            media: What to hold; all media by default.
            timeout: As for :meth:`change`.

        Raises:
            LocalError: One of them can't be held, or the call isn't answered yet.
            CallError: As for :meth:`change`.
        """
        wanted = self.media if media is None else media
        kept = [m for m in self.media if self._streams.is_held(m)]
        await self._hold([*kept, *(m for m in wanted if not among(m, kept))], timeout)

    async def resume(
        self, media: Sequence[Media] | None = None, *, timeout: float | None = None
    ) -> None:
        """Let the peer send again; see :meth:`hold`."""
        wanted = self.media if media is None else media
        kept = [m for m in self.media if self._streams.is_held(m)]
        await self._hold([m for m in kept if not among(m, wanted)], timeout)

    async def renew(
        self, media: Sequence[Media] | None = None, *, timeout: float | None = None
    ) -> None:
        """Offer media anew that run, so that they go on by another way.

        For when this side has moved.  Media that have lost their way ask for it by
        themselves.

        Args:
            media: What to renew; all media by default.
            timeout: As for :meth:`change`.

        Raises:
            LocalError: One of them can't follow, or the call isn't answered yet.
            CallError: As for :meth:`change`.
        """

        async def prepare() -> Proposal:
            wanted = self.media if media is None else media
            return await self._streams.offer(self.media, anew=wanted)

        await self._offer(prepare, timeout)

    def refresh(self) -> None:
        """Show the peer that we are there, and by which address it reaches us now.

        Media don't notice.  Session timers do this by themselves.

        Raises:
            LocalError: The call isn't answered, or is over.
        """
        self._call.refresh(self._owner.now())
        self._owner.flush()

    def told(self, event: CallAcknowledged | NegotiationEvent) -> None:
        """Take note of what happened to offers and answers."""
        self._renegotiation.told(event)

    # Inside.

    async def _hold(self, held: list[Media], timeout: float | None) -> None:
        async def prepare() -> Proposal:
            return await self._streams.offer(self.media, held=held)

        await self._offer(prepare, timeout)
        self._streams.hold(held)

    async def _offer(self, prepare: Prepare, timeout: float | None) -> None:
        if self._streams.agreement is None:
            raise LocalError("nothing is agreed yet that could be changed")
        await self._renegotiation.offer(prepare, timeout)

    async def _stop_unused(self, media: Sequence[Media]) -> None:
        for medium in media:
            if not among(medium, self.media):
                await medium.stop()

    async def _begin(
        self,
        medium: Media,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        """Start a medium with what was agreed."""
        if is_introduced(medium):
            medium.introduce(*self._parties())
        self._tell_of_conference(medium)
        if is_identified(medium):
            medium.identify(self._identity())
        if is_renegotiating(medium):
            medium.on_renegotiate = partial(self._renew, medium)
        try:
            await medium.start(offered, answered, is_offerer)
        except CallError:
            raise
        except Exception as exc:
            if not _tells_a_problem(exc):
                raise
            words = str(exc) or type(exc).__name__
            raise NegotiationFailed(
                f"what was agreed can't be started: {words}"
            ) from exc

    def _parties(self) -> tuple[str, str]:
        raise NotImplementedError

    @property
    def is_conference(self) -> bool:
        """Whether the other end is a conference."""
        raise NotImplementedError

    def _tell_of_conference(self, medium: Media) -> None:
        if is_conferring(medium):
            medium.confer(self.is_conference)

    def _identity(self) -> CallIdentity:
        raise NotImplementedError

    def _changed(self) -> None:
        for medium in self.media:
            self._tell_of_conference(medium)
        if self.on_change is not None:
            try:
                self.on_change()
            except Exception as exc:
                self._owner.report("on_change failed", exc)

    # Media that have lost their way.

    def _renew(self, medium: RenegotiatingMedia) -> None:
        """Offer a medium anew, since it can't go on as it was agreed."""
        if self._call.state is not CallState.CONFIRMED or among(medium, self._renewing):
            return
        self._renewing.append(medium)
        self._owner.spawn(self._offer_anew(medium))

    async def _offer_anew(self, medium: RenegotiatingMedia) -> None:
        async def prepare() -> Proposal | None:
            if not medium.wants_offer or not among(medium, self.media):
                return None
            return await self._streams.offer(self.media, anew=[medium])

        try:
            await self._renegotiation.offer(prepare)
        except Exception as exc:
            if isinstance(exc, CallError) or _tells_a_problem(exc):
                # The call goes on; the medium knows best for how long it hopes.
                _log.info("a stream could not be renewed: %s", exc)
            else:
                self._owner.report("a medium failed to be offered anew", exc)
        finally:
            self._renewing = [m for m in self._renewing if m is not medium]


def _tells_a_problem(error: Exception) -> bool:
    """Tell whether an error is about what was agreed, and no bug of the media.

    Media come from other packages, with errors of their own; those that have words
    for the user carry them as ``problem``, like ours.
    """
    return isinstance(error, OSError) or isinstance(
        getattr(error, "problem", None), str
    )
