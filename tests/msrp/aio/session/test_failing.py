"""Peers that are gone, talk nonsense, or never come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.headers import ContinuationFlag

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("how", ["reset", "eof"])
async def test_a_peer_that_is_gone_in_the_middle_of_a_message(
    board: Board, how: str
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    waiting = await passive.send_text("will anybody answer?")
    await peer.next()
    peer.request(uri, b"half of it", end=False)
    await peer.writer.drain()
    if how == "reset":
        await board.turns()
        peer.reset()
    else:
        await peer.close()
    end = await passive.closed()
    assert end.reason is msrp.CloseReason.LOST
    assert end.error is not None
    with pytest.raises(msrp.SessionEnded):
        await waiting.delivered()
    with pytest.raises(msrp.SessionClosed):
        await passive.send_text("too late")
    await passive.shutdown()
    assert log.events[-1] == end
    assert log.of(msrp.TextMessageReceived) == []


async def test_what_was_still_arriving_is_with_the_end_and_nothing_else(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    for number in range(3):
        fields = (("Byte-Range", "1-*/8"),)
        name = f"given-up{number}"
        flag = ContinuationFlag.ABORT
        peer.request(uri, b"half", message_id=name, fields=fields, flag=flag)
    await board.until(lambda: len(log.of(msrp.IncompleteMessage)) == 3)
    more = ContinuationFlag.MORE
    fields = (("Byte-Range", "3-*/8"),)
    peer.request(uri, b"half", message_id="arriving", fields=fields, flag=more)
    for _ in range(4):
        await peer.next()
    await peer.close()
    end = await passive.closed()
    assert end.error is None
    (left,) = end.incomplete
    assert (left.message_id, left.ranges) == ("arriving", ((2, b"half"),))


@pytest.mark.rule("FIELD-15")
async def test_nonsense_closes_the_stream_with_a_logged_reason(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await board.listener()
    victim, other = board.waiting(listener), board.waiting(listener)
    await victim.start()
    await other.start()
    bad, good = await board.raw(listener.port), await board.raw(listener.port)
    await bad.bind(victim.negotiated.local_uri)
    await good.bind(other.negotiated.local_uri)
    caplog.set_level("INFO", logger="msrp")
    bad.writer.write(b"\r\n\r\nGET / HTTP/1.1\r\nX-Secret: 1\r\n\r\n")
    end = await victim.closed()
    assert end.reason is msrp.CloseReason.LOST
    assert isinstance(end.error, msrp.RemoteProtocolError)
    assert await bad.rest() == bad.octets
    assert "not an MSRP start line" in caplog.text
    assert "Secret" not in caplog.text
    assert "GET" not in caplog.text
    name = good.request(other.negotiated.local_uri, b"hello")
    assert await good.response_to(name) == 200


async def test_a_passive_side_whose_peer_never_comes(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, connect_timeout=0.05)
    log = board.log(passive)
    await passive.start()
    sent = await passive.send_text("is anybody there?")
    with pytest.raises(msrp.ConnectionFailed, match=r"did not connect within 0\.05 s"):
        await passive.established()
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    await passive.shutdown()
    assert [type(event) for event in log.events] == [
        msrp.MessageDeliveryFailed,
        msrp.ConnectionFailedEvent,
        msrp.ClosedEvent,
    ]
    peer = await board.raw(listener.port)
    late = peer.request(passive.negotiated.local_uri)
    assert await peer.response_to(late) == 481


async def closed_port(board: Board) -> int:
    listener = await board.listener()
    await listener.close()
    return listener.port


async def hanging_up(peer: RawPeer) -> None:
    return


async def speaking_smtp(peer: RawPeer) -> None:
    peer.writer.write(b"220 mail.example.net ESMTP\r\n")
    await peer.rest()


async def speaking_http(peer: RawPeer) -> None:
    await peer.reader.read(100)
    peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def resetting(peer: RawPeer) -> None:
    await peer.reader.read(100)
    peer.reset()


@pytest.mark.rule("MSRP-121", "MSRP-120")
@pytest.mark.parametrize(
    "kind",
    ["closed", "hangs-up", "smtp", "http", "resets", "tls-listener", "no-such-host"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_what_is_no_peer_is_said_in_one_sentence(
    board: Board, certs: Certs, kind: str, secure: bool
) -> None:
    host = "127.0.0.1"
    match kind:
        case "closed":
            port = await closed_port(board)
        case "tls-listener":
            # TCP to a TLS port, or TLS to a TCP port.
            cert = None if secure else certs[1]
            port = (await board.listener(local_cert=cert)).port
        case "no-such-host":
            port, host = 9, "a..b"
        case _:
            serve = {
                "hangs-up": hanging_up,
                "smtp": speaking_smtp,
                "http": speaking_http,
                "resets": resetting,
            }[kind]
            port = await board.raw_server(serve)
    active = board.calling(
        port, host=host, secure=secure, fingerprints=(certs[1],) if secure else ()
    )
    log = board.log(active)
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await active.start()
    words = str(caught.value)
    assert words.startswith(f"no MSRP connection to {host}:{port}: ")
    assert "\n" not in words
    assert "Errno" not in words
    assert "[" not in words
    assert not words.endswith((": ", "None", "()"))
    with pytest.raises(msrp.ConnectionFailed):
        await active.established()
    await active.shutdown()
    failed, closed = log.events
    assert isinstance(failed, msrp.ConnectionFailedEvent)
    assert isinstance(closed, msrp.ClosedEvent)
    assert closed.error is failed.error is caught.value


@pytest.mark.usefixtures("time_flies")
async def test_a_peer_that_accepts_and_says_nothing_is_given_up_in_time(
    board: Board, certs: Certs
) -> None:
    async def serve(peer: RawPeer) -> None:
        await peer.rest()

    port = await board.raw_server(serve)
    active = board.calling(
        port, secure=True, fingerprints=(certs[1],), connect_timeout=0.1
    )
    with pytest.raises(msrp.ConnectionFailed, match=r"no answer within 0\.1 s"):
        await active.start()


@pytest.mark.rule("MSRP-30")
async def test_the_next_address_of_a_name_is_tried(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    active, passive = await board.pair(start=False)
    port = active.negotiated.connect_to[1]
    loop = asyncio.get_running_loop()
    genuine = loop.getaddrinfo

    async def getaddrinfo(host: str, *args: object, **options: object) -> object:
        if host != "peer.example.com":
            return await genuine(host, *args, **options)  # type: ignore[arg-type]
        found = await genuine("127.0.0.1", port, type=1)
        family, kind, proto, name, _ = found[0]
        refusing = (family, kind, proto, name, ("127.0.0.2", port))
        return [refusing, (family, kind, proto, name, ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    named = replace(active.negotiated, connect_to=("peer.example.com", port))
    caller = msrp.MsrpConnection(named)
    await passive.start()
    await caller.start()
    await passive.established()
    await caller.shutdown()
    await active.shutdown()
