"""Who connects to whom, when the other side does as it likes."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.negotiation import MediaDescription
from sdp import Attribute

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer


def saying(media: MediaDescription, name: str, *values: str) -> MediaDescription:
    """Put other values of an attribute into a description."""
    others = tuple(a for a in media.attributes if a.name != name)
    told = tuple(Attribute(name, value) for value in values)
    return replace(media, attributes=others + told)


async def roles(
    board: Board,
    *,
    caller_connects: bool,
    called_connects: bool,
    connect_timeout: float = 30.0,
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Make two ends that may have understood different things."""
    caller, called = await board.listener(), await board.listener()
    offered = caller.offer()
    answered = called.answer(offered)
    assert answered is not None
    ends = []
    for listener, is_incoming, connects in [
        (caller, False, caller_connects),
        (called, True, called_connects),
    ]:
        negotiated = msrp.negotiate(offered, answered, is_incoming=is_incoming)
        dialled = replace(
            negotiated,
            is_active=connects,
            connect_to=("127.0.0.1", negotiated.remote_path[0].port or 0),
        )
        ends.append(
            msrp.MsrpConnection(
                dialled, listener=listener, connect_timeout=connect_timeout
            )
        )
    return ends[0], ends[1]


@pytest.mark.rule("MSRP-121", "COM-3")
async def test_two_who_both_wait_are_told_so_in_time(board: Board) -> None:
    ends = await roles(
        board, caller_connects=False, called_connects=False, connect_timeout=0.05
    )
    for end in ends:
        await end.start()
    for end in ends:
        with pytest.raises(msrp.ConnectionFailed) as caught:
            await end.established()
        assert str(caught.value) == (
            "no MSRP connection: the peer did not connect within 0.05 s, though offer"
            " and answer leave that to it: does it wait for us?"
        )
        await end.shutdown()


@pytest.mark.rule("COM-3")
async def test_two_who_both_connect_are_both_told(board: Board) -> None:
    ends = await roles(board, caller_connects=True, called_connects=True)
    starting = [asyncio.create_task(end.start()) for end in ends]
    async with asyncio.timeout(10):
        results = await asyncio.gather(*starting, return_exceptions=True)
    for result, end in zip(results, ends, strict=True):
        assert isinstance(result, msrp.ConnectionFailed)
        assert "481" in result.problem or "506" in result.problem
        await end.shutdown()


@pytest.mark.rule("COM-3", "MSRP-38")
async def test_a_peer_that_waits_and_connects_as_well_has_one_session(
    board: Board,
) -> None:
    listener = await board.listener()
    codes: list[int | None] = []

    async def serve(peer: RawPeer) -> None:
        first = await peer.next()
        uri = first.headers["from-path"]
        other = await board.raw(listener.port)
        codes.append(await other.response_to(other.request(uri, b"here too")))
        peer.respond(first)
        codes.append(await peer.response_to(peer.request(uri, b"hello")))
        codes.append(await other.response_to(other.request(uri, b"and here")))
        await peer.rest()

    port = await board.raw_server(serve)
    offered = listener.offer()
    answered = msrp.answer_media(
        offered, msrp.MsrpUri("msrp", "127.0.0.1", port, "rawpeer")
    )
    assert answered is not None
    active = board.connection(offered, answered, is_incoming=False, listener=listener)
    await active.start()
    assert (await anext(active)).text == "hello"
    await board.until(lambda: len(codes) == 3)
    assert codes == [506, 200, 506]


