"""Message sessions that follow a further offer and answer, without a call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

import msrp
import sip
from msrp.negotiation import MediaDescription
from msrp.testing import FlakyProxy
from sdp import Attribute, Direction, direction_of, with_direction
from tests.msrp.sections import moved

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


@dataclass
class Call:
    """What a call does with the media of both sides."""

    one: msrp.MsrpMedia
    other: msrp.MsrpMedia

    async def begin(self, port: int | None = None) -> None:
        """Begin, by way of another port if one is given."""
        offered = await self.one.offer()
        answered = await self.other.answer(offered)
        assert answered is not None
        await self.other.start(offered, answered, False)
        seen = moved(answered, "127.0.0.1", port)
        await self.one.start(offered, seen, True)
        await self.established()
        self.said = offered

    async def established(self) -> None:
        async with asyncio.timeout(5):
            await self.one.connection.established()
            await self.other.connection.established()

    async def offer(self, offered: MediaDescription) -> MediaDescription:
        """Carry an offer of the one through."""
        answered = await self.other.reanswer(offered)
        assert answered is not None
        await self.other.follow(offered, answered, False)
        await self.one.follow(offered, answered, True)
        return answered

    async def end(self) -> None:
        await self.one.stop()
        await self.other.stop()


async def talking(board: Board) -> Call:
    call = Call(
        msrp.MsrpMedia(await board.listener()), msrp.MsrpMedia(await board.listener())
    )
    await call.begin()
    return call


def stream_of(medium: msrp.MsrpMedia) -> object:
    running = medium.connection._running
    assert running is not None
    return running.stream


async def test_it_has_the_shapes_that_sip_asks_for(board: Board) -> None:
    medium = msrp.MsrpMedia(await board.listener())
    for shape in (
        sip.FollowingMedia,
        sip.RenegotiatingMedia,
        sip.ExplainingMedia,
        sip.IntroducedMedia,
    ):
        assert isinstance(medium, shape)


@pytest.mark.rule("MT-15", "COM-3")
@pytest.mark.parametrize(
    ("setup", "answer"),
    [("actpass", "passive"), ("active", "passive"), ("passive", "active")],
)
async def test_the_same_path_is_the_same_connection(
    board: Board, setup: str, answer: str
) -> None:
    call = await talking(board)
    connections = call.one.connection, call.other.connection
    streams = stream_of(call.one), stream_of(call.other)
    attributes = tuple(
        Attribute("setup", setup) if a.name == "setup" else a
        for a in call.said.attributes
    )
    answered = await call.offer(replace(call.said, attributes=attributes))
    # Where it can, an answer says who has connected; and nobody does so again.
    assert answered.first("setup") == answer
    assert call.one.connection.negotiated.is_active
    assert (call.one.connection, call.other.connection) == connections
    assert (stream_of(call.one), stream_of(call.other)) == streams
    await call.one.connection.send_text("hello")
    assert (await anext(call.other.connection)).text == "hello"
    await call.end()


@pytest.mark.rule("OA-23", "OA-9")
@pytest.mark.parametrize("direction", list(Direction))
async def test_directions_change_without_the_connection(
    board: Board, direction: Direction
) -> None:
    call = await talking(board)
    stream = stream_of(call.one)
    answered = await call.offer(with_direction(call.said, direction))
    assert direction_of(answered) is direction.reversed
    assert call.one.connection.negotiated.may_send is direction.sends
    assert call.other.connection.negotiated.may_send is direction.receives
    assert stream_of(call.one) is stream
    for medium, may in ((call.one, direction.sends), (call.other, direction.receives)):
        if may:
            await medium.connection.send_text("hello")
            continue
        with pytest.raises(msrp.LocalProtocolError):
            await medium.connection.send_text("hello")
    await call.offer(call.said)
    await call.other.connection.send_text("again")
    await call.end()


@pytest.mark.rule("MT-15", "MSRP-41")
async def test_another_path_is_another_connection_of_the_same_session(
    board: Board,
) -> None:
    call = await talking(board)
    connections = call.one.connection, call.other.connection
    stream = stream_of(call.one)
    await call.offer(await call.one.offer())
    await call.established()
    assert stream_of(call.one) is not stream
    assert (call.one.connection, call.other.connection) == connections
    await call.one.connection.send_text("hello")
    assert (await anext(call.other.connection)).text == "hello"
    await call.end()


@pytest.mark.rule("OA-18")
async def test_what_nothing_comes_of_is_forgotten(board: Board) -> None:
    call = await talking(board)
    pending = await call.one.offer()
    answered = await call.other.reanswer(pending)
    assert answered is not None
    call.one.keep()
    call.other.keep()
    peer = await board.raw(call.one._listener.port)  # type: ignore[union-attr]
    assert await peer.response_to(peer.request(pending.first("path") or "")) == 481
    await call.one.connection.send_text("as before")
    assert (await anext(call.other.connection)).text == "as before"
    await call.end()


async def test_in_the_place_of_a_session_that_is_over_a_new_one_begins(
    board: Board,
) -> None:
    made: list[msrp.MsrpConnection] = []
    call = Call(
        msrp.MsrpMedia(await board.listener()),
        msrp.MsrpMedia(await board.listener(), on_connection=made.append),
    )
    await call.begin()
    former = call.other.connection
    await call.one.connection.shutdown()
    await former.closed()
    await call.offer(await call.one.offer())
    await call.established()
    assert made == [former, call.other.connection]
    assert former is not call.other.connection
    await call.one.connection.send_text("a new session")
    assert (await anext(call.other.connection)).text == "a new session"
    await call.end()


async def test_somebody_else_gets_a_session_of_his_own(board: Board) -> None:
    call = await talking(board)
    # What isn't sent yet is not for whoever is at another host.
    third = msrp.MsrpMedia(await board.listener(advertised_host="localhost"))
    former = call.one.connection
    offered = await call.one.offer()
    answered = await third.answer(offered)
    assert answered is not None
    await third.start(offered, answered, False)
    await call.one.follow(offered, answered, True)
    async with asyncio.timeout(5):
        await third.connection.established()
    assert (await former.closed()).error is None
    assert call.one.connection is not former
    await call.one.connection.send_text("nice to meet you")
    assert (await anext(third.connection)).text == "nice to meet you"
    await third.stop()
    await call.end()


async def test_starting_twice_is_following(board: Board) -> None:
    call = await talking(board)
    connection = call.one.connection
    await call.one.start(call.said, await _again(call), True)
    assert call.one.connection is connection
    await call.one.connection.send_text("still here")
    assert (await anext(call.other.connection)).text == "still here"
    await call.end()


async def test_what_was_stopped_can_start_again(board: Board) -> None:
    call = await talking(board)
    former = call.one.connection
    await call.end()
    call.one, call.other = call.one, msrp.MsrpMedia(await board.listener())
    await call.begin()
    assert call.one.connection is not former
    await call.one.connection.send_text("once more")
    assert (await anext(call.other.connection)).text == "once more"
    await call.end()


async def test_stopping_while_it_moves_leaves_nothing(board: Board) -> None:
    call = await talking(board)
    offered = await call.one.offer()
    answered = await call.other.reanswer(offered)
    assert answered is not None
    await call.one.follow(offered, answered, True)
    await call.end()
    assert call.one.connection.is_over


@pytest.mark.rule("OA-8")
@pytest.mark.parametrize(
    ("secure", "media", "words"),
    [
        (False, "message", None),
        (True, "message", "TLS is wanted here"),
        (False, "audio", "no message session"),
    ],
    ids=["fits", "no-tls", "audio"],
)
async def test_a_refusal_is_explained(
    board: Board, secure: bool, media: str, words: str | None
) -> None:
    certificate = msrp.LocalCertificate.self_signed() if secure else None
    medium = msrp.MsrpMedia(await board.listener(local_cert=certificate))
    other = msrp.MsrpMedia(await board.listener())
    offered = replace(await other.offer(), media=media)
    answered = await medium.answer(offered)
    assert (answered is None) == (words is not None)
    assert words is None if medium.refusal is None else (words or "") in medium.refusal
    await medium.stop()
    await other.stop()


@pytest.mark.rule("NG-15", "MSRP-40")
@pytest.mark.usefixtures("time_flies")
async def test_a_lost_session_asks_for_an_offer_until_it_has_one(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.aio.session.lost._FIRST_PAUSE", 0.05)
    monkeypatch.setattr("msrp.aio.session.lost._LONGEST_PAUSE", 0.05)
    monkeypatch.setattr("msrp.aio.session.lost._PASSIVE_PATIENCE", 0.05)
    listener = await board.listener()
    call = Call(msrp.MsrpMedia(await board.listener()), msrp.MsrpMedia(listener))
    asked: list[str] = []
    call.one.on_renegotiate = lambda: asked.append("active")
    call.other.on_renegotiate = lambda: asked.append("passive")
    async with FlakyProxy("127.0.0.1", listener.port) as proxy:
        await call.begin(proxy.port)
        assert not call.one.wants_offer
        proxy.reset()
        await board.until(lambda: {"active", "passive"} <= set(asked))
        await board.until(lambda: asked.count("active") >= 2)
    assert call.one.wants_offer
    assert call.other.wants_offer
    assert asked[0] == "active"
    await call.offer(await call.one.offer())
    await call.established()
    assert not call.one.wants_offer
    count = len(asked)
    await asyncio.sleep(0.15)
    assert len(asked) == count
    await call.end()


async def test_recovery_can_be_left_out(board: Board) -> None:
    listener = await board.listener()
    call = Call(
        msrp.MsrpMedia(await board.listener(), recovery_time=0.0),
        msrp.MsrpMedia(listener, recovery_time=0.0),
    )
    asked: list[None] = []
    call.one.on_renegotiate = lambda: asked.append(None)
    async with FlakyProxy("127.0.0.1", listener.port) as proxy:
        await call.begin(proxy.port)
        proxy.reset()
        assert (await call.one.connection.closed()).error is not None
    assert asked == []
    await call.end()


async def _again(call: Call) -> MediaDescription:
    answered = await call.other.reanswer(call.said)
    assert answered is not None
    return answered
