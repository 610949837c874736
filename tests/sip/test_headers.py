from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import LocalError, SipParseError
from sip.headers import MAX_FIELDS, Headers


def read(*lines: str) -> Headers:
    headers, problem = Headers.from_lines(list(lines))
    assert problem is None
    return headers


@pytest.mark.parametrize("name", ["Call-ID", "CALL-ID", "call-id", "cAlL-iD", "i", "I"])
@pytest.mark.rule("SIP-3", "SIP-4")
def test_a_name_is_the_same_in_any_case_and_in_its_compact_form(name: str) -> None:
    headers = read(f"{name}: abc")
    assert headers.get("call-id") == headers.get("i") == headers.get("Call-ID") == "abc"
    assert list(headers.items()) == [("Call-ID", "abc")]
    assert name in headers


@pytest.mark.parametrize(
    ("compact", "name"),
    [
        ("a", "Accept-Contact"),
        ("b", "Referred-By"),
        ("c", "Content-Type"),
        ("d", "Request-Disposition"),
        ("e", "Content-Encoding"),
        ("f", "From"),
        ("i", "Call-ID"),
        ("j", "Reject-Contact"),
        ("k", "Supported"),
        ("l", "Content-Length"),
        ("m", "Contact"),
        ("o", "Event"),
        ("r", "Refer-To"),
        ("s", "Subject"),
        ("t", "To"),
        ("u", "Allow-Events"),
        ("v", "Via"),
        ("x", "Session-Expires"),
        ("y", "Identity"),
    ],
)
@pytest.mark.rule("SIP-4")
def test_the_compact_forms(compact: str, name: str) -> None:
    assert list(read(f"{compact}: x", f"{compact.upper()}: y").items()) == [
        (name, "x"),
        (name, "y"),
    ]


@pytest.mark.rule("SIP-3")
def test_white_space_around_name_and_value_doesnt_count() -> None:
    headers = read("Subject \t:  hello  there\t ", "v  :x", "X-Own :y", "Empty:")
    assert list(headers) == [
        ("Subject", "hello  there"),
        ("Via", "x"),
        ("X-Own", "y"),
        ("Empty", ""),
    ]


@pytest.mark.rule("SIP-3")
def test_a_folded_line_is_one_with_a_space() -> None:
    headers = read("To:", " sip:a@b", "\t;tag=x", "X-A:  1  ", "   2", " ", "Y-B: z")
    assert list(headers) == [("To", "sip:a@b ;tag=x"), ("X-A", "1 2"), ("Y-B", "z")]


@pytest.mark.rule("SIP-68")
def test_very_many_folds_take_no_more_than_one_copy() -> None:
    headers = read("X: 0", *([" 1"] * 20_000))
    assert headers.get("X") == "0" + " 1" * 20_000


def test_unknown_names_keep_their_spelling_and_all_keep_their_order() -> None:
    headers = read("NewFangled: 1", "v: 2", "newFANGLED: 3", "C%6Fntact: 4")
    assert list(headers) == [
        ("NewFangled", "1"),
        ("Via", "2"),
        ("newFANGLED", "3"),
        ("C%6Fntact", "4"),
    ]
    assert headers.get_all("newfangled") == ["1", "3"]


@pytest.mark.parametrize(
    "line",
    ["no colon", ": no name", "bad name: x", "näme: x", " Via: folded", "Via", ""],
)
@pytest.mark.rule("SIP-67")
def test_a_line_that_is_no_header_field_is_told_of_and_left_out(line: str) -> None:
    headers, problem = Headers.from_lines([line, "To: x"])
    assert problem is not None
    assert list(headers) == [("To", "x")]


@pytest.mark.rule("SIP-68")
def test_there_is_an_end_to_the_number_of_fields() -> None:
    lines = [f"X: {number}" for number in range(MAX_FIELDS)]
    headers, problem = Headers.from_lines(lines)
    assert problem is None
    headers, problem = Headers.from_lines([*lines, "To: x"])
    assert problem is not None
    assert len(headers) == MAX_FIELDS
    assert "To" not in headers


@pytest.mark.rule("SIP-3", "SIP-68")
def test_a_field_counts_once_over_however_many_lines_it_goes() -> None:
    lines = [line for n in range(MAX_FIELDS) for line in (f"X: {n}", " more", "\tyet")]
    headers, problem = Headers.from_lines(lines)
    assert problem is None
    assert headers.get_all("X") == [f"{n} more yet" for n in range(MAX_FIELDS)]
    headers, problem = Headers.from_lines([*lines, "X: one", " too many"])
    assert problem is not None
    assert len(headers) == MAX_FIELDS


def test_many_fields_may_be_added_at_once() -> None:
    headers = read("To: x", "Supported: a")
    assert headers.values("Supported") == ["a"]
    headers.add_all([("k", "b"), ("Supported", "c")])
    assert headers.values("Supported") == ["a", "b", "c"]
    with pytest.raises(LocalError):
        headers.add_all([("Supported", "d"), ("Supported", "e\r\nTo: y")])
    assert list(headers)[2:] == [("Supported", "b"), ("Supported", "c")]


