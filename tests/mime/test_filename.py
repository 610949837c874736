from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import safe_filename
from mime.filename import MAX_FILENAME_SIZE


@pytest.mark.rule("CD-2")
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("photo.jpg", "photo.jpg", id="harmless"),
        pytest.param("räksmörgås 1.txt", "räksmörgås 1.txt", id="not-ascii"),
        pytest.param("日本.txt", "日本.txt", id="japanese"),
        pytest.param("/etc/passwd", "passwd", id="absolute-path"),
        pytest.param("../../x.txt", "x.txt", id="parent"),
        pytest.param(r"..\..\x.txt", "x.txt", id="parent-backslash"),
        pytest.param(r"C:\Windows\x.exe", "x.exe", id="windows-path"),
        pytest.param("C:x.exe", "x.exe", id="drive"),
        pytest.param("x.txt:stream", "x.txt_stream", id="alternate-stream"),
        pytest.param("a/b/", "b", id="directory"),
        pytest.param("a/..", "a", id="path-to-parent"),
        pytest.param("..", "attachment", id="parent-only"),
        pytest.param(".", "attachment", id="dot"),
        pytest.param("", "attachment", id="empty"),
        pytest.param(" . . ", "attachment", id="dots-and-spaces"),
        pytest.param("/", "attachment", id="root"),
        pytest.param(".bashrc", "bashrc", id="hidden"),
        pytest.param("x.txt. . ", "x.txt", id="trailing-dots"),
        pytest.param("a\0b\r\nc.txt", "abc.txt", id="controls"),
        pytest.param("exe\u202egpj.exe", "exegpj.exe", id="bidirectional-override"),
        pytest.param("a\u200b\u2028b", "ab", id="invisible"),
        pytest.param("a\ud800b", "ab", id="surrogate"),
        pytest.param("e\u0301", "é", id="decomposed"),
        pytest.param('a<b>"|?*.txt', "a_b_____.txt", id="wildcards"),
        pytest.param("-rf", "_rf", id="option"),
        pytest.param("~root", "_root", id="home"),
        pytest.param("CON", "_CON", id="device"),
        pytest.param("nul.txt", "_nul.txt", id="device-with-suffix"),
        pytest.param("Com1 .tar.gz", "_Com1 .tar.gz", id="device-with-space"),
        pytest.param("lpt³", "_lpt³", id="device-with-superscript"),
        pytest.param("console.txt", "console.txt", id="not-a-device"),
        pytest.param("COM10", "COM10", id="not-a-port"),
    ],
)
def test_a_name_becomes_harmless(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@pytest.mark.rule("CD-2")
def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    name = safe_filename("ö" * 500 + ".jpeg")
    assert name.endswith("ö.jpeg")
    assert len(name.encode()) in {MAX_FILENAME_SIZE, MAX_FILENAME_SIZE - 1}
    assert safe_filename("a" * 500) == "a" * MAX_FILENAME_SIZE
    assert len(safe_filename("a." + "b" * 500)) == MAX_FILENAME_SIZE


def test_the_fallback_can_be_chosen() -> None:
    assert safe_filename("..", fallback="photo.jpg") == "photo.jpg"


@pytest.mark.rule("CD-2")
@settings(deadline=None)
@given(st.text(max_size=40) | st.text('./\\: CcOoNn1~-"\u202e', max_size=40))
def test_any_name_is_one_visible_component(name: str) -> None:
    safe = safe_filename(name)
    assert safe
    assert not set(safe) & set('/\\:<>"|?*')
    assert safe[0] not in ".-~ "
    assert safe[-1] not in ". "
    assert not any(unicodedata.category(c).startswith("C") for c in safe)
    assert len(safe.encode()) <= MAX_FILENAME_SIZE + 1
    assert safe_filename(safe) == safe
