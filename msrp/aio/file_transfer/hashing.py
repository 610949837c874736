"""The SHA-1 of a file, taken aside."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from msrp.aio.sending.files import FileIdentity, unreadable

__all__ = ["FileDigest", "hash_file", "new_sha1"]

_BLOCK = 1024 * 1024
"""Octets to hash before it is seen whether anybody still wants to know."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What is in a file, and of which file that was said."""

    sha1: bytes
    identity: FileIdentity

    @property
    def size(self) -> int:
        """Octets of the file."""
        return self.identity.size


def new_sha1() -> hashlib._Hash:
    """Begin a hash; it tells files apart and protects nothing."""
    return hashlib.sha1(usedforsecurity=False)


async def hash_file(path: Path) -> FileDigest:
    """Return the SHA-1 of a file; the loop goes on meanwhile.

    Raises:
        FileUnreadable: It can't be read, or is no ordinary file.
    """
    unwanted = Event()
    loop = asyncio.get_running_loop()
    hashing = loop.run_in_executor(None, _hash, path, unwanted)
    try:
        digest = await asyncio.shield(hashing)
    except asyncio.CancelledError:
        # A thread can't be called back, but it looks.
        unwanted.set()
        hashing.add_done_callback(_forget)
        raise
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    assert digest is not None
    return digest


def _hash(path: Path, unwanted: Event) -> FileDigest | None:
    # A pipe or a device would block, and has no end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "not an ordinary file")
    sha1 = new_sha1()
    with path.open("rb") as file:
        identity = FileIdentity.of(os.fstat(file.fileno()))
        while block := file.read(_BLOCK):
            if unwanted.is_set():
                return None
            sha1.update(block)
    return FileDigest(sha1.digest(), identity)


def _forget(hashing: asyncio.Future[FileDigest | None]) -> None:
    if not hashing.cancelled():
        hashing.exception()
