"""A call as the application sees it: media that run until somebody hangs up."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Protocol, Self

import sdp
from sip.errors import CallOver, CallTimeout, LocalError, NegotiationFailed
from sip.media import (
    SDP_TYPE,
    Agreed,
    Media,
    find_session_description,
    make_answer,
    make_offer,
    match_answer,
)
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.call import Call as CallCore
from sip.sansio.call import CallState
from sip.sansio.client_call import ClientCall
from sip.sansio.events import EndReason
from sip.sansio.server_call import ServerCall

__all__ = ["Call", "CallOwner", "IncomingCall", "OutgoingCall"]

_log = logging.getLogger("sip.call")

Headers = Sequence[tuple[str, str]]


class CallOwner(Protocol):
    """What a call needs from its user agent."""

    def now(self) -> float:
        """Return the time."""

    def flush(self) -> None:
        """Do what the core wants."""

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something that the user agent will wait for or cancel."""

    def report(self, message: str, error: BaseException) -> None:
        """Tell the loop's exception handler of a failure of the application."""


class Call:
    """A call in which media flow.

    It is a context manager: leaving it ends the call.

    Attributes:
        media: The media that run, in the order of the session description.
        local_description: What we offered or answered.
        remote_description: What the peer offered or answered.
    """

    def __init__(self, owner: CallOwner, core: CallCore, address: str) -> None:
        self.media: list[Media] = []
        self.local_description: sdp.SessionDescription | None = None
        self.remote_description: sdp.SessionDescription | None = None
        self._owner = owner
        self._call = core
        self._address = address
        self._candidates: list[Media] = []
        self._roles: dict[int, sdp.Setup] = {}
        self._over: asyncio.Future[EndReason]
        self._over = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def request(self) -> Request:
        """The INVITE that began the call, with all its headers."""
        return self._call.request

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self._call.request.call_id

    @property
    def remote(self) -> NameAddr:
        """Who is at the other end."""
        if self._call.dialog is not None:
            return self._call.dialog.remote
        return self.request.to if self._call.is_ours else self.request.from_

    @property
    def local(self) -> NameAddr:
        """Who we are in this call."""
        if self._call.dialog is not None:
            return self._call.dialog.local
        return self.request.from_ if self._call.is_ours else self.request.to

    @property
    def is_incoming(self) -> bool:
        """Whether the peer made the call."""
        return not self._call.is_ours

    @property
    def answered(self) -> bool:
        """Whether the call was answered and isn't over."""
        return self._call.state in (CallState.ANSWERED, CallState.CONFIRMED)

    @property
    def end_reason(self) -> EndReason | None:
        """Why the call is over, once it is."""
        return self._call.end_reason

    async def bye(self, *, headers: Headers = ()) -> None:
        """End the call and wait until it is over.

        Media are stopped at once.  Does nothing if the call is over.  Cancelling
        this doesn't bring the call back.

        Args:
            headers: More headers for the BYE.

        Raises:
            LocalError: The call hasn't been answered.
        """
        self.hang_up(headers=headers)
        await self.ended()

    async def ended(self) -> EndReason:
        """Wait until the call is over and its media are stopped.

        Returns:
            Why it is over.
        """
        return await asyncio.shield(self._over)

    async def __aenter__(self) -> Self:
        """Give the call back."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call if it was answered."""
        if self.answered:
            await self.bye()

    def hang_up(self, *, headers: Headers = ()) -> None:
        """End the call without waiting; see :meth:`bye`."""
        self._call.bye(self._owner.now(), headers=headers)
        self._stop_media()
        self._owner.flush()

    # What the user agent tells.

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        _log.info("call %s is over: %s", self.call_id, reason.value)
        self._owner.spawn(self._finish(reason))

    def reinvited(self, request: Request) -> None:
        """Answer an INVITE within the call.

        One that changes nothing, such as a refresh, is answered with what we
        said before.  One that would change the media is refused, which leaves
        everything as it is (:rfc:`3261#section-14.2`).
        """
        body = self._answer_refresh(request)
        now = self._owner.now()
        if body is None:
            warning = '399 - "the media of this call do not change"'
            self._call.answer_reinvite(488, now, headers=[("Warning", warning)])
        else:
            self._call.answer_reinvite(
                200, now, body=bytes(body), content_type=SDP_TYPE
            )

    # Media.

    async def _start(self, agreed: Sequence[Agreed], *, is_offerer: bool) -> None:
        """Start what was agreed, unless the call is over already.

        That is a task of its own, so that the end of the call can cancel it.
        """
        self._check_alive()
        starting = self._owner.spawn(self._start_all(agreed, is_offerer))
        self._starting = starting
        await asyncio.wait([starting])
        self._check_alive()
        starting.result()

    async def _start_all(self, agreed: Sequence[Agreed], is_offerer: bool) -> None:
        self.media = [stream.media for stream in agreed]
        for medium in self._candidates:
            if medium not in self.media:
                await medium.stop()
        for stream in agreed:
            await stream.media.start(stream.offered, stream.answered, is_offerer)

    def _check_alive(self) -> None:
        if self._stopping is not None:
            raise CallOver(self.end_reason or EndReason.LOCAL_BYE)

    def _stop_media(self) -> asyncio.Task[None]:
        if self._stopping is None:
            self._stopping = self._owner.spawn(self._stop_all())
        return self._stopping

    async def _stop_all(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
            if not self._starting.cancelled():
                # Whoever waits for it is told as well, if somebody does.
                self._starting.exception()
        for medium in self._candidates:
            try:
                await medium.stop()
            except Exception as exc:
                self._owner.report("a medium failed to stop", exc)

    async def _finish(self, reason: EndReason) -> None:
        try:
            await self._stop_media()
        finally:
            if not self._over.done():
                self._over.set_result(reason)

    def _agree(
        self,
        offer: sdp.SessionDescription,
        answer: sdp.SessionDescription,
        *,
        is_offerer: bool,
    ) -> None:
        """Remember what both sides said, and who connects."""
        self.local_description = offer if is_offerer else answer
        self.remote_description = answer if is_offerer else offer
        for slot, offered, answered in sdp.accepted(offer, answer):
            try:
                active = sdp.connection_roles(
                    sdp.setup_of(offered), sdp.setup_of(answered)
                )
            except sdp.SdpError:
                continue  # The media will have complained.
            we_are_active = (active is sdp.Party.OFFERER) == is_offerer
            self._roles[slot] = sdp.Setup.ACTIVE if we_are_active else sdp.Setup.PASSIVE

    def _answer_refresh(self, request: Request) -> sdp.SessionDescription | None:
        """Return what we say to an INVITE within the call, if it changes nothing."""
        local, remote = self.local_description, self.remote_description
        if local is None or remote is None:
            return None
        try:
            offer = find_session_description(request)
            if offer is None:
                # Nothing offered: we offer what there is.
                return local
            if _without_setup(offer, remote) != _without_setup(remote, remote):
                return None
            slots = [
                None if media.is_rejected else self._as_answer(slot, media)
                for slot, media in enumerate(local.media)
            ]
            return sdp.build_answer(offer, slots, address=self._address, previous=local)
        except sdp.SdpError:
            return None

    def _as_answer(
        self, slot: int, media: sdp.MediaDescription
    ) -> sdp.MediaDescription:
        """Say what was agreed: an answer can't leave open who connects."""
        role = self._roles.get(slot)
        if role is None or not media.has("setup"):
            return media
        attributes = tuple(
            sdp.Attribute("setup", role.value) if a.name == "setup" else a
            for a in media.attributes
        )
        return dataclasses.replace(media, attributes=attributes)

    async def _give_up(self) -> None:
        """Leave nothing behind of a call that failed on our side."""
        now = self._owner.now()
        core = self._call
        if isinstance(core, ClientCall):
            if core.state is CallState.INVITING:
                core.cancel(now)
            elif core.state is CallState.ANSWERED:
                core.acknowledge(now)
        if core.state in (CallState.ANSWERED, CallState.CONFIRMED):
            core.bye(now)
        self._owner.flush()
        await asyncio.shield(self._stop_media())


class OutgoingCall(Call):
    """A call that we make."""

    def __init__(
        self,
        owner: CallOwner,
        core: ClientCall,
        address: str,
        media: Sequence[Media],
        offer: sdp.SessionDescription,
        on_progress: Callable[[Response], None] | None,
    ) -> None:
        super().__init__(owner, core, address)
        self._client = core
        self._candidates = list(media)
        self._offer = offer
        self._on_progress = on_progress
        self._answer: asyncio.Future[Response]
        self._answer = asyncio.get_running_loop().create_future()

    async def complete(self, timeout: float | None) -> None:
        """Wait for the answer, acknowledge it, and start the media.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            CallError: There is no call.
            TransportError: The INVITE could not be sent.
        """
        try:
            response = await self._wait_for_answer(timeout)
            self._client.acknowledge(self._owner.now())
            self._owner.flush()
            agreed = self._read_answer(response)
            await self._start(agreed, is_offerer=True)
        except BaseException:
            await self._give_up()
            raise

    async def _wait_for_answer(self, timeout: float | None) -> Response:
        done, _ = await asyncio.wait([self._answer], timeout=timeout)
        if not done:
            raise CallTimeout
        return self._answer.result()

    def progressed(self, response: Response) -> None:
        """Take note of a provisional response."""
        _log.info("call %s: %s", self.call_id, response.status)
        if self._on_progress is not None:
            try:
                self._on_progress(response)
            except Exception as exc:
                self._owner.report("on_progress failed", exc)

    def answered_with(self, response: Response) -> None:
        """Take note that the call was answered."""
        _log.info("call %s is answered", self.call_id)
        if not self._answer.done():
            self._answer.set_result(response)

    def failed(self, error: Exception) -> None:
        """Take note that there will be no call."""
        _log.info("call %s failed: %s", self.call_id, error)
        if not self._answer.done():
            self._answer.set_exception(error)
            # Nobody may be waiting any more.
            self._answer.exception()

    def _read_answer(self, response: Response) -> list[Agreed]:
        try:
            answer = find_session_description(response)
            if answer is None:
                raise NegotiationFailed("the peer accepted without an answer")
            agreed = match_answer(self._candidates, self._offer, answer)
            self._agree(self._offer, answer, is_offerer=True)
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        if not agreed:
            raise NegotiationFailed("the peer accepted the call but no media")
        return agreed


class IncomingCall(Call):
    """A call that a peer makes: ring, then answer or reject it."""

    def __init__(self, owner: CallOwner, core: ServerCall, address: str) -> None:
        super().__init__(owner, core, address)
        self._server = core
        self._ack: asyncio.Future[Request]
        self._ack = asyncio.get_running_loop().create_future()

    async def ringing(self, status: int = 180, *, headers: Headers = ()) -> None:
        """Tell the caller that somebody is alerted, or that something goes on.

        The response is repeated each minute for as long as the call waits.

        Args:
            status: 180, or another from 101 to 199.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up.
            LocalError: The call is answered, or ``status`` isn't provisional.
        """
        self._check_waiting()
        self._server.provisional(status, self._owner.now(), headers=headers)
        self._owner.flush()

    async def answer(self, media: Sequence[Media], *, headers: Headers = ()) -> None:
        """Answer the call; return when media run.

        Each stream that is offered goes to the first of ``media`` that takes it.
        If none is taken the call is refused with 488.  If the caller offered
        nothing, ``media`` are offered.

        Cancelling this ends the call, if it has been answered by then.

        Args:
            media: What is to run in this call.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up, or never acknowledged the answer.
            NegotiationFailed: There is nothing that both sides can do.
            LocalError: The call has been answered before.
        """
        self._check_waiting()
        self._candidates = list(media)
        try:
            offer = self._read_offer()
            if offer is None:
                await self._answer_with_offer(headers)
            else:
                await self._answer_offer(offer, headers)
        except BaseException:
            if self._call.state is not CallState.INVITING:
                await self._give_up()
            else:
                await asyncio.shield(self._stop_media())
            raise

    async def reject(
        self, status: int = 486, reason: str | None = None, *, headers: Headers = ()
    ) -> None:
        """Refuse the call.

        Args:
            status: From 300 to 699.
            reason: Words for people, if not the usual ones.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up.
            LocalError: The call is answered, or ``status`` is no refusal.
        """
        self._check_waiting()
        self._refuse(status, reason, headers)

    # What the user agent tells.

    def acknowledged(self, request: Request) -> None:
        """Take note of the ACK."""
        if not self._ack.done():
            self._ack.set_result(request)

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        super().finished(reason)
        if not self._ack.done():
            self._ack.set_exception(CallOver(reason))
            self._ack.exception()

    @property
    def is_waiting(self) -> bool:
        """Whether the call is neither answered nor over."""
        return self._call.state is CallState.INVITING

    def refuse(self, status: int) -> None:
        """Refuse the call if that is still to be done."""
        if self.is_waiting:
            self._refuse(status, None, ())

    def _refuse(self, status: int, reason: str | None, headers: Headers) -> None:
        now = self._owner.now()
        self._server.reject(status, now, reason=reason, headers=headers)
        self._owner.flush()

    def _check_waiting(self) -> None:
        if self._call.end_reason is not None:
            raise CallOver(self._call.end_reason)
        if not self.is_waiting:
            raise LocalError("the call has been answered before")

    def _read_offer(self) -> sdp.SessionDescription | None:
        try:
            return find_session_description(self.request)
        except sdp.SdpError as exc:
            self._refuse(488, None, [("Warning", '399 - "no proper SDP"')])
            raise NegotiationFailed(str(exc)) from exc

    async def _answer_offer(
        self, offer: sdp.SessionDescription, headers: Headers
    ) -> None:
        try:
            answer, agreed = await make_answer(
                self._candidates, offer, address=self._address
            )
        except sdp.SdpError as exc:
            self._check_waiting()
            self._refuse(488, None, [("Warning", '399 - "no answer to this offer"')])
            raise NegotiationFailed(str(exc)) from exc
        self._check_waiting()
        if not agreed:
            warning = '304 - "none of these media are available"'
            self._refuse(488, None, [("Warning", warning)])
            raise NegotiationFailed("none of the media offered can be used")
        self._agree(offer, answer, is_offerer=False)
        self._accept(answer, headers)
        await self._ack
        await self._start(agreed, is_offerer=False)

    async def _answer_with_offer(self, headers: Headers) -> None:
        """Offer in the 2xx and find the answer in the ACK (§13.2.1)."""
        offer = await make_offer(self._candidates, address=self._address)
        self._check_waiting()
        self._accept(offer, headers)
        ack = await self._ack
        try:
            answer = find_session_description(ack)
            if answer is None:
                raise NegotiationFailed("the ACK has no answer to our offer")
            agreed = match_answer(self._candidates, offer, answer)
            self._agree(offer, answer, is_offerer=True)
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        if not agreed:
            raise NegotiationFailed("the caller accepted no media")
        await self._start(agreed, is_offerer=True)

    def _accept(self, body: sdp.SessionDescription, headers: Headers) -> None:
        _log.info("call %s: answering", self.call_id)
        self._server.accept(
            self._owner.now(),
            headers=headers,
            body=bytes(body),
            content_type=SDP_TYPE,
        )
        self._owner.flush()


def _without_setup(
    description: sdp.SessionDescription, like: sdp.SessionDescription
) -> sdp.SessionDescription:
    """Leave out what a refresh may say otherwise: the version, and who connects."""
    media = tuple(
        dataclasses.replace(
            m, attributes=tuple(a for a in m.attributes if a.name != "setup")
        )
        for m in description.media
    )
    return dataclasses.replace(description, origin=like.origin, media=media)
