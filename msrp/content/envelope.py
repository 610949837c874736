"""A CPIM envelope that is taken off while its content arrives.

A file in an envelope (:rfc:`5547#section-8.7`) is too large to be gathered first.  What
is gathered is the head of the envelope, and no more of it than is reasonable.
"""

from __future__ import annotations

from cpim import CpimError, CpimMessage
from mime import safe_filename
from msrp.errors import RemoteProtocolError
from msrp.status import StatusCode

__all__ = ["MAX_ENVELOPE", "EnvelopeOpener"]

MAX_ENVELOPE = 16 * 1024
"""Octets of both heads of an envelope; real ones have a few hundred."""

_PLAIN = frozenset({"binary", "8bit", "7bit"})


class EnvelopeOpener:
    """Takes the octets of one ``message/cpim`` and gives those of its content.

    Attributes:
        content_type: What the content is, once that has come.
        filename: What its sender calls it, made safe to use; ``None`` if he doesn't.
    """

    def __init__(self) -> None:
        self.content_type: str | None = None
        self.filename: str | None = None
        self._head = b""
        self._searched = 0

    @property
    def is_open(self) -> bool:
        """Whether all octets from now on are content."""
        return self.content_type is not None

    def feed(self, data: bytes) -> bytes:
        """Take the next octets of the envelope, and return those of the content.

        Raises:
            RemoteProtocolError: It is no envelope, its head has no end, or what is in
                it has a transfer encoding.
        """
        if self.is_open:
            return data
        self._head += data
        end = self._end_of_head()
        if (len(self._head) if end is None else end) > MAX_ENVELOPE:
            raise RemoteProtocolError("the head of an envelope is too long")
        if end is None:
            return b""
        head, rest = self._head[:end], self._head[end:]
        self._head = b""
        self._read(head)
        return rest

    def _end_of_head(self) -> int | None:
        """Find the blank line after the second of two heads."""
        line_end = self._head.find(b"\n")
        newline = b"\r\n" if self._head[:line_end].endswith(b"\r") else b"\n"
        blank = newline * 2
        first = self._head.find(blank, self._searched)
        if first < 0:
            self._searched = max(0, len(self._head) - len(blank))
            return None
        self._searched = first  # A second search begins here, however often.
        second = self._head.find(blank, first + len(newline))
        return None if second < 0 else second + len(blank)

    def _read(self, head: bytes) -> None:
        try:
            part = CpimMessage.parse(head).part
        except CpimError as error:
            raise RemoteProtocolError(
                error.problem, status=StatusCode.BAD_REQUEST
            ) from error
        if part.transfer_encoding not in _PLAIN:
            raise RemoteProtocolError("the content of an envelope is encoded")
        disposition = part.disposition
        self.content_type = str(part.content_type)
        name = None if disposition is None else disposition.filename
        self.filename = safe_filename(name) if name else None
