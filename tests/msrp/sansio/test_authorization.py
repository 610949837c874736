from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import Account, Algorithm, Credentials, DigestClient
from msrp.errors import AuthorizationFailed
from msrp.headers import ResponseHead
from msrp.sansio.authorization import Authorization, Grant, Terms
from msrp.sansio.inquiries import Answer
from msrp.testing.cores import read_messages
from msrp.uri import MsrpUri
from tests.msrp.sansio.relay_scripts import ScriptedRelay, answer

ALICE = MsrpUri.parse("msrps://alice.example.com:9892/98cjs;tcp")
INTRA = MsrpUri.parse("msrps://alice@intra.example.com;tcp")
EXTRA = MsrpUri.parse("msrps://extra.example.com;tcp")


def client(password: str = "secret") -> DigestClient:
    return DigestClient(
        [Account("Alice", password)],
        algorithms=(Algorithm.SHA_256, Algorithm.MD5),
        assume_auth=True,
    )


def new(
    *relays: MsrpUri,
    who: DigestClient | None = None,
    habits: dict[str, bool] | None = None,
    **terms: object,
) -> Authorization:
    return Authorization(
        relays or (INTRA,),
        ALICE,
        who or client(),
        Terms(**terms),  # type: ignore[arg-type]
        habits=habits,
    )


def settle(authorization: Authorization, *relays: ScriptedRelay) -> Grant:
    """Have relays answer until all is given; each is asked in its turn."""
    for _ in range(20):
        if authorization.grant is not None:
            return authorization.grant
        _, octets = authorization.next_request()
        [request] = read_messages(octets)
        depth = len(request.fields["to-path"].split(" ")) - 1
        authorization.answered(relays[depth].take(octets))
    raise AssertionError("there is no end to it")


def refused(authorization: Authorization, *relays: ScriptedRelay) -> str:
    with pytest.raises(AuthorizationFailed) as error:
        settle(authorization, *relays)
    return str(error.value)


@pytest.mark.rule("RLY-2", "RLY-3", "RLY-4", "RLY-8", "XT-1")
def test_a_relay_is_asked_challenges_and_gives_a_path() -> None:
    relay = ScriptedRelay()
    grant = settle(new(), relay)
    first, second = relay.seen
    assert first.transaction_id != second.transaction_id
    assert first.fields == {
        "to-path": "msrps://alice@intra.example.com;tcp",
        "from-path": "msrps://alice.example.com:9892/98cjs;tcp",
    }
    assert {**second.fields, "authorization": ""} == {
        **first.fields,
        "authorization": "",
    }
    credentials = Credentials.parse(second.fields["authorization"])
    assert (credentials.username, credentials.realm) == ("Alice", "intra.example.com")
    assert credentials.count == 1
    assert credentials.cnonce
    assert "qop=auth" in second.fields["authorization"]
    assert "nc=00000001" in second.fields["authorization"]
    relayed = MsrpUri.parse(relay.gives)
    assert grant == Grant(ALICE, (relayed,), 900)
    assert grant.path == (relayed, ALICE)


@pytest.mark.rule("RLY-8", "RLY-10", "XT-1")
def test_the_second_relay_is_asked_through_the_first() -> None:
    intra = ScriptedRelay(expires=1800)
    extra = ScriptedRelay(
        gives=f"{intra.gives} msrps://extra.example.com:9000/mywdEe1233;tcp",
        realm="extra.example.com",
        expires=900,
    )
    grant = settle(new(INTRA, EXTRA), intra, extra)
    assert extra.seen[0].fields["to-path"] == f"{intra.gives} {EXTRA}"
    assert [str(uri) for uri in grant.use_path] == extra.gives.split(" ")
    assert [str(uri) for uri in grant.path] == [
        "msrps://extra.example.com:9000/mywdEe1233;tcp",
        intra.gives,
        str(ALICE),
    ]
    assert grant.lifetime == 900
    # What was learnt of one relay isn't told to the other.
    assert "authorization" not in extra.seen[0].fields


@pytest.mark.rule("RLY-10")
def test_a_second_relay_that_names_only_itself_is_reached_through_the_first() -> None:
    intra = ScriptedRelay()
    extra = ScriptedRelay(gives="msrps://extra.example.com:9000/my;tcp", realm="e")
    grant = settle(new(INTRA, EXTRA), intra, extra)
    assert [str(uri) for uri in grant.use_path] == [intra.gives, extra.gives]


