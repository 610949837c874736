from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sdp
from mime import ContentType, Part
from msrp.errors import InvalidFileDescription, LocalProtocolError
from msrp.file_transfer import (
    ATTACHMENT,
    RENDER,
    Direction,
    FileDates,
    FileDescription,
    FileHash,
    FileRange,
    FileSelector,
    describes_file,
    icon_part,
    icon_url,
    pull_answer,
    pull_offer,
    push_answer,
    push_offer,
    refusal_of,
    repeated_answer,
    said_last,
)
from msrp.negotiation import MediaDescription
from tests.msrp.sections import plain

JPEG = ContentType("image", "jpeg")
SELECTOR = FileSelector("a.jpg", 300, JPEG, (FileHash.sha1(b"1" * 20),))
FILE = FileDescription(
    selector=SELECTOR,
    transfer_id="vBnG916bdberum2fFEABR1FR3ExZMUrd",
    direction=Direction.SENDONLY,
    disposition=ATTACHMENT,
    dates=FileDates(datetime(2006, 5, 15, tzinfo=UTC)),
    icon="cid:id2@alicepc.example.com",
    range=FileRange(0, 300),
    has_range=True,
    information="This is my latest picture",
)

RFC = b"""\
m=message 7654 TCP/MSRP *
i=This is my latest picture
a=sendonly
a=accept-types:message/cpim
a=accept-wrapped-types:*
a=path:msrp://atlanta.example.com:7654/jshA7we;tcp
a=file-selector:name:"My cool picture.jpg" type:image/jpeg \
size:32349 hash:sha-1:72:24:5F:E8:65:3D:DA:F3:71:36:2F:86:D4:71:91:3E:E4:A2:CE:2E
a=file-transfer-id:vBnG916bdberum2fFEABR1FR3ExZMUrd
a=file-disposition:attachment
a=file-date:creation:"Mon, 15 May 2006 15:01:31 +0300"
a=file-icon:cid:id2@alicepc.example.com
a=file-range:1-32349
"""


def values(media: MediaDescription) -> dict[str, str | None]:
    return {a.name: a.value for a in media.attributes if a.name.startswith("file-")}


def with_attributes(**changes: str | None) -> MediaDescription:
    """Return a section about a file in which some attributes are others, or gone."""
    media = push_offer(plain(), FILE)
    names = {name.replace("_", "-"): value for name, value in changes.items()}
    kept = [a for a in media.attributes if a.name not in names]
    kept += [sdp.Attribute(n, v or None) for n, v in names.items() if v is not None]
    return replace(media, attributes=tuple(kept))


@pytest.mark.rule("FT-1", "FT-2", "FT-4", "FT-5")
def test_the_example_of_the_rfc_is_read() -> None:
    media = sdp.MediaDescription.parse(RFC)
    assert describes_file(media)
    file = FileDescription.read(media)
    assert file.is_push
    assert not file.is_pull
    assert (file.filename, file.size) == ("My cool picture.jpg", 32349)
    assert file.content_type == JPEG
    assert file.sha1 is not None
    assert file.transfer_id == "vBnG916bdberum2fFEABR1FR3ExZMUrd"
    assert file.disposition == ATTACHMENT
    assert file.dates.creation is not None
    assert file.icon == "cid:id2@alicepc.example.com"
    assert file.range == FileRange(0, 32349)
    assert file.information == "This is my latest picture"
    written = file.write(media)
    assert FileDescription.read(written) == file
    assert values(written) == values(media)


def test_a_section_about_messages_is_about_no_file() -> None:
    assert not describes_file(plain())


@pytest.mark.rule("FT-8", "FT-7")
def test_a_push_says_all_that_is_known_and_what_msrp_needs() -> None:
    media = push_offer(plain(), FILE)
    assert media.has("sendonly")
    assert media.has("path")
    assert media.has("accept-types")
    assert media.information == FILE.information
    assert FileDescription.read(media) == FILE


@pytest.mark.rule("FT-8", "FT-1")
def test_a_push_needs_a_type_a_size_or_a_hash() -> None:
    with pytest.raises(LocalProtocolError):
        push_offer(plain(), replace(FILE, selector=FileSelector("a.jpg")))
    push_offer(plain(), replace(FILE, selector=FileSelector(size=1)))


@pytest.mark.rule("FT-9")
def test_a_pull_says_which_file_and_nothing_else() -> None:
    media = pull_offer(plain(), replace(FILE, range=FileRange(100)))
    assert media.has("recvonly")
    assert media.information is None
    assert values(media) == {
        "file-selector": str(SELECTOR),
        "file-transfer-id": FILE.transfer_id,
        "file-range": "101-*",
    }
    with pytest.raises(LocalProtocolError):
        pull_offer(plain(), replace(FILE, selector=FileSelector()))


