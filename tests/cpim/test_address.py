from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import Address, CpimError

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
uris = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters='<>" \x7f'), max_size=12
).map(lambda rest: "im:" + "".join(c for c in rest if c > " "))


@pytest.mark.rule("CPIM-14", "CPIM-15")
@pytest.mark.parametrize(
    ("value", "name", "uri"),
    [
        ("<im:tigger@100akerwood.com>", None, "im:tigger@100akerwood.com"),
        (
            "Winnie the Pooh <im:pooh@100akerwood.com>",
            "Winnie the Pooh",
            "im:pooh@100akerwood.com",
        ),
        ('"Bob"<im:b@c>', "Bob", "im:b@c"),
        ('"Bob" <im:b@c>', "Bob", "im:b@c"),
        (r'"a \"b\" \\" <im:b@c>', 'a "b" \\', "im:b@c"),
        (r'"a > <im:x@y>" <im:b@c>', "a > <im:x@y>", "im:b@c"),
        (r'"\u0041\n" <im:b@c>', "A\n", "im:b@c"),
        ('"" <im:b@c>', None, "im:b@c"),
        ("日本 <im:b@c>", "日本", "im:b@c"),
        ("Dr. O'Neill <im:b@c>", "Dr. O'Neill", "im:b@c"),
    ],
)
def test_an_address_is_a_name_and_a_uri(value: str, name: str | None, uri: str) -> None:
    assert Address.parse(value, strict=True) == Address(uri, name)


@pytest.mark.rule("CPIM-14", "CPIM-29")
@pytest.mark.parametrize(
    ("value", "name", "uri"),
    [
        ("Bob<im:b@c>", "Bob", "im:b@c"),
        ("  Bob   <im:b@c> ", "Bob", "im:b@c"),
        ('"Bob"   <im:b@c>', "Bob", "im:b@c"),
        ("Bob (work) <im:b@c>", "Bob (work)", "im:b@c"),
        ("Bob, Jr. <im:b@c>", "Bob, Jr.", "im:b@c"),
        ("a  b <im:b@c>", "a  b", "im:b@c"),
        ('"Bob <im:b@c>', '"Bob', "im:b@c"),
        ("< im:b@c >", None, "im:b@c"),
        ("<sip:b@c>;tag=x", None, "sip:b@c"),
        ("sip:b@c", None, "sip:b@c"),
    ],
)
def test_what_peers_make_of_it_is_accepted_unless_strict(
    value: str, name: str | None, uri: str
) -> None:
    assert Address.parse(value) == Address(uri, name)
    with pytest.raises(CpimError):
        Address.parse(value, strict=True)


@pytest.mark.rule("CPIM-21")
@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bob",
        "<>",
        "<bob>",
        "<//example.com/bob>",
        "<:bob>",
        "<1im:b>",
        "Bob <im:b@c",
        "Bob im:b@c>",
        '"Bob" im:b@c',
        "<im:b c>",
        "<im:b\r\nTo: x>",
        "<im:b<c>",
    ],
)
def test_what_has_no_absolute_uri_is_no_address(value: str) -> None:
    for strict in (False, True):
        with pytest.raises(CpimError):
            Address.parse(value, strict=strict)


@pytest.mark.rule("CPIM-21", "IM-1")
@pytest.mark.parametrize(
    "uri",
    [
        "im:fred@example.com",
        "im:a%2Fb@x",
        "im:?subject=x",
        "im:",
        "sip:alice@example.com;transport=tcp",
        "sips:alice@example.com",
        "tel:+1-212-555-0101",
        "pres:a@b",
        "mailto:a@b?subject=c&d=e",
        "sip:anonymous@anonymous.invalid",
        "urn:service:sos",
        "im:jürgen@example.com",
    ],
)
def test_a_uri_of_any_scheme_is_kept_as_it_is(uri: str) -> None:
    assert Address.parse(f"Bob <{uri}>", strict=True).uri == uri
    assert str(Address(uri)) == f"<{uri}>"


@pytest.mark.rule("CPIM-10", "CPIM-14", "CPIM-27")
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Bob", "Bob <im:b@c>"),
        ("Bob B. O'Neill", "Bob B. O'Neill <im:b@c>"),
        ("日本", "日本 <im:b@c>"),
        ("", "<im:b@c>"),
        (None, "<im:b@c>"),
        (" Bob", '" Bob" <im:b@c>'),
        ("a  b", '"a  b" <im:b@c>'),
        ('a "b"', r'"a \"b\"" <im:b@c>'),
        ("a, b", '"a, b" <im:b@c>'),
        ("x\r\nTo: <im:evil>", r'"x\r\nTo: <im:evil>" <im:b@c>'),
        ("\\", r'"\\" <im:b@c>'),
    ],
)
def test_a_name_is_quoted_if_it_needs_to_be(name: str | None, written: str) -> None:
    assert str(Address("im:b@c", name)) == written


@pytest.mark.rule("CPIM-27")
@pytest.mark.parametrize(
    "uri",
    ["", "b", "im:b\r\nTo: <im:c>", "im:b>", "im:<b", "im:b c", "im:\0", "im:\x7f"],
)
def test_a_uri_that_would_not_stay_in_its_brackets_is_refused(uri: str) -> None:
    with pytest.raises(CpimError):
        Address(uri)


@settings(deadline=None)
@given(names, uris)
def test_what_is_written_reads_back_equal(name: str, uri: str) -> None:
    address = Address(uri, name or None)
    assert Address.parse(str(address), strict=True) == address


@pytest.mark.rule("CPIM-33")
@settings(deadline=None)
@given(st.text(max_size=30) | st.text('"\\<>im: a@', max_size=30))
def test_anything_reads_or_is_a_cpim_error(value: str) -> None:
    for strict in (False, True):
        try:
            address = Address.parse(value, strict=strict)
        except CpimError:
            continue
        assert Address.parse(str(address), strict=True) == address


@pytest.mark.parametrize("unit", ["a ", '"\\', "a", "<", '"', "im:"])
def test_hostile_addresses_are_read_to_their_end(unit: str) -> None:
    for value in (unit * 300_000, f'"{unit * 300_000}'):
        for strict in (False, True):
            with contextlib.suppress(CpimError):
                Address.parse(value, strict=strict)
