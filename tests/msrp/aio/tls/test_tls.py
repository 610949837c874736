from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import msrp
from msrp.headers import ContinuationFlag
from msrp.negotiation import Fingerprint
from msrp.sansio.encoder import encode_end, encode_head
from tests.msrp.aio.tls_peers import (
    announcing,
    believing,
    key_pem,
    pem,
    sessions,
    tls_peer,
)

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


def wrong(hash_func: str = "sha-256") -> str:
    other = msrp.LocalCertificate.self_signed("other").der
    return str(Fingerprint.of_certificate(other, hash_func))


def right(certificate: msrp.LocalCertificate, hash_func: str = "sha-256") -> str:
    return str(Fingerprint.of_certificate(certificate.der, hash_func))


# Who the peer is.


MD5 = "md5 " + ":".join(["AB"] * 16)


@pytest.mark.rule("MSRP-118", "FP-3", "MT-12")
@pytest.mark.parametrize(
    "says",
    [
        pytest.param(lambda cert: (right(cert),), id="sha-256"),
        pytest.param(lambda cert: (right(cert, "sha-1"),), id="sha-1"),
        pytest.param(lambda cert: (wrong("sha-1"), right(cert)), id="sha-256-counts"),
        pytest.param(lambda cert: (wrong(), right(cert)), id="one-of-two"),
        pytest.param(lambda cert: (MD5, right(cert)), id="md5-beside"),
    ],
)
async def test_a_certificate_that_was_announced_is_good(
    board: Board,
    certs: Certs,
    says: Callable[[msrp.LocalCertificate], tuple[str, ...]],
) -> None:
    active, passive = await sessions(
        board, certs, offered_says=says(certs[0]), answered_says=says(certs[1])
    )
    await passive.start()
    await active.start()
    await (await active.send_text("hello")).delivered()
    await (await passive.send_text("hello")).delivered()


BAD = [
    pytest.param(lambda cert: (wrong(),), id="wrong"),
    pytest.param(lambda cert: (MD5,), id="md5-only"),
    pytest.param(lambda cert: (wrong(), right(cert, "sha-1")), id="sha-256-wrong"),
]


@pytest.mark.rule("MSRP-118", "MSRP-120", "FP-3", "FP-4", "MT-12")
@pytest.mark.parametrize("says", BAD)
async def test_a_passive_side_that_isnt_the_peer_gets_no_octet(
    board: Board,
    certs: Certs,
    says: Callable[[msrp.LocalCertificate], tuple[str, ...]],
) -> None:
    active, passive = await sessions(board, certs, answered_says=says(certs[1]))
    logs = board.log(active), board.log(passive)
    await passive.start()
    starting = asyncio.create_task(active.start())
    await asyncio.sleep(0)
    sent = await active.send_text("for the peer only")
    with pytest.raises(msrp.CertificateRejected, match="does not match"):
        await starting
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    await active.shutdown()
    assert not passive.is_open
    assert logs[1].events == []
    closed = logs[0].events[-1]
    assert isinstance(closed, msrp.ClosedEvent)
    assert isinstance(closed.error, msrp.CertificateRejected)


LEFT = (
    r"127\.0\.0\.1:\d+ has closed a TLS connection without naming a session: perhaps"
    " it does not believe our certificate"
)


@pytest.mark.rule("FP-4")
@pytest.mark.usefixtures("time_flies")
async def test_who_is_not_believed_is_told_so_in_the_log_and_when_nobody_comes(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "msrp.listener")
    called = await board.listener(local_cert=certs[1])
    caller = await board.listener(local_cert=certs[0])
    offered = caller.offer()
    answered = called.answer(offered)
    assert answered is not None
    other = announcing(answered, wrong())
    active = board.connection(offered, other, is_incoming=False, listener=caller)
    passive = board.connection(
        offered, answered, is_incoming=True, listener=called, connect_timeout=0.3
    )
    await passive.start()
    with pytest.raises(msrp.CertificateRejected):
        await active.start()
    await board.until(lambda: caplog.messages)
    (told,) = caplog.messages
    assert re.fullmatch(LEFT, told)
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await passive.established()
    assert caught.value.problem == f"the peer did not connect within 0.3 s; {told}"
    # It is no news for those who wait from now on.
    late = board.waiting(called, connect_timeout=0.01)
    await late.start()
    with pytest.raises(msrp.ConnectionFailed, match="does it wait for us"):
        await late.established()


