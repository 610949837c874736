"""Where the octets of a message come from."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["BodySource", "BytesBody", "SeekableBody"]


class BodySource(Protocol):
    """Where the octets of a message come from."""

    @property
    def size(self) -> int | None:
        """How many octets there are in all, ``None`` if nobody knows yet."""

    def read(self, limit: int) -> bytes | None:
        """Return the next octets, at most ``limit``.

        ``b""`` means that there are no more; ``None`` that there are none *yet*:
        whoever holds the source says so to the stream when there are.
        """


@runtime_checkable
class SeekableBody(BodySource, Protocol):
    """A source that can give octets once more, on another session."""

    def seek(self, offset: int) -> None:
        """Go to a zero-based offset: :meth:`read` gives the octets from there on."""


class BytesBody:
    """A body that is in memory already."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def size(self) -> int:
        """How many octets the body has."""
        return len(self._data)

    def read(self, limit: int) -> bytes:
        """Return the next octets, ``b""`` at the end."""
        data = self._data
        if self._at == 0 and limit >= len(data):
            self._at = len(data)
            return data
        piece = data[self._at : self._at + limit]
        self._at += len(piece)
        return piece

    def seek(self, offset: int) -> None:
        """Go on from a zero-based offset."""
        self._at = offset
