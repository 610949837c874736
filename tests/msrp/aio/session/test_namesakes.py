"""Proxies that write a host of their own into the paths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import msrp
from msrp.aio.session.namesakes import Namesakes

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer


def rewritten(uri: msrp.MsrpUri) -> msrp.MsrpUri:
    return replace(uri, host="proxy.example.net", port=9000)


@pytest.mark.rule("MSRP-38")
async def test_a_session_can_be_found_by_its_id_alone(board: Board) -> None:
    listener = await board.listener(any_host=True)
    passive = board.waiting(listener)
    await passive.start()
    uri = rewritten(passive.negotiated.local_uri)
    peer = await board.raw(listener.port)
    await peer.bind(uri)
    wish = (("Success-Report", "yes"),)
    name = peer.request(uri, b"hello", fields=wish)
    assert await peer.response_to(name) == 200
    assert (await anext(passive)).text == "hello"
    # The peer is answered by the URI that it has used.
    assert peer.octets.count(f"From-Path: {uri}\r\n".encode()) == 2
    report = await peer.next()
    assert report.method == "REPORT"
    sent = await passive.send_text("hello yourself")
    request = await peer.next()
    assert request.body == b"hello yourself"
    peer.respond(request)
    await sent.delivered()
    await passive.shutdown()
    late = await board.raw(listener.port)
    assert await late.response_to(late.request(uri)) == 481
    assert len(listener._uris._known) == 0


async def test_by_default_the_whole_uri_counts(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    name = peer.request(rewritten(passive.negotiated.local_uri), b"hello")
    assert await peer.response_to(name) == 481
    await peer.bind(passive.negotiated.local_uri)
    name = peer.request(rewritten(passive.negotiated.local_uri), b"hello")
    assert await peer.response_to(name) == 481


def with_uri(
    board: Board, listener: msrp.MsrpListener, uri: msrp.MsrpUri
) -> msrp.MsrpConnection:
    """Make a passive session by this URI."""
    peer = msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer")
    offered = msrp.offer_media(peer, setup="active")
    answered = msrp.answer_media(offered, uri)
    assert answered is not None
    return board.connection(offered, answered, is_incoming=True, listener=listener)


async def test_an_id_that_two_sessions_have_names_none_of_them(board: Board) -> None:
    listener = await board.listener(any_host=True)
    uris = [
        msrp.MsrpUri("msrp", host, listener.port, "a0b1c2")
        for host in ("a.example.net", "b.example.net")
    ]
    one, other = (with_uri(board, listener, uri) for uri in uris)
    await one.start()
    await other.start()
    peer = await board.raw(listener.port)
    name = peer.request(rewritten(uris[0]), b"hello")
    assert await peer.response_to(name) == 481
    await peer.bind(uris[0])  # As the whole URI does.
    await other.shutdown()
    name = peer.request(rewritten(uris[0]), b"hello")
    assert await peer.response_to(name) == 200


async def test_two_sessions_of_one_connection_are_told_apart(board: Board) -> None:
    listener = await board.listener(any_host=True)
    sessions = [board.waiting(listener) for _ in range(2)]
    peer = await board.raw(listener.port)
    for session in sessions:
        await session.start()
        await peer.bind(rewritten(session.negotiated.local_uri))
    for number, session in enumerate(sessions):
        text = f"for number {number}"
        peer.request(rewritten(session.negotiated.local_uri), text.encode())
        assert (await anext(session)).text == text


@pytest.mark.parametrize("comes", [True, False], ids=["comes", "never-comes"])
async def test_an_early_connection_waits_for_its_session(
    board: Board, comes: bool
) -> None:
    listener = await board.listener(any_host=True)
    passive = board.waiting(listener)
    peer = await board.raw(listener.port)
    name = peer.request(rewritten(passive.negotiated.local_uri), b"early")
    await board.until(lambda: listener._uris._held)
    if comes:
        await passive.start()
    else:
        listener.forget(passive.negotiated.local_uri)
    assert await peer.response_to(name) == (200 if comes else 481)
    assert not listener._uris._held


@pytest.mark.parametrize("any_host", [True, False])
async def test_it_holds_for_connections_that_we_open_too(
    board: Board, any_host: bool
) -> None:
    codes: list[int | None] = []

    async def serve(peer: RawPeer) -> None:
        first = await peer.next()
        peer.respond(first)
        uri = rewritten(msrp.MsrpUri.parse(first.headers["from-path"]))
        codes.append(await peer.response_to(peer.request(uri, b"hello")))
        await peer.rest()

    port = await board.raw_server(serve)
    listener = await board.listener(any_host=any_host)
    active = board.calling(port, listener=listener)
    await active.start()
    await board.until(lambda: codes)
    assert codes == [200 if any_host else 481]


async def test_uris_that_nobody_came_for_are_forgotten(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.aio.streams.directory._MAX_EXPECTED", 3)
    listener = await board.listener(any_host=True)
    for _ in range(10):
        listener.new_uri()
    assert len(listener._uris._known) == len(listener._uris._expected) == 3


hosts = st.sampled_from(["a.example", "b.example"])
ids = st.sampled_from(["x", "y/z=", None])


@given(st.lists(st.tuples(st.booleans(), hosts, ids)), ids)
def test_agrees_with_a_set_of_uris(
    steps: list[tuple[bool, str, str | None]], wanted: str | None
) -> None:
    known, model = Namesakes(), set[msrp.MsrpUri]()
    for adds, host, session_id in steps:
        uri = msrp.MsrpUri("msrp", host, 9, session_id)
        if adds:
            known.add(uri)
            model.add(uri)
        else:
            known.discard(uri)
            model.discard(uri)
    fitting = [uri for uri in model if uri.session_id == wanted]
    only = fitting[0] if wanted is not None and len(fitting) == 1 else None
    assert known.only(msrp.MsrpUri("msrps", "c.example", 1, wanted)) == only
    assert len(known) == len({uri.session_id for uri in model})
