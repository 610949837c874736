from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import (
    OCTET_STREAM,
    TEXT_PLAIN,
    ContentDisposition,
    ContentType,
    MimeError,
    MimeLimitExceeded,
    Part,
)


@pytest.mark.rule("MIME-16", "CID-1")
def test_the_fields_of_a_part_come_in_order() -> None:
    part = Part.build(
        ContentType("image", "png"),
        b"\x89PNG",
        content_id="a@b",
        disposition=ContentDisposition("attachment", (("filename", "x y.png"),)),
        transfer_encoding="base64",
        headers=[("Content-Description", " a picture ")],
    )
    assert bytes(part) == (
        b"Content-Type: image/png\r\n"
        b"Content-ID: <a@b>\r\n"
        b'Content-Disposition: attachment; filename="x y.png"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Description: a picture\r\n"
        b"\r\n"
        b"iVBORw==\r\n"
    )
    assert part.content == b"\x89PNG"
    assert Part.parse(bytes(part)) == part
    assert part.warnings == ()


def test_a_part_is_what_its_fields_say() -> None:
    part = Part.parse(
        b"content-type: Text/HTML; charset=iso-8859-1\r\n"
        b"CONTENT-ID: <A@b>\r\n"
        b"Content-disposition: Render; handling=optional\r\n"
        b"Content-Transfer-Encoding: 8BIT (yes)\r\n"
        b"\r\n"
        b"caf\xe9\r\n"
    )
    assert part.content_type.essence == "text/html"
    assert part.content_id == "A@b"
    assert part.disposition == ContentDisposition.parse("render;handling=optional")
    assert part.transfer_encoding == "8bit"
    assert part.content == part.body == b"caf\xe9\r\n"
    assert part.text == "café\r\n"
    assert part.header("Content-Id") == "<A@b>"
    assert part.warnings == ()
    assert part.parts == ()
    assert list(part.walk()) == [part]


@pytest.mark.rule("MIME-4", "MIME-12", "MIME-17")
def test_a_part_without_fields_is_plain_text_as_it_is() -> None:
    part = Part.parse("\r\nnaïve".encode())
    assert part.content_type == TEXT_PLAIN
    assert part.transfer_encoding == "binary"
    assert part.content_id is None
    assert part.disposition is None
    assert part.text == "naïve"
    assert part.warnings == ()


@pytest.mark.rule("CID-1")
@pytest.mark.parametrize(
    ("field", "content_id"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        ("<a@b", "a@b"),
        ("<>", None),
        ("", None),
    ],
)
def test_brackets_around_a_content_id_are_optional(
    field: str, content_id: str | None
) -> None:
    assert Part.parse(f"Content-ID: {field}\r\n\r\n".encode()).content_id == content_id


@pytest.mark.rule("MIME-10")
def test_the_first_of_two_content_types_counts_and_that_is_said() -> None:
    part = Part.parse(b"Content-Type: a/b\r\nContent-type: c/d\r\n\r\n")
    assert part.content_type.essence == "a/b"
    assert len(part.headers) == 2
    assert part.warnings == (
        "a header field is there more than once: the first counts",
    )


@pytest.mark.rule("MIME-11")
def test_a_part_of_unknown_encoding_is_raw_octets() -> None:
    part = Part.parse(
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-zip\r\n\r\nabc"
    )
    assert part.content_type == OCTET_STREAM
    assert part.header("content-type") == "text/plain"
    assert part.content == b"abc"
    assert part.warnings == ("the transfer encoding isn't one for this type",)


@pytest.mark.rule("MIME-11")
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_multipart_has_no_encoding_of_its_own(encoding: str) -> None:
    part = Part.parse(
        b"Content-Type: multipart/mixed;boundary=x\r\n"
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\nLS14"
    )
    assert part.content_type == OCTET_STREAM
    assert part.content == b"LS14"
    assert part.warnings != ()


@pytest.mark.rule("MIME-11", "MIME-17")
@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (b"Content-Type: nonsense\r\n\r\n", "the content type can't be read"),
        (b"Content-Disposition: ;\r\n\r\n", "the content disposition can't be read"),
        (
            b"Content-Transfer-Encoding: base64\r\n\r\nYWI",
            "the base64 is cut short or badly padded",
        ),
        (b"\r\ncaf\xe9", "the text isn't UTF-8, read as ISO-8859-1"),
        (b"A: b\r\n-\r\n\r\n", "a line that isn't a header field"),
    ],
)
def test_what_is_wrong_is_said_and_not_fatal(data: bytes, warning: str) -> None:
    part = Part.parse(data)
    assert part.warnings == (warning,)
    assert part.content_type == TEXT_PLAIN
    assert part.disposition is None


def test_text_is_only_judged_where_there_is_text() -> None:
    assert Part.build("image/jpeg", b"\xff\xd8").warnings == ()
    assert Part.build("text/plain", b"\xff\xd8").warnings != ()


@pytest.mark.rule("CD-2")
def test_the_disposition_names_the_file() -> None:
    part = Part.build("image/png", b"", disposition='attachment; filename="a.png"')
    assert part.disposition is not None
    assert part.disposition.filename == "a.png"


@pytest.mark.rule("MIME-16")
def test_fields_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(MimeError):
        Part.build("text/plain", b"", headers=[("X", "a\r\nY: b")])
    with pytest.raises(MimeError):
        Part.build("text/plain", b"", content_id="a\r\nb")
    with pytest.raises(MimeError):
        Part.build("text/plain", b"", disposition="render\r\nX: y")
    with pytest.raises(MimeError):
        Part.build("text/plain\r\nX: y", b"")
    with pytest.raises(MimeError):
        Part.build("text/plain", b"", transfer_encoding="x-none")


def test_the_octets_of_a_received_part_are_kept() -> None:
    data = b"X : y  \nContent-Type:text/plain\n\nbody"
    part = Part.parse(data)
    assert bytes(part) == data
    assert part.body == b"body"


def test_the_body_is_not_in_the_representation() -> None:
    assert "secret" not in repr(Part.build("text/plain", b"secret"))


field_names = st.sampled_from(
    [
        "Content-Type",
        "content-id",
        "Content-Disposition",
        "X",
        "content-transfer-encoding",
    ]
)
field_values = st.text("ab/;=\"<>@ (\\'%*64é", max_size=20) | st.sampled_from(
    ["base64", "quoted-printable", "multipart/mixed; boundary=b", "text/html"]
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(field_names, field_values), max_size=4),
    st.sampled_from([b"\r\n", b"\n"]),
    st.binary(max_size=40),
)
def test_no_property_of_a_received_part_raises(
    fields: list[tuple[str, str]], newline: bytes, body: bytes
) -> None:
    lines = [f"{name}: {value}".encode() + newline for name, value in fields]
    check_properties(b"".join(lines) + newline + body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_octets_are_a_part(data: bytes) -> None:
    check_properties(data)


def check_properties(data: bytes) -> None:
    try:
        part = Part.parse(data)
    except MimeLimitExceeded:
        return
    assert bytes(part) == data
    assert Part.parse(bytes(part)) == part
    assert str(part.content_type)
    assert part.disposition is None or str(part.disposition)
    assert isinstance(part.text, str)
    assert isinstance(part.warnings, tuple)
