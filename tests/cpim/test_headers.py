from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import (
    CORE_NAMESPACE,
    DEFAULT_LANGUAGE,
    Address,
    CpimError,
    Header,
    Namespaces,
    QualifiedName,
)
from cpim.headers import read_header

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.rule("CPIM-5", "CPIM-8", "CPIM-9")
@pytest.mark.parametrize(
    ("line", "name", "parameters", "value"),
    [
        (b"Subject: hello", "Subject", (), "hello"),
        (b"Subject: ", "Subject", (), ""),
        (b"Subject: a: b;c=d", "Subject", (), "a: b;c=d"),
        (b"Subject:;lang=fr texte", "Subject", (("lang", "fr"),), "texte"),
        (b"X:;a=1;b=c.d v", "X", (("a", "1"), ("b", "c.d")), "v"),
        (rb'X:;a="b; \"c\" :" v', "X", (("a", 'b; "c" :'),), "v"),
        ("X:;a=é v".encode(), "X", (("a", "é"),), "v"),
        (b"imdn.Message-ID: 34jk324j", "imdn.Message-ID", (), "34jk324j"),
        (b"!#$%&'*+-^_`|~9.Az: v", "!#$%&'*+-^_`|~9.Az", (), "v"),
        (rb"X: a\tb\u00e9", "X", (), "a\tbé"),
        ("X: é😀".encode(), "X", (), "é😀"),
    ],
)
def test_a_header_is_name_parameters_and_value(
    line: bytes, name: str, parameters: tuple[tuple[str, str], ...], value: str
) -> None:
    header = Header.parse(line, strict=True)
    assert header.name == name
    assert header.parameters == parameters
    assert header.value == value
    assert bytes(header) == line
    assert header.problems == ()


@pytest.mark.rule("CPIM-4", "CPIM-5", "CPIM-8", "CPIM-9")
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no colon", id="no-colon"),
        pytest.param(b": value", id="no-name"),
        pytest.param(b" From: <im:a@b>", id="leading-space"),
        pytest.param(b"\tFrom: <im:a@b>", id="leading-tab"),
        pytest.param(b"From : <im:a@b>", id="space-before-colon"),
        pytest.param(b"a.b.c: x", id="two-dots"),
        pytest.param(b".b: x", id="no-prefix"),
        pytest.param(b"a.: x", id="no-local-name"),
        pytest.param("é: x".encode(), id="name-not-ascii"),
        pytest.param(b"a/b: x", id="separator-in-name"),
        pytest.param(b"a{b}: x", id="braces-in-name"),
        pytest.param(b"X:;a x", id="parameter-without-value"),
        pytest.param(b"X:;=a x", id="parameter-without-name"),
        pytest.param(b"X:;a= x", id="parameter-of-nothing"),
        pytest.param(b'X:;a="b x', id="parameter-unclosed"),
        pytest.param(b"X:;a.b=c x", id="dot-in-parameter-name"),
        pytest.param(b"X: a\rb", id="bare-cr"),
        pytest.param(b"X: a\nY: b", id="bare-lf"),
    ],
)
def test_what_is_no_header_is_an_error_strict_or_not(line: bytes) -> None:
    for strict in (False, True):
        with pytest.raises(CpimError):
            Header.parse(line, strict=strict)


@pytest.mark.rule("CPIM-5", "CPIM-29")
@pytest.mark.parametrize(
    ("line", "value", "problem"),
    [
        (b"X:value", "value", "no space between the name and the value"),
        (b"X:", "", "no space between the name and the value"),
        (b"X:;a=b", "", "no space between the name and the value"),
        (b"X:\tvalue", "value", "no space between the name and the value"),
        (b"X:  value", "value", "white space around the value"),
        (b"X: value ", "value", "white space around the value"),
        (b"X: a\tb", "a\tb", "a control character that isn't escaped"),
        (b"X: a\x7fb", "a\x7fb", "a control character that isn't escaped"),
        (b"X: a\xffb", "a\ufffdb", "the header isn't UTF-8"),
    ],
)
def test_what_peers_make_of_it_is_forgiven_unless_strict(
    line: bytes, value: str, problem: str
) -> None:
    header = Header.parse(line)
    assert header.value == value
    assert problem in header.problems
    assert bytes(header) == line
    with pytest.raises(CpimError):
        Header.parse(line, strict=True)


