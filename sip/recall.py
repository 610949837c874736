"""Values that are read once although many messages have them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

__all__ = ["recalling"]

T = TypeVar("T")

_RECALLED = 512
_RECALLED_LENGTH = 256
"""How many values to remember of each kind, and up to which length: what a peer can
make this hold is a few hundred kilobytes."""


def recalling(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Let a function remember what it made of the texts that it saw last.

    The messages of a dialog repeat their addresses.  The values have to be frozen,
    since they are shared.
    """
    remembered = lru_cache(maxsize=_RECALLED)(parse)

    def recall(text: str) -> T:
        return remembered(text) if len(text) <= _RECALLED_LENGTH else parse(text)

    return recall
