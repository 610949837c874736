"""Nobody reads credentials in a record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording import without_credentials


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Proxy-Authorization", "AUTHORIZATION", "Authentication-Info"],
)
def test_the_value_is_gone_and_nothing_moves(name: str) -> None:
    field = f'{name}: Digest username="bob",\r\n\tresponse="6629"'.encode()
    request = (
        b"REGISTER sip:a SIP/2.0\r\n" + field + b"\r\nCSeq: 1 REGISTER\r\n\r\nBody"
    )
    masked = without_credentials(request)
    assert len(masked) == len(request)
    assert b"6629" not in masked
    assert b"bob" not in masked
    assert masked.startswith(b"REGISTER sip:a SIP/2.0\r\n" + name.encode() + b": ****")
    assert masked.endswith(b"\r\nCSeq: 1 REGISTER\r\n\r\nBody")


def test_what_isn_t_secret_stays() -> None:
    octets = (
        b"MSRP abcd 401 Authorization: is wanted\r\n"
        b'WWW-Authenticate: Digest nonce="1"\r\n\r\nAuthorization: no field'
    )
    assert without_credentials(octets) == octets


def test_what_is_malformed_and_refused_for_it_is_masked_too() -> None:
    octets = b'A b\nAuthorization: Digest username="bob",\n response="6629"\nC: d\n\n'
    masked = without_credentials(octets)
    assert b"6629" not in masked
    assert masked.endswith(b"\nC: d\n\n")


def test_what_is_cut_off_in_the_middle_is_masked_too() -> None:
    assert without_credentials(b"A b\r\nAuthorization: Dig") == (
        b"A b\r\nAuthorization: ***"
    )


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_anything_keeps_its_length(octets: bytes) -> None:
    octets = b"X\r\nAuthorization: " + octets
    assert len(without_credentials(octets)) == len(octets)
