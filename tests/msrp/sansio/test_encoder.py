from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import LocalProtocolError
from msrp.headers import ContinuationFlag, RequestHead, is_ident
from msrp.sansio.encoder import (
    encode_end,
    encode_head,
    encode_response,
)
from msrp.sansio.ids import new_message_id, new_transaction_id
from msrp.sansio.parser import EndReceived, Parser, RequestReceived, ResponseReceived
from msrp.uri import parse_path

TO = "msrp://bob.example:2855/b;tcp"
FROM = "msrp://alice.example:2855/a;tcp"


@pytest.mark.rule("MSRP-1", "MSRP-5", "MSRP-6", "MSRP-14", "FIELD-2")
def test_a_request_without_a_body() -> None:
    head = encode_head("tid1", "SEND", TO, FROM, [("Message-ID", "m123")])
    assert head + encode_end("tid1", ContinuationFlag.END) == (
        b"MSRP tid1 SEND\r\n"
        b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"-------tid1$\r\n"
    )


@pytest.mark.rule("MSRP-5", "MSRP-13", "FIELD-2")
def test_a_request_with_a_body() -> None:
    fields = [("Message-ID", "m123"), ("Content-Disposition", "inline")]
    head = encode_head("tid1", "SEND", TO, FROM, fields, "text/plain")
    assert head + b"abc\r\n" + encode_end("tid1", ContinuationFlag.MORE) == (
        b"MSRP tid1 SEND\r\n"
        b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"Content-Disposition: inline\r\n"
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"abc\r\n"
        b"\r\n"
        b"-------tid1+\r\n"
    )


@pytest.mark.rule("MSRP-15")
@pytest.mark.parametrize("flag", ContinuationFlag)
def test_an_end_line(flag: ContinuationFlag) -> None:
    assert encode_end("tid1", flag) == b"\r\n-------tid1" + flag.value + b"\r\n"


@pytest.mark.rule("MSRP-2", "MSRP-74")
@pytest.mark.parametrize(
    ("code", "first"),
    [
        pytest.param(200, b"MSRP tid1 200 OK\r\n", id="known"),
        pytest.param(299, b"MSRP tid1 299\r\n", id="unknown"),
    ],
)
def test_a_response(code: int, first: bytes) -> None:
    assert encode_response("tid1", code, TO, FROM) == (
        first + b"To-Path: msrp://bob.example:2855/b;tcp\r\n"
        b"From-Path: msrp://alice.example:2855/a;tcp\r\n"
        b"-------tid1$\r\n"
    )


@pytest.mark.parametrize(
    ("fields", "content_type"),
    [
        pytest.param([("X", "a\r\nY: b")], None, id="crlf"),
        pytest.param([("X", "a\n")], None, id="lf"),
        pytest.param([("X", "\ra")], None, id="cr"),
        pytest.param([("X\r\nY", "a")], None, id="crlf-in-a-name"),
        pytest.param([("X", "a\0")], None, id="nul"),
        pytest.param([("X", "\udcff")], None, id="undecodable-file-name"),
        pytest.param([], "text/plain\r\n", id="in-the-type"),
    ],
)
def test_nothing_that_breaks_the_framing_is_written(
    fields: list[tuple[str, str]], content_type: str | None
) -> None:
    with pytest.raises(LocalProtocolError, match="a header value holds"):
        encode_head("tid1", "SEND", TO, FROM, fields, content_type)


@pytest.mark.rule("MSRP-3", "MSRP-4", "MSRP-47")
@pytest.mark.parametrize(
    ("new_id", "length"),
    [
        # 64 bits for one, and more for one that nobody may ever use again.
        pytest.param(new_transaction_id, 16, id="transaction-id"),
        pytest.param(new_message_id, 24, id="message-id"),
    ],
)
def test_ids_are_legal_and_never_the_same(
    new_id: Callable[[], str], length: int
) -> None:
    ids = {new_id() for _ in range(100_000)}
    assert len(ids) == 100_000
    assert all(is_ident(each) for each in list(ids)[:1000])
    assert {len(each) for each in ids} == {length}


values = st.text(
    st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"])
)


@pytest.mark.rule("MSRP-5", "MSRP-14")
@given(values, values, st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_back(one: str, other: str, has_body: bool) -> None:
    content_type = "a/b" if has_body else None
    head = encode_head(
        "tid1", "SEND", TO, FROM, [("X", one), ("Y", other)], content_type
    )
    request, end = Parser().receive_data(
        head + encode_end("tid1", ContinuationFlag.END)
    )
    assert isinstance(request, RequestReceived)
    assert request.has_body == has_body
    read = RequestHead.parse("tid1", "SEND", request.block)
    assert read.others == {"x": one.strip(" \t"), "y": other.strip(" \t")}
    assert read.to_path == parse_path(TO)
    assert read.content_type == content_type
    assert end == EndReceived(ContinuationFlag.END)


@pytest.mark.rule("MSRP-21")
@given(st.integers(100, 999))
@settings(max_examples=50, deadline=None)
def test_responses_read_back(code: int) -> None:
    events = Parser().receive_data(encode_response("tid1", code, TO, FROM))
    assert isinstance(events[0], ResponseReceived)
    assert events[0].head.code == code
    assert events[1:] == [EndReceived(ContinuationFlag.END)]
