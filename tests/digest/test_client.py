from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from digest import (
    Account,
    Algorithm,
    AuthenticationInfo,
    Challenge,
    ClientLimits,
    ClientRequest,
    Credentials,
    DigestClient,
    DigestError,
    Proof,
    Qop,
    Refusal,
    ha1,
    response_digest,
)

AUTH = "Authorization"
PROXY = "Proxy-Authorization"
BOB = Account("bob", "zanzibar", "biloxi.com")
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


def challenge(
    nonce: str = NONCE,
    realm: str = "biloxi.com",
    algorithm: Algorithm | None = None,
    qop: tuple[Qop, ...] = (Qop.AUTH,),
    *,
    stale: bool = False,
    userhash: bool = False,
) -> str:
    return str(Challenge(realm, nonce, algorithm, qop, stale=stale, userhash=userhash))


def client(*accounts: Account, **options: object) -> DigestClient:
    return DigestClient(
        accounts or (BOB,),
        random_hex=lambda octets: "0a4f113b",
        **options,  # type: ignore[arg-type]
    )


def invite(who: DigestClient) -> ClientRequest:
    return who.request("INVITE", "sip:bob@biloxi.com", scope="biloxi.com")


def only(request: ClientRequest) -> Credentials:
    [(_, credentials)] = request.credentials
    return credentials


@pytest.mark.rule("SIP-62", "SIP-64", "RLY-4")
def test_a_challenge_is_answered_as_in_the_vectors() -> None:
    request = invite(client())
    assert [*request.credentials] == []
    assert request.challenged({AUTH: [challenge()]}) is None
    [(field_name, credentials)] = request.credentials
    assert field_name == AUTH
    assert str(credentials) == (
        f'Digest username="bob", realm="biloxi.com", nonce="{NONCE}", '
        'uri="sip:bob@biloxi.com", response="89eb0059246c02b2f6ee02c7961d5ea3", '
        'cnonce="0a4f113b", qop=auth, nc=00000001'
    )


@pytest.mark.rule("SIP-61", "SIP-64")
def test_a_challenge_without_qop_is_answered_in_the_form_of_rfc_2069() -> None:
    request = client().request("REGISTER", "sip:biloxi.com")
    assert request.challenged({AUTH: [challenge(qop=())]}) is None
    credentials = only(request)
    assert credentials.response == "4441045a8075db3ead543693997e2a0e"
    assert (credentials.qop, credentials.count, credentials.cnonce) == (None,) * 3


@pytest.mark.rule("SIP-61")
def test_a_challenge_without_qop_can_be_taken_for_auth() -> None:
    request = invite(client(assume_auth=True))
    assert request.challenged({AUTH: [challenge(qop=())]}) is None
    assert only(request).qop is Qop.AUTH
    assert only(request).response == "89eb0059246c02b2f6ee02c7961d5ea3"


def test_a_session_algorithm_without_qop_still_names_the_client_nonce() -> None:
    request = invite(client())
    line = challenge(algorithm=Algorithm.MD5_SESS, qop=())
    assert request.challenged({AUTH: [line]}) is None
    assert only(request).cnonce == "0a4f113b"
    assert only(request).count is None


@pytest.mark.rule("SIP-60")
def test_the_topmost_algorithm_that_is_known_is_used() -> None:
    request = invite(client())
    lines = [
        'Digest realm="biloxi.com", nonce="x", algorithm=SHA3-256, qop="auth"',
        challenge(algorithm=Algorithm.SHA_256),
        challenge(algorithm=Algorithm.MD5),
    ]
    assert request.challenged({AUTH: lines}) is None
    assert only(request).algorithm is Algorithm.SHA_256
    assert only(request).response.startswith("b3b5a6c69453abafaab9ae4dccdac90a")


def test_md5_can_be_ruled_out() -> None:
    request = invite(client(algorithms=[Algorithm.SHA_256]))
    assert request.challenged({AUTH: [challenge()]}) is Refusal.NOT_UNDERSTOOD
    assert request.credentials == ()


