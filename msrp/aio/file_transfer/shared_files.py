"""Files that peers may ask for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from msrp.aio.file_transfer.hashing import FileDigest, hash_file
from msrp.aio.file_transfer.sending import identity_of
from msrp.aio.sending.files import FileUnreadable, type_of
from msrp.content import ContentType
from msrp.file_transfer import FileFacts, FileSelector

__all__ = ["SharedFiles"]


class SharedFiles:
    """The files of one directory, to be found by what a peer says of them.

    What is below in other directories isn't found, nor what has a name with a dot in
    front.  The hash of a file is taken when somebody first asks for one, and again
    only when the file has changed.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._digests: dict[Path, FileDigest] = {}
        self._one_at_a_time = asyncio.Lock()

    async def find(self, selector: FileSelector) -> list[Path]:
        """Return the files that are meant: none, one or several, by name."""
        async with self._one_at_a_time:
            found = []
            for path in await asyncio.to_thread(self._files):
                facts = await self._facts(path, selector)
                if facts is not None and selector.matches(facts):
                    found.append(path)
            return found

    def _files(self) -> list[Path]:
        try:
            paths = sorted(self._directory.iterdir())
        except OSError:
            return []
        paths = [p for p in paths if p.is_file() and not p.name.startswith(".")]
        for gone in self._digests.keys() - set(paths):
            del self._digests[gone]
        return paths

    async def _facts(self, path: Path, selector: FileSelector) -> FileFacts | None:
        """Find out of a file what there is to be compared, the cheap things first."""
        facts = FileFacts(path.name, type=ContentType.parse(type_of(path)))
        try:
            facts = replace(facts, size=(await identity_of(path)).size)
            known = replace(facts, sha1=selector.sha1)
            if selector.sha1 is not None and selector.matches(known):
                facts = replace(facts, sha1=await self._sha1(path))
        except FileUnreadable:
            return None
        return facts

    async def _sha1(self, path: Path) -> bytes:
        known = self._digests.get(path)
        if known is None or known.identity != await identity_of(path):
            known = self._digests[path] = await hash_file(path)
        return known.sha1
