"""Received files, on disk.

A file has a temporary name until it is complete, and never takes the place of
another: ``picture.jpg`` becomes ``picture-1.jpg`` if there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mime

__all__ = ["Saved", "Saver", "digest"]

_MOST_TRIALS = 10_000
"""Files of one name in one directory; a peer who sends more is up to something."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written."""

    path: Path
    sha256: str


class Saver:
    """Writes what is received into one directory.

    Args:
        directory: Which; made when it is needed.  ``None`` stands for a new
            temporary one.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    async def prepare(self) -> None:
        """Make the directory, if one was given: better now than with a file at hand.

        Raises:
            OSError: It can't be made.
        """
        if self._directory is not None:
            await self._open_directory()

    async def directory(self) -> Path:
        """Return where files go; it is there.

        Raises:
            OSError: It can't be made.
        """
        return await self._open_directory()

    async def save(self, filename: str | None, content_type: str, data: bytes) -> Saved:
        """Write a file.

        Args:
            filename: What the sender calls it.
            content_type: What it is, for those without a name.
            data: Its octets.

        Raises:
            OSError: It can't be written; nothing is left of it then.
        """
        import aiofiles.os  # Not above: most calls are words only.

        directory = await self._open_directory()
        name = mime.safe_filename(filename or _name_for(content_type))
        target = await asyncio.to_thread(_reserve, directory, name)
        temporary = target.with_name(f".{target.name}.part")
        try:
            async with aiofiles.open(temporary, "wb") as file:
                await file.write(data)
            await aiofiles.os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        return Saved(target, sha256)

    async def _open_directory(self) -> Path:
        if self._directory is None:
            # Not in a thread, or two files at once would make two.
            self._directory = Path(tempfile.mkdtemp(prefix="msrp-chat-"))
        else:
            directory = self._directory
            await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        return self._directory


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name_for(content_type: str) -> str:
    essence = content_type.partition(";")[0].strip()
    return "attachment" + (mimetypes.guess_extension(essence) or ".bin")


def _reserve(directory: Path, name: str) -> Path:
    """Make an empty file that was not there, and return its path."""
    stem, suffix = os.path.splitext(name)
    for number in range(_MOST_TRIALS):
        path = directory / (f"{stem}-{number}{suffix}" if number else name)
        try:
            path.open("xb").close()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{directory / name}: there are too many of that name")
