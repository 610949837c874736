from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import ContentDisposition, ContentType, MimeError, safe_filename


@pytest.mark.rule("CD-1")
def test_a_disposition_is_read_whatever_its_case() -> None:
    disposition = ContentDisposition.parse("Attachment; FileName=a.txt; x=y")
    assert disposition.kind == "attachment"
    assert disposition.filename == "a.txt"
    assert disposition.parameter("X") == "y"
    assert str(disposition) == "attachment; filename=a.txt; x=y"
    assert ContentDisposition.parse(b"render").kind == "render"


@pytest.mark.rule("CD-1")
@pytest.mark.parametrize(
    ("kind", "treated_as"),
    [
        ("inline", "inline"),
        ("Render", "render"),
        ("session", "session"),
        ("by-reference", "by-reference"),
        ("notification", "notification"),
        ("x-unheard-of", "attachment"),
    ],
)
def test_an_unknown_kind_is_treated_as_an_attachment(
    kind: str, treated_as: str
) -> None:
    assert ContentDisposition(kind).treated_as == treated_as


@pytest.mark.rule("CD-1", "CD-3")
@pytest.mark.parametrize(
    ("value", "handling"),
    [
        ("render", "required"),
        ("render;handling=optional", "optional"),
        ("render;handling=OPTIONAL", "optional"),
        ("render;handling=required", "required"),
        ("render;handling=whatever", "required"),
    ],
)
def test_handling_is_required_unless_it_is_optional(value: str, handling: str) -> None:
    assert ContentDisposition.parse(value).handling == handling


@pytest.mark.rule("CD-3")
@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/sdp", "session"),
        ("Application/SDP;x=y", "session"),
        ("application/pidf+xml", "render"),
        ("text/plain", "render"),
    ],
)
def test_without_the_field_sdp_is_the_session_and_all_else_is_rendered(
    content_type: str, kind: str
) -> None:
    default = ContentDisposition.default_for(ContentType.parse(content_type))
    assert default == ContentDisposition(kind)
    assert default.handling == "required"


@pytest.mark.rule("CD-2")
@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("attachment;size=4711", 4711),
        ('attachment;size="4711"', 4711),
        ("attachment", None),
        ("attachment;size=-1", None),
        ("attachment;size=1e3", None),
        ("attachment;size=٣", None),
        ("attachment;size=" + "9" * 5000, None),
    ],
)
def test_the_size_is_a_decimal_number_or_nothing(value: str, size: int | None) -> None:
    assert ContentDisposition.parse(value).size == size


@pytest.mark.rule("CD-2")
def test_a_date_keeps_its_numeric_zone() -> None:
    date = "Wed, 12 Feb 1997 16:29:51 -0500"
    value = f'attachment; modification-date="{date}"'
    disposition = ContentDisposition.parse(value)
    assert disposition.parameter("modification-date") == date
    assert str(disposition) == value


@pytest.mark.rule("CD-2")
def test_a_file_name_that_is_not_ascii_is_written_in_both_forms() -> None:
    disposition = ContentDisposition.build(
        "attachment", filename="Übersicht.pdf", size=12, handling="optional"
    )
    assert str(disposition) == (
        "attachment; filename=_bersicht.pdf; filename*=UTF-8''%C3%9Cbersicht.pdf; "
        "size=12; handling=optional"
    )
    parsed = ContentDisposition.parse(str(disposition))
    assert parsed == disposition
    assert parsed.filename == "Übersicht.pdf"
    assert ContentDisposition.build("render") == ContentDisposition("render")


@pytest.mark.rule("CD-2", "MIME-16")
def test_a_file_name_adds_no_header() -> None:
    disposition = ContentDisposition.build("attachment", filename='a"\r\nX: y')
    assert "\n" not in str(disposition)
    assert ContentDisposition.parse(str(disposition)).filename == 'a"\r\nX: y'


@pytest.mark.parametrize("value", ["", ";filename=x", "a b", "a\0"])
def test_what_is_no_disposition_is_an_error(value: str) -> None:
    with pytest.raises(MimeError):
        ContentDisposition.parse(value)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('ab;filename*0="=%\\ (', max_size=60))
def test_anything_reads_or_is_a_mime_error(value: bytes | str) -> None:
    try:
        parsed = ContentDisposition.parse(value)
    except MimeError:
        return
    assert ContentDisposition.parse(str(parsed)) == parsed
    assert parsed.treated_as
    assert safe_filename(parsed.filename or "")
