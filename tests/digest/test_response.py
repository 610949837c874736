"""The arithmetic, by the vectors of the RFCs and those of other implementations."""

from __future__ import annotations

import hashlib

import pytest

from digest import Algorithm, Qop, ha1, response_digest
from digest.response import format_count, user_hash

RFC_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
RFC_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
SIP_NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
SIP_CNONCE = "0a4f113b"


@pytest.mark.rule("SIP-61", "SIP-62", "SIP-64")
@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        pytest.param(Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec", id="MD5"),
        pytest.param(
            Algorithm.SHA_256,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            id="SHA-256",
        ),
    ],
)
def test_the_example_of_rfc_7616(algorithm: Algorithm, expected: str) -> None:
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert expected == response_digest(
        algorithm,
        secret,
        method="GET",
        uri="/dir/index.html",
        nonce=RFC_NONCE,
        qop=Qop.AUTH,
        count=1,
        cnonce=RFC_CNONCE,
    )


@pytest.mark.rule("SIP-61", "SIP-62", "SIP-64")
@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        pytest.param(Algorithm.MD5, "89eb0059246c02b2f6ee02c7961d5ea3", id="MD5"),
        pytest.param(
            Algorithm.MD5_SESS, "e4e4ea61d186d07a92c9e1f6919902e9", id="MD5-sess"
        ),
        pytest.param(
            Algorithm.SHA_256,
            "b3b5a6c69453abafaab9ae4dccdac90a076b6c80615d5f3498e7433b6e93bf4f",
            id="SHA-256",
        ),
        pytest.param(
            Algorithm.SHA_256_SESS,
            "5da59c9ca40954be9d5063a15a174066c8251be2c10cf47c144c366dc7daf792",
            id="SHA-256-sess",
        ),
    ],
)
def test_an_invite_in_each_variant(algorithm: Algorithm, expected: str) -> None:
    assert expected == response_digest(
        algorithm,
        ha1(algorithm, "bob", "biloxi.com", "zanzibar"),
        method="INVITE",
        uri="sip:bob@biloxi.com",
        nonce=SIP_NONCE,
        qop=Qop.AUTH,
        count=1,
        cnonce=SIP_CNONCE,
    )


@pytest.mark.rule("SIP-61", "SIP-64")
def test_without_qop_it_is_the_form_of_rfc_2069() -> None:
    assert (
        response_digest(
            Algorithm.MD5,
            ha1(Algorithm.MD5, "bob", "biloxi.com", "zanzibar"),
            method="REGISTER",
            uri="sip:biloxi.com",
            nonce=SIP_NONCE,
        )
        == "4441045a8075db3ead543693997e2a0e"
    )


@pytest.mark.rule("RLY-5", "RLY-7")
@pytest.mark.parametrize(
    ("algorithm", "method", "expected"),
    [
        pytest.param(
            Algorithm.MD5, "AUTH", "750e4fd73ea1221cef6d74424f4cd590", id="response"
        ),
        pytest.param(
            Algorithm.MD5, "", "a962aa47b6f93658341e5a8973ff8aa9", id="rspauth"
        ),
        pytest.param(
            Algorithm.SHA_256,
            "AUTH",
            "a42e80831892a0816d3c5b328d977976d5456b78c313e1d2dc2babcfaa192542",
            id="SHA-256",
        ),
    ],
)
def test_an_auth_to_an_msrp_relay(
    algorithm: Algorithm, method: str, expected: str
) -> None:
    assert expected == response_digest(
        algorithm,
        ha1(algorithm, "Alice", "intra.example.com", "secret"),
        method=method,
        uri="msrps://alice@intra.example.com;tcp",
        nonce=SIP_NONCE,
        qop=Qop.AUTH,
        count=1,
        cnonce=SIP_CNONCE,
    )


@pytest.mark.skipif(
    not Algorithm.SHA_512_256.is_available, reason="this OpenSSL has no SHA-512/256"
)
def test_sha_512_256_is_not_sha_512_cut_short_as_the_rfc_has_it() -> None:
    # FIPS 180-4: SHA-512/256 of "abc".  Section 3.9.2 of RFC 7616 shows other values
    # for its example, those of a SHA-512 of which the half was thrown away.
    digest = "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
    assert Algorithm.SHA_512_256.hash(b"abc") == digest
    name, realm = "Jäsøn Doe", "api@example.org"
    assert (
        user_hash(Algorithm.SHA_512_256, name, realm)
        == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    )
    cut_short = hashlib.sha512(f"{name}:{realm}".encode()).hexdigest()[:64]
    assert cut_short.startswith("488869477bf257147b804c45308cd62a")


@pytest.mark.rule("SIP-61")
def test_auth_int_covers_the_body_even_if_there_is_none() -> None:
    def digest(body: bytes) -> str:
        return response_digest(
            Algorithm.SHA_256,
            "secret",
            method="MESSAGE",
            uri="sip:a",
            nonce="n",
            qop=Qop.AUTH_INT,
            count=1,
            cnonce="c",
            body=body,
        )

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    a2 = sha(f"MESSAGE:sip:a:{empty}")
    assert digest(b"") == sha(f"secret:n:00000001:c:auth-int:{a2}")
    assert digest(b"x") != digest(b"")


@pytest.mark.rule("SIP-61")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_digests_are_lower_case_hexadecimal_digits(algorithm: Algorithm) -> None:
    if not algorithm.is_available:
        pytest.skip("not in this OpenSSL")
    length = 32 if algorithm.plain is Algorithm.MD5 else 64
    digest = ha1(algorithm, "ä", "r", "p")
    assert len(digest) == length
    assert set(digest) <= set("0123456789abcdef")


def test_octets_that_are_not_utf_8_are_hashed_as_they_came() -> None:
    realm = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert (
        ha1(Algorithm.MD5, "a", realm, "p")
        == hashlib.md5(b"a:caf\xe9:p", usedforsecurity=False).hexdigest()
    )


@pytest.mark.rule("SIP-62")
def test_a_count_has_eight_digits() -> None:
    assert format_count(1) == "00000001"
    assert format_count(0xABCDEF12) == "abcdef12"
