from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams import arrivals as arrivals_module
from msrp.aio.streams import directory as directory_module
from msrp.aio.tls.transport import TlsTransport

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


async def bound_pair(
    board: Board, listener: msrp.MsrpListener, peer: str = "rawpeer"
) -> tuple[msrp.MsrpConnection, RawPeer]:
    session = board.waiting(listener, peer=peer)
    await session.start()
    raw = await board.raw(listener.port)
    await raw.bind(session.negotiated.local_uri)
    return session, raw


# Which session a connection is for.


@pytest.mark.rule("MSRP-36")
async def test_a_session_that_nobody_knows_gets_481(board: Board) -> None:
    listener = await board.listener()
    peer = await board.raw(listener.port)
    unknown = f"msrp://127.0.0.1:{listener.port}/nothing;tcp"
    assert await peer.response_to(peer.request(unknown, b"hello")) == 481
    # The connection is as good as before.
    session = board.waiting(listener)
    await session.start()
    await peer.bind(session.negotiated.local_uri)


@pytest.mark.rule("MSRP-36")
async def test_a_path_of_two_uris_is_not_for_us(board: Board) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    uri = session.negotiated.local_uri
    peer = await board.raw(listener.port)
    assert await peer.response_to(peer.request(f"{uri} {uri}", b"hello")) == 481


@pytest.mark.rule("MSRP-37", "MT-2")
async def test_a_second_connection_for_a_session_gets_506(board: Board) -> None:
    listener = await board.listener()
    session, first = await bound_pair(board, listener)
    uri = session.negotiated.local_uri
    second = await board.raw(listener.port)
    assert await second.response_to(second.request(uri, b"me too")) == 506
    log = board.log(session)
    assert await first.response_to(first.request(uri, b"still me")) == 200
    await board.until(lambda: log.texts == ["still me"])
    sent = await session.send_text("for the first only")
    first.respond(await first.next())
    await sent.delivered()


async def test_a_session_that_we_open_ourselves_cant_be_called(board: Board) -> None:
    ends = asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        peer.respond(await peer.next())
        await ends.wait()

    listener = await board.listener()
    active = board.calling(await board.raw_server(serve), listener=listener)
    starting = asyncio.create_task(active.start())
    await asyncio.sleep(0)
    intruder = await board.raw(listener.port)
    name = intruder.request(active.negotiated.local_uri, b"let me in")
    assert await intruder.response_to(name) in (481, 506)
    await starting
    assert active.is_open
    assert (
        await intruder.response_to(intruder.request(active.negotiated.local_uri)) == 506
    )
    ends.set()


async def test_what_calls_a_session_without_binding_it_gets_nothing_of_it(
    board: Board,
) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    sent = await session.send_text("not for everybody")
    stranger = await board.raw(listener.port)
    uri = session.negotiated.local_uri
    fields = (("Byte-Range", "1-1/1"), ("Status", "000 200 OK"))
    stranger.request(uri, method="REPORT", fields=fields)
    assert await stranger.response_to(stranger.request(uri, method="NONE")) == 501
    assert not session.is_open
    peer = await board.raw(listener.port)
    await peer.bind(uri)
    request = await peer.next()
    assert request.body == b"not for everybody"
    peer.respond(request)
    await sent.delivered()
    stranger.reset()
    await (await send_more(session, peer)).delivered()


async def send_more(
    session: msrp.MsrpConnection, peer: RawPeer
) -> msrp.OutgoingMessage:
    sent = await session.send_text("more")
    peer.respond(await peer.next())
    return sent


@pytest.mark.rule("MSRP-38")
async def test_many_sessions_are_told_apart_on_one_port(board: Board) -> None:
    listener = await board.listener()
    pairs = [await bound_pair(board, listener, f"peer{n}") for n in range(30)]
    logs = [board.log(session) for session, _ in pairs]
    for number, (session, peer) in enumerate(pairs):
        peer.request(session.negotiated.local_uri, f"from {number}".encode())
    for number, log in enumerate(logs):
        await board.until(partial(getattr, log, "texts"))
        assert log.texts == [f"from {number}"]
    # Each from a port of its own, and none that its SDP has named.
    ports = {peer.writer.get_extra_info("sockname")[1] for _, peer in pairs}
    assert len(ports) == 30
    assert 9 not in ports


