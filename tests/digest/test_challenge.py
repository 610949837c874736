from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import (
    MAX_CHALLENGES,
    Algorithm,
    Challenge,
    DigestError,
    Qop,
    parse_challenges,
)
from digest.grammar import MAX_VALUE

RFC_3261 = (
    'Digest realm="atlanta.com", domain="sip:boxesbybob.com sip:x", qop="auth", '
    'nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5'
)

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"))
    | st.sampled_from('"\\,= \tä')
    | st.integers(0xDC80, 0xDCFF).map(chr),
    max_size=20,
)
challenges = st.builds(
    Challenge,
    realm=texts,
    nonce=texts,
    algorithm=st.none() | st.sampled_from([a for a in Algorithm if a.is_available]),
    qop=st.sampled_from([(), (Qop.AUTH,), (Qop.AUTH_INT, Qop.AUTH)]),
    opaque=st.none() | texts,
    stale=st.booleans(),
    domain=st.none() | texts,
    userhash=st.booleans(),
)


def test_a_challenge_is_read() -> None:
    challenge = Challenge.parse(RFC_3261)
    assert challenge == Challenge(
        "atlanta.com",
        "f84f1cec41e6cbe5aea9c8e88d359",
        Algorithm.MD5,
        (Qop.AUTH,),
        opaque="",
        domain="sip:boxesbybob.com sip:x",
    )
    assert challenge.hashing is Algorithm.MD5


@pytest.mark.rule("SIP-61")
def test_md5_is_meant_when_no_algorithm_is_named() -> None:
    challenge = Challenge.parse('Digest realm="r", nonce="n"')
    assert challenge.algorithm is None
    assert challenge.hashing is Algorithm.MD5
    assert challenge.qop == ()


@pytest.mark.rule("SIP-62", "RLY-4")
def test_what_is_quoted_and_what_is_not_is_as_the_rfc_has_it() -> None:
    challenge = Challenge(
        'a "realm"',
        "n",
        Algorithm.SHA_256,
        (Qop.AUTH, Qop.AUTH_INT),
        opaque="o",
        stale=True,
        domain="d",
        userhash=True,
    )
    assert str(challenge) == (
        'Digest realm="a \\"realm\\"", domain="d", nonce="n", opaque="o", stale=true, '
        'algorithm=SHA-256, qop="auth, auth-int", userhash=true'
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('Digest realm=r, nonce=n==, qop=auth, algorithm="MD5"', id="bare"),
        pytest.param('DIGEST  Realm="r" ,nonce = "n==",QOP="auth"', id="spaces"),
        pytest.param('Digest ,realm="r",,nonce="n==",qop=" AUTH ,",', id="commas"),
        pytest.param('Digest realm="r", nonce="n==", qop="x,auth", y="a,b"', id="new"),
        pytest.param('digest\trealm="r",\tnonce="n==",qop="auth"', id="tabs"),
    ],
)
def test_what_is_common_and_not_by_the_book_is_read(text: str) -> None:
    challenge = Challenge.parse(text)
    assert (challenge.realm, challenge.nonce, challenge.qop) == (
        "r",
        "n==",
        (Qop.AUTH,),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Digest", id="bare-scheme"),
        pytest.param('realm="r", nonce="n"', id="no-scheme"),
        pytest.param('Basic realm="r", nonce="n"', id="other-scheme"),
        pytest.param('Digest realm="r"', id="no-nonce"),
        pytest.param('Digest nonce="n"', id="no-realm"),
        pytest.param('Digest realm="r", nonce="n", realm="s"', id="twice"),
        pytest.param('Digest realm="r, nonce="n"', id="unclosed"),
        pytest.param('Digest realm="r"x, nonce="n"', id="goes-on"),
        pytest.param('Digest realm=a b, nonce="n"', id="two-words"),
        pytest.param('Digest realm="r", nonce="n", qop="x"', id="unknown-qop"),
        pytest.param('Digest realm="r", nonce="n", algorithm=X', id="algorithm"),
        pytest.param('Digest realm="r\r\nX: y", nonce="n"', id="line-feed"),
        pytest.param('Digest realm="r\0", nonce="n"', id="nul"),
        pytest.param('Digest realm="\ud800", nonce="n"', id="no-octets"),
        pytest.param(f'Digest realm="r", nonce="{"n" * 5000}"', id="long"),
        pytest.param('Digest realm="r", nonce="n", Digest realm="r"', id="two"),
        pytest.param('Digest realm="r", nonce="n", @', id="junk"),
    ],
)
def test_what_is_not_a_challenge_is_refused(text: str) -> None:
    with pytest.raises(DigestError) as error:
        Challenge.parse(text)
    assert str(error.value) == error.value.problem


@pytest.mark.parametrize("text", ["a\rb", "\n", "\0", "x" * (MAX_VALUE + 1)])
def test_no_challenge_can_be_made_that_can_not_be_written(text: str) -> None:
    with pytest.raises(DigestError):
        Challenge(text, "n")
    with pytest.raises(DigestError):
        Challenge("r", "n", opaque=text)


@pytest.mark.rule("SIP-60", "RLY-4")
def test_basic_and_unknown_algorithms_are_passed_over() -> None:
    lines = [
        'Basic realm="r"',
        'Digest realm="r", nonce="0", algorithm=SHA3-512',
        'Digest realm="r", nonce="1", algorithm=SHA-256',
        'NTLM, Digest realm="r", nonce="2", Negotiate YWI, Digest realm=s, nonce="3"',
        "Basic YWJjOmRlZg==",
        'Digest realm="unclosed',
        'Digest realm="r", nonce="4"',
    ]
    assert [c.nonce for c in parse_challenges(lines)] == ["1", "2", "3", "4"]


def test_only_so_many_challenges_are_read() -> None:
    line = ", ".join(f'Digest realm="{n}", nonce="n"' for n in range(MAX_CHALLENGES))
    read = parse_challenges([line, line])
    assert [c.realm for c in read] == [str(n) for n in range(MAX_CHALLENGES)]


@given(challenges)
@settings(deadline=None)
def test_what_is_written_reads_back_equal(challenge: Challenge) -> None:
    assert Challenge.parse(str(challenge)) == challenge
    assert parse_challenges([f"{challenge}, {challenge}"]) == (challenge, challenge)


@given(st.text() | st.text('Digest realm="nonce,\\qop=auth \t', max_size=60))
@settings(deadline=None)
def test_whatever_comes_is_a_challenge_or_an_error(text: str) -> None:
    for candidate in (text, "Digest " + text, f'Digest realm="r",nonce="n",{text}'):
        parse_challenges([candidate])
        try:
            challenge = Challenge.parse(candidate)
        except DigestError:
            continue
        assert Challenge.parse(str(challenge)) == challenge


@given(st.integers(0, len(RFC_3261)), st.characters(), st.booleans())
@settings(deadline=None)
def test_a_challenge_with_one_character_changed_is_read_or_an_error(
    at: int, character: str, insert: bool
) -> None:
    text = RFC_3261[:at] + character + RFC_3261[at + (not insert) :]
    try:
        challenge = Challenge.parse(text)
    except DigestError:
        return
    assert Challenge.parse(str(challenge)) == challenge
