"""What a profile does to listeners, relays and media."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.chatroom import Chatroom

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
EMERGENCY = msrp.Profile.EMERGENCY


async def call(one: msrp.MsrpMedia, other: msrp.MsrpMedia) -> None:
    """Do what a call does with the media of both sides."""
    one.introduce("sip:alice@example.com", "sip:bob@example.com")
    other.introduce("sip:bob@example.com", "sip:alice@example.com")
    offered = await one.offer()
    answered = await other.answer(offered)
    assert answered is not None, other.refusal
    await other.start(offered, answered, False)
    await one.start(offered, answered, True)
    async with asyncio.timeout(10):
        await one.connection.established()
        await other.connection.established()


@pytest.mark.rule("NG-12", "CHAT-9")
async def test_two_for_emergencies_tell_each_other_their_nicknames(
    board: Board, certs: Certs
) -> None:
    listeners = [
        msrp.MsrpListener("127.0.0.1", 0, local_cert=cert, profile=EMERGENCY)
        for cert in certs
    ]
    heard: list[str] = []

    def watch(connection: msrp.MsrpConnection) -> None:
        connection.on_nickname_received = lambda event: heard.append(event.nickname)

    async with listeners[0], listeners[1]:
        one = msrp.MsrpMedia(listeners[0], nickname="Call taker 7")
        other = msrp.MsrpMedia(listeners[1], on_connection=watch)
        await call(one, other)
        ours, theirs = one.connection, other.connection
        await board.until(lambda: ours.nickname and theirs.nickname)
        assert (ours.nickname, ours.remote_nickname) == ("Call taker 7", "bob")
        assert (theirs.nickname, theirs.remote_nickname) == ("bob", "Call taker 7")
        assert heard == ["Call taker 7"]
        await ours.use_nickname("")
        assert theirs.remote_nickname is None
        await (await ours.send_text("hello")).delivered()
        message = await anext(theirs)
        assert (message.sender, message.is_private) == ("sip:alice@example.com", False)
        assert message.content_type == "message/cpim"
        assert ours.negotiated.remote_languages.send == ("en",)
        assert cipher_of(ours) == "TLS_AES_256_GCM_SHA384"
        await one.stop()
        await other.stop()


def cipher_of(connection: msrp.MsrpConnection) -> str:
    stream = connection._started().stream
    assert stream is not None
    assert stream._transport is not None
    name: str = stream._transport.get_extra_info("ssl_object").cipher()[0]
    return name


@pytest.mark.rule("NG-12")
async def test_a_refusal_of_the_nickname_never_harms_the_call(board: Board) -> None:
    one = msrp.MsrpMedia(await board.listener(), profile=EMERGENCY)
    # It declares what it doesn't do, as some will.
    other = msrp.MsrpMedia(await board.listener())
    one.introduce("sip:alice@example.com", "sip:bob@example.com")
    offered = await one.offer()
    answered = await other.answer(offered)
    assert answered is not None
    await other.start(offered, answered, False)
    lying = msrp.answer_media(
        offered,
        msrp.MsrpUri.parse(answered.first("path") or ""),
        chatroom=Chatroom(nickname=True),
    )
    assert lying is not None
    await one.start(offered, lying, True)
    async with asyncio.timeout(10):
        await (await one.connection.send_text("still here")).delivered()
        assert (await anext(other.connection)).text == "still here"
    assert one.connection.nickname is None
    await one.stop()
    await other.stop()


async def test_a_name_that_is_no_nickname_is_not_offered(board: Board) -> None:
    listeners = [await board.listener(), await board.listener()]
    one = msrp.MsrpMedia(listeners[0], profile=EMERGENCY, nickname="x" * 2000)
    other = msrp.MsrpMedia(listeners[1], profile=EMERGENCY)
    await call(one, other)
    await board.until(lambda: other.connection.nickname)
    assert one.connection.nickname is None
    await one.stop()
    await other.stop()


@pytest.mark.rule("FIELD-4", "FIELD-5")
async def test_two_plain_ones_talk(board: Board) -> None:
    listeners = [await board.listener(), await board.listener()]
    one, other = (msrp.MsrpMedia(p, profile=msrp.Profile.PLAIN) for p in listeners)
    await call(one, other)
    await (await one.connection.send_text("x" * 5000)).delivered()
    message = await anext(other.connection)
    assert (message.content_type, message.size) == ("text/plain;charset=utf-8", 5000)
    assert one.connection.session.config.window == 1
    await one.stop()
    await other.stop()


async def test_what_is_said_of_a_medium_wins_over_its_profile(board: Board) -> None:
    medium = msrp.MsrpMedia(
        await board.listener(),
        profile=EMERGENCY,
        accept_types=("text/plain",),
        languages=("fr",),
        cema=False,
    )
    offered = await medium.offer()
    assert offered.first("accept-types") == "text/plain"
    assert offered.first("hlang-send") == "fr"
    assert not offered.has("msrp-cema")
    assert offered.has("chatroom")
    medium.keep()


async def test_a_profile_asks_no_more_of_tls_than_its_listener(
    board: Board, certs: Certs
) -> None:
    lax = await board.listener(local_cert=certs[0])
    with pytest.raises(msrp.LocalProtocolError, match="ciphers"):
        msrp.MsrpMedia(lax, profile=EMERGENCY)
    strict = msrp.TlsPolicy(aes_256_only=True)
    listener = await board.listener(local_cert=certs[0], tls=strict)
    msrp.MsrpMedia(listener, profile=EMERGENCY)
    relay = msrp.MsrpRelay("msrps://relay.example.net;tcp", profile=EMERGENCY)
    assert relay.tls.aes_256_only
    msrp.MsrpMedia(relay)


async def test_a_peer_without_aes_256_is_refused_by_the_profile(
    board: Board, certs: Certs
) -> None:
    listener = msrp.MsrpListener("127.0.0.1", 0, local_cert=certs[0], profile=EMERGENCY)
    async with listener:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
            await asyncio.open_connection("127.0.0.1", listener.port, ssl=context)


async def test_a_relay_says_what_its_profile_has() -> None:
    relay = msrp.MsrpRelay("msrps://relay.example.net;tcp")
    assert relay.profile == msrp.Profile()
    assert not relay.tls.aes_256_only
    assert relay.secure
