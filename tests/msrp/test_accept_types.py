from __future__ import annotations

import pytest

from msrp.accept_types import AcceptTypes, essence


@pytest.mark.rule("MSRP-103")
@pytest.mark.parametrize(
    ("entries", "content_type"),
    [
        pytest.param("*", "x/y", id="anything"),
        pytest.param("text/plain", "text/plain", id="exact"),
        pytest.param("text/*", "text/html", id="subtypes"),
        pytest.param("a/b text/plain", "text/plain", id="second"),
        pytest.param("a/b *", "text/plain", id="others-may-be-tried"),
        pytest.param("TEXT/Plain", "text/PLAIN;charset=utf-8", id="case"),
        pytest.param("text/plain;charset=utf-8", "text/plain", id="entry-parameter"),
        pytest.param("text/*;q=1", "text/plain;x=y", id="parameters-of-both"),
    ],
)
def test_covered(entries: str, content_type: str) -> None:
    assert AcceptTypes.parse(entries).covers(content_type)


@pytest.mark.rule("MSRP-103")
@pytest.mark.parametrize(
    ("entries", "content_type"),
    [
        pytest.param("", "text/plain", id="nothing"),
        pytest.param("text/plain", "text/html", id="other-subtype"),
        pytest.param("text/*", "image/png", id="other-type"),
        pytest.param("text/*", "textual/x", id="longer-type"),
        pytest.param("text/plain", "text", id="no-subtype"),
        pytest.param("text/*", "text", id="no-subtype-and-any"),
        pytest.param("image/*", "", id="empty"),
    ],
)
def test_not_covered(entries: str, content_type: str) -> None:
    assert not AcceptTypes.parse(entries).covers(content_type)


def test_preference() -> None:
    assert AcceptTypes.parse("Message/CPIM;x=y text/plain").first == "message/cpim"
    assert AcceptTypes.parse("").first is None


def test_entries_are_written_as_they_came() -> None:
    assert str(AcceptTypes.parse(" Message/CPIM  text/*;a=b ")) == (
        "Message/CPIM text/*;a=b"
    )


def test_anything_by_default() -> None:
    assert AcceptTypes() == AcceptTypes.parse("*")


@pytest.mark.rule("MSRP-12")
def test_the_essence_of_a_type() -> None:
    assert essence('Text/PLAIN ; charset="A;B"') == "text/plain"