@pytest.mark.usefixtures("time_flies")
async def test_whoever_speaks_no_tls_is_told_to_those_who_wait(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await board.listener(local_cert=certs[1])
    passive = board.waiting(listener, connect_timeout=0.3)
    await passive.start()
    peer = await board.raw(listener.port)
    peer.request(passive.negotiated.local_uri)
    await peer.rest()
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await passive.established()
    assert re.fullmatch(
        r"the peer did not connect within 0\.3 s; a TLS handshake with"
        r" 127\.0\.0\.1:\d+ failed: wrong version number",
        caught.value.problem,
    )


@pytest.mark.parametrize("secure", [False, True])
async def test_nothing_is_logged_of_those_whom_we_have_sent_away(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture, secure: bool
) -> None:
    caplog.set_level(logging.INFO, "msrp.listener")
    listener = await board.listener(local_cert=certs[1] if secure else None)
    if secure:
        await tls_peer(board, listener.port, believing())
    else:
        (await board.raw(listener.port)).reset()  # As those do who look who is there.
    await board.until(lambda: listener._arrivals.streams or not secure)
    await listener.close()
    assert caplog.messages == []


@pytest.mark.rule("MSRP-118", "FP-4", "MT-12")
@pytest.mark.parametrize("says", BAD)
async def test_an_active_side_that_isnt_the_peer_ends_the_session(
    board: Board,
    certs: Certs,
    says: Callable[[msrp.LocalCertificate], tuple[str, ...]],
) -> None:
    active, passive = await sessions(board, certs, offered_says=says(certs[0]))
    logs = board.log(active), board.log(passive)
    await passive.start()
    sent = await passive.send_text("for the peer only")
    with pytest.raises(msrp.ConnectionFailed):
        await active.start()
    with pytest.raises(msrp.CertificateRejected, match="does not match"):
        await passive.established()
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    for log in logs:
        assert log.texts == []
        assert log.of(msrp.ConnectionEstablished) == []


@pytest.mark.rule("MSRP-118", "FP-4", "MT-12")
async def test_an_active_side_without_a_certificate_ends_the_session(
    board: Board, certs: Certs
) -> None:
    listener = await board.listener(local_cert=certs[1])
    passive = board.waiting(listener, fingerprints=(certs[0],))
    log = board.log(passive)
    await passive.start()
    await passive.send_text("for the peer only")
    peer = await tls_peer(board, listener.port, believing())
    peer.request(passive.negotiated.local_uri, b"let me in")
    with pytest.raises(msrp.CertificateRejected, match="shows no certificate"):
        await passive.established()
    assert await peer.rest() == b""
    await passive.shutdown()
    assert log.texts == []


@pytest.mark.rule("MSRP-38")
async def test_without_a_fingerprint_an_active_side_proves_itself_by_the_uri(
    board: Board, certs: Certs
) -> None:
    listener = await board.listener(local_cert=certs[1])
    passive = board.waiting(listener)
    await passive.start()
    peer = await tls_peer(board, listener.port, believing())
    peer.uri = "msrps://127.0.0.1:9/rawpeer;tcp"
    await peer.bind(passive.negotiated.local_uri)
    peer.request(passive.negotiated.local_uri, b"hello")
    assert (await anext(passive)).text == "hello"


@pytest.mark.rule("FP-5")
async def test_an_early_connection_is_believed_only_once_the_answer_is_here(
    board: Board, certs: Certs
) -> None:
    caller = await board.listener(local_cert=certs[0])
    called = await board.listener(local_cert=certs[1])
    offered = called.offer(accept_types=("*",))
    answered = caller.answer(offered, prefer_active=True, accept_types=("*",))
    assert answered is not None
    active = board.connection(offered, answered, is_incoming=True, listener=caller)
    starting = asyncio.create_task(active.start())
    await board.until(lambda: called._uris._held)
    truth = announcing(answered, wrong())
    passive = board.connection(offered, truth, is_incoming=False, listener=called)
    await passive.start()
    with pytest.raises(msrp.CertificateRejected):
        await passive.established()
    with pytest.raises(msrp.ConnectionFailed):
        await starting


# What is on the wire.


@pytest.mark.rule("MSRP-117")
@pytest.mark.parametrize(
    ("host", "told"), [("localhost", "localhost"), ("127.0.0.1", None)]
)
async def test_a_name_is_told_to_the_server_and_an_address_is_not(
    board: Board, certs: Certs, tmp_path: Path, host: str, told: str | None
) -> None:
    names: list[str | None] = []
    own = tmp_path / "own.pem"
    assert isinstance(certs[1].key, ec.EllipticCurvePrivateKey)
    own.write_bytes(pem(certs[1].certificate) + key_pem(certs[1].key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    context.sni_callback = lambda _, name, __: names.append(name)
    peers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: peers.append(writer), "127.0.0.1", 0, ssl=context
    )
    port = server.sockets[0].getsockname()[1]
    config = msrp.SessionConfig(binding_patience=0.01)
    active = board.calling(
        port, host=host, secure=True, fingerprints=(certs[1],), config=config
    )
    await active.start()
    await active.shutdown()
    assert names == [told]
    for peer in peers:
        peer.close()
    server.close()


async def test_what_is_older_than_tls_1_2_is_refused(
    board: Board, certs: Certs
) -> None:
    listener = await board.listener(local_cert=certs[1])
    old = believing()
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    peer = await board.raw(listener.port)
    with pytest.raises(OSError):  # noqa: PT011  # A reset or an alert, by luck.
        await peer.writer.start_tls(old, server_hostname="x")
    await board.until(lambda: not listener._arrivals.gates)
    assert not listener._arrivals.streams


@pytest.mark.parametrize("closes", [False, True], ids=["stays", "closes"])
async def test_octets_that_come_with_the_end_of_the_handshake_are_not_lost(
    board: Board, certs: Certs, closes: bool
) -> None:
    listener = await board.listener(local_cert=certs[1])
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = believing().wrap_bio(incoming, outgoing, server_hostname="x")
    while True:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            peer.writer.write(outgoing.read())
            incoming.write(await peer.reader.read(65536))
        else:
            break
    # The client's Finished is still here, and leaves together with the request.
    to, own = passive.negotiated.local_uri, "msrps://127.0.0.1:9/rawpeer;tcp"
    fields = [("Message-ID", "12345678")]
    head = encode_head("abcdefgh", "SEND", str(to), own, fields, "text/plain")
    client.write(head + b"hello" + encode_end("abcdefgh", ContinuationFlag.END))
    if closes:
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
    peer.writer.write(outgoing.read())
    if closes:
        peer.writer.write_eof()
    assert (await anext(passive)).text == "hello"
    if closes:
        assert (await passive.closed()).error is None
