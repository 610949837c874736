"""What a hook gets when a message has arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cpim import Address, CpimMessage
from mime import Part

__all__ = ["AttachmentReceived", "MessageReceived", "TextMessageReceived"]


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message has arrived."""

    message_id: str
    """The Message-ID that all its chunks had."""

    content_type: str
    """The type of the whole, as it came; of a message that a policy had put somewhere
    else than into memory, what is there."""

    contents: bytes = field(repr=False)
    """The octets of the whole, as they came."""

    sender: str | None
    """The URI in From of the outermost CPIM envelope, if there is one: what the
    peer asserts, which nobody has proved."""

    parts: tuple[Part, ...]
    """The leaves, in order: envelopes and multiparts are taken off, of
    alternatives one is chosen.  A plain body is one."""

    cpim: CpimMessage | None
    """The outermost envelope around all of it."""

    problem: str | None
    """Why the body, or something in it, couldn't be read as it should have been;
    ``contents`` are complete nevertheless."""

    text: str | None
    """What the sender says: all text, a blank line between the pieces; ``None``
    if there is none."""

    filename: str | None
    """What the sender calls the file, if it is one; without any path, and fit for
    a file system."""

    senders: tuple[Address, ...] = ()
    """The chain of asserted identities, from the outermost envelope inwards: each
    is vouched for by the one before it, and the first by the peer."""

    path: Path | None = None
    """The file that a policy had the message written into.  ``contents`` are then
    empty; envelopes around it are taken off, and a multipart isn't taken apart."""

    size: int = 0
    """Octets of ``contents``, or of what was put somewhere else."""

    is_private: bool = False
    """Whether it comes from a chat room and is for us alone (:rfc:`7701#section-6.2`):
    it has to be shown as such, lest somebody answers it to all."""

    @property
    def is_stored(self) -> bool:
        """Whether a policy had it put somewhere else than into memory."""
        return not self.contents and not self.parts

    @property
    def recipient(self) -> str | None:
        """The URI in To of the outermost envelope, if there is one.

        In a chat room that is the room, or whoever a private message is for.
        """
        addresses = () if self.cpim is None else self.cpim.to
        return addresses[0].uri if addresses else None


# Not frozen: that would take three times as long, for each text.
@dataclass(slots=True, unsafe_hash=True)
class TextMessageReceived:
    """Text has arrived."""

    text: str
    """The text; ``U+FFFD`` stands for what couldn't be decoded."""

    sender: str | None
    """See :attr:`MessageReceived.sender`."""

    message_id: str
    """The Message-ID of the message that it is in."""

    content_type: str
    """The type of the text, with its charset if it has one."""

    language: str | None
    """The first language tag of ``Content-Language``."""

    recipient: str | None = None
    """See :attr:`MessageReceived.recipient`."""

    is_private: bool = False
    """See :attr:`MessageReceived.is_private`."""


@dataclass(frozen=True, slots=True)
class AttachmentReceived:
    """Something other than text has arrived."""

    content_type: str
    """What it is."""

    contents: bytes = field(repr=False)
    """Its octets, without their transfer encoding."""

    filename: str | None
    """What the sender calls it; without any path, and fit for a file system.  A
    file of that name may exist."""

    sender: str | None
    """See :attr:`MessageReceived.sender`."""

    message_id: str
    """The Message-ID of the message that it is in."""

    content_id: str | None
    """By what other parts may refer to it, without brackets."""

    path: Path | None = None
    """The file that it is in, if a policy said so; ``contents`` are then empty."""

    recipient: str | None = None
    """See :attr:`MessageReceived.recipient`."""

    is_private: bool = False
    """See :attr:`MessageReceived.is_private`."""
