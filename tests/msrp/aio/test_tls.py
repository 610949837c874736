from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import msrp
from msrp.aio.tls import TlsContext
from msrp.headers import ContinuationFlag
from msrp.negotiation import Fingerprint, MediaDescription
from msrp.sansio.encoder import encode_end, encode_head
from sdp import Attribute

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


def announcing(media: MediaDescription, *values: str) -> MediaDescription:
    """Put other fingerprints into a description."""
    others = tuple(a for a in media.attributes if a.name != "fingerprint")
    told = tuple(Attribute("fingerprint", value) for value in values)
    return replace(media, attributes=others + told)


def wrong(hash_func: str = "sha-256") -> str:
    other = msrp.LocalCertificate.self_signed("other").der
    return str(Fingerprint.of_certificate(other, hash_func))


def right(certificate: msrp.LocalCertificate, hash_func: str = "sha-256") -> str:
    return str(Fingerprint.of_certificate(certificate.der, hash_func))


async def sessions(
    board: Board,
    certs: Certs,
    *,
    offered_says: tuple[str, ...] | None = None,
    answered_says: tuple[str, ...] | None = None,
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Make an active and a passive end of which one may have lied about itself."""
    caller = await board.listener(local_cert=certs[0])
    called = await board.listener(local_cert=certs[1])
    offered = caller.offer(accept_types=("*",))
    answered = called.answer(offered, accept_types=("*",))
    assert answered is not None
    if offered_says is not None:
        offered = announcing(offered, *offered_says)
    if answered_says is not None:
        answered = announcing(answered, *answered_says)
    return (
        board.connection(offered, answered, is_incoming=False, listener=caller),
        board.connection(offered, answered, is_incoming=True, listener=called),
    )


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


async def tls_peer(board: Board, port: int, context: ssl.SSLContext) -> RawPeer:
    peer = await board.raw(port)
    await peer.writer.start_tls(context, server_hostname="x")
    return peer


def believing() -> ssl.SSLContext:
    """Return a context that believes anybody, and shows nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


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
    await board.until(lambda: called._held)
    truth = announcing(answered, wrong())
    passive = board.connection(offered, truth, is_incoming=False, listener=called)
    await passive.start()
    with pytest.raises(msrp.CertificateRejected):
        await passive.established()
    with pytest.raises(msrp.ConnectionFailed):
        await starting


# Certificates that an authority has signed.


@dataclass(frozen=True)
class Authority:
    file: Path
    directory: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, directory: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = sign("test authority", key, "test authority", key, is_ca=True)
        file = directory / "authority.pem"
        file.write_bytes(pem(certificate))
        return cls(file, directory, key, certificate)

    def issue(self, host: str, *, chained: bool = False) -> msrp.LocalCertificate:
        key, issuer_key, issuer = ec.generate_private_key(ec.SECP256R1()), self.key, ""
        chain = b""
        if chained:
            issuer, issuer_key = "intermediate", ec.generate_private_key(ec.SECP256R1())
            middle = sign(issuer, issuer_key, "test authority", self.key, is_ca=True)
            chain = pem(middle)
        own = sign("peer", key, issuer or "test authority", issuer_key, host=host)
        file = self.directory / "peer.pem"
        file.write_bytes(pem(own) + chain + key_pem(key))
        return msrp.LocalCertificate.load(file)


def sign(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    host: str | None = None,
    is_ca: bool = False,
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if host is not None:
        try:
            san: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            san = x509.DNSName(host)
        names = x509.SubjectAlternativeName([san])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def key_pem(key: Key, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Give an authority that the system trusts."""
    authority = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


async def by_authority(
    board: Board, certificate: msrp.LocalCertificate
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Make a session of which the passive side has announced no fingerprint."""
    return await sessions(
        board,
        (msrp.LocalCertificate.self_signed(), certificate),
        offered_says=(),
        answered_says=(),
    )


@pytest.mark.rule("MSRP-117")
@pytest.mark.parametrize("chained", [False, True], ids=["root", "intermediate"])
async def test_without_a_fingerprint_an_authority_vouches_for_the_host(
    board: Board, authority: Authority, chained: bool
) -> None:
    certificate = authority.issue("127.0.0.1", chained=chained)
    active, passive = await by_authority(board, certificate)
    await passive.start()
    await active.start()
    await (await active.send_text("hello")).delivered()
    await (await passive.send_text("hello")).delivered()


@pytest.mark.rule("MSRP-117", "MSRP-120", "MT-12")
@pytest.mark.parametrize("kind", ["self-signed", "other-host"])
async def test_without_a_fingerprint_nobody_else_is_believed(
    board: Board, authority: Authority, kind: str
) -> None:
    if kind == "self-signed":
        certificate = msrp.LocalCertificate.self_signed("127.0.0.1")
    else:
        certificate = authority.issue("psap.example.net")
    active, passive = await by_authority(board, certificate)
    log = board.log(passive)
    await passive.start()
    with pytest.raises(msrp.CertificateRejected) as caught:
        await active.start()
    assert "\n" not in str(caught.value)
    await active.shutdown()
    await passive.shutdown()
    assert log.of(msrp.ConnectionEstablished) == []


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
    await board.until(lambda: not listener._gates)
    assert not listener._streams


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


async def test_a_context_tells_what_asyncio_asks(certs: Certs) -> None:
    context = TlsContext(certs[0])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = context.wrap_bio(incoming, outgoing)
    two = TlsContext(certs[1]).wrap_bio(outgoing, incoming, server_side=True)
    for _ in range(10):
        for side in (one, two):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
    assert one.getpeercert(binary_form=True) == certs[1].der
    assert two.getpeercert(binary_form=True) == certs[0].der
    assert one.getpeercert() == {}
    assert one.version() == "TLSv1.3"
    assert one.compression() is None
    cipher = one.cipher()
    assert cipher is not None
    assert cipher[2] >= 128
    assert one.context is context
    with pytest.raises(ssl.SSLWantReadError):
        two.read(10)
    assert one.write(b"hello") == 5
    buffer = bytearray(10)
    count: object = two.read(10, memoryview(buffer))  # As asyncio calls it.
    assert count == 5
    assert buffer[:5] == b"hello"
    with pytest.raises(ssl.SSLWantReadError):
        one.unwrap()
    assert two.read(10) == b""
    two.unwrap()
    one.unwrap()


# Certificates of ours.


def test_a_new_certificate_can_be_announced_and_recognised() -> None:
    one, two = (msrp.LocalCertificate.self_signed("a") for _ in range(2))
    assert one.fingerprint.hash_func == "sha-256"
    assert one.fingerprint == Fingerprint.of_certificate(one.der)
    assert one.fingerprint != two.fingerprint


def certificate_for(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def test_a_key_that_is_too_short_for_tls_is_refused() -> None:
    key = rsa.generate_private_key(65537, 1024)
    certificate = msrp.LocalCertificate(certificate_for(key), key)
    with pytest.raises(msrp.CertificateUnusable, match="key too small"):
        msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("files", [1, 2])
def test_a_certificate_is_loaded_from_one_file_or_two(
    tmp_path: Path, kind: str, files: int
) -> None:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 2048)
    certificate = certificate_for(key)
    one, two = tmp_path / "one.pem", tmp_path / "two.pem"
    if files == 1:
        one.write_bytes(key_pem(key) + pem(certificate))
        loaded = msrp.LocalCertificate.load(str(one))
    else:
        one.write_bytes(pem(certificate))
        two.write_bytes(key_pem(key))
        loaded = msrp.LocalCertificate.load(one, two)
    assert loaded.certificate == certificate
    TlsContext(loaded)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("directory", "directory", id="directory"),
        pytest.param(b"", "no PEM certificate", id="empty"),
        pytest.param(b"\0\xff" * 50, "no PEM certificate", id="binary"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "no PEM certificate",
            id="garbage",
        ),
        pytest.param("no key", "no PEM private key", id="no-key"),
        pytest.param("locked", "without a password", id="password"),
        pytest.param("ed25519", "neither EC nor RSA", id="ed25519"),
        pytest.param("other", "not the certificate's", id="other-key"),
    ],
)
def test_what_cant_be_loaded_is_said_in_one_sentence(
    tmp_path: Path, content: bytes | str | None, problem: str
) -> None:
    path = tmp_path / "own.pem"
    good = msrp.LocalCertificate.self_signed()
    assert isinstance(good.key, ec.EllipticCurvePrivateKey)
    own = pem(good.certificate)
    match content:
        case bytes():
            path.write_bytes(content)
        case "directory":
            path.mkdir()
        case "no key":
            path.write_bytes(own)
        case "locked":
            path.write_bytes(own + key_pem(good.key, b"secret"))
        case "ed25519":
            path.write_bytes(own + key_pem(ed25519.Ed25519PrivateKey.generate()))
        case "other":
            other = ec.generate_private_key(ec.SECP256R1())
            path.write_bytes(own + key_pem(other))
    with pytest.raises(msrp.CertificateUnusable) as caught:
        msrp.LocalCertificate.load(path)
    assert caught.value.path == str(path)
    assert problem in caught.value.problem
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
