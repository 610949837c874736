"""``message/cpim``: headers, and the content they are about.

Whatever the octets are:

* they are a message or a :exc:`CpimError`, and the strict reader takes no more than
  the tolerant one;
* what was read is written back octet for octet, but for bare line feeds, and reads
  back equal;
* no property raises, and who it is from and to can be written again.
"""

from __future__ import annotations

import contextlib

from cpim import Address, CpimError, CpimMessage, DateTime, Header, escape, unescape

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"From: Alice <sip:a@b>\r\n",
    b'From: "A \\" \\u00e9" <im:a@b>\r\n',
    b"To: <sip:c@d>\r\n",
    b"cc: sip:e@f\r\n",
    b"DateTime: 2026-05-15T15:02:60.5-03:00\r\n",
    b"DateTime: 9999-12-31T23:59:60Z\r\n",
    b"Subject:;lang=fr x\r\n",
    b'Subject:;lang="f\\"r" x\r\n',
    b"NS: imdn <urn:ietf:params:imdn>\r\n",
    b"NS: <urn:x>\r\n",
    b"NS: <urn:ietf:params:cpim-headers:>\r\n",
    b"Require: imdn.Message-ID, From\r\n",
    b"imdn.Message-ID: 1\r\n",
    b"Content-Type: text/plain; charset=utf-8\r\n",
    b"Content-ID: <1@a>\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"MIME-Version: 1.0\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\\u",
    b"\\",
    b'"',
    b"\0",
    b"\xff",
)


def fuzz(data: bytes) -> None:
    check_values(data)
    try:
        message = CpimMessage.parse(data)
    except CpimError:
        message = None
    try:
        strict = CpimMessage.parse(data, strict=True)
    except CpimError:
        strict = None
    if message is None:
        assert strict is None
        return
    assert strict is None or strict == message
    check_written(data, message)
    check_properties(message)


def check_written(data: bytes, message: CpimMessage) -> None:
    assert data.endswith(message.content)
    written = bytes(message)
    again = CpimMessage.parse(written)
    assert again == message
    assert again.require == message.require
    assert bytes(again) == written
    if b"\n" not in data.replace(b"\r\n", b""):
        assert written == data


def check_properties(message: CpimMessage) -> None:
    for address in (message.sender, *message.to, *message.cc):
        assert address is None or Address.parse(str(address), strict=True) == address
    for header in message.headers:
        assert message.get_all(header.local_name, header.namespace or "") or (
            header.namespace is None
        )
        assert isinstance(header.value, str)
        assert isinstance(header.language, str)
    if message.date_time is not None and message.date_time.value is not None:
        moment = DateTime.of(message.date_time.value)
        assert DateTime.parse(str(moment)).value == moment.value
    assert len(message.subjects) >= (message.subject is not None)
    assert set(message.unsupported_requirements()) <= set(message.require)
    understood = [(name.namespace or "", name.name) for name in message.require]
    for name in message.unsupported_requirements(understood):
        assert name.namespace is None
    assert isinstance(message.text, str)
    assert str(message.content_type)


def check_values(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert unescape(escape(text)) == text
    unescape(text)
    with contextlib.suppress(CpimError):
        header = Header.parse(data)
        assert Header.parse(bytes(header)) == header
    with contextlib.suppress(CpimError):
        address = Address.parse(text)
        assert Address.parse(str(address), strict=True) == address
    DateTime.parse(text)
