from __future__ import annotations

import pytest

from msrp.headers import ByteRange
from msrp.sansio.reports import encode_report


@pytest.mark.rule("MSRP-19", "MSRP-80", "MSRP-81", "MSRP-83")
def test_a_report_holds_what_it_must_and_no_report_fields() -> None:
    report = encode_report(
        "tid1",
        "msrp://relay.example:1;tcp msrp://alice.example:1/a;tcp",
        "msrp://bob.example:1/b;tcp",
        message_id="m123",
        byte_range=ByteRange(1, 9, 9),
        code=200,
    )
    assert report == (
        b"MSRP tid1 REPORT\r\n"
        b"To-Path: msrp://relay.example:1;tcp msrp://alice.example:1/a;tcp\r\n"
        b"From-Path: msrp://bob.example:1/b;tcp\r\n"
        b"Message-ID: m123\r\n"
        b"Byte-Range: 1-9/9\r\n"
        b"Status: 000 200 OK\r\n"
        b"-------tid1$\r\n"
    )
