"""Where messages go by the policy that most applications want."""

from __future__ import annotations

from pathlib import Path

import pytest

import msrp


def announced(content_type: str, filename: str | None = None) -> msrp.Announcement:
    return msrp.Announcement("m1", content_type, 100, filename=filename)


@pytest.mark.parametrize(
    ("content_type", "filename"),
    [
        ("text/plain", None),
        ("Text/Plain;charset=utf-8", None),
        ("multipart/mixed;boundary=b", None),
        ("message/cpim", None),
    ],
)
def test_what_is_said_stays_in_memory(content_type: str, filename: str | None) -> None:
    decide = msrp.files_into("received", max_said=20_000)
    assert decide(announced(content_type, filename)) == msrp.InMemory(20_000)


@pytest.mark.parametrize(
    ("content_type", "filename"),
    [
        ("image/jpeg", None),
        ("image/jpeg", "picture.jpg"),
        ("text/plain", "notes.txt"),
        ("application/octet-stream", None),
    ],
)
def test_files_go_into_the_directory(content_type: str, filename: str | None) -> None:
    decide = msrp.files_into(Path("received"), max_length=10)
    expected = msrp.IntoDirectory(Path("received"), 10)
    assert decide(announced(content_type, filename)) == expected