@pytest.mark.rule("SIP-60")
def test_each_realm_gets_credentials_of_its_own_in_the_field_it_asked_for() -> None:
    alice = Account("alice", "wonderland", "proxy.example")
    request = invite(client(BOB, alice))
    assert request.challenged({PROXY: [challenge("p", "proxy.example")]}) is None
    assert request.challenged({AUTH: [challenge("n")]}) is None
    sent = {name: (c.username, c.nonce, c.count) for name, c in request.credentials}
    assert sent == {AUTH: ("bob", "n", 1), PROXY: ("alice", "p", 2)}


def test_an_account_without_a_realm_is_for_all_that_have_none_of_their_own() -> None:
    who = client(BOB, Account("anybody", "x"))
    assert [getattr(who.account(r), "username", "") for r in ("biloxi.com", "r")] == [
        "bob",
        "anybody",
    ]


@pytest.mark.rule("SIP-60")
def test_rejected_credentials_are_not_sent_again() -> None:
    who = client()
    request = invite(who)
    assert request.challenged({AUTH: [challenge("1")]}) is None
    assert request.challenged({AUTH: [challenge("2")]}) is Refusal.REJECTED
    assert request.challenged({AUTH: [challenge("3")]}) is Refusal.REJECTED
    assert invite(who).credentials == ()


@pytest.mark.rule("SIP-60", "RLY-6")
def test_credentials_are_sent_again_when_only_the_nonce_was_stale() -> None:
    request = invite(client())
    assert request.challenged({AUTH: [challenge("1")]}) is None
    assert request.challenged({AUTH: [challenge("2", stale=True)]}) is None
    assert (only(request).nonce, only(request).count) == ("2", 1)


@pytest.mark.rule("SIP-60")
def test_a_server_whose_nonces_are_always_stale_is_given_up() -> None:
    request = invite(client())
    answers = [
        request.challenged({AUTH: [challenge(str(n), stale=True)]}) for n in range(4)
    ]
    assert answers[-1] is Refusal.TOO_MANY
    assert answers.count(None) == ClientLimits().stale_nonces


@pytest.mark.rule("SIP-60")
def test_a_chain_of_servers_without_end_is_given_up() -> None:
    request = invite(client(Account("bob", "x")))
    answers = [
        request.challenged({PROXY: [challenge("n", f"realm {n}")]}) for n in range(20)
    ]
    assert answers.count(None) == ClientLimits().attempts
    assert set(answers) == {None, Refusal.TOO_MANY}


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        pytest.param([], Refusal.NOT_UNDERSTOOD, id="none"),
        pytest.param(['Basic realm="r"'], Refusal.NOT_UNDERSTOOD, id="basic"),
        pytest.param([challenge("n", "elsewhere")], Refusal.NO_ACCOUNT, id="realm"),
    ],
)
@pytest.mark.rule("SIP-60")
def test_what_can_not_be_answered_is_said(lines: list[str], refusal: Refusal) -> None:
    request = invite(client())
    assert request.challenged({AUTH: lines}) is refusal
    assert str(refusal) == refusal.value


def test_of_two_realms_the_known_one_is_answered() -> None:
    request = invite(client())
    lines = [challenge("x", "elsewhere"), challenge()]
    assert request.challenged({AUTH: lines}) is None
    assert only(request).realm == "biloxi.com"


def test_what_one_realm_has_rejected_is_left_out_for_another() -> None:
    request = invite(client(Account("bob", "x")))
    assert request.challenged({AUTH: [challenge("1", "a")]}) is None
    lines = [challenge("2", "a"), challenge("1", "b")]
    assert request.challenged({AUTH: lines}) is None
    assert only(request).realm == "b"
    assert request.challenged({AUTH: [challenge("3", "a")]}) is Refusal.REJECTED


@pytest.mark.rule("SIP-63", "SIP-62")
def test_later_requests_have_credentials_with_rising_counts() -> None:
    who = client()
    first = invite(who)
    assert first.challenged({AUTH: [challenge()]}) is None
    later = [only(invite(who)) for _ in range(3)]
    assert [c.count for c in (only(first), *later)] == [1, 2, 3, 4]
    assert len({c.response for c in later}) == 3
    assert {c.nonce for c in later} == {NONCE}


@pytest.mark.rule("SIP-63")
def test_nothing_is_told_ahead_of_a_challenge_in_another_scope() -> None:
    who = client()
    assert invite(who).challenged({AUTH: [challenge()]}) is None
    assert who.request("INVITE", "sip:x", scope="elsewhere").credentials == ()


