from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
import sip
from msrp.negotiation import MediaDescription
from sdp import Attribute
from tests.msrp.sections import moved, without

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


async def agree(
    one: msrp.MsrpMedia, two: msrp.MsrpMedia
) -> tuple[MediaDescription, MediaDescription]:
    offered = await one.offer()
    answered = await two.answer(offered)
    assert answered is not None
    return offered, answered


async def call(one: msrp.MsrpMedia, two: msrp.MsrpMedia) -> None:
    """Do what a call does with its media once it is answered."""
    offered, answered = await agree(one, two)
    await two.start(offered, answered, False)
    await one.start(offered, answered, True)
    await one.connection.established()
    await two.connection.established()


async def test_it_is_what_sip_asks_for(board: Board) -> None:
    assert isinstance(msrp.MsrpMedia(await board.listener()), sip.Media)


async def test_a_session_is_offered_answered_started_and_stopped(
    board: Board, either: Certs | None
) -> None:
    certs = either or (None, None)
    media = [msrp.MsrpMedia(await board.listener(local_cert=c)) for c in certs]
    await call(media[0], media[1])
    await media[0].connection.send_text("hello")
    assert (await anext(media[1].connection)).text == "hello"
    await media[0].stop()
    assert (await media[1].connection.closed()).error is None
    await media[1].stop()
    await media[1].stop()


async def test_the_offerer_may_be_the_one_who_waits(board: Board) -> None:
    one = msrp.MsrpMedia(await board.listener())
    two = msrp.MsrpMedia(await board.listener(), prefer_active=True)
    await call(one, two)
    assert two.connection.negotiated.is_active
    await one.stop()
    await two.stop()


async def test_hooks_can_be_set_before_it_starts(board: Board) -> None:
    log = board.log()
    made: list[msrp.MsrpConnection] = []

    def set_up(connection: msrp.MsrpConnection) -> None:
        assert not connection.is_open
        connection.on_connection_established = log.events.append
        connection.on_text_message_received = log.events.append
        made.append(connection)

    one = msrp.MsrpMedia(await board.listener())
    two = msrp.MsrpMedia(await board.listener(), on_connection=set_up)
    await call(one, two)
    assert made == [two.connection]
    await one.connection.send_text("hello")
    await board.until(lambda: log.texts == ["hello"])
    assert isinstance(log.events[0], msrp.ConnectionEstablished)
    await one.stop()
    await two.stop()


async def test_what_is_sent_as_soon_as_it_is_started_arrives(board: Board) -> None:
    one = msrp.MsrpMedia(await board.listener())
    two = msrp.MsrpMedia(await board.listener())
    offered, answered = await agree(one, two)
    await two.start(offered, answered, False)
    await two.connection.send_text("from the passive side")
    await one.start(offered, answered, True)
    await one.connection.send_text("from the active side")
    assert (await anext(two.connection)).text == "from the active side"
    assert (await anext(one.connection)).text == "from the passive side"
    await one.stop()
    await two.stop()


async def test_a_line_that_isnt_for_this_port_is_refused(
    board: Board, certs: Certs
) -> None:
    plain = msrp.MsrpMedia(await board.listener())
    secure = msrp.MsrpMedia(await board.listener(local_cert=certs[0]))
    assert await plain.answer(await secure.offer()) is None
    assert await secure.answer(await plain.offer()) is None
    assert await plain.answer(replace(await plain.offer(), media="audio")) is None
    with pytest.raises(msrp.LocalProtocolError, match="no message session"):
        _ = plain.connection
    await plain.stop()
    await secure.stop()


async def test_types_and_size_are_announced_and_kept(board: Board) -> None:
    one = msrp.MsrpMedia(await board.listener())
    two = msrp.MsrpMedia(
        await board.listener(),
        accept_types=("text/plain",),
        accept_wrapped_types=(),
        max_size=20_000,
    )
    await call(one, two)
    assert two.connection.max_message_length == 20_000
    assert one.connection.negotiated.remote_max_size == 20_000
    with pytest.raises(msrp.LocalProtocolError):
        await one.connection.send_text("x" * 20_001)
    with pytest.raises(msrp.LocalProtocolError):
        await one.connection.send_message("image/png", b"x")
    await (await one.connection.send_text("x" * 20_000)).delivered()
    await one.stop()
    await two.stop()


async def test_messages_say_who_they_are_from(board: Board) -> None:
    one = msrp.MsrpMedia(
        await board.listener(),
        local_address=msrp.Address("sip:alice@example.com"),
        remote_address=msrp.Address("sip:bob@example.com"),
    )
    two = msrp.MsrpMedia(await board.listener())
    await call(one, two)
    await one.connection.send_text("hello")
    message = await anext(two.connection)
    assert message.sender == "sip:alice@example.com"
    assert message.cpim is not None
    assert [to.uri for to in message.cpim.to] == ["sip:bob@example.com"]
    await one.stop()
    await two.stop()


async def test_how_to_send_can_be_said(board: Board) -> None:
    config = msrp.SessionConfig(chunk_size=None, window=1)
    one = msrp.MsrpMedia(await board.listener(), config=config)
    two = msrp.MsrpMedia(await board.listener(), max_size=1_000_000)
    await call(one, two)
    assert one.connection.session.config.window == 1
    await (await one.connection.send_text("x" * 500_000)).delivered()
    await one.stop()
    await two.stop()


async def test_a_peer_that_cant_be_reached_doesnt_harm_the_call(board: Board) -> None:
    listener = await board.listener()
    log = board.log()
    one = msrp.MsrpMedia(
        await board.listener(),
        on_connection=lambda c: setattr(c, "on_connection_failed", log.events.append),
    )
    two = msrp.MsrpMedia(listener)
    offered, answered = await agree(one, two)
    await listener.close()
    await one.start(offered, answered, True)
    with pytest.raises(msrp.ConnectionFailed, match="refused"):
        await one.connection.established()
    await one.stop()
    assert len(log.of(msrp.ConnectionFailedEvent)) == 1
    await two.stop()


