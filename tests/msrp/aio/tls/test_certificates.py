from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

import msrp
from msrp.aio.tls.certificate_names import names_host
from msrp.aio.tls.context import TlsContext
from msrp.negotiation import Fingerprint
from tests.msrp.aio.tls_peers import key_pem, pem


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


# Whom a certificate is for.


def naming(*names: x509.GeneralName) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cn.example")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    if names:
        extension = x509.SubjectAlternativeName(names)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


WHOLE = naming(x509.DNSName("a.example"))


def dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name) for name in names]


def ip(address: str) -> list[x509.GeneralName]:
    return [x509.IPAddress(ipaddress.ip_address(address))]


@pytest.mark.rule("MSRP-117")
@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        pytest.param(dns("a.example"), "a.example", True, id="same"),
        pytest.param(dns("A.Example"), "a.eXample.", True, id="case-and-final-dot"),
        pytest.param(dns("b.example", "a.example"), "a.example", True, id="second"),
        pytest.param(dns("b.example"), "a.example", False, id="other"),
        pytest.param(dns("example"), "a.example", False, id="parent"),
        pytest.param(dns("*.net.example"), "a.net.example", True, id="wildcard"),
        pytest.param(dns("*.net.example"), "b.a.net.example", False, id="one-label"),
        pytest.param(dns("*.net.example"), "net.example", False, id="no-label"),
        pytest.param(dns("*.net.example"), ".net.example", False, id="empty-label"),
        pytest.param(dns("a*.net.example"), "ab.net.example", False, id="partial"),
        pytest.param(dns("a.*.example"), "a.b.example", False, id="inner"),
        pytest.param(dns("*.example"), "a.example", False, id="too-wide"),
        pytest.param(dns("*"), "example", False, id="everything"),
        pytest.param(ip("192.0.2.1"), "192.0.2.1", True, id="ipv4"),
        pytest.param(ip("192.0.2.1"), "192.0.2.2", False, id="other-ipv4"),
        pytest.param(ip("2001:db8::1"), "2001:DB8:0::1", True, id="ipv6"),
        pytest.param(dns("192.0.2.1"), "192.0.2.1", False, id="address-as-name"),
        pytest.param([], "cn.example", False, id="common-name-only"),
        pytest.param(
            [x509.UniformResourceIdentifier("sip:a.example")],
            "a.example",
            False,
            id="uri",
        ),
    ],
)
def test_a_certificate_is_for_the_hosts_among_its_alternative_names(
    names: list[x509.GeneralName], host: str, fits: bool
) -> None:
    assert names_host(naming(*names), host) is fits


def with_version(version: int) -> bytes:
    """Return a certificate that says to be of another version of X.509."""
    told = bytes.fromhex("a003020102")
    assert WHOLE.count(told) == 1
    return WHOLE.replace(told, told[:-1] + bytes([version]))


@pytest.mark.parametrize("version", [1, 3, 127])
def test_a_certificate_of_a_version_that_there_isnt_is_for_nobody(version: int) -> None:
    assert not names_host(with_version(version), "a.example")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.binary(max_size=200), st.integers(0, 10_000), st.text(max_size=30))
@settings(deadline=None, max_examples=100)
def test_a_damaged_certificate_is_for_nobody_or_the_same(
    junk: bytes, at: int, host: str
) -> None:
    at %= len(WHOLE)
    assert not names_host(junk, host)
    assert names_host(WHOLE[:at] + junk + WHOLE[at + len(junk) :], host) in (
        False,
        host.lower().removesuffix(".") == "a.example",
    )
