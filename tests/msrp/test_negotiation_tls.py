from __future__ import annotations

import hashlib

import pytest

from msrp.errors import NegotiationError
from msrp.negotiation import (
    Fingerprint,
    MediaDescription,
    answer_media,
    offer_media,
)
from tests.msrp.sections import (
    ALICE_TLS,
    BOB,
    BOB_TLS,
    CERTIFICATE,
    OTHER_CERTIFICATE,
    SHA_256,
    as_answerer,
    as_offerer,
    plain,
    tls,
    whole,
)


@pytest.mark.rule("MSRP-118", "FP-1", "FP-3", "COM-7")
def test_the_certificate_must_be_the_one_announced() -> None:
    offer = offer_media(ALICE_TLS, fingerprints=[SHA_256])
    answer = answer_media(
        offer, BOB_TLS, fingerprints=[Fingerprint.of_certificate(OTHER_CERTIFICATE)]
    )
    assert answer is not None
    ours, theirs = as_offerer(offer, answer), as_answerer(offer, answer)
    assert ours.secure
    assert theirs.secure
    assert ours.certificate_matches(OTHER_CERTIFICATE)
    assert not ours.certificate_matches(CERTIFICATE)
    assert theirs.certificate_matches(CERTIFICATE)
    assert not theirs.certificate_matches(OTHER_CERTIFICATE)


@pytest.mark.rule("FP-3")
def test_only_the_best_hash_function_counts() -> None:
    wrong = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    right = Fingerprint.of_certificate(CERTIFICATE, "sha-1")
    answer = tls(f"fingerprint:{right}", f"fingerprint:{wrong}", path=BOB_TLS)
    session = as_offerer(tls(), answer)
    assert session.remote_fingerprints == (right, wrong)
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-2")
def test_md5_is_announced_in_vain() -> None:
    digest = hashlib.md5(CERTIFICATE, usedforsecurity=False).digest()
    answer = tls(f"fingerprint:MD5 {digest.hex(':').upper()}", path=BOB_TLS)
    session = as_offerer(tls(), answer)
    assert session.remote_fingerprints
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-1")
def test_a_digest_in_lower_case_is_read() -> None:
    answer = tls(f"fingerprint:SHA-256 {SHA_256.digest.hex(':')}", path=BOB_TLS)
    assert as_offerer(tls(), answer).certificate_matches(CERTIFICATE)


@pytest.mark.rule("MSRP-118", "FP-1")
def test_no_fingerprint_is_left_for_the_caller_to_judge() -> None:
    session = as_offerer(tls(), tls(path=BOB_TLS))
    assert session.secure
    assert session.remote_fingerprints == ()
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-1")
@pytest.mark.parametrize("in_media", [True, False])
def test_a_fingerprint_of_the_whole_session_holds_unless_the_stream_has_one(
    in_media: bool,
) -> None:
    own = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    media = tls(*([f"fingerprint:{own}"] if in_media else []), path=BOB_TLS)
    answer = whole(media, lines=[f"a=fingerprint:{SHA_256}"])
    session = as_offerer(whole(tls()), answer)
    assert session.remote_fingerprints == ((own,) if in_media else (SHA_256,))


@pytest.mark.rule("COM-7")
def test_the_fingerprint_of_a_peer_does_not_name_the_certificate_of_its_relay() -> None:
    path = f"msrps://relay.example.com:9000/hjdhfha;tcp {BOB_TLS}"
    session = as_offerer(tls(), tls(f"fingerprint:{SHA_256}", path=path))
    assert session.secure
    assert session.remote_fingerprints == ()


@pytest.mark.rule("FP-1")
def test_a_fingerprint_without_tls_means_nothing_however_malformed() -> None:
    session = as_offerer(plain(), plain("fingerprint:sha-256 0", path=BOB))
    assert not session.secure
    assert session.remote_fingerprints == ()


@pytest.mark.rule("OA-12", "OA-41")
def test_an_answer_may_bring_in_tls_by_way_of_a_relay() -> None:
    """RFC 4976 section 11 shows it."""
    offer = MediaDescription.parse(
        "m=message 1234 TCP/MSRP *\n"
        "c=IN IP4 a.example.com\n"
        "a=accept-types: message/cpim text/plain text/html\n"
        "a=path:msrp://a.example.com:1234/agic456;tcp\n"
    )
    answer = MediaDescription.parse(
        "m=message 1234 TCP/TLS/MSRP *\n"
        "c=IN IP4 bob.example.com\n"
        "a=accept-types: message/cpim text/plain\n"
        "a=path:msrps://relay.example.com:9000/hjdhfha;tcp  "
        "msrps://bob.example.com:1234/fuige;tcp\n"
    )
    session = as_offerer(offer, answer)
    assert session.is_active
    assert session.secure
    assert session.connect_to == ("relay.example.com", 9000)
    assert session.remote_accept_types.first == "message/cpim"
    assert session.accept_types.entries == ("message/cpim", "text/plain", "text/html")


@pytest.mark.rule("MSRP-120")
def test_an_answer_must_not_take_tls_away() -> None:
    with pytest.raises(NegotiationError, match="gives up the TLS"):
        as_offerer(tls(), plain(path=BOB))


def test_whose_uri_is_connected_to_decides_about_tls() -> None:
    offer = tls("setup:actpass")
    answer = plain("setup:active", path=BOB)
    assert as_offerer(offer, answer).secure
    offer = plain("setup:actpass")
    answer = tls("setup:active", f"fingerprint:{SHA_256}", path=BOB_TLS)
    session = as_offerer(offer, answer)
    assert not session.secure
    assert session.remote_fingerprints == ()
