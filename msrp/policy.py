"""Where a message goes that the peer begins to send.

Hooks observe; this decides.  A policy is called once for each message, with what
its first chunk says of it, before an octet of it is put anywhere.

Where the message is in a CPIM envelope, as all are in chat rooms and in the networks of
emergency services, the question is about what is in it: type, size and name are those
of the picture and not of the envelope.  It is then asked as soon as the head of the
envelope is here, which is nearly always at the first octets.  A file or a writer gets
the content without its envelope, which goes with the event instead; memory keeps both.
An envelope that can't be opened, or of which other octets come first, is no different
from other types: ``message/cpim`` is asked about, and kept as it is.

Sizes and limits count the content only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msrp.status import StatusCode

__all__ = [
    "Announcement",
    "Decision",
    "InMemory",
    "IntoDirectory",
    "IntoWriter",
    "Policy",
    "Progress",
    "Refuse",
    "Store",
    "Writer",
    "files_into",
]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the first octets say of a message."""

    message_id: str

    content_type: str
    """What it is; of a message in an envelope, what is in that."""

    size: int | None
    """Octets of it, if its sender says so; it may be wrong."""

    disposition: str | None = None
    """The value of ``Content-Disposition``, if there is one."""

    filename: str | None = None
    """The name that its sender suggests, made safe to use."""

    in_envelope: bool = False
    """Whether it is in a CPIM envelope that has been opened."""

    sender: str | None = None
    """The URI in From of the outermost envelope: what the peer asserts, which nobody
    has proved."""

    recipients: tuple[str, ...] = ()
    """The URIs in To of that envelope."""


class Store(Protocol):
    """Where the octets of one message go as they arrive."""

    @property
    def max_length(self) -> int | None:
        """Octets that it takes at most; ``None`` for any number."""

    @property
    def held(self) -> int:
        """Octets that it keeps in memory."""

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong; those that come last win.

        Raises:
            RemoteProtocolError: It takes no more; the message is then refused
                with the error's status.
        """

    def finish(self, size: int) -> None:
        """Be told that all octets are here.

        Raises:
            RemoteProtocolError: Seeing all of it, it doesn't take the message.
        """

    def give_up(self, *, keep: bool) -> None:
        """Be told that no more will come.

        Args:
            keep: Whether what has arrived is of use to anybody; it isn't when
                the message was refused.
        """


class Writer(Protocol):
    """What takes octets in their order: a file, a decoder, a hash.

    If it raises, the peer gets a 413 as soon as more comes.  One that has an attribute
    ``takes_no_more`` which is true gets nothing more, and the peer a 413 at once.
    """

    def write(self, data: bytes, /) -> object:
        """Take the next octets."""


Progress = Callable[[int, int | None], None]
"""Called with the octets that have arrived, and how many there are to be, if known."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """Gather the message and hand it over whole."""

    max_length: int | None = None
    """Octets at most, an envelope not counted; by default the connection's
    ``max_message_length``."""

    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class IntoDirectory:
    """Write the message into a new file.

    It has another name until it is complete, and never takes the place of a file
    that is there.
    """

    directory: Path

    max_length: int | None = None
    """Octets at most; without a limit if not given."""

    name: str | None = None
    """What to call it; by default what its sender suggests, made safe."""

    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class IntoWriter:
    """Write the message into an object of the application's, in order."""

    writer: Writer

    max_length: int | None = None
    """Octets at most; without a limit if not given."""

    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Don't take the message."""

    status_code: int = StatusCode.STOP_SENDING
    """403, 413 or 415."""


Decision = InMemory | IntoDirectory | IntoWriter | Refuse
Policy = Callable[[Announcement], Decision]


def files_into(
    directory: str | Path,
    *,
    max_length: int | None = None,
    max_said: int | None = None,
) -> Policy:
    """Return the policy that most applications want: files go into a directory.

    What is said stays in memory and is told as ever: texts, and multiparts, which may
    have texts in them.  All that has a file name, and all else that is no text, is
    written as it comes, so that its size doesn't matter.

    Args:
        directory: Where to.
        max_length: Octets of a file at most; without a limit by default.
        max_said: Octets of what is said, at most; by default the connection's
            ``max_message_length``.
    """
    into_files = IntoDirectory(Path(directory), max_length)
    in_memory = InMemory(max_said)

    def decide(about: Announcement) -> Decision:
        kind = about.content_type.partition("/")[0].strip().lower()
        is_said = about.filename is None and kind in {"text", "multipart", "message"}
        return in_memory if is_said else into_files

    return decide
