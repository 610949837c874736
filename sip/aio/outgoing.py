"""A call that we make, as the user agent drives it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import sdp
from sip.agreement import Agreement
from sip.aio.call import Call, CallOwner
from sip.errors import CallTimeout, NegotiationFailed
from sip.media import Agreed, Media, find_session_description, match_answer
from sip.message import Response
from sip.sansio.call_events import CallAnswered, CallProgressed
from sip.sansio.client_call import ClientCall
from sip.sansio.sender import ClientRequest

__all__ = ["OutgoingCall"]

_log = logging.getLogger("sip.call")


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
            assert timeout is not None
            sent = self._client.invite
            raise CallTimeout(_still_missing(sent, timeout), target=sent.target)
        return self._answer.result()

    def progressed(self, event: CallProgressed) -> None:
        """Take note of a provisional response."""
        response = event.response
        _log.info("call %s: %s", self.call_id, response.status)
        if self._on_progress is not None:
            try:
                self._on_progress(response)
            except Exception as exc:
                self._owner.report("on_progress failed", exc)

    def answered_with(self, event: CallAnswered) -> None:
        """Take note that the call was answered."""
        _log.info("call %s is answered", self.call_id)
        if not self._answer.done():
            self._answer.set_result(event.response)

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
            self._agreement = Agreement.of(
                self._offer, answer, is_offerer=True, address=self._address
            )
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        if not agreed:
            raise NegotiationFailed("the peer accepted the call but no media")
        return agreed


def _still_missing(invite: ClientRequest, seconds: float) -> str:
    """Say what was waited for in vain."""
    if invite.hop is None:
        return f"the DNS gave no address within {seconds:g} s"
    if invite.is_heard:
        return f"it took the call, but nobody answered within {seconds:g} s"
    return f"nothing came within {seconds:g} s"
