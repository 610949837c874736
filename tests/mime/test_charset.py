from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import decode_text


@pytest.mark.rule("MIME-17")
@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        pytest.param("é".encode(), None, "é", id="utf-8-by-default"),
        pytest.param(b"a", "US-ASCII", "a", id="ascii"),
        pytest.param(b"\xe9", " ISO-8859-1 ", "é", id="latin-1"),
        pytest.param(b"\x80", "windows-1252", "€", id="windows"),
        pytest.param("é€".encode("utf-16"), "utf-16", "é€", id="utf-16"),
        pytest.param("日本".encode("shift_jis"), "Shift_JIS", "日本", id="shift-jis"),
        pytest.param(b"", None, "", id="empty"),
    ],
)
def test_text_is_decoded_as_announced(
    content: bytes, charset: str | None, text: str
) -> None:
    decoded = decode_text(content, charset)
    assert decoded.text == text
    assert decoded.problem is None


@pytest.mark.rule("MIME-17")
@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        pytest.param(b"caf\xe9", None, "café", id="not-utf-8"),
        pytest.param(b"caf\xe9", "utf-8", "café", id="announced-as-utf-8"),
        pytest.param("é".encode(), "us-ascii", "é", id="utf-8-announced-as-ascii"),
        pytest.param("é".encode(), "x-klingon", "é", id="unknown-charset"),
        pytest.param(b"a\xff", "euc-kr", "a\ufffd", id="wrong-charset"),
        pytest.param(b"a", "unicode_escape", "a", id="codec-that-is-no-charset"),
    ],
)
def test_text_that_is_not_as_announced_is_shown_and_flagged(
    content: bytes, charset: str | None, text: str
) -> None:
    decoded = decode_text(content, charset)
    assert decoded.text == text
    assert decoded.problem is not None


@settings(deadline=None)
@given(st.binary(max_size=50), st.none() | st.sampled_from(["ascii", "utf-16", "big5"]))
def test_any_octets_become_text(content: bytes, charset: str | None) -> None:
    decode_text(content, charset).text.encode()


@pytest.mark.parametrize(
    "codec", ["idna", "punycode", "utf-7", "zlib", "rot13", "mbcs"]
)
def test_codecs_that_cost_or_surprise_are_not_for_peers(codec: str) -> None:
    assert decode_text(b"a+-", codec).text == "a+-"
    assert decode_text(b"a+-", codec).problem == "the charset is unknown"


def test_all_charsets_that_are_offered_exist() -> None:
    from mime.charset import _CODECS

    for name in _CODECS:
        assert decode_text("a".encode(_CODECS[name]), name).text == "a"
