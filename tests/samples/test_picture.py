"""Pictures in the terminal, and how large they say they are."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from msrp_chat.terminal import picture
from msrp_chat.terminal.dimensions import Dimensions, _read, dimensions_of
from msrp_chat.terminal.picture import Method, Painter, method_of
from tests.samples.processes import PICTURE


def png(width: int, height: int) -> bytes:
    """Return a picture that is red above and blue below."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = [
        b"\xff\x00\x00" if y < height / 2 else b"\x00\x00\xff" for y in range(height)
    ]
    data = b"".join(b"\x00" + row * width for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(data)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


@pytest.fixture
def red_and_blue(tmp_path: Path) -> Path:
    path = tmp_path / "red-and-blue.png"
    path.write_bytes(png(20, 10))
    return path


def painted(path: Path, width: int = 80, **environment: str) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, color_system="truecolor", width=width
    )
    Painter(console, environment).paint(path)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(png(3, 7), Dimensions("png", 3, 7), id="png"),
        pytest.param(b"GIF89a\x00\x01\x02\x00", Dimensions("gif", 256, 2), id="gif"),
        pytest.param(
            b"\xff\xd8\xff\xff\xe0\x00\x04xx\xff\x01\xff\xc4\x00\x02"
            b"\xff\xc2\x00\x0b\x08\x00\x10\x00\x20\x01",
            Dimensions("jpeg", 32, 16),
            id="jpeg-with-all-that-may-come-first",
        ),
        pytest.param(PICTURE.read_bytes(), Dimensions("jpeg", 1800, 1200), id="photo"),
        pytest.param(png(0, 7), None, id="nothing-wide"),
        pytest.param(png(3, 7)[:23], None, id="cut-short"),
        pytest.param(b"\xff\xd8\xff\xc0", None, id="jpeg-cut-short"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x00" * 3, None, id="jpeg-without-a-frame"),
        pytest.param(b"<svg/>", None, id="something-else"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_picture_says_how_large_it_is(
    data: bytes, size: Dimensions | None, tmp_path: Path
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert dimensions_of(path) == size
    assert dimensions_of(tmp_path / "missing") is None


@given(st.sampled_from([b"", b"\xff\xd8", b"GIF89a", png(2, 2)[:16]]), st.binary())
def test_whatever_a_peer_sends_has_a_size_or_none(start: bytes, rest: bytes) -> None:
    found = _read(start + rest)
    assert found is None or min(found.width, found.height) >= 0


@pytest.mark.parametrize(
    ("environment", "method"),
    [
        ({"TERM": "xterm-256color"}, Method.BLOCKS),
        ({"TERM": "xterm-kitty"}, Method.KITTY),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, Method.KITTY),
        ({"TERM": "xterm-ghostty"}, Method.KITTY),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Method.ITERM),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Method.ITERM),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, Method.BLOCKS),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, Method.BLOCKS),
        ({}, Method.BLOCKS),
    ],
)
def test_a_terminal_is_known_by_its_environment(
    environment: dict[str, str], method: Method
) -> None:
    assert method_of(environment) is method


def test_kitty_gets_the_octets_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_CHUNK", 40)
    path = tmp_path / "a.png"
    path.write_bytes(png(20, 10))
    shown = painted(path, TERM="xterm-kitty")
    commands = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", shown)
    assert commands[0][0] == "a=T,f=100,q=2,c=48,r=12,m=1"
    assert [head for head, _ in commands[1:]] == ["m=1"] * (len(commands) - 2) + ["m=0"]
    octets = base64.b64decode("".join(chunk for _, chunk in commands))
    assert octets == path.read_bytes()
    left = re.sub(r"\x1b_G.*?\x1b\\", "", shown)
    assert left.strip() == "", "nothing of it is text"


def test_iterm_gets_any_picture_as_it_is() -> None:
    shown = painted(PICTURE, TERM_PROGRAM="iTerm.app")
    found = re.search(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07\n$", shown)
    assert found is not None
    assert found[1] == "inline=1;size=1168849;width=42;height=14"
    assert base64.b64decode(found[2]) == PICTURE.read_bytes()


@pytest.mark.parametrize("width", [10, 18, 19])
def test_where_there_is_no_room_there_is_no_picture(
    width: int, red_and_blue: Path
) -> None:
    assert painted(red_and_blue, width, TERM="xterm-kitty") == ""


def test_without_colours_there_is_no_picture(red_and_blue: Path) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=80)
    Painter(console, {"TERM": "xterm-kitty"}).paint(red_and_blue)
    assert stream.getvalue() == ""


def test_what_is_no_picture_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("\x1b[2J")
    assert painted(path, TERM_PROGRAM="iTerm.app") == ""


def test_blocks_show_two_rows_in_one_line(red_and_blue: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow isn't installed")
    rows = painted(red_and_blue).splitlines()
    assert len(rows) == 12
    assert all(row.count("▀") == 48 for row in rows)
    assert "\x1b[38;2;25" in rows[0]
    assert re.search(r"48;2;\d;0;25", rows[-1])


def test_a_picture_that_is_broken_or_too_large_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, red_and_blue: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(png(20, 10)[:60])
    assert painted(broken) == ""
    monkeypatch.setattr(picture, "_MOST_PIXELS", 199)
    assert painted(red_and_blue) == ""
    monkeypatch.setattr(picture, "_MOST_OCTETS", 10)
    assert painted(red_and_blue, TERM="xterm-kitty") == ""
