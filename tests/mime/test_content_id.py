from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import MidUrl, MimeError, cid_url, content_ids_of, new_content_id
from mime.content_id import check_content_id


@pytest.mark.rule("CID-2")
@pytest.mark.parametrize(
    ("url", "content_ids"),
    [
        pytest.param("cid:foo4*foo1@bar.net", ("foo4*foo1@bar.net",), id="rfc-2392"),
        pytest.param("cid:a%2Bb@c", ("a+b@c", "a%2Bb@c"), id="escaped"),
        pytest.param(
            "cid:foo4%25foo1@bar.net",
            ("foo4%foo1@bar.net", "foo4%25foo1@bar.net"),
            id="as-in-the-example",
        ),
        pytest.param("CID:a@B", ("a@B",), id="case-of-scheme"),
        pytest.param(" <cid:a@b> ", ("a@b",), id="in-brackets"),
        pytest.param("cid:%zz", ("%zz",), id="bad-escape"),
    ],
)
def test_a_cid_url_names_content_ids(url: str, content_ids: tuple[str, ...]) -> None:
    assert content_ids_of(url) == content_ids


@pytest.mark.parametrize("url", ["", "cid", "cid:", "mid:a@b", "a@b", "http://a/"])
def test_what_is_no_cid_url_is_an_error(url: str) -> None:
    with pytest.raises(MimeError):
        content_ids_of(url)


@pytest.mark.rule("CID-2")
@pytest.mark.parametrize(
    ("content_id", "url"),
    [
        ("a@b", "cid:a@b"),
        ("<a@b>", "cid:a@b"),
        ("a/b%@c", "cid:a%2Fb%25@c"),
        ("a#b?@c", "cid:a%23b%3F@c"),
        ("é@c", "cid:%C3%A9@c"),
    ],
)
def test_a_content_id_becomes_a_cid_url(content_id: str, url: str) -> None:
    assert cid_url(content_id) == url
    assert content_ids_of(url)[0] == content_id.strip("<>")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_every_content_id_survives_its_url(content_id: str) -> None:
    try:
        bare = check_content_id(content_id)
    except MimeError:
        return
    assert content_ids_of(cid_url(bare))[0] == bare


@pytest.mark.rule("CID-1")
def test_new_content_ids_are_unique() -> None:
    assert new_content_id("example.com") != new_content_id("example.com")
    assert new_content_id("example.com", token=lambda: "x1") == "x1@example.com"


@pytest.mark.rule("CID-1", "MIME-16")
@pytest.mark.parametrize("domain", ["", "a b", "a\r\nX: y", "a>b"])
def test_a_content_id_is_printable_and_without_brackets(domain: str) -> None:
    with pytest.raises(MimeError):
        check_content_id(domain)


@pytest.mark.rule("CID-4")
def test_a_mid_url_names_a_message_and_a_part() -> None:
    url = "mid:960830.1639@XIson.com/partA.960830.1639@XIson.com"
    parsed = MidUrl.parse(url)
    assert parsed == MidUrl("960830.1639@XIson.com", "partA.960830.1639@XIson.com")
    assert str(parsed) == url
    assert MidUrl.parse("MID:a%2Fb@c") == MidUrl("a/b@c")
    assert str(MidUrl("a/b@c")) == "mid:a%2Fb@c"


@pytest.mark.parametrize("url", ["", "mid:", "cid:a@b", "mid:/a", "mid:a/"])
def test_what_is_no_mid_url_is_an_error(url: str) -> None:
    with pytest.raises(MimeError):
        MidUrl.parse(url)