@pytest.mark.rule("MSRP-31", "MSRP-43", "MSRP-44", "MT-14")
@pytest.mark.usefixtures("time_flies")
async def test_two_sessions_on_one_connection_end_by_themselves(board: Board) -> None:
    limits = msrp.Limits(linger=0.2)
    listener = await board.listener(limits=limits)
    one, two = board.waiting(listener, peer="one"), board.waiting(listener, peer="two")
    await one.start()
    await two.start()
    peer = await board.raw(listener.port)
    first, second = one.negotiated.local_uri, two.negotiated.local_uri
    await peer.bind(first)
    await peer.bind(second)
    await one.shutdown()
    assert await peer.response_to(peer.request(first, b"x", message_id="late")) == 481
    assert await peer.response_to(peer.request(second, b"y")) == 200
    sent = await two.send_text("still here")
    peer.respond(await peer.next())
    await sent.delivered()
    await asyncio.sleep(0.3)  # There is a session left, so it stays open.
    assert await peer.response_to(peer.request(second, message_id="again")) == 200
    await two.shutdown()
    assert await peer.response_to(peer.request(second, message_id="late2")) == 481
    await peer.rest()  # Which returns when the other side has closed.


@pytest.mark.rule("FP-5", "OA-5")
async def test_a_connection_may_come_before_the_session(
    board: Board, either: Certs | None
) -> None:
    caller = await board.listener(local_cert=either[0] if either else None)
    called = await board.listener(local_cert=either[1] if either else None)
    # The offer has said that we can be called; its answer is slower than the peer.
    offered = called.offer()
    answered = caller.answer(offered, prefer_active=True)
    assert answered is not None
    active = board.connection(offered, answered, is_incoming=True, listener=caller)
    starting = asyncio.create_task(active.start())
    await active_text(active)
    await board.until(lambda: called._uris._held)
    assert not starting.done()
    passive = board.connection(offered, answered, is_incoming=False, listener=called)
    await passive.start()
    await starting
    assert (await anext(passive)).text == "early"


async def active_text(active: msrp.MsrpConnection) -> None:
    await asyncio.sleep(0)
    await active.send_text("early")


async def test_of_two_early_connections_the_first_gets_the_session(
    board: Board,
) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    uri = session.negotiated.local_uri
    first, second = await board.raw(listener.port), await board.raw(listener.port)
    one = first.request(uri)
    await board.until(lambda: len(listener._uris._held_for) == 1)
    two = second.request(uri)
    await board.until(lambda: len(listener._uris._held_for) == 2)
    await session.start()
    assert await first.response_to(one) == 200
    assert await second.response_to(two) == 506
    assert not listener._uris._held


@pytest.mark.usefixtures("time_flies")
async def test_who_waits_too_long_for_a_session_is_given_up(board: Board) -> None:
    listener = await board.listener(limits=msrp.Limits(probation_time=0.1))
    session = board.waiting(listener)
    uri = session.negotiated.local_uri
    peer = await board.raw(listener.port)
    peer.request(uri)
    assert await peer.rest() == b""
    await board.until(lambda: not listener._uris._held)
    assert not listener._uris._held_for
    later = await board.raw(listener.port)
    await session.start()
    await later.bind(uri)


@pytest.mark.rule("MSRP-36")
@pytest.mark.usefixtures("time_flies")
async def test_a_session_that_never_comes_does_not_hold_up_another_for_ever(
    board: Board,
) -> None:
    listener = await board.listener(limits=msrp.Limits(probation_time=0.2))
    session, never = board.waiting(listener), board.waiting(listener)
    await session.start()
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    early = peer.request(never.negotiated.local_uri)
    behind = peer.request(session.negotiated.local_uri)
    await board.until(lambda: listener._uris._held)
    assert await peer.response_to(early) == 481
    assert await peer.response_to(behind) == 200
    # Should it come after all, it is called as if nothing had been.
    await never.start()
    assert not listener._uris._held
    assert await peer.response_to(peer.request(never.negotiated.local_uri)) == 200
    assert session.is_open
    assert never.is_open


async def test_who_waits_for_a_session_that_never_comes_gets_481(board: Board) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    uri = session.negotiated.local_uri
    peer = await board.raw(listener.port)
    name = peer.request(uri)
    await board.until(lambda: listener._uris._held)
    await session.shutdown()  # As when the call comes to nothing.
    assert await peer.response_to(name) == 481


async def test_uris_that_nobody_claims_are_forgotten_some_day(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_module, "_MAX_EXPECTED", 5)
    listener = await board.listener()
    uris = [listener.new_uri() for _ in range(8)]
    assert [listener._uris.expects(uri) for uri in uris] == [False] * 3 + [True] * 5


# Bounds.


