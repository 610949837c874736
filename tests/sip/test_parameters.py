from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import LocalError, SipParseError
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
    set_parameter,
    unset_parameter,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="none"),
        pytest.param("  ", (), id="white-space"),
        pytest.param(";tag=a-1", (("tag", "a-1"),), id="plain"),
        pytest.param(
            ";branch=z9hG4bKx;rport",
            (("branch", "z9hG4bKx"), ("rport", None)),
            id="two",
        ),
        pytest.param(" ;\ttag  =  x ;y", (("tag", "x"), ("y", None)), id="spaces"),
        pytest.param(';a="x;\\"y\\""', (("a", 'x;"y"'),), id="quoted"),
        pytest.param(';a=""', (("a", ""),), id="empty-quoted"),
        pytest.param(";received=2001:db8::1", (("received", "2001:db8::1"),), id="v6"),
        pytest.param(
            ";received=[2001:db8::1]", (("received", "[2001:db8::1]"),), id="[]"
        ),
        pytest.param(";rport=", (("rport", None),), id="empty-value"),
        pytest.param(";key=YWJj==", (("key", "YWJj=="),), id="equals-in-value"),
        pytest.param(";x=a/b@c?d", (("x", "a/b@c?d"),), id="more-than-tokens"),
    ],
)
@pytest.mark.rule("SIP-5")
def test_parameters_are_read(text: str, expected: Parameters) -> None:
    parameters = parse_parameters(text)
    assert parameters == expected
    assert parse_parameters(format_parameters(parameters)) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(";;", id="empty"),
        pytest.param(";a;", id="empty-last"),
        pytest.param("a=b", id="no-semicolon"),
        pytest.param("x;a=b", id="text-before"),
        pytest.param(";=b", id="no-name"),
        pytest.param(";a b", id="space-in-name"),
        pytest.param(";a=b c", id="space-in-value"),
        pytest.param(';a="b', id="quote-not-closed"),
        pytest.param(';a="b"c', id="text-after-quote"),
        pytest.param(';a=b"c"', id="quote-in-value"),
        pytest.param(";a=b,c", id="comma"),
        pytest.param(";tag=a;TAG=b", id="twice"),
        pytest.param(';tag=a;tag="b"', id="twice-quoted"),
    ],
)
@pytest.mark.rule("SIP-5")
def test_what_are_no_parameters_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_parameters(text)


names = st.text("aB-.!%*_+`'~1", min_size=1, max_size=4)
values = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(names, values), max_size=5, unique_by=lambda p: p[0].lower()))
@settings(deadline=None, max_examples=100)
@pytest.mark.rule("SIP-5")
def test_any_value_can_be_written_and_is_read_back(
    pairs: list[tuple[str, str | None]],
) -> None:
    assert parse_parameters(format_parameters(tuple(pairs))) == tuple(pairs)


def test_finding_tells_no_value_from_no_parameter() -> None:
    parameters = parse_parameters(";Tag=x;rport")
    assert find_parameter(parameters, "tAG") == "x"
    assert find_parameter(parameters, "rport") == ""
    assert find_parameter(parameters, "received") is None


def test_setting_keeps_the_place_and_appends_what_is_new() -> None:
    parameters = parse_parameters(";rport;branch=b")
    parameters = set_parameter(parameters, "RPORT", "5060")
    parameters = set_parameter(parameters, "received", "192.0.2.1")
    assert format_parameters(parameters) == ";RPORT=5060;branch=b;received=192.0.2.1"
    assert format_parameters(unset_parameter(parameters, "Branch")) == (
        ";RPORT=5060;received=192.0.2.1"
    )


@pytest.mark.rule("SIP-68")
def test_a_parameter_name_cant_smuggle_another() -> None:
    with pytest.raises(LocalError):
        set_parameter((), "a;b", None)


@pytest.mark.rule("SIP-68")
def test_a_parameter_value_cant_smuggle_another() -> None:
    written = format_parameters(set_parameter((), "a", 'x";b=y, <sip:c>'))
    assert parse_parameters(written) == (("a", 'x";b=y, <sip:c>'),)
