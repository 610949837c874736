from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import (
    Account,
    Algorithm,
    Credentials,
    DigestClient,
    DigestError,
    DigestServer,
    HashedPasswords,
    Outcome,
    Passwords,
    Proof,
    Qop,
    Refusal,
    ServerLimits,
    ha1,
)

AUTH = "Authorization"
URI = "sip:biloxi.com"
USERS = Passwords({"bob": "zanzibar"})
AVAILABLE = [a for a in Algorithm if a.is_available]


def server(**options: object) -> DigestServer:
    return DigestServer("biloxi.com", USERS, **options)  # type: ignore[arg-type]


def answer(
    to: DigestServer, who: DigestClient | None = None, now: float = 0.0
) -> Credentials:
    request = (who or DigestClient([Account("bob", "zanzibar")])).request("X", URI)
    if not request.credentials:
        lines = [str(challenge) for challenge in to.challenges(now)]
        assert request.challenged({AUTH: lines}) is None
    [(_, credentials)] = request.credentials
    return credentials


def outcome(
    to: DigestServer, credentials: Credentials | str, now: float = 1.0
) -> Outcome:
    return to.verify([str(credentials)], "X", URI, now=now).outcome


@pytest.mark.rule("SIP-61", "SIP-62")
@pytest.mark.parametrize("qop", list(Qop))
@pytest.mark.parametrize("algorithm", AVAILABLE)
def test_client_and_server_agree(algorithm: Algorithm, qop: Qop) -> None:
    gate = server(algorithms=[algorithm], qop=[qop])
    who = DigestClient([Account("bob", "zanzibar")])
    request = who.request("MESSAGE", URI, b"hello")
    lines = [str(challenge) for challenge in gate.challenges(0.0)]
    assert request.challenged({AUTH: lines}) is None
    for _ in range(3):
        [(_, credentials)] = request.credentials
        sent = [str(credentials)]
        verdict = gate.verify(sent, "MESSAGE", URI, b"hello", now=1.0)
        assert verdict.username == "bob"
        info = gate.confirm(verdict, URI, b"welcome", next_nonce_at=1.0)
        assert request.confirmed(AUTH, info, b"welcome") is Proof.GIVEN
        changed = request.confirmed(AUTH, info, b"changed")
        assert changed is (Proof.WRONG if qop is Qop.AUTH_INT else Proof.GIVEN)
        request = who.request("MESSAGE", URI, b"hello")


@pytest.mark.rule("SIP-61", "SIP-60")
def test_each_challenge_has_qop_and_an_algorithm_of_its_own_best_first() -> None:
    challenges = server().challenges(0.0)
    assert [c.algorithm for c in challenges] == [Algorithm.SHA_256, Algorithm.MD5]
    assert all(c.qop == (Qop.AUTH,) and not c.stale for c in challenges)
    assert all('qop="auth"' in str(c) for c in challenges)


def test_a_server_must_have_something_to_offer() -> None:
    for nothing in ({"qop": ()}, {"algorithms": ()}):
        with pytest.raises(DigestError):
            server(**nothing)
    with pytest.raises(DigestError):
        DigestServer("a\nb", USERS)


def test_a_wrong_password_and_an_unknown_name_are_rejected_alike() -> None:
    gate = server()
    for account in (Account("bob", "wrong"), Account("nobody", "zanzibar")):
        verdict = gate.verify(
            [str(answer(gate, DigestClient([account])))], "X", URI, now=1.0
        )
        assert verdict.outcome is Outcome.REJECTED
        assert verdict.username is None
        assert not verdict.is_stale
        with pytest.raises(DigestError):
            gate.confirm(verdict, URI)


def test_credentials_are_for_one_method_and_uri() -> None:
    gate = server()
    line = str(answer(gate))
    assert gate.verify([line], "Y", URI, now=1.0).outcome is Outcome.REJECTED
    assert gate.verify([line], "X", "sip:x", now=1.0).outcome is Outcome.WRONG_URI
    assert gate.verify([line], "X", URI, now=1.0).outcome is Outcome.ACCEPTED