@pytest.mark.rule("MT-10")
@pytest.mark.parametrize("octets", [b"", b"MSRP "], ids=["silent", "slowloris"])
@pytest.mark.usefixtures("time_flies")
async def test_a_connection_that_names_no_session_is_closed(
    board: Board, octets: bytes
) -> None:
    limits = msrp.Limits(probation_time=0.1)
    listener = await board.listener(limits=limits)
    session, good = await bound_pair(board, listener)
    peer = await board.raw(listener.port)
    peer.writer.write(octets)
    assert await peer.rest() == b""
    name = good.request(session.negotiated.local_uri, b"x")
    assert await good.response_to(name) == 200


@pytest.mark.rule("MT-10")
async def test_of_too_many_silent_connections_the_oldest_goes(board: Board) -> None:
    limits = msrp.Limits(max_unbound_connections=5)
    listener = await board.listener(limits=limits)
    session, good = await bound_pair(board, listener)
    silent = [await board.raw(listener.port) for _ in range(7)]
    for peer in silent[:2]:
        assert await peer.rest() == b""
    another = board.waiting(listener, peer="another")
    await another.start()
    await silent[6].bind(another.negotiated.local_uri)
    name = good.request(session.negotiated.local_uri, b"x")
    assert await good.response_to(name) == 200


@pytest.mark.rule("MT-10")
async def test_connections_are_counted_too_and_sessions_go_last(board: Board) -> None:
    limits = msrp.Limits(max_connections=3)
    listener = await board.listener(limits=limits)
    pairs = [await bound_pair(board, listener, f"peer{n}") for n in range(3)]
    refused = await board.raw(listener.port)
    assert await refused.rest() == b""
    for session, peer in pairs:
        name = peer.request(session.negotiated.local_uri, b"x")
        assert await peer.response_to(name) == 200


@pytest.mark.rule("MT-10")
async def test_of_too_many_handshakes_the_oldest_goes(
    board: Board, certs: Certs
) -> None:
    limits = msrp.Limits(max_unbound_connections=3)
    listener = await board.listener(local_cert=certs[1], limits=limits)
    silent = [await board.raw(listener.port) for _ in range(5)]
    for peer in silent[:2]:
        assert await peer.rest() == b""
    assert len(listener._arrivals.gates) == 3


async def test_a_handshake_that_fails_leaves_nothing_behind(
    board: Board, certs: Certs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="msrp")
    listener = await board.listener(local_cert=certs[1])
    for octets in (b"MSRP abcd SEND\r\n\r\n" * 10, b"\x16\x03\x01\x00\x05hello", b""):
        peer = await board.raw(listener.port)
        peer.writer.write(octets)
        if octets:
            await peer.rest()
        else:
            await board.until(lambda: listener._arrivals.gates)
            peer.reset()
        await board.until(lambda: not listener._arrivals.gates)
    assert not listener._arrivals.streams
    assert not listener._arrivals.unbound
    assert "a TLS handshake with 127.0.0.1:" in caplog.text


@pytest.mark.usefixtures("time_flies")
async def test_a_handshake_takes_its_time_and_no_longer(
    board: Board, certs: Certs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals_module, "HANDSHAKE_TIME", 0.1)
    listener = await board.listener(local_cert=certs[1])
    peer = await board.raw(listener.port)
    assert await peer.rest() == b""
    await board.until(lambda: not listener._arrivals.gates)


async def test_a_connection_that_is_given_up_before_it_is_made(
    board: Board, certs: Certs
) -> None:
    listener = await board.listener(local_cert=certs[1])
    new = listener._arrivals._new_gate()
    assert isinstance(new, TlsTransport)
    new.abort()
    assert not listener._arrivals.gates
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: new, sock=ours
    )
    await board.until(transport.is_closing)
    theirs.close()
    await board.turns()


@pytest.mark.rule("MT-10")
@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"MSRP " + b"x" * 100_000, id="start-line"),
        pytest.param(
            b"MSRP abcdefgh SEND\r\n" + b"To-Path: x\r\n" * 100_000, id="headers"
        ),
        pytest.param(b"\0" * 100, id="zeros"),
    ],
)
async def test_a_head_without_an_end_costs_only_its_own_connection(
    board: Board, octets: bytes
) -> None:
    listener = await board.listener()
    session, good = await bound_pair(board, listener)
    bad = await board.raw(listener.port)
    bad.writer.write(octets)
    await bad.rest()
    name = good.request(session.negotiated.local_uri, b"x")
    assert await good.response_to(name) == 200