@pytest.mark.rule("CPIM-9", "CPIM-18")
def test_the_language_is_i_default_unless_it_is_said() -> None:
    assert Header.parse(b"Subject: x").language == DEFAULT_LANGUAGE == "i-default"
    assert Header.parse(b"Subject:;a=b;lang=de x").language == "de"


@pytest.mark.rule("CPIM-6")
def test_the_case_of_a_name_counts() -> None:
    assert Header.parse(b"from: <im:a@b>") != Header.parse(b"From: <im:a@b>")


@pytest.mark.rule("CPIM-10", "CPIM-27")
def test_a_value_is_escaped_and_stays_on_its_line() -> None:
    header = Header.build("Subject", " a\r\nb\\ ", parameters=(("lang", "en"),))
    assert bytes(header) == rb"Subject:;lang=en a\r\nb\\"
    assert header.value == "a\r\nb\\"
    assert header.namespace == CORE_NAMESPACE


@pytest.mark.rule("CPIM-9", "CPIM-27")
def test_a_parameter_is_quoted_if_it_needs_to_be() -> None:
    header = Header.build("X", "v", parameters=(("a", 'b "c"\r\n'), ("d", "")))
    assert bytes(header) == rb'X:;a="b \"c\"\r\n";d="" v'
    assert Header.parse(bytes(header), strict=True).parameters == header.parameters


@pytest.mark.rule("CPIM-27")
@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "a.b.c", "é", "a."])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(CpimError):
        Header.build(name, "value")
    with pytest.raises(CpimError):
        Header.build("X", "value", parameters=((name, "b"),))


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(CpimError):
        Header.build("Subject", "\ud800")
    with pytest.raises(CpimError):
        Header.of_address("From", Address("im:a@b", "\ud800"))


@pytest.mark.rule("CPIM-19")
def test_a_prefix_means_the_namespace_it_was_declared_for() -> None:
    namespaces = Namespaces()
    namespaces.declare("acme <http://id.acme.widgets/wily-headers/>")
    namespaces.declare("widget<http://id.acme.widgets/wily-headers/>")
    expected = QualifiedName("http://id.acme.widgets/wily-headers/", "runner-trap")
    assert namespaces.resolve("acme.runner-trap") == expected
    assert namespaces.resolve("widget.runner-trap") == expected
    assert namespaces.resolve("From") == (CORE_NAMESPACE, "From")


@pytest.mark.rule("CPIM-19")
def test_a_declaration_without_prefix_changes_the_default() -> None:
    namespaces = Namespaces()
    namespaces.declare("<urn:x>")
    assert namespaces.resolve("From") == ("urn:x", "From")
    assert namespaces.resolve("p.From") == (None, "p.From")


@pytest.mark.rule("CPIM-19")
def test_the_latest_declaration_counts() -> None:
    namespaces = Namespaces()
    namespaces.declare("p <urn:x>")
    namespaces.declare("p <urn:y>")
    assert namespaces.resolve("p.a") == ("urn:y", "a")


@pytest.mark.rule("CPIM-8", "CPIM-19")
@pytest.mark.parametrize("name", ["", "p.", "p.a.b", ".a", "a b", "é"])
def test_a_name_that_is_none_is_in_no_namespace(name: str) -> None:
    namespaces = Namespaces()
    namespaces.declare("p <urn:x>")
    assert namespaces.resolve(name) == (None, name)


@pytest.mark.rule("CPIM-19", "CPIM-21")
@pytest.mark.parametrize(
    "value", ["", "p", "<x>", "p <x>", "p.q <urn:x>", "p q <urn:x>", "p <urn:x> y"]
)
def test_what_is_no_declaration_is_an_error(value: str) -> None:
    with pytest.raises(CpimError):
        Namespaces().declare(value)


