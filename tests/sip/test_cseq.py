from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.cseq import MAX_CSEQ, CSeq
from sip.errors import SipParseError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("4711 INVITE", CSeq(4711, "INVITE"), id="plain"),
        pytest.param("0009  \t INVITE", CSeq(9, "INVITE"), id="zeros-and-spaces"),
        pytest.param("0 ack", CSeq(0, "ack"), id="zero-and-case"),
        pytest.param("4294967295 BYE", CSeq(2**32 - 1, "BYE"), id="32-bits"),
    ],
)
@pytest.mark.rule("SIP-9", "SIP-67")
def test_a_cseq_is_read(text: str, expected: CSeq) -> None:
    assert CSeq.parse(text) == expected
    assert CSeq.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "INVITE",
        "INVITE 1",
        "1 IN VITE",
        "-1 INVITE",
        "1 IN/VITE",
        "4294967296 INVITE",
        "36893488147419103232 REGISTER",
        "9" * 5000 + " INVITE",
    ],
)
@pytest.mark.rule("SIP-9", "SIP-67")
def test_what_is_no_cseq_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        CSeq.parse(text)


@pytest.mark.rule("SIP-9")
def test_what_we_send_has_31_bits() -> None:
    assert MAX_CSEQ == 2**31 - 1


@given(st.text("019 INVITE\t/-\0é"))
@settings(deadline=None, max_examples=100)
@pytest.mark.rule("SIP-68")
def test_a_cseq_is_read_or_refused(text: str) -> None:
    try:
        cseq = CSeq.parse(text)
    except SipParseError:
        return
    assert CSeq.parse(str(cseq)) == cseq
