"""Who takes and gives the files of one call, whatever the peer offers (§8.3)."""

from __future__ import annotations

from collections.abc import Callable

from msrp.aio.file_transfer.answering import AnsweringStream
from msrp.aio.file_transfer.decisions import Decide
from msrp.aio.file_transfer.transfer import STALL_TIMEOUT, FileTransfer
from msrp.aio.listener import MsrpListener
from msrp.aio.relays.relay import MsrpRelay
from msrp.aio.session.hooks import guarded
from msrp.config import SessionConfig
from msrp.errors import LocalProtocolError
from msrp.file_transfer import SeenTransfers
from msrp.negotiation import MediaDescription

__all__ = ["FileAnswerer"]


class FileAnswerer:
    """Takes and gives the files of one call.

    Among the media with which a call is made or answered it stands for any number of
    streams, now and later: each section that is about a file is shown to ``decide``,
    and gets a stream of its own.  Put it before the media of messages, which would
    take such a section for a session like any other.

    Args:
        listener: The port that peers connect to, or the relay that we use.
        decide: Says what is to become of a file.
        on_transfer: Called with each transfer that begins.
        max_size: Octets of the largest file that is taken, to tell the peer.
        stall_timeout: Seconds without a single octet until a transfer is given up.
        config: How to send.

    Attributes:
        transfers: Those that have begun and aren't over.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        decide: Decide,
        *,
        on_transfer: Callable[[FileTransfer], object] | None = None,
        max_size: int | None = None,
        stall_timeout: float = STALL_TIMEOUT,
        config: SessionConfig | None = None,
    ) -> None:
        self.transfers: list[FileTransfer] = []
        self.decide = decide
        self.max_size = max_size
        self.stall_timeout = stall_timeout
        self._listener = listener
        self._on_transfer = on_transfer
        self._config = config
        self._seen = SeenTransfers()
        self._streams: dict[AnsweringStream, None] = {}
        self._refusal: str | None = None

    def another(self) -> AnsweringStream:
        """Return a stream, to be asked about what the peer offers."""
        stream = AnsweringStream(
            self,
            self._listener,
            config=self._config,
            max_size=self.max_size,
            seen=self._seen,
        )
        return stream

    @property
    def refusal(self) -> str | None:
        """Why a file was refused last, in part of a sentence."""
        return self._refusal

    async def offer(self) -> MediaDescription:
        """Offer nothing; a call asks only :meth:`another`.

        Raises:
            LocalProtocolError: Always.
        """
        raise LocalProtocolError("who answers has no file to offer")

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        """Leave it to :meth:`another`."""
        return None

    async def start(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Do nothing; each stream is started by itself."""

    async def stop(self) -> None:
        """End all streams, and those that were only answered."""
        for stream in list(self._streams):
            await stream.stop()

    # What the streams tell.

    def opened(self, stream: AnsweringStream) -> None:
        """Take note of a stream that has said yes."""
        self._streams[stream] = None  # It may have said so before.

    def closed(self, stream: AnsweringStream) -> None:
        """Take note of a stream that is over."""
        self._streams.pop(stream, None)

    def refused(self, problem: str) -> None:
        """Take note why a file isn't transferred."""
        self._refusal = problem

    def began(self, transfer: FileTransfer) -> None:
        """Take note of a transfer, and tell the application."""
        self.transfers = [each for each in self.transfers if not each.is_over]
        self.transfers.append(transfer)
        if self._on_transfer is not None:
            guarded(self._on_transfer)(transfer)