@pytest.mark.rule("CPIM-5", "CPIM-10", "CPIM-27")
@settings(deadline=None)
@given(text, text)
def test_what_is_built_reads_back_equal(value: str, parameter: str) -> None:
    header = Header.build("X", value, parameters=(("a", parameter),))
    parsed = Header.parse(bytes(header))
    assert (parsed.name, parsed.raw_value) == (header.name, header.raw_value.strip(" "))
    assert parsed.parameters == header.parameters
    assert parsed.value == value.strip(" ")
    assert not any(octet < 0x20 or octet == 0x7F for octet in bytes(header))


@pytest.mark.rule("CPIM-33")
@settings(deadline=None)
@given(st.binary(max_size=40) | st.text('X.:;a="\\ \tu0é', max_size=30).map(str.encode))
def test_anything_reads_or_is_a_cpim_error(line: bytes) -> None:
    for strict in (False, True):
        try:
            header = Header.parse(line, strict=strict)
        except CpimError:
            continue
        assert bytes(header) == line
        header.value.encode()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"X:" + b";a=b" * 200_000, id="parameters"),
        pytest.param(b'X:;a="' + b"\\" * 500_001, id="backslashes"),
        pytest.param(b"X:;a=" + b"b" * 500_000 + b'"', id="token"),
        pytest.param(b"X" * 500_000, id="name"),
        pytest.param(b"X: " + b"\\u" * 500_000, id="escapes"),
    ],
)
def test_hostile_headers_are_read_to_their_end(line: bytes) -> None:
    # Any quadratic step would run into the timeout of the test.
    with contextlib.suppress(CpimError):
        assert isinstance(Header.parse(line).value, str)


REPEATED = [
    b"From: Alice <sip:alice@example.com>",
    b"From:;a=b  <sip:alice@example.com> ",
    b"From: nobody",
    b"From",
    b"To: <sip:psap@example.net>",
    b"To:" + b" " * 200,
    b"cc: <sip:x@example.net>",
    b"NS: p <urn:p>",
    b"NS: NS <urn:n>",
    b"NS: <urn:x>",
    b"NS: <urn:ietf:params:cpim-headers:>",
    b"NS.From: x",
    b"p.To: x",
    b"DateTime: 2026-05-15T15:02:31-03:00",
    b"To: \xff",
]


@pytest.mark.rule("CPIM-19")
@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(REPEATED), max_size=8))
def test_a_line_is_remembered_as_what_it_would_be_read_as(lines: list[bytes]) -> None:
    namespaces = Namespaces()
    for line in lines:
        try:
            expected = Header.parse(line, namespaces=namespaces)
        except CpimError as error:
            with pytest.raises(CpimError, match=error.problem):
                read_header(line, namespaces)
            continue
        header = read_header(line, namespaces)
        assert header == expected
        assert (header.raw, header.problems) == (expected.raw, expected.problems)
        assert header.namespace == namespaces.namespace_of(header.name)
        if header.name == "NS":
            namespaces.declare(header.raw_value)


@pytest.mark.rule("CPIM-19")
@pytest.mark.parametrize("name", ["From", "p.From", "q.From", "NS.From", "p.NS"])
def test_a_header_is_in_the_namespace_that_its_name_means(name: str) -> None:
    namespaces = Namespaces()
    assert namespaces.namespace_of(name) == namespaces.resolve(name).namespace
    namespaces.declare("p <urn:p>")
    namespaces.declare("<urn:x>")
    assert namespaces.namespace_of(name) == namespaces.resolve(name).namespace


@pytest.mark.rule("CPIM-19")
def test_the_default_namespace_can_always_be_changed_back() -> None:
    namespaces = Namespaces()
    namespaces.declare("<urn:x>")
    assert namespaces.namespace_of("NS") == CORE_NAMESPACE
    assert Header.parse(b"NS: <urn:y>", namespaces=namespaces).namespace == (
        CORE_NAMESPACE
    )
