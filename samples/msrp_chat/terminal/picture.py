"""Pictures in the terminal: as such where it can show them, else in coloured blocks.

The terminals that can show pictures take the octets of the file, in base64, so that
nothing in them can command the terminal.  For all others the picture is decoded here,
if Pillow is installed; whoever sees neither has read its name and size.
"""

from __future__ import annotations

import base64
import enum
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from msrp_chat.terminal.dimensions import Dimensions, dimensions_of

__all__ = ["Method", "Painter", "method_of"]

_MOST_OCTETS = 8 << 20
"""Of a file that is given to the terminal; all of it goes through its line."""

_MOST_PIXELS = 24_000_000
"""Of a picture that we decode.  It takes 72 MB and a quarter of a second; and a small
file may say that it is a picture of any size."""

_LEFT = 18
"""Columns to its left: the time, and who has sent it."""

_WIDEST, _HIGHEST = 48, 14
"""Columns and lines: a glance at it, while the conversation goes on."""

_CHUNK = 4096
"""Characters in one command of kitty's protocol, at most."""


class Method(enum.Enum):
    """How a terminal shows pictures."""

    KITTY = enum.auto()
    """https://sw.kovidgoyal.net/kitty/graphics-protocol, which takes PNG."""

    ITERM = enum.auto()
    """https://iterm2.com/documentation-images.html, which takes any picture."""

    BLOCKS = enum.auto()
    """Half blocks of two colours each."""


def method_of(environment: Mapping[str, str]) -> Method:
    """Tell how the terminal of an environment shows pictures."""
    term = environment.get("TERM", "")
    if "TMUX" in environment or term.startswith(("screen", "tmux")):
        return Method.BLOCKS  # It would have to hand them through.
    program = environment.get("TERM_PROGRAM", "")
    if program in ("iTerm.app", "WezTerm"):
        return Method.ITERM
    if "KITTY_WINDOW_ID" in environment or "kitty" in term or "ghostty" in term:
        return Method.KITTY
    return Method.BLOCKS


class Painter:
    """Shows pictures on a console.

    Args:
        console: Which.
        environment: What tells which terminal it is.
    """

    def __init__(
        self, console: Console, environment: Mapping[str, str] | None = None
    ) -> None:
        self._console = console
        self._method = method_of(os.environ if environment is None else environment)

    def paint(self, path: Path) -> None:
        """Show a picture, if that can be."""
        size = dimensions_of(path)
        if size is None or self._console.color_system is None:
            return
        columns, lines = self._fit(size)
        if columns < 1:
            return
        command = self._command(path, size, columns, lines)
        if command is not None:
            self._console.file.write(" " * _LEFT + command + "\n")
            self._console.file.flush()
            return
        for row in _blocks(path, size, columns, lines):
            self._console.print(row, soft_wrap=True)

    def _fit(self, size: Dimensions) -> tuple[int, int]:
        """Return columns and lines.  A character is about twice as high as wide."""
        columns = min(_WIDEST, self._console.width - _LEFT - 1)
        lines = max(1, round(columns * size.height / size.width / 2))
        if lines > _HIGHEST:
            lines = _HIGHEST
            columns = min(columns, max(1, round(lines * 2 * size.width / size.height)))
        return columns, lines

    def _command(
        self, path: Path, size: Dimensions, columns: int, lines: int
    ) -> str | None:
        """Return what makes the terminal itself show it."""
        if self._method is Method.BLOCKS or path.stat().st_size > _MOST_OCTETS:
            return None
        if self._method is Method.ITERM:
            return _iterm_command(path.read_bytes(), columns, lines)
        if size.kind == "png":
            return _kitty_command(path.read_bytes(), columns, lines)
        return None


def _iterm_command(data: bytes, columns: int, lines: int) -> str:
    encoded = base64.b64encode(data).decode()
    arguments = f"inline=1;size={len(data)};width={columns};height={lines}"
    return f"\x1b]1337;File={arguments}:{encoded}\x07"


def _kitty_command(data: bytes, columns: int, lines: int) -> str:
    encoded = base64.b64encode(data).decode()
    chunks = [encoded[at : at + _CHUNK] for at in range(0, len(encoded), _CHUNK)]
    commands = []
    for number, chunk in enumerate(chunks, start=1):
        # q=2: its answer would look like something that was typed.
        first = f"a=T,f=100,q=2,c={columns},r={lines}," if number == 1 else ""
        more = int(number < len(chunks))
        commands.append(f"\x1b_G{first}m={more};{chunk}\x1b\\")
    return "".join(commands)


def _blocks(path: Path, size: Dimensions, columns: int, lines: int) -> Iterator[Text]:
    """Return rows of blocks, each of which is two pixels, one above the other."""
    if size.width * size.height > _MOST_PIXELS:
        return
    try:
        from PIL import Image
    except ImportError:
        return
    height = 2 * lines
    try:
        with Image.open(path, formats=["PNG", "GIF", "JPEG"]) as picture:
            picture.draft("RGB", (columns, height))
            small = picture.convert("RGB").resize((columns, height))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return  # It is broken; the file is there for whoever wants to look into it.
    octets = iter(small.tobytes())
    # Three octets are a pixel, and so many pixels a row.
    pixels = list(zip(octets, octets, octets, strict=True))
    for y in range(0, height, 2):
        row = Text(" " * _LEFT)
        for x in range(columns):
            upper, lower = (
                Color.from_rgb(*pixels[each * columns + x]) for each in (y, y + 1)
            )
            row.append("▀", Style(color=upper, bgcolor=lower))
        yield row
