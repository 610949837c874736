from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.rule("MSRP-103")
@pytest.mark.parametrize(
    ("value", "entries"),
    [
        pytest.param(
            'text/plain;x="a b" text/html',
            ('text/plain;x="a b"', "text/html"),
            id="space",
        ),
        pytest.param('a/b;x="  "', ('a/b;x="  "',), id="only-spaces"),
        pytest.param('a/b;x="";y="c d" *', ('a/b;x="";y="c d"', "*"), id="two-quoted"),
        pytest.param(r'a/b;x="\" c" *', (r'a/b;x="\" c"', "*"), id="escaped-quote"),
        pytest.param(r'a/b;x="\\" c/d', (r'a/b;x="\\"', "c/d"), id="escaped-escape"),
        pytest.param(r"a/b;x=\ c/d", ("a/b;x=\\", "c/d"), id="escape-outside"),
        pytest.param("a/b\tc/d", ("a/b", "c/d"), id="tab"),
        pytest.param('* a/b;x="c d', ("*", 'a/b;x="c d'), id="left-open"),
        pytest.param('* a/b;x="c d\\', ("*", 'a/b;x="c d\\'), id="ends-in-an-escape"),
        pytest.param("  ", (), id="nothing"),
    ],
)
def test_a_quoted_string_keeps_its_spaces(value: str, entries: tuple[str, ...]) -> None:
    assert AcceptTypes.parse(value).entries == entries


quoted = st.text('a \\"', max_size=4).map(
    lambda text: '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
)
entries_of_all_kinds = st.one_of(
    st.sampled_from(["*", "text/plain", "text/*", "a/b;c=d"]),
    quoted.map("a/b;c={}".format),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(entries_of_all_kinds, max_size=5), st.sampled_from([" ", "  ", " \t"]))
def test_what_is_written_is_read_back(entries: list[str], separator: str) -> None:
    types = AcceptTypes.parse(separator.join(entries))
    assert types == AcceptTypes(tuple(entries))
    assert AcceptTypes.parse(str(types)) == types


@settings(deadline=None, max_examples=200)
@given(st.text('a/;= \t\n"\\\u2028', max_size=30))
def test_nothing_but_spaces_is_lost(value: str) -> None:
    entries = AcceptTypes.parse(value).entries
    squeezed = value.translate({ord(" "): None, ord("\t"): None})
    joined = "".join(entries).translate({ord(" "): None, ord("\t"): None})
    assert joined == squeezed
    assert AcceptTypes.parse(" ".join(entries)).entries == entries


@pytest.mark.parametrize("unit", ['"', '"\\"', '\\"', 'a"', '" ', '"a" '])
def test_the_work_is_in_proportion_to_the_length(unit: str) -> None:
    """A quarter of a million quotes would take hours were each looked at again."""
    assert AcceptTypes.parse(unit * 250_000).entries


def test_anything_by_default() -> None:
    assert AcceptTypes() == AcceptTypes.parse("*")


@pytest.mark.rule("MSRP-12")
def test_the_essence_of_a_type() -> None:
    assert essence('Text/PLAIN ; charset="A;B"') == "text/plain"
