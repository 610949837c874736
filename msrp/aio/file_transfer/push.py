"""A file that we offer to send (:rfc:`5547#section-8.2.1`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msrp.aio.file_transfer.hashing import hash_file
from msrp.aio.file_transfer.sending import FileToSend, SendingFile, identity_of
from msrp.aio.file_transfer.stream import FileStream
from msrp.aio.file_transfer.transfer import (
    STALL_TIMEOUT,
    FileProgress,
    FileTransferred,
)
from msrp.aio.listener import MsrpListener
from msrp.aio.relays.relay import MsrpRelay
from msrp.aio.sending.files import type_of
from msrp.config import SessionConfig
from msrp.content import ContentType, Part
from msrp.errors import InvalidFileDescription
from msrp.file_transfer import (
    ATTACHMENT,
    Direction,
    FileDates,
    FileDescription,
    FileFacts,
    FileRange,
    FileSelector,
    describes_file,
    icon_part,
    icon_url,
    new_transfer_id,
    push_offer,
)
from msrp.negotiation import MediaDescription

__all__ = ["FilePush"]


class FilePush(FileStream):
    """A file to send, offered as a stream of a call.

    A receiver that knows nothing of :rfc:`5547` gets it as a message like any other.

    Args:
        listener: The port that peers connect to, or the relay that we use.
        path: Which file.
        content_type: Its type; by default what its name suggests.
        name: What to call it to the peer; by default as it is called here.
        icon: A small picture of what is in it, to decide by: any part whose content is
            one, such as ``Part.build("image/png", octets)``.
        information: A few words for people.
        disposition: ``"attachment"``, or ``"render"`` to have it shown at once.
        start: How many octets the peer has already: what
            :attr:`~msrp.FileTransferAborted.transferred` says of an earlier transfer.
        with_hash: Whether to take its SHA-1 before it is offered.  Without one the
            peer can't tell whether it came whole, nor go on with it later.
        progress: Called with the octets that are on their way, and the size.
        stall_timeout: Seconds without a single octet until it is given up.
        config: How to send.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        path: str | Path,
        *,
        content_type: str | None = None,
        name: str | None = None,
        icon: Part | None = None,
        information: str | None = None,
        disposition: str = ATTACHMENT,
        start: int = 0,
        with_hash: bool = True,
        progress: FileProgress | None = None,
        stall_timeout: float = STALL_TIMEOUT,
        config: SessionConfig | None = None,
    ) -> None:
        super().__init__(listener, config=config)
        self._path = Path(path)
        self._content_type = content_type or type_of(self._path)
        self._name = name or self._path.name
        self._icon = None if icon is None else icon_part(icon)
        self._information = information
        self._disposition = disposition
        self._range = FileRange(start)
        self._with_hash = with_hash
        self._sending = SendingFile(progress=progress, stall_timeout=stall_timeout)
        self._carry_out(self._sending)

    @property
    def transfer(self) -> SendingFile:
        """The file on its way."""
        return self._sending

    async def finished(self) -> FileTransferred:
        """Wait until the peer has the file; see :meth:`FileTransfer.finished`."""
        return await self._sending.finished()

    def cancel(self) -> None:
        """Give it up: the peer is told that no more will come (``#``)."""
        self._sending.cancel()

    @property
    def parts(self) -> Sequence[Part]:
        """The icon, if there is one."""
        return () if self._icon is None else (self._icon,)

    async def offer(self) -> MediaDescription:
        """Return our section for an offer.

        The first time the file is hashed, which takes a while if it is large.

        Raises:
            FileUnreadable: The file can't be read.
            FileTransferFailed: It has fewer octets than the peer has.
            ConnectionFailed: A relay can't be reached, or refuses.
        """
        if self._words is None:
            self._words = await self._look()
            self._seen.note(self._words.transfer_id, self._words.selector)
        described = await super().offer()
        return described if self._is_ending else push_offer(described, self._words)

    async def _look(self) -> FileDescription:
        """Find out what there is to say of the file."""
        digest = await hash_file(self._path) if self._with_hash else None
        identity = await identity_of(self._path) if digest is None else digest.identity
        content_type = ContentType.parse(self._content_type)
        file = FileToSend(
            self._path,
            digest=digest,
            identity=identity,
            content_type=self._content_type,
            name=self._name,
            disposition=self._disposition,
        )
        facts = FileFacts(self._name, identity.size, content_type, file.sha1)
        words = FileDescription(
            selector=FileSelector.of(facts),
            transfer_id=new_transfer_id(),
            direction=Direction.SENDONLY,
            disposition=self._disposition,
            dates=FileDates(modification=file.modified),
            icon=None if self._icon is None else icon_url(self._icon),
            range=self._range,
            information=self._information,
        )
        self._sending.describe(words, file)
        return words

    async def _agree(self, theirs: MediaDescription, is_offerer: bool) -> str | None:
        if not describes_file(theirs):
            return None  # It knows only messages, and gets one (§8.3.1).
        try:
            answered = FileDescription.read(theirs)
        except InvalidFileDescription as error:
            return f"its answer can't be understood: {error.problem}"
        words = self._words
        assert words is not None, "it was offered"
        if answered.transfer_id != words.transfer_id:
            return "it answers to another transfer"
        if answered.selector.contradicts(words.selector):
            return "it wants another file"
        if words.has_range and answered.range != words.range:
            return "it wants another part of the file"
        return None
