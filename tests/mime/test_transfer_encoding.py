from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import MimeError
from mime.transfer_encoding import decode_transfer, encode_transfer


@pytest.mark.rule("MIME-11")
@pytest.mark.parametrize(
    ("body", "content"),
    [
        pytest.param(b"aGVsbG8=", b"hello", id="plain"),
        pytest.param(b"aGVs\r\nbG8=\r\n", b"hello", id="line-breaks"),
        pytest.param(b"a G-V\x00s!bG8=\xff", b"hello", id="stray-characters"),
        pytest.param(b"aGVsbG8=\r\n\r\n", b"hello", id="blank-lines-at-end"),
        pytest.param(b"", b"", id="empty"),
    ],
)
def test_base64_is_decoded(body: bytes, content: bytes) -> None:
    decoded = decode_transfer(body, "base64")
    assert decoded.content == content
    assert decoded.problem is None


@pytest.mark.rule("MIME-11")
@pytest.mark.parametrize(
    ("body", "content"),
    [
        pytest.param(b"aGVsbG8", b"hello", id="no-padding"),
        pytest.param(b"aGVsbG8==", b"hello", id="padding-too-long"),
        pytest.param(b"aGVsb", b"hel", id="six-bits-over"),
        pytest.param(b"aGVs====", b"hel", id="padding-for-nothing"),
        pytest.param(b"aGVsbG8=aGVs", b"hello", id="goes-on-after-end"),
        pytest.param(b"====", b"", id="padding-only"),
    ],
)
def test_bad_base64_is_flagged_and_not_fatal(body: bytes, content: bytes) -> None:
    decoded = decode_transfer(body, "base64")
    assert decoded.content == content
    assert decoded.problem is not None


@pytest.mark.rule("MIME-11")
@pytest.mark.parametrize(
    ("body", "content", "flagged"),
    [
        pytest.param(b"caf=C3=A9", b"caf\xc3\xa9", False, id="escapes"),
        pytest.param(b"caf=c3=a9", b"caf\xc3\xa9", False, id="lower-case"),
        pytest.param(b"a=\r\nb", b"ab", False, id="soft-line-break"),
        pytest.param(b"a= \t\r\nb", b"ab", False, id="padded-soft-break"),
        pytest.param(b"a \t\r\nb  ", b"a\r\nb", False, id="padding-dropped"),
        pytest.param(b"a=", b"a", False, id="soft-break-at-end"),
        pytest.param(b"a=ZZ", b"a=ZZ", True, id="not-hexadecimal"),
        pytest.param(b"1=1", b"1=1", True, id="bare-equals"),
    ],
)
def test_quoted_printable_is_decoded(
    body: bytes, content: bytes, flagged: bool
) -> None:
    decoded = decode_transfer(body, "quoted-printable")
    assert decoded.content == content
    assert (decoded.problem is not None) is flagged


@pytest.mark.rule("MIME-11", "MIME-12")
@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary"])
def test_the_identity_encodings_change_nothing(encoding: str) -> None:
    body = bytes(range(256))
    assert decode_transfer(body, encoding).content == body
    assert encode_transfer(body, encoding) == body


@pytest.mark.rule("MIME-11")
def test_an_unknown_encoding_leaves_the_octets_and_is_flagged() -> None:
    decoded = decode_transfer(b"begin 644", "x-uuencode")
    assert decoded.content == b"begin 644"
    assert decoded.problem is not None
    with pytest.raises(MimeError):
        encode_transfer(b"", "x-uuencode")


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["base64", "quoted-printable"]))
def test_what_is_encoded_decodes_to_the_same(content: bytes, encoding: str) -> None:
    body = encode_transfer(content, encoding)
    assert decode_transfer(body, encoding).content == content
    assert decode_transfer(body, encoding).problem is None
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert body.isascii()
    assert b"\n" not in body.replace(b"\r\n", b"")


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text("=AGz09+/ \t\r\n").map(str.encode))
def test_any_octets_can_be_decoded(body: bytes) -> None:
    for encoding in ("base64", "quoted-printable"):
        decode_transfer(body, encoding)


def test_megabytes_of_base64_are_decoded() -> None:
    content = bytes(range(256)) * 8192
    assert decode_transfer(base64.encodebytes(content), "base64").content == content


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b" " * 2_000_000 + b"x", id="spaces"),
        pytest.param(b"=" * 2_000_000, id="equals"),
        pytest.param(b"= \t" * 500_000, id="nearly-soft-breaks"),
    ],
)
def test_hostile_quoted_printable_is_read_to_its_end(body: bytes) -> None:
    decode_transfer(body, "quoted-printable")
