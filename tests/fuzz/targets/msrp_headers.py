"""Header sections, and the values in them.

Whatever the octets are:

* a header section is read or refused with 400, and what can be salvaged of one is
  what reading it gives;
* what was read can be written, and reads back equal;
* so does each value by itself: a URI, a range, a status, a list of types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msrp.accept_types import AcceptTypes
from msrp.errors import InvalidUri, RemoteProtocolError
from msrp.headers import (
    ByteRange,
    RequestHead,
    Status,
    salvage_path,
    salvage_value,
)
from msrp.sansio.encoder import encode_head
from msrp.status import StatusCode
from msrp.uri import MsrpUri, format_path

__all__ = ["WORDS", "fuzz"]

T = TypeVar("T")

WORDS = (
    b"To-Path: msrp://a:1/s;tcp\r\n",
    b"From-Path: msrps://b.example:2855/t;tcp\r\n",
    b"From-Path: msrp://r:1;tcp msrp://u@[::1]:2/t;tcp;x=y\r\n",
    b"Message-ID: abcd\r\n",
    b"Byte-Range: 1-*/*\r\n",
    b"Byte-Range: 1-2/3\r\n",
    b"Status: 000 200 OK\r\n",
    b"Content-Type: text/plain",
    b"Failure-Report: partial\r\n",
    b"Success-Report: yes\r\n",
    b"X-Other: y\r\n",
    b"msrp://",
    b"msrps://",
    b";tcp",
    b":65535",
    b"%41",
    b"[::ffff:1.2.3.4]",
    b'text/*;a="b c"',
    b": ",
    b"\r\n",
    b"\0",
)


def fuzz(data: bytes) -> None:
    check_section(data)
    check_values(data)


def check_section(block: bytes) -> None:
    from_path, to_path = (
        salvage_path(block, b"from-path"),
        salvage_path(block, b"to-path"),
    )
    salvage_value(block, b"failure-report")
    try:
        head = RequestHead.parse("tid1", "SEND", block)
    except RemoteProtocolError as error:
        check_refusal(error)
        return
    assert (head.from_path, head.to_path) == (from_path, to_path)
    written = write(head)
    again = RequestHead.parse("tid1", "SEND", written)
    assert again == head
    assert write(again) == written


def check_refusal(error: RemoteProtocolError) -> None:
    assert error.status == StatusCode.BAD_REQUEST
    assert str(error).isprintable()


def write(head: RequestHead) -> bytes:
    """Write a header section as one of ours is written."""
    fields = [*head.others.items()]
    fields.append(("Failure-Report", head.failure_report.value))
    fields.append(("Success-Report", "yes" if head.success_report else "no"))
    if head.message_id is not None:
        fields.append(("Message-ID", head.message_id))
    if head.byte_range is not None:
        fields.append(("Byte-Range", str(head.byte_range)))
    if head.status is not None:
        fields.append(("Status", str(head.status)))
    octets = encode_head(
        head.transaction_id,
        head.method,
        format_path(head.to_path),
        format_path(head.from_path),
        fields,
        head.content_type,
    )
    return octets.partition(b"\r\n")[2].removesuffix(b"\r\n\r\n")


def check_values(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    uri = read_back(text, MsrpUri.parse, InvalidUri)
    if uri is not None:
        again = MsrpUri.parse(str(uri))
        assert (again.parameters, again.userinfo) == (uri.parameters, uri.userinfo)
        assert hash(again) == hash(uri)
        assert again.secure is uri.secure
    read_back(text, ByteRange.parse, RemoteProtocolError)
    read_back(text, Status.parse, RemoteProtocolError)
    accepted = AcceptTypes.parse(text)
    assert AcceptTypes.parse(str(accepted)) == accepted
    for entry in accepted.entries:
        assert accepted.covers(entry)


def read_back(text: str, parse: Callable[[str], T], error: type[Exception]) -> T | None:
    try:
        value = parse(text)
    except error:
        return None
    assert parse(str(value)) == value
    assert str(parse(str(value))) == str(value)
    return value
