"""TLS without a network: what one side gives is carried to the other by hand."""

from __future__ import annotations

import os
import ssl

import pytest
from OpenSSL import SSL

from msrp.aio.tls import direct, promised
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.context import TlsContext
from tests.msrp.aio.tls.by_hand import Certs, carry, pair, read, said


@pytest.fixture(autouse=True, params=[direct, promised])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msrp.aio.tls.connection.way", request.param)


@pytest.mark.rule("FP-4")
def test_each_side_sees_the_other_s_certificate(certs: Certs) -> None:
    client, server = pair(certs)
    assert client.getpeercert(binary_form=True) == certs[1].der
    assert server.getpeercert(binary_form=True) == certs[0].der
    assert client.getpeercert() == {}
    assert client.version() == "TLSv1.3"
    assert not client.answers
    cipher = client.cipher()
    assert cipher == server.cipher()
    assert cipher[2] is not None
    assert cipher[2] >= 128


def test_who_shows_no_certificate_is_taken_all_the_same(certs: Certs) -> None:
    client, server = TlsContext(None).client(), TlsContext(certs[1]).server()
    client.do_handshake()
    for source, target in ((client, server), (server, client), (client, server)):
        carry(source, target)
        target.do_handshake()
    assert server.getpeercert(binary_form=True) is None
    assert server.getpeercert() is None


@pytest.mark.parametrize("size", [0, 1, 16384, 65537, 1_000_000])
def test_octets_of_any_number_arrive_in_both_directions(
    certs: Certs, size: int
) -> None:
    client, server = pair(certs)
    octets = os.urandom(size)
    assert said(client, server, octets) == octets
    assert said(server, client, octets) == octets


def test_a_record_may_come_octet_by_octet(certs: Certs) -> None:
    client, server = pair(certs)
    octets = bytes(client.write(b"hello"))
    got = [read(server, octets[n : n + 1]) for n in range(len(octets))]
    assert [octets for octets in got if octets] == [b"hello"]
    assert got[-1]


def test_octets_may_come_with_the_end_of_the_handshake(certs: Certs) -> None:
    client, server = TlsContext(certs[0]).client(), TlsContext(certs[1]).server()
    client.do_handshake()
    carry(client, server)
    server.do_handshake()
    carry(server, client)
    assert client.do_handshake()
    carry(client, server)
    server.take(memoryview(bytes(client.write(b"hello"))))
    assert server.do_handshake()
    assert read(server, b"") == b"hello"


def test_the_end_is_told_after_what_came_before_it(certs: Certs) -> None:
    client, server = pair(certs)
    octets = bytes(client.write(b"hello")) + client.close()
    assert read(server, octets) == b"hello"
    assert server.ended
    assert server.error is None
    read(client, server.close())
    assert client.ended


def test_octets_that_were_changed_on_the_way_are_no_octets(certs: Certs) -> None:
    client, server = pair(certs)
    good, bad = bytes(client.write(b"hello")), bytearray(client.write(b"you"))
    bad[-1] ^= 1
    assert read(server, good + bad) == b"hello"
    assert isinstance(server.error, ssl.SSLError)
    # The peer is told why.
    assert read(client, server.to_send()) == b""
    assert "bad record mac" in str(client.error)


def test_a_peer_that_wants_another_handshake_is_told_no(certs: Certs) -> None:
    context = SSL.Context(SSL.TLS_METHOD)  # Ours wouldn't want one.
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    client, server = TlsConnection(connection), TlsContext(certs[1]).server()
    client.do_handshake()
    for source, target in ((client, server), (server, client), (client, server)):
        carry(source, target)
        target.do_handshake()
    carry(server, client)
    assert client.do_handshake()
    assert server.answers
    assert connection.renegotiate()
    assert not client.do_handshake()
    assert read(server, client.to_send()) == b""
    assert server.error is None
    carry(server, client)
    with pytest.raises(ssl.SSLError, match="no renegotiation"):
        client.do_handshake()
    assert server.to_send() == b""


def test_no_record_is_made_after_the_end(certs: Certs) -> None:
    client, _ = pair(certs)
    client.close()
    with pytest.raises(ssl.SSLError):
        client.write(b"hello")


def test_the_end_of_what_never_began_is_nothing(certs: Certs) -> None:
    client = TlsContext(certs[0]).client()
    assert client.close() == b""
