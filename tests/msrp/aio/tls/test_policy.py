from __future__ import annotations

import asyncio
import datetime
import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams.sockets import SocketOptions, connect
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.context import TlsContext
from msrp.aio.tls.transport import open_tls
from msrp.aio.tls.wrapping import tls_words
from msrp.negotiation import Fingerprint
from tests.msrp.aio.tls.by_hand import read
from tests.msrp.aio.tls_peers import (
    Authority,
    believing,
    sessions,
    showing,
    tls_peer,
)

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
Pair = tuple[msrp.MsrpConnection, msrp.MsrpConnection]

HOST = "127.0.0.1"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Give an authority that nobody knows without being told."""
    return Authority.make(tmp_path)


@pytest.fixture
def known(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Give an authority that the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return why handshakes have failed; with whom has been said of each."""
    told = [message.partition(" failed: ") for message in caplog.messages]
    for where, _, _ in told:
        assert re.fullmatch(r"a TLS handshake with 127\.0\.0\.1:\d+", where)
    return [why for _, _, why in told]


async def talk(pair: Pair) -> None:
    """Set a session up, and see that it carries messages both ways."""
    active, passive = pair
    await passive.start()
    await active.start()
    await (await active.send_text("hello")).delivered()
    await (await passive.send_text("hello")).delivered()


async def refuse(
    board: Board, pair: Pair, error: type[msrp.ConnectionFailed]
) -> msrp.ConnectionFailed:
    """See that the active side gets an error, and the passive side no octet."""
    active, passive = pair
    log = board.log(passive)
    await passive.start()
    with pytest.raises(error) as caught:
        await active.start()
    assert "\n" not in str(caught.value)
    await active.shutdown()
    await passive.shutdown()
    assert log.of(msrp.ConnectionEstablished) == []
    assert log.texts == []
    return caught.value


# The default: fingerprints, and authorities where there are none.


async def without_fingerprint(
    board: Board, certificate: msrp.LocalCertificate, tls: msrp.TlsPolicy | None = None
) -> Pair:
    """Make a session of which the passive side has announced no fingerprint."""
    tls = tls or msrp.TlsPolicy()
    return await sessions(
        board,
        (msrp.LocalCertificate.self_signed(), certificate),
        offered_says=(),
        answered_says=(),
        tls=(tls, msrp.TlsPolicy()),
    )


@pytest.mark.rule("MSRP-117")
@pytest.mark.parametrize("chained", [False, True], ids=["root", "intermediate"])
async def test_without_a_fingerprint_an_authority_vouches_for_the_host(
    board: Board, known: Authority, chained: bool
) -> None:
    certificate = known.issue(HOST, chained=chained)
    await talk(await without_fingerprint(board, certificate))


@pytest.mark.rule("MSRP-117")
async def test_an_authority_may_be_given(board: Board, authority: Authority) -> None:
    policy = msrp.TlsPolicy(authorities=authority.file)
    await talk(await without_fingerprint(board, authority.issue(HOST), policy))
    pair = await without_fingerprint(board, authority.issue(HOST))
    await refuse(board, pair, msrp.CertificateRejected)


@pytest.mark.rule("MSRP-117")
async def test_a_system_may_keep_its_authorities_in_no_file(
    board: Board, known: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = SimpleNamespace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    await talk(await without_fingerprint(board, known.issue(HOST)))


@pytest.mark.rule("MSRP-117", "MSRP-120", "MT-12")
@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("self-signed", "is not believed: it is signed by itself"),
        ("unknown", "is not believed: no authority that we know has signed it"),
        ("expired", "is not believed: it has expired"),
        ("other-host", "is not for the host of its path"),
    ],
)
async def test_without_a_fingerprint_nobody_else_is_believed(
    board: Board,
    known: Authority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    problem: str,
) -> None:
    caplog.set_level(logging.INFO, "msrp.listener")
    match kind:
        case "self-signed":
            certificate = msrp.LocalCertificate.self_signed(HOST)
        case "unknown":
            (tmp_path / "other").mkdir()
            certificate = Authority.make(tmp_path / "other").issue(HOST)
        case "expired":
            ago = datetime.timedelta(minutes=-1)
            certificate = known.issue(HOST, valid=ago)
        case _:
            certificate = known.issue("psap.example.net")
    pair = await without_fingerprint(board, certificate)
    error = await refuse(board, pair, msrp.CertificateRejected)
    assert error.problem == f"the peer's certificate {problem}"
    if kind != "other-host":  # Which is seen only when the handshake is over.
        await board.until(
            lambda: failures(caplog) == ["the peer does not believe our certificate"]
        )


