"""CPIM envelopes that are taken off while their content arrives.

A file in an envelope (:rfc:`5547#section-8.7`) is too large to be gathered first.  What
is gathered is the head of the envelope, and no more of it than is reasonable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from cpim import CpimError, CpimMessage, read_head
from mime import Part
from msrp.content.reading import MAX_NESTING, filename_of
from msrp.errors import RemoteProtocolError

__all__ = ["MAX_ENVELOPE", "EnvelopeOpener"]

MAX_ENVELOPE = 16 * 1024
"""Octets of the heads of an envelope; real ones have a few hundred."""

_CPIM = "message/cpim"
_PLAIN = frozenset({"binary", "8bit", "7bit"})

_BLANK_LINE = re.compile(rb"\n\r?\n")

_LOOK_BACK = 20
"""Octets to look at again: what follows a blank line may show that it ends the head."""


class EnvelopeOpener:
    """Takes the octets of one ``message/cpim`` and gives those of its content.

    An envelope within it is opened too; one that can't be is content.

    Args:
        understood: Namespaces and names of the headers that an envelope may require,
            besides the core ones.

    Attributes:
        envelopes: Those that have been read, the outermost first, without content;
            also one that isn't to be opened.
        size: Octets of the heads that were taken off: the content begins there.
        content_type: What the content is, once that is known.
        disposition: The value of its ``Content-Disposition``.
        filename: What its sender calls it, made safe to use; ``None`` if he doesn't.
        problem: Why there is an envelope in it that isn't opened.
    """

    def __init__(self, understood: Collection[tuple[str, str]] = ()) -> None:
        self.envelopes: tuple[CpimMessage, ...] = ()
        self.size = 0
        self.content_type: str | None = None
        self.disposition: str | None = None
        self.filename: str | None = None
        self.problem: str | None = None
        self._understood = understood
        self._octets = bytearray()
        self._part: Part | None = None
        """What is in the last one that was opened."""

    @property
    def is_open(self) -> bool:
        """Whether all octets from now on are content."""
        return self.content_type is not None

    def feed(self, data: bytes) -> bytes:
        """Take the next octets of the envelope, and return those of the content.

        Raises:
            RemoteProtocolError: It is no envelope, its head has no end, it requires
                what isn't understood, or what is in it has a transfer encoding.
        """
        if self.is_open:
            return data
        seen = max(self.size, len(self._octets) - _LOOK_BACK)
        self._octets += data
        # Without this, one that comes octet by octet were read for each of them.
        while _BLANK_LINE.search(self._octets, seen, MAX_ENVELOPE):
            if not self._open_next(read_head):
                break
            seen = self.size
        if len(self._octets) > MAX_ENVELOPE and not self.is_open:
            self._leave_whole("the head of an envelope is too long")
        return self._content()

    def end(self) -> bytes:
        """Be told that no more octets will come, and return those of the content.

        Raises:
            RemoteProtocolError: As in :meth:`feed`.
        """
        if self.is_open:
            return b""
        while self._open_next(CpimMessage.parse):
            pass
        return self._content()

    def _open_next(self, read: Callable[[bytes], CpimMessage | None]) -> bool:
        """Open one envelope, if its head is here; tell whether there is another."""
        octets = bytes(self._octets[self.size : MAX_ENVELOPE])
        try:
            message = read(octets)
        except CpimError as error:
            self._leave_whole(f"message/cpim can't be read: {error.problem}")
            return False
        if message is None:
            return False
        self.envelopes += (message.with_content(b""),)
        part = message.part
        if message.unsupported_requirements(self._understood):
            problem = "message/cpim requires something that isn't understood here"
            self._leave_whole(problem)
        elif part.transfer_encoding not in _PLAIN:
            self._leave_whole("the content of an envelope is encoded")
        else:
            self.size += len(octets) - len(message.content)
            self._opened(part)
        return not self.is_open

    def _opened(self, part: Part) -> None:
        self._part = part
        self.disposition = part.header("content-disposition") or self.disposition
        is_envelope = part.content_type.essence == _CPIM
        if not is_envelope or len(self.envelopes) == MAX_NESTING:
            self._is_content(part)

    def _leave_whole(self, problem: str) -> None:
        """Take the envelope that comes next for content, if it is in another."""
        if self._part is None:
            raise RemoteProtocolError(problem)
        self.problem = problem
        self._is_content(self._part)

    def _is_content(self, part: Part) -> None:
        self.content_type = str(part.content_type)
        self.filename = filename_of(self.content_type, self.disposition)

    def _content(self) -> bytes:
        if not self.is_open:
            return b""
        content = bytes(self._octets[self.size :])
        self._octets.clear()
        return content