@pytest.mark.rule("FT-8")
@pytest.mark.parametrize("has_range", [True, False], ids=["range", "no-range"])
def test_the_answer_to_a_push_repeats_and_adds_nothing(has_range: bool) -> None:
    offered = FILE if has_range else replace(FILE, range=FileRange(), has_range=False)
    media = push_answer(plain(), offered)
    assert media.has("recvonly")
    expected = {
        "file-selector": str(SELECTOR),
        "file-transfer-id": FILE.transfer_id,
    }
    assert values(media) == expected | ({"file-range": "1-300"} if has_range else {})


@pytest.mark.rule("FT-9")
def test_the_answer_to_a_pull_says_hash_and_type() -> None:
    offered = replace(FILE, direction=Direction.RECVONLY, icon=None)
    known = FileSelector(type=JPEG, hashes=SELECTOR.hashes)
    media = pull_answer(plain(), offered, known, disposition=ATTACHMENT)
    assert media.has("sendonly")
    assert values(media) == {
        "file-selector": str(known),
        "file-transfer-id": FILE.transfer_id,
        "file-disposition": "attachment",
        "file-range": "1-300",
    }


@pytest.mark.rule("FT-10")
def test_a_refusal_says_which_file_and_which_transfer() -> None:
    refused = refusal_of(push_offer(plain(), FILE))
    assert refused.port == 0
    assert values(refused) == {
        "file-selector": str(SELECTOR),
        "file-transfer-id": FILE.transfer_id,
    }
    assert {a.name for a in refused.attributes} == set(values(refused))


@pytest.mark.rule("FT-12", "FT-13")
def test_the_end_is_told_with_all_that_was_said() -> None:
    media = push_offer(plain(), FILE)
    assert said_last(media) == replace(media, port=0)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "recvonly")],
)
def test_what_is_repeated_is_answered_as_before(offered: str, answered: str) -> None:
    words = FileDescription.read(push_answer(plain(), FILE))
    media = sdp.with_direction(push_offer(plain(), FILE), Direction(offered))
    assert repeated_answer(plain(), words, media).has(answered)


@pytest.mark.rule("FT-4")
def test_what_isn_t_said_is_to_be_shown_and_whole() -> None:
    media = with_attributes(file_disposition=None, file_range=None, file_date=None)
    file = FileDescription.read(media)
    assert file.disposition == RENDER
    assert file.range.is_whole
    assert not file.has_range
    assert not file.dates


@pytest.mark.rule("FT-1", "FT-5")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"file_selector": ""}, id="selects-nothing"),
        pytest.param({"file_selector": "size:x"}, id="bad-selector"),
        pytest.param({"file_transfer_id": None}, id="no-id"),
        pytest.param({"file_transfer_id": "a b"}, id="bad-id"),
        pytest.param({"file_disposition": "a b"}, id="bad-disposition"),
        pytest.param({"file_date": "now"}, id="bad-date"),
        pytest.param({"file_icon": "http://x"}, id="no-cid"),
        pytest.param({"file_icon": "cid:a b"}, id="bad-cid"),
        pytest.param({"file_range": "0-1"}, id="bad-range"),
    ],
)
def test_what_can_t_be_understood_is_refused(changes: dict[str, str | None]) -> None:
    with pytest.raises(InvalidFileDescription):
        FileDescription.read(with_attributes(**changes))


def test_an_attribute_that_is_there_twice_is_refused() -> None:
    media = push_offer(plain(), FILE)
    twice = replace(media, attributes=media.attributes * 2)
    with pytest.raises(InvalidFileDescription, match="more than one"):
        FileDescription.read(twice)


def test_a_description_for_people_is_one_line() -> None:
    with pytest.raises(InvalidFileDescription):
        replace(FILE, information="two\nlines").write(plain())


@pytest.mark.rule("FT-15")
def test_an_icon_is_a_part_that_is_pointed_at() -> None:
    icon = icon_part(Part.build("image/png", b"octets"))
    assert icon.content == b"octets"
    assert icon.disposition is not None
    assert icon.disposition.kind == "icon"
    assert icon_url(icon) == f"cid:{icon.content_id}"
    assert replace(FILE, icon=icon_url(icon)).icon != icon_url(
        icon_part(Part.build("image/png", b"octets"))
    )


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "file_selector",
                "file_transfer_id",
                "file_disposition",
                "file_date",
                "file_icon",
                "file_range",
            ]
        ),
        st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8"), min_size=1),
    )
)
def test_anything_is_read_or_refused(changes: dict[str, str]) -> None:
    try:
        file = FileDescription.read(with_attributes(**changes))
    except InvalidFileDescription:
        return
    assert FileDescription.read(file.write(plain())) == file
