"""XML from strangers: what is read, and what isn't."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markup import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_OCTETS,
    Element,
    MarkupError,
    parse_markup,
)

DOCUMENT = b"""
<?xml version="1.0"?>
<a xmlns="urn:a" xmlns:b="urn:b" b:x="1" y="2">
  <b:c xml:lang="en">one &amp; <d/>two</b:c> <e xmlns="">three</e>
  <f><c>four</c><f><c>five</c></f></f>
</a>"""


def test_elements_have_names_attributes_and_text() -> None:
    root = parse_markup(DOCUMENT)
    assert (root.namespace, root.name, root.text) == ("urn:a", "a", "")
    assert root.attributes == {"urn:b x": "1", "y": "2"}
    first, second, third = root.children
    assert (first.namespace, first.name, first.text) == ("urn:b", "c", "one & two")
    assert (second.namespace, second.text) == ("", "three")
    assert root.child("f") is third
    assert root.child("d") is None
    assert root.child("f", third.namespace) is third
    assert root.child("f", "urn:another") is None
    assert root.find_text("c") == "one & two"
    assert root.find_text("nothing") is None
    assert root.find_text("d") is None


def test_elements_within_others_of_the_same_name_arent_found_twice() -> None:
    root = parse_markup(DOCUMENT)
    assert len(list(root.find_all("f"))) == 1
    assert [found.text for found in root.find_all("c")] == ["one & two", "four", "five"]


def test_an_element_can_be_written_as_a_document() -> None:
    root = parse_markup(DOCUMENT)
    assert parse_markup(bytes(root)) == root
    comment = root.children[0]
    assert parse_markup(bytes(comment)) == comment


BOMB = b"""<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"""
FILE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""
WIDE = b"<x>" + b"<y/>" * MAX_ELEMENTS + b"</x>"
LONG = b"<x/>" + b" " * MAX_OCTETS
DEEP = b"<x>" * (MAX_DEPTH + 1) + b"</x>" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param(BOMB, "a DOCTYPE isn't wanted (line 1)", id="entities"),
        pytest.param(FILE, "a DOCTYPE isn't wanted (line 1)", id="external-entity"),
        pytest.param(b"<!DOCTYPE x><x/>", "a DOCTYPE isn't wanted (line 1)", id="dtd"),
        pytest.param(WIDE, "there are too many elements", id="wide"),
        pytest.param(DEEP, "the elements are nested too deep", id="deep"),
        pytest.param(LONG, "the document is too long", id="long"),
        pytest.param(b"", "not XML: no element found (line 1)", id="empty"),
        pytest.param(b"<a>\n</b>", "not XML: mismatched tag (line 2)", id="mismatch"),
        pytest.param(b"<a>&b;</a>", "not XML: undefined entity (line 1)", id="entity"),
        pytest.param(
            b"<?xml version='1.0' encoding='ebcdic-x'?><a/>",
            "not XML: an encoding that isn't known",
            id="encoding",
        ),
        pytest.param(
            b"<a>\xff</a>", "not XML: not well-formed (invalid token) (line 1)",
            id="octets",
        ),
        pytest.param(b"<p:a/>", "not XML: unbound prefix (line 1)", id="prefix"),
    ],
)  # fmt: skip
@pytest.mark.rule("NG-4", "SIP-68")
def test_what_is_refused(document: bytes, problem: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_markup(document)
    assert str(caught.value) == problem


@pytest.mark.rule("SIP-68")
def test_a_document_at_the_limits_is_read() -> None:
    deep = b"<x>" * MAX_DEPTH + b"</x>" * MAX_DEPTH
    assert parse_markup(bytes(parse_markup(deep))) == parse_markup(deep)
    wide = parse_markup(b"<x>" + b"<y/>" * (MAX_ELEMENTS - 1) + b"</x>")
    assert len(wide.children) == MAX_ELEMENTS - 1


PIECES = st.sampled_from(
    [b"<a>", b"</a>", b"<b c='d'>", b"</b>", b"&amp;", b"&x;", b"<![CDATA[", b"]]>",
     b"<!--", b"-->", b"<?p ?>", b"<!DOCTYPE a>", b"\x00", b"\xc3\xa9", b"x", b"<"]
)  # fmt: skip


@given(st.binary(max_size=40) | st.lists(PIECES, max_size=12).map(b"".join))
@settings(deadline=None, max_examples=300)
@pytest.mark.rule("SIP-68")
def test_anything_is_a_document_or_a_markup_error(document: bytes) -> None:
    for data in (document, b"<a>" + document + b"</a>"):
        try:
            root = parse_markup(data)
        except MarkupError:
            continue
        assert isinstance(root, Element)
        assert parse_markup(bytes(root)).name == root.name
