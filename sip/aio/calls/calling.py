"""Calls as a user agent offers them: made, taken and passed on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack, overload

import mime
from sip.aio.calls.call import Call, Headers
from sip.aio.calls.desk import CallDesk, InviteHandler
from sip.aio.calls.outgoing import OutgoingCall
from sip.aio.calls.transfer import ReferHandler, Referral, TransferDesk
from sip.aio.locating.ways import Ways
from sip.aio.opened import Opened
from sip.errors import LocalError
from sip.media import Media, MediaT, offerable
from sip.message import Response
from sip.name_addr import NameAddr

__all__ = ["Calling"]


class InviteOptions(TypedDict, total=False):
    """The options of each call, which are explained with :meth:`Calling.invite`."""

    headers: Headers
    parts: Sequence[mime.Part]
    outbound_proxy: str | None
    sender: str | None
    on_progress: Callable[[Response], None] | None


class Calling(Opened):
    """What a user agent does with calls."""

    _calls: CallDesk
    _transfers: TransferDesk
    _ways: Ways

    def on_invite(self, handler: InviteHandler) -> InviteHandler:
        """Set what is called with each call that comes in; usable as a decorator.

        It runs in a task of its own.  If it returns without an answer the call is
        refused with 480, if it fails with 500.  Without a handler every call gets
        480.
        """
        self._calls.answer_with(handler)
        return handler

    @overload
    async def invite(
        self,
        uri: str,
        *,
        media: Sequence[MediaT],
        timeout: float | None = None,
        **options: Unpack[InviteOptions],
    ) -> Call[MediaT]: ...

    @overload
    async def invite(  # type: ignore[overload-cannot-match]  # By media of two kinds.
        self,
        uri: str,
        *,
        media: Sequence[Media],
        timeout: float | None = None,
        **options: Unpack[InviteOptions],
    ) -> Call: ...

    async def invite(
        self,
        uri: str,
        *,
        media: Sequence[Media],
        headers: Headers = (),
        parts: Sequence[mime.Part] = (),
        outbound_proxy: str | None = None,
        sender: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Response], None] | None = None,
    ) -> Call:
        """Call somebody; return when media run.

        Cancelling this cancels the call, or ends it if it was just answered.

        Args:
            uri: Whom to call.  A URI that doesn't say where to go, such as
                ``urn:service:sos``, needs a proxy.
            media: What to offer, in this order.
            headers: More headers for the INVITE.
            parts: What to send along with the offer, such as a location.
            outbound_proxy: The proxy to go by, if not that of the agent.
            sender: Who calls, if not :attr:`address`.
            timeout: Seconds to wait for an answer; for ever by default, unless
                nobody responds at all.
            on_progress: Called with each provisional response but 100.

        Raises:
            CallRefused: The peer refused.
            CallTimeout: Nobody answered in time.
            NegotiationFailed: There is nothing that both sides can do, or one of
                the media can't begin with what was agreed.
            TransportError: No address took the INVITE.
            LocalError: Something here can't be put into a request, or the URI
                can't lead anywhere.
        """
        call = await self.call(
            uri,
            media=media,
            headers=headers,
            parts=parts,
            outbound_proxy=outbound_proxy,
            sender=sender,
            on_progress=on_progress,
        )
        await call.complete(timeout)
        return call

    @overload
    async def call(
        self,
        uri: str,
        *,
        media: Sequence[MediaT],
        without_offer: bool = False,
        **options: Unpack[InviteOptions],
    ) -> OutgoingCall[MediaT]: ...

    @overload
    async def call(  # type: ignore[overload-cannot-match]  # By media of two kinds.
        self,
        uri: str,
        *,
        media: Sequence[Media],
        without_offer: bool = False,
        **options: Unpack[InviteOptions],
    ) -> OutgoingCall: ...

    async def call(
        self,
        uri: str,
        *,
        media: Sequence[Media],
        headers: Headers = (),
        parts: Sequence[mime.Part] = (),
        outbound_proxy: str | None = None,
        sender: str | None = None,
        on_progress: Callable[[Response], None] | None = None,
        without_offer: bool = False,
    ) -> OutgoingCall:
        """Begin to call somebody, and return at once.

        For those who care what happens before the answer::

            async with await agent.call(uri, media=[medium]) as call:
                async for response in call.progress():
                    ...
                await call.complete()

        Leaving it cancels the call, or ends it if it was answered.

        Args:
            uri: As for :meth:`invite`.
            media: As for :meth:`invite`.
            headers: As for :meth:`invite`.
            parts: As for :meth:`invite`.
            outbound_proxy: As for :meth:`invite`.
            sender: As for :meth:`invite`.
            on_progress: As for :meth:`invite`.
            without_offer: Whether to let the peer offer, as one does who doesn't know
                yet what a third party will want; ``media`` then answer.

        Raises:
            LocalError: Something here can't be put into a request, or the URI
                can't lead anywhere.
        """
        self._open_driver()
        if not isinstance(media, Sequence):
            kind = type(media).__name__
            raise TypeError(f"media is a list of what to offer, not {kind}")
        if not (media if without_offer else offerable(media)):
            raise LocalError("a call needs media")
        return await self._calls.invite(
            self._ways.target(uri, outbound_proxy),
            media=media,
            headers=headers,
            parts=parts,
            route_set=self._ways.route_set(outbound_proxy),
            sender=None if sender is None else NameAddr.parse(sender),
            on_progress=on_progress,
            without_offer=without_offer,
        )

    def refer(
        self,
        who: str | Call,
        to: str | Call,
        *,
        headers: Headers = (),
        outbound_proxy: str | None = None,
    ) -> Referral:
        """Ask somebody to call somebody else (:rfc:`3515`).

        Args:
            who: The peer of this call, or whom the URI means.
            to: Whom to call; a call means to take our place in it.
            headers: More headers for the REFER, such as Referred-By.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Returns:
            What becomes of it.

        Raises:
            LocalError: Something here can't be put into a request, or a call is
                over.
        """
        self._open_driver()
        target = self._refer_to(to)
        if isinstance(who, Call):
            return self._transfers.refer_inside(who, target, headers=headers)
        return self._transfers.refer(
            self._ways.target(who, outbound_proxy),
            target,
            headers=headers,
            route_set=self._ways.route_set(outbound_proxy),
        )

    async def transfer(
        self, call: Call, to: str | Call, *, headers: Headers = ()
    ) -> None:
        """Send the peer of a call to somebody else, and hang up when it is there.

        If it doesn't get there the call goes on.

        Args:
            call: The call.
            to: Whom to call; another call of ours means that its peer and that of
                this one shall talk to each other.
            headers: More headers for the REFER.

        Raises:
            TransferFailed: The peer didn't get there.
            CallRefused: The peer doesn't do REFER.
            CallTimeout: It told nothing.
            LocalError: One of the calls is over.
        """
        self._open_driver()
        await self._transfers.transfer(call, self._refer_to(to), headers=headers)

    def on_refer(self, handler: ReferHandler) -> ReferHandler:
        """Set what is called when somebody wants us to call; usable as a decorator.

        It runs in a task of its own.  If it returns without an answer the REFER is
        refused with 603, if it fails with 500.  Without a handler REFER gets 405.
        """
        self._transfers.answer_with(handler)
        return handler

    def _refer_to(self, to: str | Call) -> NameAddr:
        if isinstance(to, Call):
            return self._transfers.target_of(to)
        return NameAddr(None, self._ways.read(to))
