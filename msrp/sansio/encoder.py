"""Requests and responses as octets, in the one spelling that every stack takes.

Canonical case, To-Path before From-Path, one space after the colon, Content-Type
last (:rfc:`4975#section-9`): some peers ignore what is written otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from msrp.errors import LocalProtocolError
from msrp.headers import ContinuationFlag, is_ident
from msrp.status import reason_phrase

__all__ = [
    "encode_end",
    "encode_fields",
    "encode_head",
    "encode_middle",
    "encode_paths",
    "encode_response",
    "encode_tail",
]

_FLAGS = {flag: flag.value + b"\r\n" for flag in ContinuationFlag}


def encode_head(
    transaction_id: str,
    method: str,
    to_path: str,
    from_path: str,
    fields: Iterable[tuple[str, str]] = (),
    content_type: str | None = None,
) -> bytes:
    """Write a start line and a header section, and the empty line before a body.

    Args:
        transaction_id: The id that :func:`encode_end` must get as well.
        method: ``SEND``, ``REPORT``…
        to_path: URIs with single spaces between them.
        from_path: The same.
        fields: Further header fields, in order.
        content_type: The type of the body; ``None`` if there is none, which is
            not the same as an empty one.

    Raises:
        LocalProtocolError: A value would break the framing, or isn't Unicode.
    """
    assert is_ident(transaction_id)
    start_line = f"MSRP {transaction_id} {method}".encode()
    paths = encode_paths(to_path, from_path)
    return start_line + paths + encode_fields(fields) + encode_tail((), content_type)


def encode_fields(fields: Iterable[tuple[str, str]]) -> bytes:
    """Write header fields, each with the CRLF before it.

    Raises:
        LocalProtocolError: A value would break the framing, or isn't Unicode.
    """
    lines = [f"\r\n{name}: {value}" for name, value in fields]
    text = "".join(lines)
    # One look for all values: none may hold what separates them.
    if text.count("\r") != len(lines) or text.count("\n") != len(lines):
        raise LocalProtocolError("a header value holds a line break", section="4975#9")
    if "\0" in text:
        raise LocalProtocolError("a header value holds a NUL", section="4975#9")
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Such as the name of a file that isn't in the locale's encoding.
        raise LocalProtocolError(
            "a header value holds what isn't Unicode", section="4975#9"
        ) from None


# What follows is the same in every request of a session, hence the caches.


@functools.lru_cache(maxsize=512)
def encode_paths(to_path: str, from_path: str) -> bytes:
    """Write To-Path and From-Path; as :func:`encode_fields`."""
    return encode_fields((("To-Path", to_path), ("From-Path", from_path)))


@functools.lru_cache(maxsize=128)
def encode_tail(fields: tuple[tuple[str, str], ...], content_type: str | None) -> bytes:
    """Write the last fields of a head, and the empty line if a body follows."""
    if content_type is None:
        return encode_fields(fields)
    return encode_fields((*fields, ("Content-Type", content_type))) + b"\r\n\r\n"


def encode_end(transaction_id: str, flag: ContinuationFlag) -> bytes:
    """Write the end-line, with the CRLF that comes before it."""
    return b"\r\n-------" + transaction_id.encode() + _FLAGS[flag]


def encode_response(
    transaction_id: str, code: int, to_path: str, from_path: str
) -> bytes:
    """Write a whole response (:rfc:`4975#section-7.2`)."""
    middle = encode_middle(code, to_path, from_path)
    return f"MSRP {transaction_id}{middle}{transaction_id}$\r\n".encode()


@functools.lru_cache(maxsize=512)
def encode_middle(code: int, to_path: str, from_path: str) -> str:
    """Write what stands in a response between the two places of its id."""
    phrase = reason_phrase(code)
    comment = f" {phrase}" if phrase else ""
    return (
        f" {code:03d}{comment}\r\n"
        f"To-Path: {to_path}\r\n"
        f"From-Path: {from_path}\r\n"
        "-------"
    )
