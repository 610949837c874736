from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markup import MarkupError
from msrp.composing import MAX_OCTETS, ComposingState, IsComposing

ACTIVE, IDLE = ComposingState

OF_THE_RFC = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xsi:schemaLocation="urn:ietf:params:xml:ns:im-composing
iscomposing.xsd">
  <state>active</state>
  <contenttype>text/plain</contenttype>
  <refresh>90</refresh>
</isComposing>
"""

IDLE_OF_THE_RFC = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xsi:schemaLocation="urn:ietf:params:xml:ns:im-composing
iscomposing.xsd">
  <state>idle</state>
  <lastactive>2003-01-27T10:43:00Z</lastactive>
  <contenttype>audio</contenttype>
</isComposing>
"""


def document(
    inside: str, namespace: str = "urn:ietf:params:xml:ns:im-iscomposing"
) -> bytes:
    return f'<isComposing xmlns="{namespace}">{inside}</isComposing>'.encode()


@pytest.mark.rule("TYP-1")
def test_the_examples_of_the_rfc_are_read() -> None:
    assert IsComposing.parse(OF_THE_RFC) == IsComposing(ACTIVE, "text/plain", 90)
    moment = datetime(2003, 1, 27, 10, 43, tzinfo=UTC)
    expected = IsComposing(IDLE, "audio", last_active=moment)
    assert IsComposing.parse(IDLE_OF_THE_RFC) == expected


@pytest.mark.rule("TYP-1")
def test_it_is_written_as_the_schema_has_it() -> None:
    moment = datetime(2026, 5, 15, 15, 2, 31, tzinfo=timezone(timedelta(hours=-3)))
    assert bytes(IsComposing(ACTIVE, "text/plain", 90, moment)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">'
        "<state>active</state>"
        "<lastactive>2026-05-15T15:02:31-03:00</lastactive>"
        "<contenttype>text/plain</contenttype>"
        "<refresh>90</refresh>"
        "</isComposing>"
    )
    assert b"<state>idle</state></isComposing>" in bytes(IsComposing(IDLE))


@pytest.mark.rule("TYP-2")
@pytest.mark.parametrize("state", ["idle", "dreaming", "ACTIVE", "active idle", ""])
def test_any_state_but_active_is_idle(state: str) -> None:
    read = IsComposing.parse(document(f"<state>{state}</state>"))
    assert read.state is IDLE


@pytest.mark.rule("TYP-1")
def test_what_is_of_another_namespace_is_passed_over() -> None:
    inside = (
        '<x:state xmlns:x="urn:x">idle</x:state><state> active </state>'
        '<x:mood xmlns:x="urn:x"><x:refresh>7</x:refresh></x:mood>'
        '<refresh xmlns="urn:x">7</refresh>'
    )
    assert IsComposing.parse(document(inside)) == IsComposing(ACTIVE)


@pytest.mark.parametrize(
    "inside",
    [
        "<refresh>0</refresh>",
        "<refresh>-5</refresh>",
        "<refresh>ninety</refresh>",
        "<refresh>1.5</refresh>",
        f"<refresh>{'9' * 5000}</refresh>",
        "<contenttype>text plain</contenttype>",
        "<contenttype>text/plain/x</contenttype>",
        f"<contenttype>{'x' * 300}</contenttype>",
        "<lastactive>yesterday</lastactive>",
        "<lastactive>2003-01-27T10:43:00</lastactive>",
    ],
)
def test_a_value_that_is_none_counts_as_not_said(inside: str) -> None:
    read = IsComposing.parse(document(f"<state>active</state>{inside}"))
    assert read == IsComposing(ACTIVE)


@pytest.mark.rule("TYP-1")
@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        OF_THE_RFC[:-5],
        document(""),
        document("<state>active</state>", "urn:another"),
        b'<x xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></x>',
        b'<!DOCTYPE isComposing [<!ENTITY a "active">]>'
        + document("<state>&a;</state>"),
        b'<!DOCTYPE isComposing SYSTEM "http://x.invalid/">' + document("<state/>"),
        document("<state>&undeclared;</state>"),
        document(f"<state>active</state><!--{'x' * MAX_OCTETS}-->"),
    ],
    ids=[
        *("empty", "text", "cut", "stateless", "namespace", "root"),
        *("entity", "doctype", "undeclared", "oversize"),
    ],
)
def test_what_is_no_such_document_is_refused(octets: bytes) -> None:
    with pytest.raises(MarkupError):
        IsComposing.parse(octets)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IsComposing(ACTIVE, "no type at all"),
        lambda: IsComposing(ACTIVE, "text/plain; charset=utf-8"),
        lambda: IsComposing(ACTIVE, refresh=0),
        lambda: IsComposing(ACTIVE, last_active=datetime(2026, 1, 1)),
    ],
)
def test_what_cant_be_said_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"\w"):
        make()


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    check(octets)


@given(
    at=st.integers(0, len(IDLE_OF_THE_RFC)),
    drop=st.integers(0, 20),
    put=st.sampled_from(
        [
            b"",
            b"<",
            b">",
            b"&",
            b"\xff",
            b"active",
            b"<state>",
            b"</state>",
            b"xmlns",
            b"9",
        ]
    ),
)
@settings(deadline=None, max_examples=200)
def test_what_is_read_can_be_written_and_read_again(
    at: int, drop: int, put: bytes
) -> None:
    check(IDLE_OF_THE_RFC[:at] + put + IDLE_OF_THE_RFC[at + drop :])


def check(octets: bytes) -> None:
    try:
        read = IsComposing.parse(octets)
    except MarkupError:
        return
    assert IsComposing.parse(bytes(read)) == read
