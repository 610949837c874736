"""The stream of a call in which one file goes one way (:rfc:`5547#section-8`).

It has the shape of a ``sip.Media``, of one that follows a re-INVITE, explains a refusal
and wants to be offered anew; all that is MSRP in that an :class:`~msrp.MsrpMedia` does,
which is inside.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from msrp.aio.connection import MsrpConnection
from msrp.aio.file_transfer.transfer import FileTransfer
from msrp.aio.listener import MsrpListener
from msrp.aio.media import MsrpMedia
from msrp.aio.relays.relay import MsrpRelay
from msrp.config import SessionConfig
from msrp.content import MAX_ENVELOPE, Part
from msrp.errors import InvalidFileDescription, LocalProtocolError
from msrp.file_transfer import (
    Direction,
    FileDescription,
    Repetition,
    SeenTransfers,
    describes_file,
    refusal_of,
    repeated_answer,
    said_last,
)
from msrp.negotiation import MediaDescription

__all__ = ["FileStream"]

logger = logging.getLogger("msrp.files")

ACCEPT_TYPES = ("message/cpim", "*")
"""A file may be of any type, and peers may put it into an envelope."""

_PEERS_TURN = 5.0
"""Seconds for the peer to take out a stream whose end is for him to tell."""

_ATTEMPTS = 3
"""How often to ask for a stream to be taken out; a call may refuse changes."""

_PAUSE = 8.0
"""Seconds between two attempts: for as long a re-INVITE may take."""


class FileStream:
    """One ``m=`` line, one session, one file.

    Args:
        listener: The port that peers connect to, or the relay that we use.
        config: How to send.
        max_size: Octets of the largest file to take, to tell the peer.
        seen: The transfers of the call, where several streams share it.

    Attributes:
        on_renegotiate: What is called if the stream wants to be offered anew, or
            ended; the call sets it.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        *,
        config: SessionConfig | None = None,
        max_size: int | None = None,
        seen: SeenTransfers | None = None,
    ) -> None:
        self.on_renegotiate: Callable[[], None] | None = None
        self._listener = listener
        self._config = config
        self._max_size = max_size
        self._seen = SeenTransfers() if seen is None else seen
        self._media = self._new_media()
        self._transfer: FileTransfer | None = None
        self._words: FileDescription | None = None
        """What we say of the file, as long as it is this one."""
        self._said: MediaDescription | None = None
        self._refusal: str | None = None
        self._is_stopped = False
        self._is_ending = False
        self._ending: asyncio.Task[None] | None = None

    # What is said.

    @property
    def direction(self) -> Direction:
        """Who sends; so a call says it again when it offers something else."""
        return Direction.SENDRECV if self._words is None else self._words.direction

    @property
    def refusal(self) -> str | None:
        """Why an offer was refused, in part of a sentence."""
        return self._refusal or self._media.refusal

    @property
    def wants_offer(self) -> bool:
        """Whether the stream is to end, or its session has lost its connection."""
        return self._is_ending or self._media.wants_offer

    @property
    def parts(self) -> Sequence[Part]:
        """What goes along with an offer, such as an icon (:rfc:`5547#section-8.8`)."""
        return ()

    async def offer(self) -> MediaDescription:
        """Return our section for an offer; with port 0 if the file is done with.

        Raises:
            ConnectionFailed: A relay can't be reached, or refuses.
            FileUnreadable: The file can't be read.
        """
        if self._is_ending and self._said is not None:
            return said_last(self._said)
        described = await self._media.offer()
        if self._words is None:
            raise LocalProtocolError("there is no file to offer")
        return self._words.write(described)

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        """Leave what the peer offers to others."""
        return None

    async def reanswer(self, offered: MediaDescription) -> MediaDescription | None:
        """Answer an offer for this line; most only repeat it (§8.1)."""
        self._refusal = None
        words = self._words
        if words is None:
            return None
        if not describes_file(offered):
            # Whoever knows nothing of file transfers says nothing of them.
            return await self._repeat(words, offered)
        try:
            theirs = FileDescription.read(offered)
        except InvalidFileDescription as error:
            return self._refuse(offered, error.problem)
        match self._seen.judge(theirs.transfer_id, theirs.selector):
            case Repetition.NEW:
                return await self._renew(offered, theirs)
            case Repetition.ERROR:
                return self._refuse(offered, "it is another file in the same transfer")
            case Repetition.EXISTING:
                if theirs.transfer_id != words.transfer_id:
                    return self._refuse(offered, "this transfer was before")
                return await self._repeat(words, offered)

    def keep(self) -> None:
        """Be told that nothing comes of what was offered or answered last."""
        self._media.keep()

    def introduce(self, local: str, remote: str) -> None:
        """Be told by the call who talks to whom."""
        self._media.introduce(local, remote)

    # What is done.

    async def start(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Begin the transfer that both have agreed on.

        Raises:
            NegotiationError: They have not agreed on a session.
        """
        self._said = offered if is_offerer else answered
        self._is_stopped = False
        if self._transfer is not None and self._transfer.is_over:
            self._transfer_over()  # It was cancelled, or there was a call before this.
            return
        problem = await self._agree(answered if is_offerer else offered, is_offerer)
        if problem is not None:
            self._give_up(problem)
            return
        await self._media.start(offered, answered, is_offerer)

    async def follow(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Go on as both have agreed now; the transfer doesn't notice.

        Raises:
            NegotiationError: They have not agreed on a session.
        """
        self._said = offered if is_offerer else answered
        await self._media.follow(offered, answered, is_offerer)

    def leave(self) -> None:
        """Be told that the peer ends the stream, before it is answered (§8.4)."""
        if self._transfer is not None:
            self._transfer.leave("the peer has given it up")

    async def stop(self) -> None:
        """End the stream; also one that was only offered."""
        self._is_stopped = True
        await self._stop_ending()
        transfer = self._transfer
        if transfer is not None:
            transfer.refused("the peer did not take it")
            transfer.leave("the stream has ended")
        await self._media.stop()  # All that has come is told before this returns.
        if transfer is not None:
            transfer.give_up("the stream has ended")
            await transfer.wait_over()

    # What the kinds of streams do.

    async def _agree(self, theirs: MediaDescription, is_offerer: bool) -> str | None:
        """Make ready for the transfer; return why there can be none."""
        return None

    async def _renew(
        self, offered: MediaDescription, theirs: FileDescription
    ) -> MediaDescription | None:
        """Answer an offer of another transfer in the place of this one."""
        self._seen.note(theirs.transfer_id, theirs.selector)
        return self._refuse(offered, "the peer may not send another file here")

    # Inside.

    def _new_media(self) -> MsrpMedia:
        size = self._max_size
        media = MsrpMedia(
            self._listener,
            on_connection=self._connected,
            accept_types=ACCEPT_TYPES,
            accept_wrapped_types=("*",),
            # Nobody types into a file (RFC 5547, 8.7).
            profile=replace(self._listener.profile, control_types=()),
            max_size=None if size is None else size + MAX_ENVELOPE,
            config=self._config,
        )
        media.on_renegotiate = self._ask
        return media

    def _carry_out(self, transfer: FileTransfer) -> None:
        """Take on a transfer, which begins with the session."""
        self._transfer = transfer
        transfer.on_over = self._transfer_over
        if transfer.is_over:
            self._transfer_over()

    def _connected(self, connection: MsrpConnection) -> None:
        if self._transfer is not None:
            self._transfer.begin(connection)

    def _give_up(self, problem: str) -> None:
        logger.info("a file is not transferred: %s", problem)
        if self._transfer is not None:
            self._transfer.is_ours_to_end = True
            self._transfer.refused(problem)

    def _refuse(self, offered: MediaDescription, problem: str) -> MediaDescription:
        self._refusal = problem
        return refusal_of(offered)

    async def _repeat(
        self, words: FileDescription, offered: MediaDescription
    ) -> MediaDescription | None:
        answered = await self._media.reanswer(offered)
        return None if answered is None else repeated_answer(answered, words, offered)

    def _transfer_over(self) -> None:
        """Have the stream taken out of the call, by us or else by the peer."""
        if self._said is not None and not (self._ending or self._is_stopped):
            self._ending = asyncio.create_task(self._end(), name="msrp file stream")

    async def _end(self) -> None:
        transfer = self._transfer
        if transfer is not None and not transfer.is_ours_to_end:
            await asyncio.sleep(_PEERS_TURN)
        self._is_ending = True
        for _ in range(_ATTEMPTS):
            self._ask()
            await asyncio.sleep(_PAUSE)
        await self._media.stop()

    async def _stop_ending(self) -> None:
        if self._ending is not None and self._ending is not asyncio.current_task():
            self._ending.cancel()
            await asyncio.wait([self._ending])

    def _ask(self) -> None:
        if self.on_renegotiate is not None:
            self.on_renegotiate()
