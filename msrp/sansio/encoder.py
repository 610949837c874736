"""Requests and responses as octets, in the one spelling that every stack takes.

Canonical case, To-Path before From-Path, one space after the colon, Content-Type
last (:rfc:`4975#section-9`): some peers ignore what is written otherwise.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from msrp.errors import LocalProtocolError
from msrp.headers import ContinuationFlag, is_ident
from msrp.status import reason_phrase

__all__ = [
    "encode_end",
    "encode_head",
    "encode_response",
    "new_message_id",
    "new_transaction_id",
]


def new_transaction_id() -> str:
    """Return a transaction id of 64 random bits (:rfc:`4975#section-7.1`)."""
    return secrets.token_hex(8)


def new_message_id() -> str:
    """Return a Message-ID that no endpoint will ever repeat."""
    return secrets.token_hex(12)


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
    lines = [
        f"MSRP {transaction_id} {method}",
        f"To-Path: {to_path}",
        f"From-Path: {from_path}",
    ]
    lines += [f"{name}: {value}" for name, value in fields]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    text = "\r\n".join(lines)
    # One look for all values: none may hold what separates them.
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1:
        raise LocalProtocolError("a header value holds a line break", section="4975#9")
    if "\0" in text:
        raise LocalProtocolError("a header value holds a NUL", section="4975#9")
    try:
        return (text + "\r\n\r\n" if content_type is not None else text).encode()
    except UnicodeEncodeError:
        # Such as the name of a file that isn't in the locale's encoding.
        raise LocalProtocolError(
            "a header value holds what isn't Unicode", section="4975#9"
        ) from None


def encode_end(transaction_id: str, flag: ContinuationFlag) -> bytes:
    """Write the end-line, with the CRLF that comes before it."""
    return b"\r\n-------" + transaction_id.encode() + flag.value + b"\r\n"


def encode_response(
    transaction_id: str, code: int, to_path: str, from_path: str
) -> bytes:
    """Write a whole response (:rfc:`4975#section-7.2`)."""
    phrase = reason_phrase(code)
    comment = f" {phrase}" if phrase else ""
    return (
        f"MSRP {transaction_id} {code:03d}{comment}\r\n"
        f"To-Path: {to_path}\r\n"
        f"From-Path: {from_path}\r\n"
        f"-------{transaction_id}$\r\n"
    ).encode()
