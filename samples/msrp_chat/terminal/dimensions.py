"""How wide and high a picture is: read from its beginning, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Dimensions", "dimensions_of"]

_MOST_READ = 1 << 20
"""Octets of the beginning; a camera's notes, which come before, have less."""

_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_GIFS = (b"GIF87a", b"GIF89a")
_JPEG = b"\xff\xd8"

_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers of a JPEG file that nothing follows (ITU-T T.81, table B.1)."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Those of them that begin a frame, which has a size."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The size of a picture, and what kind it is."""

    kind: str
    """``png``, ``gif`` or ``jpeg``: what it really is, whatever its name says."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


def dimensions_of(path: Path) -> Dimensions | None:
    """Return the size of a picture in a file; ``None`` if it is none that we know."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_READ)
    except OSError:
        return None
    found = _read(data)
    return found if found is not None and found.width and found.height else None


def _read(data: bytes) -> Dimensions | None:
    if data.startswith(_PNG) and len(data) >= 24:
        return Dimensions("png", _number(data, 16, 4), _number(data, 20, 4))
    if data.startswith(_GIFS) and len(data) >= 10:
        width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
        return Dimensions("gif", width, height)
    return _read_jpeg(data) if data.startswith(_JPEG) else None


def _read_jpeg(data: bytes) -> Dimensions | None:
    at = len(_JPEG)
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return Dimensions(
                "jpeg", _number(data, at + 7, 2), _number(data, at + 5, 2)
            )
        if marker == 0xFF:
            at += 1  # To fill up.
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(2, _number(data, at + 2, 2))
    return None


def _number(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")
