"""Certificates that a test authority has signed, and peers that speak TLS."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import msrp
from msrp.negotiation import MediaDescription
from sdp import Attribute

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


def announcing(media: MediaDescription, *values: str) -> MediaDescription:
    """Put other fingerprints into a description."""
    others = tuple(a for a in media.attributes if a.name != "fingerprint")
    told = tuple(Attribute("fingerprint", value) for value in values)
    return replace(media, attributes=others + told)


async def sessions(
    board: Board,
    certs: Certs,
    *,
    offered_says: tuple[str, ...] | None = None,
    answered_says: tuple[str, ...] | None = None,
    tls: tuple[msrp.TlsPolicy, msrp.TlsPolicy] | None = None,
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Make an active and a passive end of which one may have lied about itself."""
    one, other = tls or (None, None)
    caller = await board.listener(local_cert=certs[0], tls=one)
    called = await board.listener(local_cert=certs[1], tls=other)
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


def showing(
    context: ssl.SSLContext, certificate: msrp.LocalCertificate, directory: Path
) -> ssl.SSLContext:
    """Have a context show a certificate; ``ssl`` reads it from a file."""
    file = directory / "shown.pem"
    file.write_bytes(pem(certificate.certificate) + key_pem(certificate.key))
    context.load_cert_chain(file)
    return context


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

    def issue(
        self,
        host: str,
        *,
        chained: bool = False,
        valid: datetime.timedelta = datetime.timedelta(days=1),
    ) -> msrp.LocalCertificate:
        key, issuer_key, issuer = ec.generate_private_key(ec.SECP256R1()), self.key, ""
        chain = b""
        if chained:
            issuer, issuer_key = "intermediate", ec.generate_private_key(ec.SECP256R1())
            middle = sign(issuer, issuer_key, "test authority", self.key, is_ca=True)
            chain = pem(middle)
        issuer = issuer or "test authority"
        own = sign("peer", key, issuer, issuer_key, host=host, valid=valid)
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
    valid: datetime.timedelta = datetime.timedelta(days=1),
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
        .not_valid_after(now + valid)
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
