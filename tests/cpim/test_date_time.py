from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import CpimError, DateTime

EST = timezone(timedelta(hours=-5))
zones = st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n)))


@pytest.mark.rule("CPIM-17")
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("2001-02-01T12:16:49-05:00", datetime(2001, 2, 1, 12, 16, 49, 0, EST)),
        ("2001-02-01T12:16:49Z", datetime(2001, 2, 1, 12, 16, 49, 0, UTC)),
        ("2001-02-01t12:16:49z", datetime(2001, 2, 1, 12, 16, 49, 0, UTC)),
        ("2001-02-01T12:16:49.5Z", datetime(2001, 2, 1, 12, 16, 49, 500_000, UTC)),
        ("2001-02-01T12:16:49.1234567Z", datetime(2001, 2, 1, 12, 16, 49, 123456, UTC)),
        ("1998-12-31T23:59:60Z", datetime(1999, 1, 1, 0, 0, 0, 0, UTC)),
        ("1998-12-31T18:59:60-05:00", datetime(1998, 12, 31, 19, 0, 0, 0, EST)),
        ("2001-02-01T12:16:49-00:00", datetime(2001, 2, 1, 12, 16, 49, 0, UTC)),
    ],
)
def test_a_date_and_time_is_read(raw: str, value: datetime) -> None:
    parsed = DateTime.parse(raw)
    assert parsed.value == value
    assert parsed.value is not None
    assert parsed.value.utcoffset() == value.utcoffset()
    assert str(parsed) == raw


@pytest.mark.rule("CPIM-17")
@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "2001-02-01",
        "2001-02-01T12:16Z",
        "2001-02-01T12:16:49",
        "2001-02-30T12:16:49Z",
        "2001-02-01T24:00:00Z",
        "2001-02-01T12:16:61Z",
        "2001-02-01T12:16:49+24:00",
        "2001-02-01T12:16:49+01:60",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "٢٠٠١-02-01T12:16:49Z",
        "2001-02-01T12:16:49Z ",
        "Thu, 01 Feb 2001 12:16:49 -0500",
    ],
)
def test_what_is_no_date_is_kept_and_has_no_value(raw: str) -> None:
    assert DateTime.parse(raw) == DateTime(raw, None)


@pytest.mark.rule("CPIM-17")
@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (datetime(2001, 2, 1, 12, 16, 49, 0, EST), "2001-02-01T12:16:49-05:00"),
        (datetime(2001, 2, 1, 12, 16, 0, 0, UTC), "2001-02-01T12:16:00+00:00"),
        (datetime(2001, 2, 1, 12, 0, 0, 50, UTC), "2001-02-01T12:00:00.000050+00:00"),
        (
            datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32))),
            "1899-12-31T23:40:28+00:00",
        ),
    ],
)
def test_a_moment_is_written_with_seconds_and_offset(value: datetime, raw: str) -> None:
    assert DateTime.of(value).raw == raw


def test_a_moment_without_offset_is_refused() -> None:
    with pytest.raises(CpimError):
        DateTime.of(datetime(2001, 2, 1))


@pytest.mark.rule("CPIM-17")
@settings(deadline=None)
@given(st.datetimes(timezones=zones))
def test_what_is_written_reads_back_equal(value: datetime) -> None:
    written = DateTime.of(value)
    assert DateTime.parse(written.raw).value == value


@pytest.mark.rule("CPIM-17", "CPIM-33")
@settings(deadline=None)
@given(st.text(max_size=30) | st.text("0123456789-:TZ+.", max_size=30))
def test_any_text_may_stand_there(raw: str) -> None:
    assert DateTime.parse(raw).raw == raw


@pytest.mark.rule("CPIM-17")
@settings(deadline=None, max_examples=500)
@given(
    st.from_regex(
        r"\A[0-9]{2}[02][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
        r"([.,][0-9]{1,8})?(Z|[+-][0-2][0-9](:[0-6][0-9])?)?\Z"
    )
)
def test_the_short_way_finds_what_the_long_way_finds(raw: str) -> None:
    # Only what has the usual letter goes the short way.
    short, long = DateTime.parse(raw), DateTime.parse(raw.replace("T", "t"))
    assert short.value == long.value
    if short.value is not None and long.value is not None:
        assert short.value.utcoffset() == long.value.utcoffset()
