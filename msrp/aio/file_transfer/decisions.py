"""What is to become of a file that a peer offers, or asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from msrp.aio.file_transfer.transfer import FileProgress
from msrp.file_transfer import ATTACHMENT, FileDescription

__all__ = ["Decide", "FileDecision", "RefuseFile", "SaveFile", "ServeFile"]


@dataclass(frozen=True, slots=True)
class SaveFile:
    """Take a file that the peer offers to send.

    What came of it before, in a transfer that broke off, is found in the same
    directory by its hash, if the peer goes on from there.
    """

    directory: str | Path
    """Where it goes; it is made if it isn't there."""

    name: str | None = None
    """What to call it; by default as the peer does, made safe.  It never takes the
    place of a file that is there."""

    max_size: int | None = None
    """Octets to take at most; by default a gibibyte.  A file that is offered with a
    larger size is refused."""

    progress: FileProgress | None = None


@dataclass(frozen=True, slots=True)
class ServeFile:
    """Send the file that the peer asks for."""

    path: str | Path

    content_type: str | None = None
    """Its type; by default what its name suggests."""

    disposition: str = ATTACHMENT
    """What the peer shall do with it."""

    progress: FileProgress | None = None


@dataclass(frozen=True, slots=True)
class RefuseFile:
    """Neither take nor send a file."""

    reason: str = "it isn't wanted"
    """Why, for our own logs; the peer isn't told."""


FileDecision = SaveFile | ServeFile | RefuseFile

Decide = Callable[[FileDescription], FileDecision | Awaitable[FileDecision]]
"""Says what is to become of a file; it may wait, such as for somebody to say yes."""