@pytest.mark.rule("RLY-6", "XT-1")
def test_a_stale_nonce_costs_one_more_request_and_is_no_failure() -> None:
    relay = ScriptedRelay()
    who = client()
    settle(new(who=who), relay)
    relay.now = 200.0
    settle(new(who=who), relay)
    assert relay.outcomes == [401, 200, 401, 200]
    assert "authorization" in relay.seen[2].fields


@pytest.mark.rule("RLY-6")
def test_the_next_nonce_is_used_for_the_next_session() -> None:
    relay = ScriptedRelay(next_nonces=True)
    who = client()
    settle(new(who=who), relay)
    settle(new(who=who), relay)
    assert relay.outcomes == [401, 200, 200]
    nonces = [Credentials.parse(r.fields["authorization"]) for r in relay.seen[1:]]
    assert nonces[0].nonce != nonces[1].nonce
    assert [each.count for each in nonces] == [1, 1]


@pytest.mark.rule("RLY-6", "XT-1")
def test_a_relay_that_does_not_know_the_password_is_refused() -> None:
    authorization = new()
    relay = ScriptedRelay()
    authorization.answered(relay.take(authorization.next_request()[1]))
    reply = relay.take(authorization.next_request()[1])
    assert b"rspauth=" in reply.block
    digits = reply.block.index(b"rspauth=") + 9
    forged = reply.block[:digits] + b"0" * 32 + reply.block[digits + 32 :]
    with pytest.raises(AuthorizationFailed, match="knows the password"):
        authorization.answered(answer(200, forged.decode()))
    assert authorization.grant is None


@pytest.mark.rule("RLY-6", "FIELD-8")
def test_a_relay_that_proves_nothing_is_refused_unless_told_otherwise() -> None:
    assert "knows the password" in refused(new(), ScriptedRelay(proves=False))
    settle(new(accept_unproven=True), ScriptedRelay(proves=False))


def test_authentication_info_that_can_not_be_read_is_no_proof() -> None:
    authorization = new(accept_unproven=True)
    with pytest.raises(AuthorizationFailed, match="malformed"):
        authorization.answered(answer(200, "Authentication-Info: x"))


@pytest.mark.rule("FIELD-8", "RLY-5")
@pytest.mark.parametrize("sends_uri", [False, True])
def test_the_uri_parameter_is_sent_or_not_as_the_relay_wants_it(
    sends_uri: bool,
) -> None:
    habits: dict[str, bool] = {}
    who = client()
    for wants_uri in (sends_uri, not sends_uri):
        relay = ScriptedRelay(wants_uri=wants_uri)
        settle(new(sends_uri=sends_uri), relay)
        others = [401] if wants_uri is not sends_uri else []
        assert relay.outcomes == [401, *others, 200]
    # What a relay has been found to want it gets at once the next time.
    relay = ScriptedRelay(wants_uri=not sends_uri)
    settle(new(who=who, sends_uri=sends_uri, habits=habits), relay)
    settle(new(who=who, sends_uri=sends_uri, habits=habits), relay)
    assert relay.outcomes == [401, 401, 200, 200]
    first = relay.seen[1].fields["authorization"]
    assert (' uri="msrps://alice@intra.example.com;tcp"' in first) is sends_uri


@pytest.mark.rule("RLY-3", "FIELD-8")
def test_a_wrong_password_is_tried_with_and_without_uri_and_no_more() -> None:
    relay = ScriptedRelay()
    words = refused(new(who=client("wrong")), relay)
    assert words == (
        "no MSRP connection to intra.example.com: "
        "the user name or the password was rejected"
    )
    assert relay.outcomes == [401, 401, 401]


@pytest.mark.rule("RLY-4")
def test_basic_is_never_answered() -> None:
    authorization = new()
    with pytest.raises(AuthorizationFailed, match="no scheme or algorithm is known"):
        authorization.answered(answer(401, 'WWW-Authenticate: Basic realm="r"'))


def test_of_several_challenges_the_first_is_taken_that_is_known() -> None:
    relay = ScriptedRelay(algorithms=(Algorithm.SHA_256, Algorithm.MD5))
    settle(new(), relay)
    assert "algorithm=SHA-256" in relay.seen[1].fields["authorization"]


def test_a_relay_that_changes_its_realm_gets_credentials_for_the_last() -> None:
    who = client()
    authorization = new(who=who)
    for realm in ("one", "two"):
        challenge = f'Digest realm="{realm}", nonce="n", qop="auth"'
        authorization.answered(answer(401, f"WWW-Authenticate: {challenge}"))
        [request] = read_messages(authorization.next_request()[1])
        given = Credentials.parse(request.fields["authorization"])
        assert given.realm == realm
    # And the next session doesn't tell more than one ahead of a challenge.
    [request] = read_messages(new(who=who).next_request()[1])
    assert "authorization" in request.fields