@pytest.mark.rule("MT-10")
@pytest.mark.usefixtures("time_flies")
async def test_a_message_that_stops_halfway_ends_its_session_only(board: Board) -> None:
    limits = msrp.Limits(stall_time=0.2)
    listener = await board.listener(limits=limits)
    session, bad = await bound_pair(board, listener)
    other, good = await bound_pair(board, listener, "another")
    bad.request(session.negotiated.local_uri, b"half of it", end=False)
    end = await session.closed()
    assert end.reason is msrp.CloseReason.LOST
    assert isinstance(end.error, msrp.LimitExceeded)
    name = good.request(other.negotiated.local_uri, b"x")
    assert await good.response_to(name) == 200


@pytest.mark.rule("MT-10")
async def test_a_claim_of_a_huge_size_costs_nothing(board: Board) -> None:
    listener = await board.listener()
    session, peer = await bound_pair(board, listener)
    uri = session.negotiated.local_uri
    huge = 10**15
    fields = (("Byte-Range", f"{huge}-{huge + 4}/{2 * huge}"),)
    name = peer.request(uri, b"hello", fields=fields)
    assert await peer.response_to(name) == 413
    assert await peer.response_to(peer.request(uri, b"x", message_id="fine")) == 200


# Its life.


async def test_it_is_started_once_at_a_time(board: Board) -> None:
    listener = await board.listener()
    with pytest.raises(msrp.LocalProtocolError, match="started before"):
        await listener.start()
    port = listener.port
    await listener.close()
    await listener.close()
    await listener.start()
    assert listener.port == port


async def test_a_port_that_is_taken_is_said_in_one_sentence(board: Board) -> None:
    taken = await board.listener()
    listener = msrp.MsrpListener("127.0.0.1", taken.port)
    with pytest.raises(msrp.ConnectionFailed, match="can't listen there") as caught:
        await listener.start()
    assert caught.value.target == f"127.0.0.1:{taken.port}"
    assert "\n" not in str(caught.value)
    await listener.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
async def test_peers_have_to_be_told_where_to_connect_to(host: str) -> None:
    with pytest.raises(msrp.LocalProtocolError, match="advertised_host"):
        await msrp.MsrpListener(host, 0).start()


async def test_an_advertised_host_goes_into_the_paths() -> None:
    listener = msrp.MsrpListener("0.0.0.0", 0, advertised_host="psap.example.net")
    async with listener:
        assert listener.host == "psap.example.net"
        path = listener.offer().first("path")
        assert path is not None
        assert path.startswith(f"msrp://psap.example.net:{listener.port}/")


async def test_closing_ends_what_came_in_and_what_waits(
    board: Board, either: Certs | None
) -> None:
    active, passive = await board.pair(certs=either)
    listener = passive._listener
    assert listener is not None
    waiting = board.waiting(listener)
    await waiting.start()
    await listener.close()
    assert (await passive.closed()).reason is msrp.CloseReason.BY_US
    assert (await active.closed()).reason is msrp.CloseReason.BY_THEM
    with pytest.raises(msrp.ConnectionFailed, match="listener was closed"):
        await waiting.established()
    assert not listener._arrivals.streams


async def test_closing_ends_handshakes(board: Board, certs: Certs) -> None:
    listener = await board.listener(local_cert=certs[1])
    peer = await board.raw(listener.port)
    await board.until(lambda: listener._arrivals.gates)
    await listener.close()
    assert await peer.rest() == b""
    assert not listener._arrivals.gates


async def test_closing_leaves_sessions_that_we_have_opened(board: Board) -> None:
    active, passive = await board.pair()
    listener = active._listener
    assert listener is not None
    await listener.close()
    await (await active.send_text("hello")).delivered()
    assert passive.is_open


async def test_an_offer_for_tls_is_not_answered_on_a_tcp_port(
    board: Board, certs: Certs
) -> None:
    plain, secure = await board.listener(), await board.listener(local_cert=certs[0])
    assert plain.answer(secure.offer()) is None
    assert secure.answer(plain.offer()) is None
    assert plain.answer(replace(plain.offer(), media="audio")) is None
    unknown = plain_offer(plain)
    expected = len(plain._uris._expected)
    assert plain.answer(unknown, accept_types=("image/png",)) is None
    assert (
        len(plain._uris._expected) == expected
    )  # Nothing is expected for what is refused.


def plain_offer(listener: msrp.MsrpListener) -> msrp.negotiation.MediaDescription:
    return listener.offer(accept_types=("text/plain",), accept_wrapped_types=())
