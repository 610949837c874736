"""A middlebox on the way (RFC 6714): it moves octets, and changes c= and m= only."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import msrp
from msrp.negotiation import MediaDescription
from tests.msrp.sections import moved, without

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
"""Seconds after which a test gives up; nothing is ever measured by it."""


@dataclasses.dataclass(slots=True, eq=False)
class Middlebox:
    """Takes a connection and makes one; what comes in here goes out there."""

    target: int
    port: int = 0
    taken: int = 0
    octets: bytes = b""
    tasks: set[asyncio.Task[None]] = dataclasses.field(default_factory=set)

    def changes(self, media: MediaDescription) -> MediaDescription:
        return moved(media, LOOPBACK, self.port)

    async def take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.taken += 1
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        await asyncio.gather(
            self.pump(reader, far_writer), self.pump(far_reader, writer)
        )

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65536):
                self.octets += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def listener(host: str, local_cert: msrp.LocalCertificate | None) -> msrp.MsrpListener:
    """Listen, and say in the path a name that nobody can look up."""
    return msrp.MsrpListener(LOOPBACK, 0, local_cert=local_cert, advertised_host=host)


@asynccontextmanager
async def middlebox(target: int) -> AsyncIterator[Middlebox]:
    box = Middlebox(target)

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        box.tasks.add(task)
        await box.take(reader, writer)

    server = await asyncio.start_server(run, LOOPBACK, 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        if box.tasks:
            await asyncio.wait(box.tasks, timeout=PATIENCE)


async def exchange(one: msrp.MsrpConnection, other: msrp.MsrpConnection) -> None:
    """Say something each way, and see that it arrives."""
    async with asyncio.timeout(PATIENCE):
        for sender, receiver in [(one, other), (other, one)]:
            await sender.send_text("hello")
            assert (await anext(receiver)).text == "hello"


def certificate_for(name: str) -> msrp.LocalCertificate:
    """Make one that is good for a name, to those who trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.IPAddress(ipaddress.ip_address(name))
                    if name == LOOPBACK
                    else x509.DNSName(name)
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )
    return msrp.LocalCertificate(builder.sign(key, hashes.SHA256()), key)


@pytest.mark.rule("CEMA-3", "CEMA-6", "CEMA-8", "CEMA-9", "COM-4", "COM-7", "XT-5")
@pytest.mark.parametrize("over_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_a_session_goes_through_and_tls_from_end_to_end(
    over_tls: bool, prefer_active: bool
) -> None:
    one, other = (
        msrp.LocalCertificate.self_signed() if over_tls else None for _ in range(2)
    )
    async with (
        listener("alice.invalid", one) as alice,
        listener("bob.invalid", other) as bob,
        middlebox(alice.port) as to_alice,
        middlebox(bob.port) as to_bob,
    ):
        offered = to_alice.changes(alice.offer())
        answered = bob.answer(offered, prefer_active=prefer_active)
        assert answered is not None
        answered = to_bob.changes(answered)
        offerer = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=False, listener=alice
        )
        answerer = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=bob
        )
        order = (offerer, answerer) if prefer_active else (answerer, offerer)
        async with order[0] as waiting, order[1] as connecting:
            await exchange(connecting, waiting)
        passed, idle = (to_alice, to_bob) if prefer_active else (to_bob, to_alice)
        assert (passed.taken, idle.taken) == (1, 0)
        assert (b"MSRP " in passed.octets) is not over_tls


@pytest.mark.rule("CEMA-8", "MSRP-118", "XT-5")
async def test_a_middlebox_that_ends_tls_itself_is_not_the_peer() -> None:
    async with (
        listener("alice.invalid", msrp.LocalCertificate.self_signed()) as alice,
        listener("bob.invalid", msrp.LocalCertificate.self_signed()) as bob,
        listener("bob.invalid", msrp.LocalCertificate.self_signed()) as mallory,
    ):
        offered = alice.offer()
        answered = bob.answer(offered)
        assert answered is not None
        connection = msrp.MsrpConnection.create_from_sdp(
            offered,
            moved(answered, LOOPBACK, mallory.port),
            is_incoming=False,
            listener=alice,
        )
        with pytest.raises(msrp.CertificateRejected, match="fingerprint"):
            await connection.start()
        await connection.shutdown()


@pytest.mark.rule("CEMA-8", "MSRP-117", "XT-5")
@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        pytest.param("bob.invalid", True, id="of-the-path"),
        pytest.param("middlebox.invalid", False, id="of-somebody"),
        pytest.param(LOOPBACK, False, id="of-the-address-that-is-connected-to"),
    ],
)
async def test_without_fingerprints_the_certificate_names_the_host_of_the_path(
    name: str, is_good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for(name)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(
        certificate.certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with (
        listener("alice.invalid", msrp.LocalCertificate.self_signed()) as alice,
        listener("bob.invalid", certificate) as bob,
        middlebox(bob.port) as to_bob,
    ):
        offered = without(alice.offer(), "fingerprint")
        answered = bob.answer(offered)
        assert answered is not None
        answered = without(to_bob.changes(answered), "fingerprint")
        waiting = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=bob
        )
        connecting = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=False, listener=alice
        )
        async with waiting:
            if is_good:
                async with connecting:
                    await exchange(connecting, waiting)
            else:
                with pytest.raises(msrp.CertificateRejected):
                    await connecting.start()
                await connecting.shutdown()
