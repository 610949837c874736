"""Things that begin at an offset of a message, in order.

A list that is kept sorted moves everything behind what is inserted: with a hundred
thousand chunks in random order that is most of the work.  Here it is cut into blocks,
so that no more than one block is moved.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["OffsetMap"]

_BLOCK = 512
"""Entries of a block at most.  To insert one among ``n`` moves as many, and the list
of blocks once for each half a block; to find one takes ``log n`` comparisons."""

V = TypeVar("V")


class OffsetMap(Generic[V]):
    """A mapping of offsets that knows which of them comes next."""

    __slots__ = ("_blocks", "_firsts", "_values", "length")

    def __init__(self) -> None:
        # Never without a block; none but the only one is empty.
        self._blocks: list[list[int]] = [[]]
        self._values: list[list[V]] = [[]]
        self._firsts: list[int] = []
        """Where each block but the first begins."""
        self.length = 0
        """How many entries there are."""

    def set(self, offset: int, value: V) -> None:
        """Put something at an offset; what was there makes way."""
        number = bisect.bisect_right(self._firsts, offset)
        block, values = self._blocks[number], self._values[number]
        at = bisect.bisect_left(block, offset)
        if at < len(block) and block[at] == offset:
            values[at] = value
            return
        block.insert(at, offset)
        values.insert(at, value)
        self.length += 1
        if len(block) > _BLOCK:
            self._split(number)

    def delete(self, offset: int) -> None:
        """Take away what is at an offset.

        Raises:
            KeyError: There is nothing.
        """
        number = bisect.bisect_right(self._firsts, offset)
        block, values = self._blocks[number], self._values[number]
        at = bisect.bisect_left(block, offset)
        if at == len(block) or block[at] != offset:
            raise KeyError(offset)
        del block[at], values[at]
        self.length -= 1
        if not block and len(self._blocks) > 1:
            del self._blocks[number], self._values[number]
            del self._firsts[max(0, number - 1)]

    def around(self, offset: int) -> tuple[tuple[int, V] | None, tuple[int, V] | None]:
        """Return the last that begins here or before, and the first that does after.

        Each with the offset where it begins.
        """
        number = bisect.bisect_right(self._firsts, offset)
        block, values = self._blocks[number], self._values[number]
        at = bisect.bisect_right(block, offset)
        if 0 < at < len(block):
            return (block[at - 1], values[at - 1]), (block[at], values[at])
        before: tuple[int, V] | None = None
        behind: tuple[int, V] | None = None
        if at:
            before = block[at - 1], values[at - 1]
        elif number:  # The block may have lost what it began with.
            before = self._blocks[number - 1][-1], self._values[number - 1][-1]
        if at < len(block):
            behind = block[at], values[at]
        elif number + 1 < len(self._blocks):
            behind = self._blocks[number + 1][0], self._values[number + 1][0]
        return before, behind

    @property
    def first(self) -> V | None:
        """The one that begins first."""
        values = self._values[0]
        return values[0] if values else None

    @property
    def last(self) -> V | None:
        """The one that begins last."""
        values = self._values[-1]
        return values[-1] if values else None

    def items(self) -> Iterator[tuple[int, V]]:
        """Give all with the offsets where they begin."""
        for block, values in zip(self._blocks, self._values, strict=True):
            yield from zip(block, values, strict=True)

    def __iter__(self) -> Iterator[V]:
        for values in self._values:
            yield from values

    def _split(self, number: int) -> None:
        half = _BLOCK // 2
        block, values = self._blocks[number], self._values[number]
        self._blocks.insert(number + 1, block[half:])
        self._values.insert(number + 1, values[half:])
        self._firsts.insert(number, block[half])
        del block[half:], values[half:]