# By authority, even if there is a fingerprint.


def policies(
    authority: Authority, *, mutual: bool = False, aes_256_only: bool = False
) -> tuple[msrp.TlsPolicy, msrp.TlsPolicy]:
    policy = msrp.TlsPolicy.by_authority(
        authority.file, mutual=mutual, aes_256_only=aes_256_only
    )
    return policy, policy


@pytest.mark.rule("MSRP-117", "MSRP-38")
@pytest.mark.parametrize("mutual", [False, True], ids=["server", "mutual"])
@pytest.mark.parametrize("says", [None, ()], ids=["fingerprints", "none"])
async def test_an_authority_vouches_for_each_side_that_has_to_be_known(
    board: Board, authority: Authority, mutual: bool, says: tuple[str, ...] | None
) -> None:
    own = authority.issue(HOST) if mutual else msrp.LocalCertificate.self_signed()
    await talk(
        await sessions(
            board,
            (own, authority.issue(HOST)),
            offered_says=says,
            answered_says=says,
            tls=policies(authority, mutual=mutual),
        )
    )


@pytest.mark.rule("MSRP-117")
async def test_the_right_fingerprint_is_not_enough_where_an_authority_is_asked_for(
    board: Board, certs: Certs, authority: Authority
) -> None:
    pair = await sessions(board, certs, tls=policies(authority))
    error = await refuse(board, pair, msrp.CertificateRejected)
    assert "signed by itself" in error.problem


@pytest.mark.rule("MSRP-118", "FP-3")
async def test_nor_is_an_authority_where_the_fingerprint_is_wrong(
    board: Board, certs: Certs, authority: Authority
) -> None:
    wrong = str(Fingerprint.of_certificate(certs[0].der))
    pair = await sessions(
        board,
        (certs[0], authority.issue(HOST)),
        answered_says=(wrong,),
        tls=policies(authority),
    )
    error = await refuse(board, pair, msrp.CertificateRejected)
    assert "does not match the fingerprint" in error.problem


@pytest.mark.rule("MSRP-38")
@pytest.mark.parametrize("kind", ["self-signed", "nothing"])
async def test_a_peer_that_connects_with_no_signed_certificate_gets_no_tls(
    board: Board,
    certs: Certs,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    kind: str,
) -> None:
    caplog.set_level(logging.INFO, "msrp.listener")
    policy, _ = policies(authority, mutual=True)
    listener = await board.listener(local_cert=authority.issue(HOST), tls=policy)
    passive = board.waiting(listener)
    await passive.start()
    context = believing()
    if kind == "self-signed":
        showing(context, certs[0], tmp_path)
    try:
        peer = await tls_peer(board, listener.port, context)
        peer.request(passive.negotiated.local_uri, b"let me in")
        assert await peer.rest() == b""
    except OSError:
        pass  # It may hear of it at any time.
    await board.until(lambda: not listener._arrivals.gates)
    problem = {
        "self-signed": "the peer's certificate is not believed: it is signed by itself",
        "nothing": "the peer shows no certificate",
    }[kind]
    assert failures(caplog) == [problem]
    assert not listener._arrivals.streams
    assert not passive.is_open


@pytest.mark.rule("MSRP-38")
@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("self-signed", "the peer does not believe our certificate"),
        ("nothing", "the peer wants a certificate from us"),
    ],
)
def test_an_alert_about_our_certificate_is_put_into_words(
    certs: Certs, authority: Authority, kind: str, problem: str
) -> None:
    policy, _ = policies(authority, mutual=True)
    server = policy.server_context(authority.issue(HOST)).server()
    client = TlsContext(certs[0] if kind == "self-signed" else None).client()
    client.do_handshake()
    for side, other in ((server, client), (client, server)):
        side.take(memoryview(other.to_send()))
        side.do_handshake()
    server.take(memoryview(client.to_send()))
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    assert read(client, server.to_send()) == b""
    assert client.error is not None
    assert tls_words(client.error) == problem