@pytest.mark.rule("COM-3", "MSRP-101")
@pytest.mark.parametrize("offered_setup", [None, "actpass", "sideways"])
@pytest.mark.parametrize("answered_setup", [None, "passive", "sideways"])
async def test_roles_that_nobody_has_heard_of_leave_it_to_the_offerer(
    board: Board, offered_setup: str | None, answered_setup: str | None
) -> None:
    caller, called = await board.listener(), await board.listener()
    offered = caller.offer()
    answered = called.answer(offered)
    assert answered is not None
    offered = saying(offered, "setup", *filter(None, [offered_setup]))
    answered = saying(answered, "setup", *filter(None, [answered_setup]))
    one = board.connection(offered, answered, is_incoming=False, listener=caller)
    two = board.connection(offered, answered, is_incoming=True, listener=called)
    assert one.negotiated.is_active
    assert not two.negotiated.is_active
    await two.start()
    await one.start()
    await (await one.send_text("hello")).delivered()


async def test_what_was_passed_over_in_the_sdp_is_logged_once(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caller, called = await board.listener(), await board.listener()
    offered = caller.offer()
    answered = called.answer(offered, max_size=5000)
    assert answered is not None
    answered = saying(answered, "max-size", "ZQZ")
    one = board.connection(offered, answered, is_incoming=False, listener=caller)
    two = board.connection(offered, answered, is_incoming=True, listener=called)
    assert caplog.records == []
    await two.start()
    await one.start()
    await one.shutdown()
    warned = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [(r.name, r.getMessage()) for r in warned] == [
        (
            "msrp.connection",
            "in the peer's SDP: the a=max-size of the answer is no limit",
        )
    ]


@pytest.mark.rule("MSRP-24", "MSRP-27")
@pytest.mark.parametrize("scheme", ["msrps", "msrp"])
@pytest.mark.parametrize("transport", ["tls", "TLS"])
async def test_a_peer_may_call_its_transport_tls(
    board: Board,
    certs: tuple[msrp.LocalCertificate, msrp.LocalCertificate],
    scheme: str,
    transport: str,
) -> None:
    # To a peer of ours that is another URI, unless it looks at the session id alone.
    listener = await board.listener(local_cert=certs[1], any_host=True)
    waiting = board.waiting(listener)
    await waiting.start()
    uri = waiting.negotiated.local_uri
    peer = f"{scheme}://127.0.0.1:{uri.port}/{uri.session_id};{transport}"
    offered = msrp.offer_media(
        msrp.MsrpUri("msrps", "127.0.0.1", 9, "rawpeer"), setup="active"
    )
    answered = msrp.answer_media(
        offered,
        uri,
        accept_types=("text/plain",),
        fingerprints=[certs[1].fingerprint],
    )
    assert answered is not None
    negotiated = msrp.negotiate(
        offered, saying(answered, "path", peer), is_incoming=False
    )
    assert negotiated.secure
    assert negotiated.connect_to == ("127.0.0.1", uri.port)
    assert str(negotiated.remote_path[0]) == peer
    async with msrp.MsrpConnection(negotiated) as active:
        await (await active.send_text("hello")).delivered()
    assert (await anext(waiting)).text == "hello"


@pytest.mark.rule("MSRP-24", "MSRP-27", "MSRP-120")
def test_a_transport_of_tls_is_not_for_a_stream_without_it() -> None:
    offered = msrp.offer_media(
        msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer"), setup="active"
    )
    answered = msrp.answer_media(offered, msrp.MsrpUri("msrp", "127.0.0.1", 8, "other"))
    assert answered is not None
    answered = saying(answered, "path", "msrp://127.0.0.1:8/other;tls")
    with pytest.raises(msrp.NegotiationError, match="disagree about TLS"):
        msrp.negotiate(offered, answered, is_incoming=False)


@pytest.mark.rule("FIELD-14", "MSRP-23")
@pytest.mark.parametrize("session_id", ["a/b", "a=+b", "...", "/", "a//b=/~_-"])
async def test_session_ids_of_peers_come_back_letter_for_letter(
    board: Board, session_id: str
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, peer=session_id)
    await passive.start()
    peer = await board.raw(listener.port)
    peer.uri = f"msrp://127.0.0.1:9/{session_id};tcp"
    await peer.bind(passive.negotiated.local_uri)
    await passive.send_text("hello")
    assert (await peer.next()).headers["to-path"] == peer.uri
