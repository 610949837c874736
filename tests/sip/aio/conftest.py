"""User agents and certificates for the tests of the shell."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sip.aio import tls_client_context, tls_server_context
from tests.sip.aio.switchboard import Switchboard


@dataclass(frozen=True)
class Tls:
    """A server that shows a certificate, and a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class Authority:
    """Signs certificates.

    Attributes:
        file: Its own certificate.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(x509.NameOID.COMMON_NAME, "sip test")]
        )
        certificate = (
            self._certificate(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str) -> Path:
        """Give a file with a key and a certificate.

        Args:
            names: What it shows: addresses, ``sip:`` URIs, or names of hosts.
        """
        self._number += 1
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(x509.NameOID.COMMON_NAME, f"number {self._number}")]
        )
        shown = x509.SubjectAlternativeName([_general(name) for name in names])
        certificate = (
            self._certificate(subject, key)
            .add_extension(shown, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._directory / f"{self._number}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=2))
        )


def _general(name: str) -> x509.GeneralName:
    if ":" in name and "::" not in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> Tls:
    """Give contexts for a certificate of the loopback."""
    file = authority.issue("127.0.0.1", "::1")
    return Tls(tls_server_context(file), tls_client_context(authorities=authority.file))


@pytest_asyncio.fixture
async def board(tls: Tls) -> AsyncIterator[Switchboard]:
    async with AsyncExitStack() as stack:
        yield Switchboard(stack, tls)
