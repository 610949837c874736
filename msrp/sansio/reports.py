"""REPORT requests: what becomes of a message further on (:rfc:`4975#section-7.1.2`)."""

from __future__ import annotations

from msrp.headers import ByteRange, ContinuationFlag, Status
from msrp.sansio.encoder import encode_end, encode_head
from msrp.status import reason_phrase

__all__ = ["encode_report"]


def encode_report(
    transaction_id: str,
    to_path: str,
    from_path: str,
    *,
    message_id: str,
    byte_range: ByteRange,
    code: int,
) -> bytes:
    """Write a whole REPORT.

    It is never answered, never chunked, and carries no report fields of its own.
    The range is written even where it could be left out: those who only look at
    it are served, and the others don't mind.
    """
    fields = [
        ("Message-ID", message_id),
        ("Byte-Range", str(byte_range)),
        ("Status", str(Status(code, reason_phrase(code)))),
    ]
    head = encode_head(transaction_id, "REPORT", to_path, from_path, fields)
    return head + encode_end(transaction_id, ContinuationFlag.END)
