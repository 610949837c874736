"""Bodies of several parts, and the header fields that say what each is.

An input is the value of a ``Content-Type``, LF, and a body.  Whatever the octets are:

* a body comes apart or is a :exc:`MimeError`;
* each part is a piece of the body, octet for octet, and no property of it raises;
* the parts can be put together again, and come apart equal;
* types and dispositions read back equal.
"""

from __future__ import annotations

import contextlib

from mime import (
    ContentDisposition,
    ContentType,
    MidUrl,
    MimeError,
    MimeLimitExceeded,
    Part,
    build_multipart,
    cid_url,
    content_ids_of,
    parse_multipart,
    safe_filename,
)

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"multipart/mixed; boundary=x\n",
    b'multipart/related; boundary="x y"; start="<a@b>"\n',
    b"multipart/digest;boundary=x\n",
    b"--x\r\n",
    b"--x--\r\n",
    b"\r\n--x\r\n",
    b"--y\r\n",
    b"Content-Type: multipart/alternative; boundary=y\r\n\r\n",
    b"Content-Type: text/plain; charset=iso-2022-jp\r\n",
    b"Content-Type: text/plain; charset=utf-16\r\n",
    b"Content-ID: <a@b>\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b'Content-Disposition: attachment; filename="a/..\\\\b"\r\n',
    b"Content-Disposition: inline; filename*=utf-8''%e2%82%ac; size=12\r\n",
    b"; filename*0*=koi8-r''a; filename*1=b",
    b" folded\r\n",
    b"(comment)",
    b"cid:a%40b",
    b"=0D",
    b"=\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\n",
    b'"',
    b"\\",
    b"\0",
    b"\xff",
)

MAX_PARTS = 30
MAX_DEPTH = 4


def fuzz(data: bytes) -> None:
    field, _, body = data.partition(b"\n")
    check_fields(field)
    check_part(body)
    with contextlib.suppress(MimeError):
        check_multipart(ContentType.parse(field), body)


def check_fields(field: bytes) -> None:
    text = field.decode("utf-8", "replace")
    with contextlib.suppress(MimeError):
        content_type = ContentType.parse(field)
        assert ContentType.parse(str(content_type)) == content_type
        assert content_type.matches(content_type.essence)
    with contextlib.suppress(MimeError):
        disposition = ContentDisposition.parse(field)
        assert ContentDisposition.parse(str(disposition)) == disposition
        check_filename(disposition.filename)
        assert (disposition.size or 0) >= 0
        assert disposition.handling in ("optional", "required")
    with contextlib.suppress(MimeError):
        assert content_ids_of(cid_url(text))[0] == text.removeprefix("<").removesuffix(
            ">"
        )
    with contextlib.suppress(MimeError):
        content_ids_of(text)
    with contextlib.suppress(MimeError):
        url = MidUrl.parse(text)
        assert MidUrl.parse(str(url)) == url


def check_filename(name: str | None) -> None:
    if name is None:
        return
    safe = safe_filename(name)
    assert safe
    assert safe_filename(safe) == safe
    assert not set(safe) & set("/\\\0\r\n:")
    assert safe.strip(". ") == safe
    assert len(safe.encode()) <= 255
    as_sent = ContentDisposition.build("attachment", filename=safe)
    assert ContentDisposition.parse(str(as_sent)).filename == safe


def check_part(data: bytes) -> None:
    try:
        part = Part.parse(data)
    except MimeLimitExceeded:
        return
    assert bytes(part) == data
    check_properties(part)


def check_properties(part: Part) -> None:
    assert ContentType.parse(str(part.content_type)) == part.content_type
    assert len(part.content) <= len(part.body)
    # Each octet may at most become one character of an unexpected charset.
    assert len(part.text) <= len(part.content)
    assert all(isinstance(warning, str) for warning in part.warnings)
    assert part.header("content-id") is not None or part.content_id is None
    if part.disposition is not None:
        check_filename(part.disposition.filename)


def check_multipart(content_type: ContentType, body: bytes) -> None:
    multipart = parse_multipart(
        content_type, body, max_parts=MAX_PARTS, max_depth=MAX_DEPTH
    )
    leaves = list(multipart.walk())
    assert 1 <= len(leaves) <= MAX_PARTS
    assert multipart.root in multipart.parts
    for part in leaves:
        assert bytes(part) in body
        check_properties(part)
        if part.content_id:
            assert multipart.find_content_id(part.content_id) is not None
    try:
        built = build_multipart(multipart.parts)
    except MimeLimitExceeded:
        return  # What was left whole may hold more than is allowed.
    again = parse_multipart(*built, max_parts=MAX_PARTS, max_depth=MAX_DEPTH)
    assert again.parts == multipart.parts
    assert not again.truncated