@pytest.mark.rule("RLY-15")
def test_403_is_final() -> None:
    authorization = new()
    with pytest.raises(AuthorizationFailed) as error:
        authorization.answered(answer(403))
    assert error.value.code == 403
    assert str(error.value).endswith("the relay refuses with 403 (Action Not Allowed)")


def test_no_answer_is_a_failure() -> None:
    with pytest.raises(AuthorizationFailed, match="has not answered") as error:
        new().answered(None)
    assert error.value.code is None


@pytest.mark.rule("RLY-11", "XT-3")
@pytest.mark.parametrize(("wish", "given"), [(1, 60), (90, 90), (99_999, 600)])
def test_an_interval_out_of_bounds_is_asked_for_again_within(
    wish: int, given: int
) -> None:
    relay = ScriptedRelay(shortest=60, longest=600)
    grant = settle(new(expires=wish), relay)
    assert grant.lifetime == given
    assert [r.fields["expires"] for r in relay.seen[-1:]] == [str(given)]
    assert relay.seen[0].fields["expires"] == str(wish)


@pytest.mark.rule("RLY-11")
@pytest.mark.parametrize(
    "field", ["X: y", "Min-Expires: 5", "Min-Expires: x", "Max-Expires: 70"]
)
def test_bounds_that_can_not_be_met_are_a_failure(field: str) -> None:
    authorization = new(expires=60)
    with pytest.raises(AuthorizationFailed, match="no interval") as error:
        authorization.answered(answer(423, field))
    assert error.value.code == 423


@pytest.mark.rule("RLY-11")
def test_bounds_that_move_are_not_followed_for_ever() -> None:
    authorization = new(expires=60)
    authorization.answered(answer(423, "Min-Expires: 100"))
    authorization.answered(answer(423, "Max-Expires: 90"))
    with pytest.raises(AuthorizationFailed, match="no interval"):
        authorization.answered(answer(423, "Min-Expires: 100"))


@pytest.mark.rule("RLY-11")
@pytest.mark.parametrize(
    ("text", "lifetime"),
    [("60", 60), ("0", 0), ("007", 7), ("9" * 5000, 999_999_999), ("1 h", None)],
)
def test_expires_is_a_whole_number_of_seconds(text: str, lifetime: int | None) -> None:
    authorization = new()
    authorization.answered(
        answer(200, "Use-Path: msrps://r.example:1/s;tcp", f"Expires: {text}")
    )
    assert authorization.grant is not None
    assert authorization.grant.lifetime == lifetime


@pytest.mark.rule("RLY-8")
@pytest.mark.parametrize(
    "use_path",
    [
        pytest.param("", id="none"),
        pytest.param("sip:relay", id="no-msrp"),
        pytest.param("msrps://r/s;tcp", id="no-port"),
        pytest.param("msrps://r.example:0/s;tcp", id="port-0"),
        pytest.param("msrps://r.example:1;tcp", id="no-session"),
        pytest.param("msrps://r.example:1/s;udp", id="no-tcp"),
        pytest.param("msrps://r.exampl!:1/s;tcp", id="no-host-name"),
        pytest.param("msrps://224.0.0.1:1/s;tcp", id="multicast"),
        pytest.param("msrps://[::]:1/s;tcp", id="unspecified"),
        pytest.param(f"msrps://r.example:1/s;tcp {ALICE}", id="our-own"),
        pytest.param(" ".join(["msrps://r.example:1/s;tcp"] * 16), id="too-long"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(use_path: str) -> None:
    authorization = new()
    with pytest.raises(AuthorizationFailed):
        authorization.answered(answer(200, f"Use-Path: {use_path}"))
    assert authorization.grant is None


def test_an_answer_that_is_not_utf_8_is_a_failure() -> None:
    reply = Answer(ResponseHead("tid0", 401), b'WWW-Authenticate: Digest realm="\xff"')
    with pytest.raises(AuthorizationFailed, match="not UTF-8"):
        new().answered(reply)


@given(st.binary(max_size=200), st.sampled_from([200, 401, 403, 423, 999]))
@settings(deadline=None)
def test_whatever_comes_is_dealt_with_or_a_failure(block: bytes, code: int) -> None:
    authorization = new(expires=10)
    try:
        authorization.answered(
            answer(code, "Use-Path: msrps://r.example:1/s;tcp", block.decode("latin-1"))
        )
    except AuthorizationFailed:
        return
    if authorization.grant is None:
        authorization.next_request()