@pytest.mark.rule("MSRP-38")
async def test_a_client_certificate_for_another_host_than_the_path_ends_the_session(
    board: Board, authority: Authority
) -> None:
    pair = await sessions(
        board,
        (authority.issue("other.example.net"), authority.issue(HOST)),
        offered_says=(),
        tls=policies(authority, mutual=True),
    )
    await refuse(board, pair, msrp.ConnectionFailed)
    with pytest.raises(msrp.CertificateRejected, match="not for the host of its path"):
        await pair[1].established()


@pytest.mark.rule("MSRP-38")
async def test_the_path_of_a_client_may_have_a_name(
    board: Board, authority: Authority
) -> None:
    policy, _ = policies(authority, mutual=True)
    caller = await board.listener(
        local_cert=authority.issue("caller.example.net"),
        advertised_host="caller.example.net",
        tls=policy,
    )
    called = await board.listener(local_cert=authority.issue(HOST), tls=policy)
    offered = caller.offer()
    answered = called.answer(offered)
    assert answered is not None
    active = board.connection(offered, answered, is_incoming=False, listener=caller)
    passive = board.connection(offered, answered, is_incoming=True, listener=called)
    await talk((active, passive))


async def test_a_session_cant_ask_for_more_than_its_listener_does(
    board: Board, certs: Certs, authority: Authority
) -> None:
    listener = await board.listener(local_cert=certs[1])
    negotiated = board.waiting(listener).negotiated
    policy, _ = policies(authority, mutual=True)
    passive = msrp.MsrpConnection(negotiated, listener=listener, tls=policy)
    with pytest.raises(msrp.LocalProtocolError, match="by another policy"):
        await passive.start()
    await passive.shutdown()


async def test_a_session_without_a_listener_has_a_policy_of_its_own(
    board: Board, authority: Authority
) -> None:
    policy, _ = policies(authority, mutual=True)
    own = authority.issue(HOST)
    pair = await sessions(board, (own, own), tls=(policy, policy))
    listener = pair[1]._listener
    assert listener is not None
    await listener.close()
    active, passive = (
        msrp.MsrpConnection(one.negotiated, local_cert=own, tls=policy) for one in pair
    )
    await talk((active, passive))
    await active.shutdown()
    await passive.shutdown()


@pytest.mark.rule("FP-6")
@pytest.mark.parametrize("who", ["nobody", "caller", "called"])
async def test_where_sdp_is_not_protected_each_side_is_certified_for_its_address(
    board: Board, authority: Authority, who: str
) -> None:
    policy = msrp.TlsPolicy.by_authority(authority.file, without_sdp_integrity=True)
    assert policy.mutual
    certificates = [
        # Its fingerprint is in the SDP, which anybody may have put there.
        msrp.LocalCertificate.self_signed() if who == liar else authority.issue(HOST)
        for liar in ("caller", "called")
    ]
    pair = await sessions(
        board, (certificates[0], certificates[1]), tls=(policy, policy)
    )
    if who == "nobody":
        await talk(pair)
    else:
        await refuse(board, pair, msrp.ConnectionFailed)


@pytest.mark.rule("FP-6")
@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize(
    ("certified", "exactly", "otherwise"),
    [
        pytest.param("a.psap.example", True, True, id="same"),
        pytest.param("*.psap.example", False, True, id="wildcard"),
        pytest.param("psap.example", False, False, id="parent"),
    ],
)
async def test_where_sdp_is_not_protected_no_wildcard_will_do(
    board: Board,
    authority: Authority,
    is_active: bool,
    certified: str,
    exactly: bool,
    otherwise: bool,
) -> None:
    der = authority.issue(certified).der
    pair = await sessions(board, (authority.issue(HOST), authority.issue(HOST)))
    told = pair[0 if is_active else 1].negotiated
    told = replace(told, server_name="A.psap.example", remote_fingerprints=())
    for strict, good in ((True, exactly), (False, otherwise)):
        policy = msrp.TlsPolicy.by_authority(mutual=True, without_sdp_integrity=strict)
        if good:
            policy.check(told, der, target="", peer="")
            continue
        with pytest.raises(msrp.CertificateRejected, match="not for the host"):
            policy.check(told, der, target="", peer="")