def test_who_runs_the_server_says_which_uris_match() -> None:
    gate = server(uris_match=lambda given, uri: given.startswith("sip:"))
    verdict = gate.verify([str(answer(gate))], "X", "sip:forwarded", now=1.0)
    assert verdict.username == "bob"


@pytest.mark.rule("RLY-5")
def test_credentials_without_a_uri_are_for_that_of_the_request() -> None:
    gate = server()
    who = DigestClient([Account("bob", "zanzibar")], sends_uri=False)
    credentials = answer(gate, who)
    assert credentials.uri is None
    assert outcome(gate, credentials) is Outcome.ACCEPTED


@pytest.mark.rule("SIP-62")
def test_a_replay_is_refused() -> None:
    gate = server()
    credentials = answer(gate)
    assert outcome(gate, credentials) is Outcome.ACCEPTED
    verdict = gate.verify([str(credentials)], "X", URI, now=1.0)
    assert verdict.outcome is Outcome.REPLAYED
    assert verdict.username is None
    # Had the client only been out of step, a new nonce would help it.
    assert verdict.is_stale


@pytest.mark.rule("SIP-62")
def test_an_expired_nonce_is_stale_if_the_password_is_right() -> None:
    gate = server(limits=ServerLimits(nonce_lifetime=10.0))
    credentials = answer(gate)
    verdict = gate.verify([str(credentials)], "X", URI, now=11.0)
    assert verdict.outcome is Outcome.STALE
    assert verdict.is_stale
    stale = gate.challenges(11.0, stale=verdict.is_stale)
    assert all("stale=true" in str(challenge) for challenge in stale)
    wrong = replace(credentials, response="0" * 64)
    assert outcome(gate, wrong, now=11.0) is Outcome.REJECTED


def test_a_server_that_was_started_again_asks_for_a_new_nonce_only() -> None:
    assert outcome(server(), answer(server())) is Outcome.STALE


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], Outcome.ABSENT, id="none"),
        pytest.param(["Basic YWJj"], Outcome.MALFORMED, id="basic"),
        pytest.param(["Digest x"], Outcome.MALFORMED, id="broken"),
        pytest.param(
            ['Digest username="bob", realm="r", nonce="n", response="1"'],
            Outcome.ABSENT,
            id="for-another-realm",
        ),
        pytest.param(
            ['Digest username="bob", realm="biloxi.com", nonce="", response=""'],
            Outcome.NOT_OFFERED,
            id="without-qop",
        ),
    ],
)
@pytest.mark.rule("SIP-60")
def test_what_is_no_proof_is_said(lines: list[str], expected: Outcome) -> None:
    verdict = server().verify(lines, "X", URI, now=1.0)
    assert verdict.outcome is expected
    assert verdict.username is None
    assert str(expected) == expected.value


def test_ours_is_found_among_the_credentials_for_others() -> None:
    gate = server()
    other = 'Digest username="bob", realm="r", nonce="n", response="1"'
    lines = ["Bearer x", other, str(answer(gate))]
    assert gate.verify(lines, "X", URI, now=1.0).username == "bob"
    assert gate.verify([other] * 100, "X", URI, now=1.0).outcome is Outcome.ABSENT


def test_what_was_not_offered_is_not_taken() -> None:
    gate = server(algorithms=[Algorithm.SHA_256])
    weak = server(algorithms=[Algorithm.MD5])
    assert outcome(gate, answer(weak)) is Outcome.NOT_OFFERED
    integrity = server(algorithms=[Algorithm.SHA_256], qop=[Qop.AUTH_INT])
    assert outcome(gate, answer(integrity)) is Outcome.NOT_OFFERED
    hashed = replace(answer(gate), userhash=True)
    assert outcome(gate, hashed) is Outcome.NOT_OFFERED


def legacy(gate: DigestServer) -> Credentials:
    request = DigestClient([Account("bob", "zanzibar")]).request("X", URI)
    [challenge] = gate.challenges(0.0)
    lines = [str(replace(challenge, qop=()))]
    assert request.challenged({AUTH: lines}) is None
    [(_, credentials)] = request.credentials
    return credentials


