from __future__ import annotations

import hashlib

import pytest

from sdp import (
    Attribute,
    Fingerprint,
    MediaDescription,
    Origin,
    SdpError,
    SessionDescription,
    certificate_matches,
    fingerprints_of,
)

DER = b"the octets of a certificate"
OTHER = b"the octets of another"
SHA1 = hashlib.sha1(DER).hexdigest().upper()


def pairs(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def stream(*fingerprints: str) -> MediaDescription:
    return MediaDescription(
        "message",
        2855,
        "TCP/TLS/MSRP",
        ("*",),
        attributes=tuple(Attribute("fingerprint", value) for value in fingerprints),
    )


@pytest.mark.rule("FP-1")
@pytest.mark.parametrize("name", ["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"])
def test_a_fingerprint_is_a_hash_in_upper_case_pairs(name: str) -> None:
    digits = hashlib.new(name.replace("-", ""), DER).hexdigest().upper()
    fingerprint = Fingerprint.of_certificate(DER, name)
    assert str(fingerprint) == f"{name} {pairs(digits)}"
    assert Fingerprint.parse(str(fingerprint)) == fingerprint
    assert certificate_matches([fingerprint], DER)
    assert not certificate_matches([fingerprint], OTHER)


@pytest.mark.rule("FP-1", "FP-2")
def test_sha256_is_what_is_made_unless_told_otherwise() -> None:
    assert Fingerprint.of_certificate(DER).hash_func == "sha-256"


@pytest.mark.rule("FP-1")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"SHA-1 {pairs(SHA1)}", id="name-in-upper-case"),
        pytest.param(f"sha-1 {pairs(SHA1.lower())}", id="digits-in-lower-case"),
        pytest.param(f" sha-1 {pairs(SHA1)} ", id="spaces-around"),
    ],
)
def test_reads_other_ways_of_writing(value: str) -> None:
    fingerprint = Fingerprint.parse(value)
    assert fingerprint == Fingerprint.of_certificate(DER, "SHA-1")
    assert str(fingerprint) == f"sha-1 {pairs(SHA1)}"


@pytest.mark.rule("FP-1")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="nothing"),
        pytest.param("sha-1", id="no-digest"),
        pytest.param("sha-1 ", id="empty-digest"),
        pytest.param(f"sha-1 {SHA1}", id="no-colons"),
        pytest.param(f"sha-1 {pairs(SHA1)}:", id="colon-at-the-end"),
        pytest.param(f"sha-1  {pairs(SHA1)}", id="two-spaces"),
        pytest.param(f"sha-1 {pairs(SHA1[2:])}", id="too-short"),
        pytest.param(f"sha-256 {pairs(SHA1)}", id="length-of-another-function"),
        pytest.param(f"md5 {pairs(SHA1)}", id="md5-length"),
        pytest.param(f"sha-1 {pairs(SHA1[:-1] + 'G')}", id="not-hexadecimal"),
        pytest.param(f"sha-1 {pairs(SHA1[:-1] + ' ')}x", id="space-in-pair"),
        pytest.param(f"s/1 {pairs(SHA1)}", id="name-no-token"),
        pytest.param(" " + pairs(SHA1), id="no-name"),
        pytest.param(f"sha-1 {pairs(SHA1[:-2])}:\uff11\uff11", id="wide-digits"),
    ],
)
def test_malformed_fingerprints_are_refused(value: str) -> None:
    with pytest.raises(SdpError):
        Fingerprint.parse(value)
    # It is no reason to believe that the peer has sent none.
    with pytest.raises(SdpError):
        fingerprints_of(stream(value or " ", str(Fingerprint.of_certificate(DER))))


def test_a_fingerprint_with_a_wrong_name_or_length_cannot_be_made() -> None:
    for name, size in (("SHA-1", 20), ("", 20), ("sha-1", 19), ("new", 0)):
        with pytest.raises(SdpError):
            Fingerprint(name, bytes(size))


@pytest.mark.rule("FP-2")
@pytest.mark.parametrize("name", ["md5", "MD5", "md2", "crc-32", "sha256", ""])
def test_fingerprints_are_not_made_with_weak_or_unknown_functions(name: str) -> None:
    with pytest.raises(SdpError):
        Fingerprint.of_certificate(DER, name)


@pytest.mark.rule("FP-2")
def test_weak_and_unknown_functions_match_nothing() -> None:
    md5 = Fingerprint("md5", hashlib.md5(DER).digest())
    unknown = Fingerprint("sha3-256", hashlib.sha3_256(DER).digest())
    assert not certificate_matches([md5, unknown], DER)
    assert not certificate_matches([], DER)
    # They don't harm those that do.
    assert certificate_matches([md5, unknown, Fingerprint.of_certificate(DER)], DER)


@pytest.mark.rule("FP-2")
def test_a_weak_fingerprint_is_not_the_same_as_none() -> None:
    assert fingerprints_of(stream(f"md5 {pairs('00' * 16)}")) == (
        Fingerprint("md5", bytes(16)),
    )
    assert fingerprints_of(stream()) == ()


@pytest.mark.rule("FP-3")
def test_only_the_preferred_function_counts() -> None:
    right_sha1 = Fingerprint.of_certificate(DER, "sha-1")
    wrong_sha256 = Fingerprint.of_certificate(OTHER, "sha-256")
    for order in ([right_sha1, wrong_sha256], [wrong_sha256, right_sha1]):
        assert not certificate_matches(order, DER)
    right_sha512 = Fingerprint.of_certificate(DER, "sha-512")
    assert not certificate_matches([right_sha512, wrong_sha256], DER)


@pytest.mark.rule("FP-3")
def test_one_of_several_certificates_is_enough() -> None:
    both = [Fingerprint.of_certificate(OTHER), Fingerprint.of_certificate(DER)]
    assert certificate_matches(both, DER)
    assert certificate_matches(both, OTHER)
    assert not certificate_matches(both, b"a third")


@pytest.mark.rule("FP-1")
def test_fingerprints_of_a_stream_override_those_of_the_session() -> None:
    mine, theirs = Fingerprint.of_certificate(DER), Fingerprint.of_certificate(OTHER)
    description = SessionDescription(
        Origin("-", 1, 1, "IN", "IP4", "192.0.2.1"),
        (stream(str(mine)), stream()),
        attributes=(Attribute("fingerprint", str(theirs)),),
    )
    own, inheriting = description.media
    assert fingerprints_of(own, description) == (mine,)
    assert fingerprints_of(inheriting, description) == (theirs,)
    assert fingerprints_of(description.effective_media(0)) == (mine,)
    assert fingerprints_of(description.effective_media(1)) == (theirs,)