def test_without_integrity_of_sdp_only_one_side_verified_is_no_policy() -> None:
    with pytest.raises(ValueError, match="the verification is mutual"):
        msrp.TlsPolicy(without_sdp_integrity=True)


def test_mutual_without_authority_is_no_policy() -> None:
    with pytest.raises(ValueError, match="mutual is for verification by authority"):
        msrp.TlsPolicy(mutual=True)


@pytest.mark.parametrize("content", [None, b"", b"\0\xff"], ids=repr)
async def test_a_file_without_authorities_is_said_in_one_sentence(
    board: Board, certs: Certs, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_bytes(content)
    policy = msrp.TlsPolicy.by_authority(file, mutual=True)
    words = f"^{file}: no PEM certificates of authorities$"
    with pytest.raises(msrp.CertificateUnusable, match=words):
        msrp.MsrpListener(HOST, 0, local_cert=certs[0], tls=policy)
    named = board.calling(9, secure=True).negotiated
    active = msrp.MsrpConnection(named, tls=policy)
    with pytest.raises(msrp.CertificateUnusable, match=words):
        await active.start()
    await active.shutdown()


# AES of 256 bits.


def cipher_of(connection: msrp.MsrpConnection) -> str:
    stream = connection._started().stream
    assert stream is not None
    assert stream._transport is not None
    name: str = stream._transport.get_extra_info("ssl_object").cipher()[0]
    return name


@pytest.mark.parametrize("kind", ["fingerprint", "authority"])
async def test_aes_256_alone_is_for_both_proofs(
    board: Board, certs: Certs, authority: Authority, kind: str
) -> None:
    policy = msrp.TlsPolicy(aes_256_only=True)
    tls, own = (policy, policy), certs
    if kind == "authority":
        own = (authority.issue(HOST), authority.issue(HOST))
        tls = policies(authority, mutual=True, aes_256_only=True)
    pair = await sessions(board, own, tls=tls)
    await talk(pair)
    assert cipher_of(pair[0]) == cipher_of(pair[1]) == "TLS_AES_256_GCM_SHA384"


def tls_1_1(context: ssl.SSLContext) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


def tls_1_2(ciphers: str) -> Callable[[ssl.SSLContext], None]:
    def limit(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)

    return limit


def aes_128_of_tls_1_3(context: ssl.SSLContext) -> None:
    """Stand for what ``ssl`` can't be told, see :func:`of_aes_128`."""


def of_aes_128(certificate: msrp.LocalCertificate | None) -> TlsContext:
    context = TlsContext(certificate)
    context._openssl.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
    context._openssl.set_cipher_list(b"ECDHE-ECDSA-AES128-GCM-SHA256")
    return context


NO_VERSION = "the peer and we have no version of TLS in common; ours are 1.2 and later"
NO_SUITE = "the peer and we have no cipher suite in common"

WEAK = [
    pytest.param(tls_1_1, False, NO_VERSION, id="tls-1.1"),
    pytest.param(tls_1_2("eNULL:@SECLEVEL=0"), False, NO_SUITE, id="null"),
    pytest.param(
        tls_1_2("ECDHE-ECDSA-AES128-GCM-SHA256"), True, NO_SUITE, id="aes-128-tls-1.2"
    ),
    pytest.param(aes_128_of_tls_1_3, True, NO_SUITE, id="aes-128-tls-1.3"),
    pytest.param(
        tls_1_2("ECDHE-ECDSA-AES256-SHA"), True, NO_SUITE, id="aes-256-cbc-tls-1.2"
    ),
]


def alert_of(server: TlsConnection, hello: bytes) -> bytes:
    """Return what a server says that refuses the first octets of a handshake."""
    server.take(memoryview(hello))
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    return server.to_send()


@pytest.mark.rule("MSRP-119", "FP-7")
@pytest.mark.parametrize(("limit", "aes_256_only", "problem"), WEAK)
async def test_a_weak_server_is_refused_in_one_sentence(
    board: Board,
    certs: Certs,
    tmp_path: Path,
    limit: Callable[[ssl.SSLContext], None],
    aes_256_only: bool,
    problem: str,
) -> None:
    async def serve(peer: RawPeer) -> None:
        hello = await peer.reader.read(65536)
        if limit is aes_128_of_tls_1_3:
            peer.writer.write(alert_of(of_aes_128(certs[1]).server(), hello))
            return
        # By hand: asyncio's own server sends no alert.
        context = showing(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certs[1], tmp_path)
        limit(context)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(hello)
        with pytest.raises(ssl.SSLError):
            server.do_handshake()
        peer.writer.write(outgoing.read())

    port = await board.raw_server(serve)
    active = msrp.MsrpConnection(
        board.calling(port, secure=True, fingerprints=(certs[1],)).negotiated,
        tls=msrp.TlsPolicy(aes_256_only=aes_256_only),
    )
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await active.start()
    words = f"no MSRP connection to {HOST}:{port}: TLS failed ({problem})"
    assert str(caught.value) == words
    await active.shutdown()


@pytest.mark.rule("MSRP-119", "FP-7")
@pytest.mark.parametrize(("limit", "aes_256_only", "problem"), WEAK)
async def test_a_weak_client_is_refused_in_one_sentence(
    board: Board,
    certs: Certs,
    caplog: pytest.LogCaptureFixture,
    limit: Callable[[ssl.SSLContext], None],
    aes_256_only: bool,
    problem: str,
) -> None:
    caplog.set_level(logging.INFO, "msrp.listener")
    policy = msrp.TlsPolicy(aes_256_only=aes_256_only)
    listener = await board.listener(local_cert=certs[1], tls=policy)

    async def shake_hands() -> None:
        if limit is aes_128_of_tls_1_3:
            await open_tls(
                of_aes_128(None).client(),
                await connect(HOST, listener.port, SocketOptions(), 9),
                asyncio.Protocol,
                handshake_time=10.0,
                closing_time=1.0,
            )
        weak = believing()
        limit(weak)
        await tls_peer(board, listener.port, weak)

    with pytest.raises(ssl.SSLError) as caught:
        await shake_hands()
    assert tls_words(caught.value) == problem  # It is told by an alert.
    await board.until(lambda: not listener._arrivals.gates)
    assert not listener._arrivals.streams
    assert failures(caplog) == [problem]


async def test_tls_1_2_with_aes_256_is_taken(board: Board, certs: Certs) -> None:
    policy = msrp.TlsPolicy(aes_256_only=True)
    listener = await board.listener(local_cert=certs[1], tls=policy)
    passive = board.waiting(listener)
    await passive.start()
    context = believing()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    peer = await tls_peer(board, listener.port, context)
    await peer.bind(passive.negotiated.local_uri)
    assert cipher_of(passive) == "ECDHE-ECDSA-AES256-GCM-SHA384"


# Nothing.


async def test_who_verifies_nothing_is_warned_at_each_use(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture
) -> None:
    policy = msrp.TlsPolicy.verify_nothing_and_trust_anybody()
    wrong = str(Fingerprint.of_certificate(certs[0].der, "sha-512"))
    for _ in range(2):
        caplog.clear()
        pair = await sessions(
            board,
            certs,
            offered_says=(wrong.replace("A", "B"),),
            answered_says=(wrong,),
            tls=(policy, policy),
        )
        await talk(pair)
        warned = [r for r in caplog.records if r.name == "msrp.tls"]
        assert [r.levelname for r in warned] == ["WARNING"] * 2
        for record in warned:
            words = record.getMessage()
            assert words.startswith(f"TLS with {HOST}:")
            assert words.endswith(": nothing is verified, anybody is trusted")


async def test_nobody_is_trusted_by_chance(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture
) -> None:
    for policy in (msrp.TlsPolicy(), msrp.TlsPolicy.by_authority()):
        assert policy.verification is not msrp.Verification.NOTHING_AND_TRUST_ANYBODY
    await talk(await sessions(board, certs))
    assert [r for r in caplog.records if r.name == "msrp.tls"] == []