async def test_stopping_doesnt_wait_for_a_peer_that_says_nothing(
    board: Board, certs: Certs
) -> None:
    accepted, ends = asyncio.Event(), asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        accepted.set()
        await ends.wait()

    port = await board.raw_server(serve)
    one = msrp.MsrpMedia(await board.listener(local_cert=certs[0]))
    offered = await one.offer()
    answered = msrp.answer_media(
        offered,
        msrp.MsrpUri("msrps", "127.0.0.1", port, "silent"),
        fingerprints=[certs[1].fingerprint],
    )
    assert answered is not None
    await one.start(offered, answered, True)
    await accepted.wait()
    async with asyncio.timeout(5):
        await one.stop()
    assert (await one.connection.closed()).error is None
    ends.set()


async def test_what_was_only_offered_can_be_stopped(board: Board) -> None:
    listener = await board.listener()
    one = msrp.MsrpMedia(listener)
    offered = await one.offer()
    await one.stop()
    path = offered.first("path")
    assert path is not None
    peer = await board.raw(listener.port)
    assert await peer.response_to(peer.request(path)) == 481


async def test_what_was_never_offered_can_be_stopped(board: Board) -> None:
    await msrp.MsrpMedia(await board.listener()).stop()


async def test_a_line_that_both_dont_agree_on_is_no_session(board: Board) -> None:
    one = msrp.MsrpMedia(await board.listener())
    two = msrp.MsrpMedia(await board.listener())
    offered, answered = await agree(one, two)
    with pytest.raises(msrp.NegotiationError):
        await one.start(offered, replace(answered, port=0), True)
    with pytest.raises(msrp.LocalProtocolError):
        _ = one.connection
    await one.stop()
    await two.stop()


@pytest.mark.rule("CEMA-4")
async def test_an_offer_can_do_without_cema(board: Board) -> None:
    listener = await board.listener()
    one = msrp.MsrpMedia(listener, cema=False)
    assert not (await one.offer()).has("msrp-cema")
    await one.stop()
    assert (await msrp.MsrpMedia(listener).offer()).has("msrp-cema")


@pytest.mark.rule("CEMA-5", "CEMA-7")
async def test_a_resolver_tells_a_middlebox_from_another_name_of_a_host(
    board: Board,
) -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["192.0.2.1"]

    caller = await board.listener(advertised_host="caller.example.net")
    one = msrp.MsrpMedia(caller)
    # A middlebox has changed the address, for an offerer who knows nothing of it.
    offered = moved(without(await one.offer(), "msrp-cema"), "127.0.0.1")
    listener = await board.listener()
    assert await msrp.MsrpMedia(listener, resolve=resolve).answer(offered) is None
    assert listener.answer(offered, resolve=resolve) is None
    assert set(asked) == {"caller.example.net"}
    # Without one the two may be the same.
    two = msrp.MsrpMedia(listener)
    assert await two.answer(offered) is not None
    await two.stop()
    await one.stop()


@pytest.mark.rule("CEMA-4", "CEMA-7")
async def test_a_resolver_is_asked_at_the_start_too(board: Board) -> None:
    def resolve(host: str) -> list[str]:
        return ["192.0.2.1"]

    one = msrp.MsrpMedia(await board.listener(), resolve=resolve)
    two = msrp.MsrpMedia(await board.listener(advertised_host="called.example.net"))
    offered, answered = await agree(one, two)
    # The answerer is behind a middlebox, and has a relay, to which we connect.
    answered = moved(without(answered, "msrp-cema"), "127.0.0.1")
    path = answered.first("path")
    relayed = f"msrp://127.0.0.1:9;tcp {path}"
    others = [a for a in answered.attributes if a.name != "path"]
    answered = replace(answered, attributes=(*others, Attribute("path", relayed)))
    negotiated = msrp.negotiate(offered, answered, is_incoming=False)
    assert not negotiated.needs_plain_offer
    moved_away = replace(answered, connections=moved(answered, "192.0.2.7").connections)
    await one.start(offered, moved_away, True)
    assert one.connection.negotiated.needs_plain_offer
    await one.stop()
    await two.stop()


TYPING, NOTIFICATIONS = "application/im-iscomposing+xml", "message/imdn+xml"


@pytest.mark.rule("IMDN-8", "TYP-5")
@pytest.mark.parametrize(
    ("config", "types", "wrapped"),
    [
        (None, None, f"{TYPING} {NOTIFICATIONS} *"),
        (None, ["text/plain"], f"text/plain {TYPING} {NOTIFICATIONS}"),
        (
            msrp.SessionConfig(composing=False),
            ["image/png"],
            f"image/png {NOTIFICATIONS}",
        ),
        (msrp.SessionConfig(notifications=False), ["image/png"], f"image/png {TYPING}"),
    ],
    ids=["default", "own list", "no typing", "no notifications"],
)
async def test_typing_and_notifications_are_named_unless_they_are_off(
    board: Board,
    config: msrp.SessionConfig | None,
    types: list[str] | None,
    wrapped: str,
) -> None:
    one, two = [
        msrp.MsrpMedia(
            await board.listener(), config=config, accept_wrapped_types=types
        )
        for _ in range(2)
    ]
    for described in await agree(one, two):
        assert described.first("accept-wrapped-types") == wrapped


async def test_who_takes_the_least_names_none_of_them(board: Board) -> None:
    media = msrp.MsrpMedia(await board.listener(), profile=msrp.Profile.PLAIN)
    assert not (await media.offer()).has("accept-wrapped-types")