@pytest.mark.rule("SIP-61")
def test_a_client_of_rfc_2069_is_let_in_once_per_nonce_if_allowed() -> None:
    strict = server(algorithms=[Algorithm.MD5])
    assert outcome(strict, legacy(strict)) is Outcome.NOT_OFFERED
    gate = server(algorithms=[Algorithm.MD5], allow_legacy=True)
    credentials = legacy(gate)
    assert outcome(gate, credentials) is Outcome.ACCEPTED
    assert outcome(gate, credentials) is Outcome.REPLAYED


def test_a_server_need_not_know_the_passwords() -> None:
    kept = HashedPasswords(
        {("bob", Algorithm.MD5): ha1(Algorithm.MD5, "bob", "biloxi.com", "zanzibar")}
    )
    for algorithm in (Algorithm.MD5, Algorithm.MD5_SESS):
        gate = DigestServer("biloxi.com", kept, algorithms=[algorithm])
        assert outcome(gate, answer(gate)) is Outcome.ACCEPTED
    gate = DigestServer("biloxi.com", kept, algorithms=[Algorithm.SHA_256])
    assert outcome(gate, answer(gate)) is Outcome.REJECTED


def test_a_digest_in_capitals_is_the_same_digest() -> None:
    gate = server()
    credentials = answer(gate)
    capitals = replace(credentials, response=credentials.response.upper())
    assert outcome(gate, capitals) is Outcome.ACCEPTED


@pytest.mark.rule("ST-8")
@pytest.mark.parametrize(
    ("offered", "used"),
    [
        ([Algorithm.MD5], Algorithm.MD5),
        ([Algorithm.SHA_256], Algorithm.SHA_256),
        ([Algorithm.SHA_256, Algorithm.MD5], Algorithm.SHA_256),
        ([Algorithm.MD5_SESS], Algorithm.MD5_SESS),
    ],
)
def test_the_whole_way_there_and_back(
    offered: list[Algorithm], used: Algorithm
) -> None:
    gate = server(algorithms=offered, limits=ServerLimits(nonce_lifetime=10.0))
    who = DigestClient([Account("bob", "zanzibar", "biloxi.com")])

    def visit(now: float) -> list[Outcome]:
        request = who.request("X", URI)
        outcomes: list[Outcome] = []
        for _ in range(5):
            sent = [str(credentials) for _, credentials in request.credentials]
            verdict = gate.verify(sent, "X", URI, now=now)
            outcomes.append(verdict.outcome)
            if verdict.username is not None:
                assert verdict.credentials is not None
                assert verdict.credentials.hashing is used
                break
            challenges = gate.challenges(now, stale=verdict.is_stale)
            if request.challenged({AUTH: map(str, challenges)}) is not None:
                break
        return outcomes

    assert visit(0.0) == [Outcome.ABSENT, Outcome.ACCEPTED]
    assert visit(1.0) == [Outcome.ACCEPTED]
    assert visit(20.0) == [Outcome.STALE, Outcome.ACCEPTED]
    who.add(Account("bob", "wrong", "biloxi.com"))
    assert visit(21.0) == [Outcome.ABSENT, Outcome.REJECTED]


@pytest.mark.rule("ST-8")
def test_a_wrong_password_is_tried_once() -> None:
    gate = server()
    request = DigestClient([Account("bob", "wrong")]).request("X", URI)
    lines = [[str(c) for c in gate.challenges(float(n))] for n in range(2)]
    assert request.challenged({AUTH: lines[0]}) is None
    assert request.challenged({AUTH: lines[1]}) is Refusal.REJECTED


@given(st.text(max_size=80), st.integers(0, 300))
@settings(deadline=None)
def test_whatever_comes_there_is_a_verdict(text: str, at: int) -> None:
    gate = server()
    line = str(answer(gate))
    changed = line[:at] + text + line[at + len(text) :]
    for candidate in (changed, text, "Digest " + text):
        verdict = gate.verify([candidate], "X", URI, now=1.0)
        # Only what isn't covered by the digest can be changed.
        if verdict.username is not None:
            assert verdict.username == "bob"
