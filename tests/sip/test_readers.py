from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.fields.field import Field
from sip.message import Request
from sip.name_addr import parse_name_addrs
from sip.readers import listed_if_there, optional, required, tokens


def _number(text: str) -> int:
    if not text.isdigit():
        raise SipParseError("not a number", status=422)
    return int(text)


def test_readers_of_single_fields() -> None:
    assert required(_number)(["7"]) == 7
    assert optional(_number)(["7"]) == 7
    assert optional(_number)([]) is None
    with pytest.raises(SipParseError, match="the header field is missing"):
        required(_number)([])
    with pytest.raises(SipParseError) as caught:
        optional(_number)(["x"])
    assert caught.value.status == 422


@pytest.mark.rule("SIP-3")
def test_a_single_field_must_not_be_there_twice() -> None:
    for reader in (required(_number), optional(_number)):
        with pytest.raises(SipParseError, match="the header field is there twice"):
            reader(["7", "7"])


def test_readers_of_lists() -> None:
    routes = parse_name_addrs(["<sip:a>, <sip:b>", "<sip:c>"])
    assert [str(route.uri) for route in routes] == ["sip:a", "sip:b", "sip:c"]
    assert listed_if_there(parse_name_addrs)([]) is None
    assert listed_if_there(parse_name_addrs)(["<sip:a>"]) == routes[:1]
    assert tokens([]) == ()
    assert tokens(["A,, B"]) == ("A", "B")
    assert tokens(["A, B", "C"]) == ("A", "B", "C")


def test_a_field_tells_in_which_header_field_something_is_wrong() -> None:
    class Message(Request):
        number = Field(required(_number), "Number")

    for fields, words in (
        ([], "Number: the header field is missing"),
        ([("number", "7"), ("NUMBER", "7")], "Number: the header field is there twice"),
        ([("Number", "x")], "Number: not a number"),
    ):
        message = Message.build("OPTIONS", "sip:a", fields)
        for _ in range(2):  # What has failed fails again.
            with pytest.raises(SipParseError) as caught:
                _ = message.number  # type: ignore[attr-defined]  # Built as a Request.
            assert str(caught.value) == words
            assert caught.value.header == "Number"
    assert Message.build("OPTIONS", "sip:a", [("NUMBER", "7")]).headers.get("Number")
