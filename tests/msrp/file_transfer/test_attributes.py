from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msrp.errors import InvalidFileDescription
from msrp.file_transfer import FileDates, FileRange, new_transfer_id
from msrp.file_transfer.attributes import check_transfer_id

MAY = datetime(2006, 5, 15, 15, 1, 31, tzinfo=timezone(timedelta(hours=3)))


@pytest.mark.rule("FT-5")
def test_ids_are_long_random_tokens() -> None:
    ids = {new_transfer_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(check_transfer_id(each)) for each in ids} == {32}


@pytest.mark.parametrize("text", ["", "a b", 'a"', 257 * "x", "ä"])
def test_what_is_no_token_is_no_id(text: str) -> None:
    with pytest.raises(InvalidFileDescription):
        check_transfer_id(text)


@pytest.mark.rule("FT-4")
@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("1-*", FileRange()),
        ("1-32349", FileRange(0, 32349)),
        ("2049-4385", FileRange(2048, 4385)),
        ("7-7", FileRange(6, 7)),
        ("7-*", FileRange(6)),
    ],
)
def test_a_range_counts_from_one_on_the_wire(text: str, range_: FileRange) -> None:
    assert FileRange.parse(text) == range_
    assert str(range_) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "0-1",
        "2-1",
        "*-1",
        "a-b",
        "-1-2",
        "1-",
        "٣-*",
        f"1-{19 * '9'}",
        "1-2-3",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidFileDescription):
        FileRange.parse(text)


def test_a_range_may_not_fit_into_a_file() -> None:
    assert FileRange().is_whole
    assert FileRange().within(0) == (0, 0)
    assert FileRange(5).within(10) == (5, 10)
    assert FileRange(5, 7).within(10) == (5, 7)
    assert FileRange(11).within(10) is None
    assert FileRange(0, 11).within(10) is None


@given(st.integers(0, 10**17), st.none() | st.integers(1, 10**17))
def test_ranges_are_written_and_read(start: int, octets: int | None) -> None:
    range_ = FileRange(start, None if octets is None else start + octets)
    assert FileRange.parse(str(range_)) == range_


@given(st.text(max_size=20) | st.text("0123456789-* ", max_size=20))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        range_ = FileRange.parse(text)
    except InvalidFileDescription:
        return
    assert FileRange.parse(str(range_)) == range_


@pytest.mark.rule("FT-4")
def test_the_date_of_the_rfc_is_read_and_written_as_it_is() -> None:
    text = 'creation:"Mon, 15 May 2006 15:01:31 +0300"'
    assert FileDates.parse(text) == FileDates(creation=MAY)
    assert str(FileDates(creation=MAY)) == text


@pytest.mark.rule("FT-4")
def test_each_date_stands_there_once_at_most() -> None:
    dates = FileDates(MAY, MAY + timedelta(days=1), MAY + timedelta(days=2))
    assert FileDates.parse(str(dates)) == dates
    one = 'read:"Mon, 15 May 2006 15:01:31 +0300"'
    with pytest.raises(InvalidFileDescription, match="same kind"):
        FileDates.parse(f"{one} {one}")
    assert not FileDates.parse("")


@pytest.mark.parametrize(
    "text",
    [
        "creation",
        'creation:"now"',
        'made:"Mon, 15 May 2006 15:01:31 +0300"',
        'creation "Mon, 15 May 2006 15:01:31 +0300"',
        'creation:"Mon, 15 May 2006 15:01:31 +0300',
        'creation:"Mon, 15 May 2006 15:01:31 +9999999"',
        'creation:"Mon, 15 May 1800 15:01:31 +0300"',
        'creation:"Mon, 99 May 2006 15:01:31 +0300"',
        f'creation:"{"(" * 200}"',
        'creation:""',
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidFileDescription):
        FileDates.parse(text)


@pytest.mark.parametrize(
    ("zone", "offset"), [("-0000", 0), ("GMT", 0), ("+0530", 330), ("-0800", -480)]
)
def test_zones(zone: str, offset: int) -> None:
    read = FileDates.parse(f'read:"Mon, 15 May 2006 15:01:31 {zone}"').read
    assert read is not None
    assert read.utcoffset() == timedelta(minutes=offset)
    assert FileDates.parse(str(FileDates(read=read))).read == read


def test_only_dates_with_a_zone_and_a_year_of_ours_can_be_written() -> None:
    with pytest.raises(InvalidFileDescription):
        FileDates(datetime(2006, 5, 15))
    with pytest.raises(InvalidFileDescription):
        FileDates(datetime(1800, 1, 1, tzinfo=UTC))
    odd = timezone(timedelta(minutes=53, seconds=28))
    dates = FileDates(datetime(1920, 1, 1, tzinfo=odd))
    assert FileDates.parse(str(dates)) == dates


@given(
    st.datetimes(
        datetime(1901, 1, 2),
        datetime(9998, 1, 1),
        timezones=st.just(UTC)
        | st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
def test_dates_are_written_and_read(date: datetime) -> None:
    dates = FileDates(modification=date)
    assert FileDates.parse(str(dates)) == dates


@given(st.text(max_size=60) | st.text('creationd:" ,+0123MayFri', max_size=60))
def test_any_text_is_dates_or_refused(text: str) -> None:
    try:
        dates = FileDates.parse(text)
    except InvalidFileDescription:
        return
    assert FileDates.parse(str(dates)) == dates
