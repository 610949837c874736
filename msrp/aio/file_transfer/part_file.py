"""A file that is on its way in: on disk, and not yet what it claims to be.

It is called ``.SHA-1.part`` after the hash that the whole file is to have, so that a
later transfer of the same file finds it, also one of another program.  Nothing here
waits for a loop: all of it is done in threads, one call at a time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path
from typing import BinaryIO

from msrp.aio.file_transfer.hashing import new_sha1
from msrp.aio.receiving.sinks import put_in_place

if sys.platform != "win32":
    import fcntl

_CAN_LOCK = sys.platform != "win32"
"""Whether two programs that save the same file at once can notice each other."""

__all__ = ["PartFile", "octets_on_disk", "part_path"]

_BLOCK = 1024 * 1024
"""Octets of what is on disk to hash at a time."""


def part_path(directory: Path, sha1: bytes) -> Path:
    """Return where what there is of a file with this hash is kept."""
    return directory / f".{sha1.hex()}.part"


def octets_on_disk(directory: Path, sha1: bytes | None) -> int:
    """Return how much there is of a file that was received before in part."""
    if sha1 is None:
        return 0
    try:
        return part_path(directory, sha1).stat().st_size
    except OSError:
        return 0


class PartFile:
    """An open part file; nobody else writes into it.

    Args:
        directory: Where; it is made if it isn't there.
        sha1: What the hash of the whole file is to be, if that is known.
        start: How many octets of it are there already.

    Raises:
        OSError: It can't be written, or there aren't so many octets.
    """

    def __init__(self, directory: Path, sha1: bytes | None, start: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f".{secrets.token_hex(8)}.part"
        self.can_be_resumed = False
        """Whether it will be found if it is kept."""
        found = None if sha1 is None else _open_locked(part_path(directory, sha1))
        if found is not None and sha1 is not None:
            self.path = part_path(directory, sha1)
            self.can_be_resumed = True
        elif start:
            raise OSError(0, "what came of it before is in use by another transfer")
        self._file = found or self.path.open("xb+")
        self._sha1 = new_sha1()
        try:
            self._go_to(start)
        except BaseException:
            self._file.close()
            raise
        self.size = start

    @property
    def is_of_use(self) -> bool:
        """Whether a later transfer will find octets in it if it is kept."""
        return self.can_be_resumed and self.size > 0

    @property
    def sha1(self) -> bytes:
        """The hash of all octets from the first on."""
        return self._sha1.digest()

    def write(self, data: bytes) -> None:
        """Put octets behind those that are there."""
        self._file.write(data)
        self._sha1.update(data)
        self.size += len(data)

    def place(self, name: str) -> Path:
        """Give it a name, which is another one if there is such a file; return it."""
        try:
            if _CAN_LOCK:
                self._file.flush()  # It stays ours until it has its name.
            else:
                self._file.close()  # What is open can't be given another name.
            return put_in_place(self.path, name)
        finally:
            self._file.close()

    def keep(self) -> None:
        """Leave it for a later transfer."""
        self._file.close()

    def discard(self) -> None:
        """Remove it."""
        if not _CAN_LOCK:
            self._file.close()
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # What the disk hasn't taken isn't wanted.
            self._file.close()

    def _go_to(self, start: int) -> None:
        """Hash what there is already, and let go of what is behind that."""
        left = start
        while left and (block := self._file.read(min(left, _BLOCK))):
            self._sha1.update(block)
            left -= len(block)
        if left:
            raise OSError(0, "what came of it before is no longer there")
        self._file.seek(start)
        self._file.truncate()


def _open_locked(path: Path) -> BinaryIO | None:
    """Open a file, or make it, unless somebody else writes into it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags, 0o666), "r+b")
    if not _is_ours(file, path):
        file.close()
        return None
    return file


def _is_ours(file: BinaryIO, path: Path) -> bool:
    """Lock a file; tell whether that has worked and the file is still in its place."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it before us may have finished it, and given it its name.
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
