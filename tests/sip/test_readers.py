from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.headers import Headers
from sip.name_addr import parse_name_addrs
from sip.readers import listed, optional, required, tokens


def _number(text: str) -> int:
    if not text.isdigit():
        raise SipParseError("not a number", status=422)
    return int(text)


def test_readers_of_single_fields() -> None:
    assert required("Number", _number)(Headers([("number", "7")])) == 7
    assert optional("Number", _number)(Headers([("number", "7")])) == 7
    assert optional("Number", _number)(Headers()) is None
    with pytest.raises(SipParseError, match="Number: the header field is missing"):
        required("Number", _number)(Headers())
    with pytest.raises(SipParseError) as caught:
        optional("Number", _number)(Headers([("Number", "x")]))
    assert (caught.value.header, caught.value.status) == ("Number", 422)


@pytest.mark.rule("SIP-3")
def test_a_single_field_must_not_be_there_twice() -> None:
    twice = Headers([("Number", "7"), ("Number", "7")])
    for reader in (required("Number", _number), optional("Number", _number)):
        with pytest.raises(
            SipParseError, match="Number: the header field is there twice"
        ):
            reader(twice)


def test_readers_of_lists() -> None:
    headers = Headers([("Route", "<sip:a>, <sip:b>"), ("Route", "<sip:c>")])
    routes = listed("Route", parse_name_addrs)(headers)
    assert [str(route.uri) for route in routes] == ["sip:a", "sip:b", "sip:c"]
    with pytest.raises(SipParseError) as caught:
        listed("Route", parse_name_addrs)(Headers([("Route", "<sip:>")]))
    assert caught.value.header == "Route"
    assert tokens("Allow")(Headers([("Allow", "A, B"), ("Allow", "C")])) == (
        "A",
        "B",
        "C",
    )