def test_an_old_nonce_refused_without_saying_stale_is_replaced_once() -> None:
    who = client()
    assert invite(who).challenged({AUTH: [challenge("1")]}) is None
    later = invite(who)
    assert only(later).nonce == "1"
    assert later.challenged({AUTH: [challenge("2")]}) is None
    assert only(later).nonce == "2"
    assert later.challenged({AUTH: [challenge("3")]}) is Refusal.REJECTED


def test_an_old_nonce_that_is_asked_for_again_was_not_what_was_wrong() -> None:
    who = client()
    assert invite(who).challenged({AUTH: [challenge("1")]}) is None
    later = invite(who)
    assert later.challenged({AUTH: [challenge("1")]}) is Refusal.REJECTED


def test_two_requests_challenged_with_one_nonce_share_its_count() -> None:
    who = client()
    one, two = invite(who), invite(who)
    assert one.challenged({AUTH: [challenge()]}) is None
    assert two.challenged({AUTH: [challenge()]}) is None
    assert [only(one).count, only(two).count] == [1, 2]


def test_a_new_password_forgets_what_was_agreed_with_the_old() -> None:
    who = client()
    assert invite(who).challenged({AUTH: [challenge()]}) is None
    who.add(Account("bob", "changed", "biloxi.com"))
    assert invite(who).credentials == ()
    assert invite(who).challenged({AUTH: [challenge()]}) is None
    who.add(Account("anybody", "x", None))
    assert invite(who).credentials == ()


def test_only_so_many_spaces_are_remembered_and_the_oldest_goes() -> None:
    who = client(Account("bob", "x"), limits=ClientLimits(spaces=2))
    for scope in ("a", "b"):
        request = who.request("INVITE", "sip:x", scope=scope)
        assert request.challenged({AUTH: [challenge()]}) is None
    assert len(who.request("INVITE", "sip:x", scope="a").credentials) == 1
    request = who.request("INVITE", "sip:x", scope="c")
    assert request.challenged({AUTH: [challenge()]}) is None
    have = [
        len(who.request("INVITE", "sip:x", scope=scope).credentials) for scope in "abc"
    ]
    assert have == [1, 0, 1]


def test_a_nonce_whose_counts_are_used_up_is_not_used() -> None:
    who = client()
    assert invite(who).challenged({AUTH: [challenge()]}) is None
    [(_, space)] = who.spaces.within("biloxi.com")
    space.count = 0xFFFFFFFE
    assert only(invite(who)).count == 0xFFFFFFFF
    assert invite(who).credentials == ()


@pytest.mark.rule("SIP-61")
@pytest.mark.parametrize(
    ("offered", "prefers", "used"),
    [
        ((Qop.AUTH, Qop.AUTH_INT), False, Qop.AUTH),
        ((Qop.AUTH, Qop.AUTH_INT), True, Qop.AUTH_INT),
        ((Qop.AUTH_INT,), False, Qop.AUTH_INT),
        ((Qop.AUTH,), True, Qop.AUTH),
    ],
)
def test_integrity_is_used_if_wanted_or_asked_for(
    offered: tuple[Qop, ...], prefers: bool, used: Qop
) -> None:
    who = client(prefer_integrity=prefers)
    request = who.request("MESSAGE", "sip:x", b"body")
    assert request.challenged({AUTH: [challenge(qop=offered)]}) is None
    credentials = only(request)
    assert credentials.qop is used
    expected = response_digest(
        Algorithm.MD5,
        ha1(Algorithm.MD5, "bob", "biloxi.com", "zanzibar"),
        method="MESSAGE",
        uri="sip:x",
        nonce=NONCE,
        qop=used,
        cnonce="0a4f113b",
        body=b"body",
    )
    assert credentials.response == expected


def test_a_name_is_hashed_if_the_server_wants_that() -> None:
    request = invite(client())
    line = challenge(algorithm=Algorithm.SHA_256, userhash=True)
    assert request.challenged({AUTH: [line]}) is None
    credentials = only(request)
    assert credentials.username == Algorithm.SHA_256.hash(b"bob:biloxi.com")
    assert str(credentials).endswith("userhash=true")
    # Any other hash calculation is done with the name itself.
    assert credentials.response.startswith("b3b5a6c69453abafaab9ae4dccdac90a")


