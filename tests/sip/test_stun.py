"""Binding requests and answers, octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.stun import StunMessage, is_stun

ID = bytes(range(12))

# RFC 5769 §2.2 and §2.3, whose other attributes are let pass.
VECTOR_ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")


def response(attributes: str) -> bytes:
    body = bytes.fromhex(attributes)
    head = b"\x01\x01" + len(body).to_bytes(2) + b"\x21\x12\xa4\x42"
    return head + VECTOR_ID + body


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize(
    ("attributes", "address"),
    [
        ("8022000b7465737420766563746f7220002000080001a147e112a643", "192.0.2.1"),
        (
            "8022000b7465737420766563746f7220"
            "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
            "2001:db8:1234:5678:11:2233:4455:6677",
        ),
    ],
    ids=["ipv4", "ipv6"],
)
def test_the_vectors_of_the_rfc_are_read(attributes: str, address: str) -> None:
    message = StunMessage.parse(response(attributes))
    assert message == StunMessage(VECTOR_ID, False, (address, 32853))


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize(
    "message",
    [
        StunMessage(ID),
        StunMessage(ID, False),
        StunMessage(ID, False, ("192.0.2.1", 5060)),
        StunMessage(ID, False, ("2001:db8::1", 65535)),
    ],
)
def test_what_is_written_is_read(message: StunMessage) -> None:
    assert StunMessage.parse(bytes(message)) == message


@pytest.mark.rule("SIP-17", "SIP-68")
@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(20), id="no-cookie"),
        pytest.param(bytes(StunMessage(ID))[:19], id="short"),
        pytest.param(bytes(StunMessage(ID)) + b"xxxx", id="long"),
        pytest.param(b"\x00\x03" + bytes(StunMessage(ID))[2:], id="another-method"),
        pytest.param(b"\x40\x01" + bytes(StunMessage(ID))[2:], id="top-bits"),
    ],
)
def test_what_is_no_binding_is_nothing(octets: bytes) -> None:
    assert StunMessage.parse(octets) is None


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        "00200008",
        "0020000400010000",
        "002000080002a147e112a643",
        "00200001ff000000",
    ],
)
def test_an_answer_without_a_proper_address_has_none(attributes: str) -> None:
    message = StunMessage.parse(response(attributes))
    assert message is None or message.address is None


@pytest.mark.rule("SIP-68")
@given(st.binary(max_size=200))
def test_anything_may_come(octets: bytes) -> None:
    StunMessage.parse(octets)
    body = octets[: len(octets) // 4 * 4]
    head = b"\x01\x01" + len(body).to_bytes(2) + b"\x21\x12\xa4\x42"
    message = StunMessage.parse(head + ID + body)
    assert message is not None
    assert message.transaction_id == ID


def test_no_sip_message_looks_like_it() -> None:
    assert not is_stun(b"INVITE sip:a@b SIP/2.0\r\n")
    assert not is_stun(b"\r\n\r\n")
    assert is_stun(bytes(StunMessage(ID)))
