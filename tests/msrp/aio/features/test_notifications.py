"""Delivered and displayed, between two sessions and with peers of other habits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.sending.asides import MAX_ON_THEIR_WAY
from msrp.imdn import CONTENT_TYPE, Imdn, ignore_anonymous

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, Heard, RawPeer

POSITIVE, NEGATIVE, PROCESSING, DISPLAY = msrp.Disposition
DELIVERY, PROCESSED, DISPLAYED = msrp.DispositionType
ALICE = msrp.Address("im:alice@example.com", "Alice")
BOB = msrp.Address("im:bob@example.com", "Bob")

Told = list[msrp.DispositionNotification]


async def pair(
    board: Board,
    *,
    wanted: frozenset[msrp.Disposition] = frozenset({POSITIVE, DISPLAY}),
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection, Told]:
    """Return a session whose first party asks, and what it is told."""
    one, two = await board.pair()
    one.local_address = two.remote_address = ALICE
    two.local_address = one.remote_address = BOB
    one.request_notifications = wanted
    told: Told = []
    one.on_disposition_notification(told.append)
    return one, two, told


@pytest.mark.rule("IMDN-2", "IMDN-5", "IMDN-8", "XT-11")
async def test_delivered_by_itself_displayed_when_somebody_says_so(
    board: Board,
) -> None:
    one, two, told = await pair(board)
    sent = await one.send_text("hello")
    assert sent.imdn_message_id is not None
    delivered = await sent.notified()
    assert delivered.status is msrp.DispositionStatus.DELIVERED
    message = await anext(two)
    assert message.text == "hello"
    await board.until(lambda: told)
    assert await two.displayed(message)
    displayed = await sent.notified(DISPLAYED)
    assert displayed.status is msrp.DispositionStatus.DISPLAYED
    assert displayed.message_id == sent.message_id
    assert displayed.imdn.message_id == sent.imdn_message_id
    assert displayed.recipient == BOB.uri
    assert displayed.sender == BOB.uri
    await board.until(lambda: len(told) == 2)
    assert told == [delivered, displayed]


@pytest.mark.rule("IMDN-3")
async def test_each_type_is_told_once(board: Board) -> None:
    one, two, told = await pair(board)
    await one.send_text("hello")
    message = await anext(two)
    assert [await two.displayed(message) for _ in range(3)] == [True, False, False]
    await (await two.send_text("over")).delivered()
    await anext(one)
    await board.until(lambda: len(told) == 2)


@pytest.mark.rule("IMDN-3")
async def test_the_notification_goes_before_what_the_hook_says(board: Board) -> None:
    one, two, _ = await pair(board)
    order: list[str] = []

    async def answer(event: msrp.TextMessageReceived) -> None:
        await two.send_text("answer")

    two.on_text_message_received = answer
    one.on_disposition_notification(lambda event: order.append(event.status.value))
    one.on_text_message_received(lambda event: order.append(event.text))
    await one.send_text("hello")
    await board.until(lambda: len(order) == 2)
    assert order == ["delivered", "answer"]


@pytest.mark.rule("IMDN-3")
async def test_what_wasnt_asked_for_isnt_told(board: Board) -> None:
    wanted = frozenset({NEGATIVE, PROCESSING})
    one, two, told = await pair(board, wanted=wanted)
    sent = await one.send_text("hello")
    message = await anext(two)
    assert not await two.displayed(message)
    with pytest.raises(msrp.LocalProtocolError, match="doesn't ask"):
        await sent.notified(DISPLAYED)
    one.request_notifications = ()
    plain = await one.send_text("plain")
    message = await anext(two)
    assert message.cpim is None
    assert not await two.displayed(message)
    assert plain.imdn_message_id is None
    with pytest.raises(msrp.LocalProtocolError, match="doesn't ask"):
        await plain.notified()
    assert told == []


async def test_a_hook_gets_what_displayed_needs(board: Board) -> None:
    one, two, told = await pair(board, wanted=frozenset({DISPLAY}))

    async def show(
        event: msrp.TextMessageReceived | msrp.AttachmentReceived,
    ) -> None:
        assert await two.displayed(event)

    two.on_text_message_received = show
    two.on_attachment_received = show
    await one.send_text("hello")
    await one.send_message("image/png", b"\x89PNG")
    await board.until(lambda: len(told) == 2)


async def test_files_and_multiparts_are_asked_for_too(
    board: Board, tmp_path: Path
) -> None:
    one, two, told = await pair(board, wanted=frozenset({POSITIVE}))
    path = tmp_path / "a.txt"
    path.write_text("from a file")
    part = msrp.Part.build("text/plain", b"one")
    all_sent = [
        await one.send_file(path),
        await one.send_multipart([part, part]),
    ]
    for sent in all_sent:
        await sent.notified()
        await anext(two)
    await board.until(lambda: len(told) == 2)
    assert [each.message_id for each in told] == [each.message_id for each in all_sent]


async def test_who_has_asked_in_an_envelope_of_its_own_is_told(board: Board) -> None:
    one, two, told = await pair(board, wanted=frozenset())
    own = msrp.CpimMessage.build(
        "text/plain",
        b"hello",
        sender=ALICE,
        to=BOB,
        namespaces=[("q", "urn:ietf:params:imdn")],
        headers=[
            ("q.Message-ID", "mine1"),
            ("q.Disposition-Notification", "positive-delivery"),
        ],
    )
    sent = await one.send_cpim(own)
    assert sent.imdn_message_id == "mine1"
    assert (await sent.notified()).imdn.message_id == "mine1"
    await board.until(lambda: told)
    await anext(two)


@pytest.mark.rule("IMDN-8", "IMDN-2")
async def test_to_who_takes_no_envelopes_text_goes_without_asking(
    board: Board,
) -> None:
    one, two = await board.pair(accept_types=("text/plain",))
    one.request_notifications = {DISPLAY}
    sent = await one.send_text("hello")
    message = await anext(two)
    assert (message.text, message.cpim) == ("hello", None)
    assert sent.imdn_message_id is None
    await sent.delivered()


@pytest.mark.rule("IMDN-7")
@pytest.mark.parametrize("consent", msrp.Consent)
async def test_a_policy_decides_what_is_told(
    board: Board, consent: msrp.Consent
) -> None:
    one, two, told = await pair(board)
    asked: list[tuple[str, msrp.DispositionType]] = []

    def policy(
        request: msrp.NotificationRequest, type_: msrp.DispositionType
    ) -> msrp.Consent:
        assert request.sender is not None
        asked.append((request.sender.uri, type_))
        return consent

    two.notification_policy = policy
    await one.send_text("hello")
    message = await anext(two)
    assert await two.displayed(message) is (consent is not msrp.Consent.IGNORE)
    await (await two.send_text("over")).delivered()
    await anext(one)
    assert asked == [(ALICE.uri, DELIVERY), (ALICE.uri, DISPLAYED)]
    expected = {
        msrp.Consent.GRANT: ["delivered", "displayed"],
        msrp.Consent.FORBID: ["forbidden", "forbidden"],
        msrp.Consent.IGNORE: [],
    }[consent]
    await board.until(lambda: len(told) == len(expected))
    assert [each.status.value for each in told] == expected


@pytest.mark.rule("IMDN-7")
async def test_those_who_dont_say_who_they_are_can_be_ignored(board: Board) -> None:
    one, two, told = await pair(board)
    one.local_address = None
    two.notification_policy = ignore_anonymous
    await one.send_text("hello")
    assert not await two.displayed(await anext(two))
    assert told == []


async def test_a_policy_that_fails_gives_nothing_away(board: Board) -> None:
    one, two, told = await pair(board)
    two.notification_policy = lambda request, type_: msrp.Consent(1 // 0)
    await one.send_text("hello")
    await anext(two)
    [problem] = board.take_problems()
    assert isinstance(problem["exception"], ZeroDivisionError)
    assert told == []


async def test_one_switch_turns_it_off(board: Board) -> None:
    off = msrp.SessionConfig(notifications=False)
    one, two = await board.pair(active=off, passive=off)
    one.request_notifications = {POSITIVE}
    sent = await one.send_text("hello")
    assert (await anext(two)).cpim is None
    assert sent.imdn_message_id is None


async def test_who_waits_learns_that_the_session_is_over(board: Board) -> None:
    one, two, _ = await pair(board)
    sent = await one.send_text("hello")
    await sent.delivered()
    waiting = asyncio.create_task(sent.notified(DISPLAYED))
    await anext(two)
    await one.shutdown()
    with pytest.raises(msrp.SessionEnded):
        await waiting
    with pytest.raises(msrp.SessionEnded):
        await sent.notified(DISPLAYED)
    assert (await sent.notified()).status is msrp.DispositionStatus.DELIVERED
    message_that_is_gone = msrp.TextMessageReceived("x", None, "x", "text/plain", None)
    assert not await two.displayed(message_that_is_gone)


async def test_who_waits_no_longer_misses_nothing(board: Board) -> None:
    one, two, told = await pair(board)
    sent = await one.send_text("hello")
    waiting = asyncio.create_task(sent.notified(DISPLAYED))
    await board.turns()
    waiting.cancel()
    await two.displayed(await anext(two))
    await board.until(lambda: len(told) == 2)
    assert waiting.cancelled()
    assert await sent.notified(DISPLAYED) == told[1]


async def test_who_waits_learns_that_the_message_failed(board: Board) -> None:
    async def serve(peer: RawPeer) -> None:
        while True:
            request = await peer.next()
            peer.respond(request, 413 if request.body else 200)

    connection = board.calling(await board.raw_server(serve))
    await connection.start()
    connection.request_notifications = {DISPLAY}
    sent = await connection.send_text("hello")
    with pytest.raises(msrp.RequestRefused):
        await sent.notified(DISPLAYED)


# Peers of other habits.


def asking(prefix: str, number: int, wanted: str, *more: str) -> bytes:
    lines = [
        "From: Alice <im:alice@example.com>",
        "To: Bob <im:bob@example.com>",
        "DateTime: 2026-05-15T15:02:31-03:00",
        f"NS: {prefix} <urn:ietf:params:imdn>",
        f"{prefix}.Message-ID: imdn{number}",
        f"{prefix}.Disposition-Notification: {wanted}",
        *more,
        "",
        "Content-Type: text/plain",
        "",
        "hello",
    ]
    return "\r\n".join(lines).encode()


async def with_raw_peer(
    board: Board,
    *,
    accept_types: tuple[str, ...] = ("message/cpim",),
    accept_wrapped_types: tuple[str, ...] = ("text/plain", CONTENT_TYPE),
) -> tuple[msrp.MsrpConnection, RawPeer]:
    """Return a session and its peer, of which every octet is ours."""
    listener = await board.listener()
    offered = msrp.offer_media(
        msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer"),
        setup="active",
        accept_types=accept_types,
        accept_wrapped_types=accept_wrapped_types,
        control_types=(),
    )
    answered = listener.answer(offered)
    assert answered is not None
    connection = board.connection(
        offered, answered, is_incoming=True, listener=listener
    )
    await connection.start()
    peer = await board.raw(listener.port)
    await peer.bind(connection.negotiated.local_uri)
    return connection, peer


async def next_send(peer: RawPeer, code: int | None = 200) -> Heard:
    """Return the next SEND, and answer it."""
    while (heard := await peer.next()).method != "SEND":
        pass
    if code is not None:
        peer.respond(heard, code)
    return heard


def imdn_in(heard: Heard) -> Imdn:
    message = msrp.CpimMessage.parse(heard.body, strict=True)
    assert message.part.header("content-disposition") == "notification"
    return Imdn.parse(message.content)


@pytest.mark.rule("IMDN-1", "IMDN-3", "IMDN-4", "XT-11")
async def test_a_peer_with_a_prefix_of_its_own_is_answered(board: Board) -> None:
    connection, peer = await with_raw_peer(board)
    every = "processing,positive-delivery,display,negative-delivery"
    peer.request(
        connection.negotiated.local_uri,
        asking("q", 1, every, "q.IMDN-Record-Route: <sip:relay@example.com>"),
        content_type="message/cpim",
    )
    heard = await next_send(peer)
    assert heard.headers["content-type"] == "message/cpim"
    assert "success-report" not in heard.headers
    envelope = msrp.CpimMessage.parse(heard.body)
    assert (str(envelope.sender), str(envelope.to[0])) == (str(BOB), str(ALICE))
    route = envelope.get("IMDN-Route", "urn:ietf:params:imdn")
    assert route is not None
    assert route.value == "<sip:relay@example.com>"
    delivered = imdn_in(heard)
    assert delivered.message_id == "imdn1"
    assert delivered.date_time == "2026-05-15T15:02:31-03:00"
    assert await connection.displayed(await anext(connection))
    displayed = imdn_in(await next_send(peer))
    statuses = [each.status.value for each in (delivered, displayed)]
    assert statuses == ["delivered", "displayed"]


@pytest.mark.rule("IMDN-3", "XT-11")
async def test_a_notification_that_asks_for_one_gets_none(board: Board) -> None:
    connection, peer = await with_raw_peer(board)
    told: Told = []
    connection.on_disposition_notification(told.append)
    connection.request_notifications = {POSITIVE}
    sent = await connection.send_text("hello")
    await next_send(peer)
    imdn = Imdn(
        message_id=sent.imdn_message_id or "",
        date_time="now",
        type=DELIVERY,
        status=msrp.DispositionStatus.DELIVERED,
    )
    octets = asking("imdn", 2, "positive-delivery, display")
    octets = octets.replace(
        b"Content-Type: text/plain\r\n\r\nhello",
        b"Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n"
        + bytes(imdn),
    )
    peer.request(
        connection.negotiated.local_uri,
        octets,
        content_type="message/cpim",
        message_id="notice1",
    )
    await board.until(lambda: told)
    answered = await connection.send_text("the next that goes out")
    heard = await next_send(peer)
    assert heard.headers["message-id"] == answered.message_id


@pytest.mark.rule("IMDN-5", "XT-11")
async def test_several_recipients_in_one_message(board: Board) -> None:
    connection, peer = await with_raw_peer(board)
    told: Told = []
    connection.on_disposition_notification(told.append)
    connection.request_notifications = {POSITIVE, DISPLAY}
    sent = await connection.send_text("hello")
    await next_send(peer)
    imdn = Imdn(
        message_id=sent.imdn_message_id or "",
        date_time="now",
        type=DELIVERY,
        status=msrp.DispositionStatus.DELIVERED,
        recipient_uri="im:bob@example.com",
    )
    parts = [
        bytes(imdn),
        bytes(replace(imdn, recipient_uri="im:carol@example.com")),
        bytes(replace(imdn, message_id="never-sent")),
        b"<!DOCTYPE imdn><imdn/>",
    ]
    body = b"".join(
        b"--b\r\nContent-Type: message/imdn+xml\r\n\r\n" + part + b"\r\n"
        for part in parts
    )
    octets = (
        b"From: <im:list@example.com>\r\nTo: <im:alice@example.com>\r\n\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n"
        b"Content-Disposition: notification\r\n\r\n" + body + b"--b--"
    )
    peer.request(
        connection.negotiated.local_uri,
        octets,
        content_type="message/cpim",
        message_id="notice1",
    )
    await board.until(lambda: len(told) == 2)
    assert [each.recipient for each in told] == [
        "im:bob@example.com",
        "im:carol@example.com",
    ]
    assert {each.sender for each in told} == {"im:list@example.com"}
    assert await sent.notified() == told[0]
    assert connection.unreadable_notices == 1


@pytest.mark.rule("IMDN-3")
async def test_what_cant_be_understood_has_failed_and_isnt_delivered(
    board: Board,
) -> None:
    connection, peer = await with_raw_peer(board)
    wanted = "positive-delivery, negative-delivery"
    require = ("NS: v <urn:vital>", "Require: v.Option, imdn.Message-ID")
    for number, more in enumerate([require, ("Require: imdn.Message-ID",)]):
        peer.request(
            connection.negotiated.local_uri,
            asking("imdn", number, wanted, *more),
            content_type="message/cpim",
            message_id=f"vital{number}",
        )
    first = imdn_in(await next_send(peer))
    second = imdn_in(await next_send(peer))
    assert first.status is msrp.DispositionStatus.FAILED
    assert second.status is msrp.DispositionStatus.DELIVERED


async def test_who_asks_and_takes_no_answers_gets_none(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    connection, peer = await with_raw_peer(board, accept_wrapped_types=("text/plain",))
    for number in range(3):
        peer.request(
            connection.negotiated.local_uri,
            asking("imdn", number, "positive-delivery"),
            content_type="message/cpim",
            message_id=f"ask{number}",
        )
        assert (await anext(connection)).text == "hello"
    sent = await connection.send_text("the next that goes out")
    assert (await next_send(peer)).headers["message-id"] == sent.message_id
    words = [each.getMessage() for each in caplog.records]
    assert len([each for each in words if "notification can't go" in each]) == 1


async def test_a_peer_that_refuses_what_it_asks_for_isnt_answered_any_more(
    board: Board,
) -> None:
    connection, peer = await with_raw_peer(board)
    log = board.log(connection)
    for number in range(2):
        peer.request(
            connection.negotiated.local_uri,
            asking("imdn", number, "positive-delivery"),
            content_type="message/cpim",
            message_id=f"ask{number}",
        )
        if number == 0:
            await next_send(peer, 415)
    sent = await connection.send_text("the next that goes out")
    assert (await next_send(peer)).headers["message-id"] == sent.message_id
    await sent.delivered()
    assert connection.is_open
    assert log.of(msrp.MessageDeliveryFailed) == []


async def test_who_asks_and_doesnt_read_makes_us_hold_a_bounded_number(
    board: Board,
) -> None:
    connection, peer = await with_raw_peer(board)
    texts: list[str] = []
    connection.on_text_message_received(lambda event: texts.append(event.text))
    count = 3 * MAX_ON_THEIR_WAY
    for number in range(count):
        peer.request(
            connection.negotiated.local_uri,
            asking("imdn", number, "positive-delivery,display"),
            content_type="message/cpim",
            message_id=f"flood{number}",
        )
    await board.until(lambda: len(texts) == count)
    assert connection.session.unfinished == MAX_ON_THEIR_WAY
    first = msrp.TextMessageReceived("hello", None, "flood0", "text/plain", None)
    waiting = asyncio.create_task(connection.displayed(first))
    cancelled = asyncio.create_task(connection.displayed(first))
    await board.turns()
    assert not waiting.done()
    cancelled.cancel()
    for _ in range(MAX_ON_THEIR_WAY):
        assert imdn_in(await next_send(peer)).type is DELIVERY
    assert await waiting
    assert imdn_in(await next_send(peer)).type is DISPLAYED
    assert cancelled.cancelled()


async def test_unasked_and_senseless_notifications_are_shown_to_nobody(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, _ = await pair(board, wanted=frozenset())
    shown: list[object] = []
    two.on_message_received(shown.append)
    two.on_disposition_notification(shown.append)
    imdn = Imdn(
        message_id="never-sent",
        date_time="now",
        type=DELIVERY,
        status=msrp.DispositionStatus.DELIVERED,
    )
    entity = b'<!DOCTYPE imdn [<!ENTITY a "m1">]><imdn>&a;</imdn>'
    oversize = bytes(imdn).replace(b"now", b"now" * 10_000)
    for document in (bytes(imdn), entity, oversize, b"", b"delivered"):
        await (await one.send_message(CONTENT_TYPE, document)).delivered()
    await (await one.send_text("hello")).delivered()
    await board.until(lambda: shown)
    [message] = shown
    assert isinstance(message, msrp.MessageReceived)
    assert message.text == "hello"
    assert two.unreadable_notices == 4
    warned = [each for each in caplog.records if each.levelname == "WARNING"]
    assert len(warned) == 1


@pytest.mark.parametrize("private", [True, False])
async def test_in_a_room_only_the_sender_is_told_if_that_can_be(
    board: Board, private: bool
) -> None:
    listener = await board.listener()
    offered = msrp.offer_media(
        msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer"),
        setup="active",
        accept_types=("message/cpim",),
        chatroom=msrp.Chatroom(private_messages=private),
    )
    answered = listener.answer(offered)
    assert answered is not None
    connection = board.connection(
        offered, answered, is_incoming=True, listener=listener
    )
    await connection.start()
    connection.in_room = True
    connection.remote_address = msrp.Address("im:room@example.com")
    peer = await board.raw(listener.port)
    await peer.bind(connection.negotiated.local_uri)
    peer.request(
        connection.negotiated.local_uri,
        asking("imdn", 1, "positive-delivery"),
        content_type="message/cpim",
    )
    await anext(connection)
    sent = await connection.send_text("the next that goes out")
    heard = await next_send(peer)
    assert (heard.headers["message-id"] == sent.message_id) is not private
    if private:
        envelope = msrp.CpimMessage.parse(heard.body)
        assert [str(each) for each in envelope.to] == [str(ALICE)]
