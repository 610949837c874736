"""Messages that are one line of text, and those that only look like it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mime import OCTET_STREAM
from msrp.content import CpimMessage, MessageReceived, Part, leaves, read_message
from msrp.content.lines import only_line, open_envelope, read_wrapped
from msrp.content.reading import take_apart

FROM = b"From: Alice <sip:alice@example.com>\r\n"
TO = b"To: <sip:psap@example.net>\r\n"
KNOWN = ("urn:known", "a")

HEADS = [
    FROM + TO,
    FROM + TO + b"DateTime: 2026-05-15T15:02:31-03:00\r\n",
    TO,
    FROM + b"From: <sip:second@example.com>\r\n",
    FROM + TO + b"NS: p <urn:known>\r\nRequire: p.a\r\n",
    FROM + TO + b"NS: p <urn:unknown>\r\nRequire: p.a\r\n",
    b"From:<sip:alice@example.com>\r\nnonsense",
    b"",
]
TYPES = [
    b"Content-Type: text/plain\r\n",
    b"Content-Type: text/plain;charset=utf-8\r\n",
    b"content-type: Text/Plain; charset=ISO-8859-1\r\n",
    b"Content-Type: text/plain; name=a.txt\r\n",
    b"Content-Type: text/html\r\n",
    b"Content-Type: message/cpim\r\n",
    b"Content-Type: multipart/mixed;boundary=b\r\n",
    b"Content-Type: text/plain; x=" + b"y" * 300 + b"\r\n",
    b"Content-Type: ?\r\n",
]
FIELDS = [
    b"Content-Length: 5\r\n",
    b"Content-Language: de, en\r\n",
    b"MIME-Version: 1.0\r\n",
    b"Content-ID: <1@example.com>\r\n",
    b"Content-Disposition: attachment; filename=a.txt\r\n",
    b"Content-Disposition: render\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: x-unheard-of\r\n",
    b"X-Other: 1\r\n",
    *TYPES,
]
TEXTS = [b"hello", b"", "é".encode(), b"\xff", b"aGVsbG8=", FROM + TO + b"\r\nhi"]

LATIN = b"Content-Type: text/plain;charset=iso-8859-1\r\n"
BASE64 = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"

fields = st.tuples(
    st.lists(st.sampled_from(FIELDS), max_size=1),
    st.sampled_from(TYPES),
    st.lists(st.sampled_from(FIELDS), max_size=1),
).map(lambda drawn: b"".join([*drawn[0], drawn[1], *drawn[2]]))
wrapped = st.tuples(
    st.sampled_from(HEADS),
    st.just(b"\r\n"),
    fields | st.sampled_from([b"", *FIELDS]),
    st.sampled_from([b"\r\n", b"\r\n", b"\n", b""]),
    st.sampled_from(TEXTS),
).map(b"".join)
types = st.sampled_from(
    ["message/cpim", "Message/CPIM; x=y", "message/cpim;name=a", "text/plain"]
)


def the_long_way(
    content_type: str,
    contents: bytes,
    disposition: str | None = None,
    understood: Collection[tuple[str, str]] = (),
) -> MessageReceived:
    headers: tuple[tuple[str, str], ...] = (("Content-Type", content_type),)
    if disposition is not None:
        headers += (("Content-Disposition", disposition),)
    whole = Part(headers, contents, default_type=OCTET_STREAM)
    return take_apart("m1", whole, understood)


def taken_to_pieces(message: MessageReceived) -> MessageReceived:
    """Return what is the same, but doesn't look as if it were a line."""
    parts = (replace(part, headers=(*part.headers,)) for part in message.parts)
    return replace(message, parts=tuple(parts))


@pytest.mark.rule("CPIM-20", "MSRP-105")
@example("message/cpim", FROM + b"\r\n" + LATIN + "\r\né".encode(), None, ())
@example("message/cpim", FROM + b"\r\n" + BASE64 + b"\r\naGVsbG8=", None, ())
@settings(deadline=None, max_examples=1000)
@given(
    types,
    wrapped,
    st.sampled_from([None, None, None, "render", "attachment"]),
    st.sampled_from([(), (KNOWN,)]),
)
def test_the_short_way_finds_what_the_long_way_finds(
    content_type: str,
    contents: bytes,
    disposition: str | None,
    understood: Collection[tuple[str, str]],
) -> None:
    message = read_message(
        "m1", content_type, contents, disposition, understood=understood
    )
    expected = the_long_way(content_type, contents, disposition, understood)
    assert message == expected
    if message.cpim is not None and expected.cpim is not None:
        assert message.cpim.warnings == expected.cpim.warnings
    assert leaves(message) == leaves(taken_to_pieces(expected))


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Type: text/plain\r\n",
        b"Content-type: text/plain; charset=UTF-8\r\nContent-Length: 5\r\n",
        b"MIME-Version: 1.0\r\nContent-Language: de\r\nContent-Type: text/plain\r\n",
    ],
)
def test_most_texts_in_envelopes_are_lines(fields: bytes) -> None:
    contents = FROM + TO + b"\r\n" + fields + b"\r\nhello"
    envelope = open_envelope("message/cpim", contents)
    assert envelope is not None
    message = read_wrapped("m1", "message/cpim", contents, envelope)
    assert message == the_long_way("message/cpim", contents)
    assert message is not None
    line = only_line(message)
    assert line is not None
    assert (line.text, line.sender) == ("hello", "sip:alice@example.com")
    assert line.recipient == "sip:psap@example.net"


@pytest.mark.parametrize("content_type", [b"text/plain", b"image/png", b"message/cpim"])
def test_an_envelope_is_opened_once_whatever_is_in_it(
    content_type: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    parse = CpimMessage.parse

    def noting(data: bytes) -> CpimMessage:
        read.append(data)
        return parse(data)

    monkeypatch.setattr(CpimMessage, "parse", noting)
    contents = FROM + TO + b"\r\nContent-Type: %b\r\n\r\nhello" % content_type
    message = read_message("m1", "message/cpim", contents)
    assert message.cpim is not None
    assert read.count(contents) == 1