@pytest.mark.rule("FIELD-8")
def test_the_uri_can_be_left_out_and_told_on_a_second_challenge() -> None:
    request = invite(client(sends_uri=False))
    assert request.challenged({AUTH: [challenge("1")]}) is None
    assert only(request).uri is None
    again = request.challenged({AUTH: [challenge("2")]}, sends_uri=True)
    assert again is None
    assert only(request).uri == "sip:bob@biloxi.com"
    last = request.challenged({AUTH: [challenge("3")]}, sends_uri=True)
    assert last is Refusal.REJECTED


def confirmation(request: ClientRequest, **changes: object) -> AuthenticationInfo:
    sent = only(request)
    digest = response_digest(
        sent.hashing,
        ha1(sent.hashing, "bob", "biloxi.com", "zanzibar"),
        method="",
        uri="sip:bob@biloxi.com",
        nonce=sent.nonce,
        qop=sent.qop,
        count=sent.count or 0,
        cnonce=sent.cnonce or "",
    )
    facts = {
        "rspauth": digest,
        "qop": sent.qop,
        "cnonce": sent.cnonce,
        "count": sent.count,
        **changes,
    }
    return AuthenticationInfo(**facts)  # type: ignore[arg-type]


@pytest.mark.rule("SIP-62", "RLY-6")
def test_a_server_that_knows_the_password_is_told_from_one_that_does_not() -> None:
    request = invite(client())
    assert request.challenged({AUTH: [challenge()]}) is None
    assert request.confirmed(AUTH, confirmation(request)) is Proof.GIVEN
    for changes in ({"rspauth": "00" * 16}, {"count": 2}, {"cnonce": "x"}):
        wrong = confirmation(request, **changes)
        assert request.confirmed(AUTH, wrong) is Proof.WRONG
    assert request.confirmed(PROXY, confirmation(request)) is Proof.WRONG
    missing = confirmation(request, rspauth=None)
    assert request.confirmed(AUTH, missing) is Proof.MISSING


@pytest.mark.rule("SIP-62", "RLY-6")
def test_the_next_nonce_is_used_next() -> None:
    who = client()
    request = invite(who)
    assert request.challenged({AUTH: [challenge("1")]}) is None
    info = confirmation(request, nextnonce="2")
    assert request.confirmed(AUTH, info) is Proof.GIVEN
    assert (only(invite(who)).nonce, only(invite(who)).count) == ("2", 2)
    # One that comes late, about a nonce that was replaced already, changes nothing.
    late = confirmation(request, nextnonce="3")
    assert request.confirmed(AUTH, late) is Proof.GIVEN
    assert only(invite(who)).nonce == "2"


def test_a_next_nonce_from_somebody_else_is_not_used() -> None:
    who = client()
    request = invite(who)
    assert request.challenged({AUTH: [challenge("1")]}) is None
    info = confirmation(request, rspauth="00", nextnonce="2")
    assert request.confirmed(AUTH, info) is Proof.WRONG
    assert only(invite(who)).nonce == "1"


def test_a_session_key_stays_the_same_for_the_nonce_it_was_made_with() -> None:
    who = DigestClient([BOB], random_hex=map_of_hex())
    request = invite(who)
    line = challenge("1", algorithm=Algorithm.SHA_256_SESS)
    assert request.challenged({AUTH: [line]}) is None
    first = only(request)
    info = confirmation(request, nextnonce="2")
    assert request.confirmed(AUTH, info) is Proof.GIVEN
    second = only(invite(who))
    assert (second.nonce, second.cnonce) == ("1", first.cnonce)
    assert second.count == 2


def test_client_nonces_differ_from_request_to_request() -> None:
    who = DigestClient([BOB])
    assert invite(who).challenged({AUTH: [challenge()]}) is None
    cnonces = {only(invite(who)).cnonce for _ in range(5)}
    assert len(cnonces) == 5


def test_a_password_is_not_shown() -> None:
    assert "zanzibar" not in repr(BOB)
    with pytest.raises(DigestError):
        Account("bob\r\n", "x")


def map_of_hex() -> Callable[[int], str]:
    numbers = itertools.count()
    return lambda octets: f"{next(numbers):0{2 * octets}x}"