@pytest.mark.rule("SIP-3")
def test_lists_may_be_split_over_lines_and_within_lines() -> None:
    headers = read('Supported: a, "b,c" ,,<d,e>', "Supported:", "k: f")
    assert headers.values("supported") == ["a", '"b,c"', "<d,e>", "f"]
    assert headers.get_all("Supported") == ['a, "b,c" ,,<d,e>', "", "f"]
    assert headers.values("Require") == []


@pytest.mark.rule("SIP-3")
def test_credentials_and_challenges_are_left_whole() -> None:
    challenge = 'Digest realm="a", nonce="b", qop="auth"'
    headers = read(f"WWW-Authenticate: {challenge}", "WWW-Authenticate: Other x, y")
    assert headers.get_all("www-authenticate") == [challenge, "Other x, y"]


def test_a_list_that_isnt_closed_is_an_error_with_its_name() -> None:
    with pytest.raises(SipParseError) as caught:
        read('Accept: a, "b').values("Accept")
    assert caught.value.header == "Accept"


def test_fields_are_changed_in_place() -> None:
    headers = Headers([("v", "1"), ("To", "t"), ("Via", "2")])
    headers.insert_first("Via", "0")
    assert headers.get_all("Via") == ["0", "1", "2"]
    headers.set("VIA", "only")
    assert list(headers) == [("Via", "only"), ("To", "t")]
    headers.set("X-A", "y")
    headers.remove("TO")
    headers.remove("Absent")
    assert list(headers) == [("Via", "only"), ("X-A", "y")]
    assert len(headers) == 2
    assert 7 not in headers


def test_a_copy_is_changed_on_its_own() -> None:
    headers = Headers([("To", "a")])
    copy = headers.copy()
    assert copy == headers
    copy.add("To", "b")
    assert copy != headers
    assert headers != "To: a"
    assert repr(copy) == "<Headers To To>"


def test_fields_are_copied_from_another_message_as_they_are() -> None:
    other = read("To: \\\0 a", "v: 1", "Via: 2")
    headers = Headers([("X-A", "y")])
    headers.copy_fields(other, "Via")
    headers.copy_fields(other, "To", first=True)
    headers.copy_fields(other, "Absent")
    assert list(headers) == [("X-A", "y"), ("Via", "1"), ("Via", "2"), ("To", "\\\0 a")]


def test_a_parameter_is_appended_to_the_first_field() -> None:
    headers = read("X-A: y", "t: <sip:a@b>", "To: c")
    headers.append_parameter("To", "tag", "x1")
    headers.append_parameter("From", "tag", "x1")
    assert list(headers) == [("X-A", "y"), ("To", "<sip:a@b>;tag=x1"), ("To", "c")]


@pytest.mark.parametrize(("name", "value"), [("a;b", "c"), ("tag", "c;d"), ("tag", "")])
@pytest.mark.rule("SIP-68")
def test_only_tokens_are_appended(name: str, value: str) -> None:
    with pytest.raises(LocalError):
        read("To: a").append_parameter("To", name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Subject", "a\r\nVia: x", id="CRLF"),
        pytest.param("Subject", "a\n", id="LF"),
        pytest.param("Subject", "a\rb", id="CR"),
        pytest.param("Subject", "a\0b", id="NUL"),
        pytest.param("Subject", "a\ud800", id="half-surrogate"),
        pytest.param("Sub ject", "a", id="space-in-name"),
        pytest.param("Subject:", "a", id="colon-in-name"),
        pytest.param("X\r\nY", "a", id="CRLF-in-name"),
        pytest.param("", "a", id="no-name"),
    ],
)
@pytest.mark.rule("SIP-68")
def test_nothing_gets_in_that_would_end_a_line(name: str, value: str) -> None:
    headers = Headers()
    for change in (headers.add, headers.set, headers.insert_first):
        with pytest.raises(LocalError):
            change(name, value)
    assert len(headers) == 0
    with pytest.raises(LocalError):
        Headers([(name, value)])


def test_a_view_is_made_once_until_a_field_changes() -> None:
    headers = Headers([("To", "a")])
    calls: list[str | None] = []

    def reader(fields: Headers) -> str | None:
        calls.append(fields.get("To"))
        return calls[-1]

    assert headers.view(reader) == headers.view(reader) == "a"
    headers.set("To", "b")
    assert headers.view(reader) == "b"
    assert calls == ["a", "b"]


def test_a_view_that_failed_fails_again() -> None:
    def reader(fields: Headers) -> list[str]:
        return fields.values("Accept")

    headers = Headers([("Accept", 'a, "b')])
    for _ in range(2):
        with pytest.raises(SipParseError):
            headers.view(reader)


lines = st.lists(st.text('Via: \tx-,"<\0é\udcff;1', max_size=12), max_size=6)


@given(lines)
@settings(deadline=None, max_examples=200)
@pytest.mark.rule("SIP-68")
def test_any_lines_are_read_and_what_is_read_reads_the_same(lines: list[str]) -> None:
    headers, _ = Headers.from_lines(lines)
    written = [f"{name}: {value}" for name, value in headers]
    again, problem = Headers.from_lines(written)
    assert problem is None
    assert again == headers
