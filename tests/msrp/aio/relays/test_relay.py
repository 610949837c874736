"""Sessions through relays, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

import msrp
from msrp.aio.relays.address import Server
from msrp.negotiation import MediaDescription, Negotiated, negotiate
from recording import Direction, MessageRecord, WireRecord
from tests.msrp.aio.small_relay import Passing, SmallRelay
from tests.msrp.aio.test_cancellation import Run, cancel_at_each
from tests.msrp.aio.tls_peers import Authority

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

PICTURE = bytes(range(256)) * 4096
"""A mebibyte that contains everything, end-lines excepted."""

Port = msrp.MsrpListener | msrp.MsrpRelay


@dataclass(frozen=True)
class Trust:
    """An authority, and what it has signed for ``localhost``."""

    policy: msrp.TlsPolicy
    server: ssl.SSLContext
    client: ssl.SSLContext
    names: list[str | None]
    """The server names that clients have asked for."""


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return make_trust(tmp_path_factory.mktemp("authority"), "localhost")


def make_trust(directory: Path, host: str) -> Trust:
    authority = Authority.make(directory)
    authority.issue(host)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "peer.pem")
    names: list[str | None] = []

    def note_name(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        names.append(name)

    server.sni_callback = note_name
    client = ssl.create_default_context(cafile=authority.file)
    policy = msrp.TlsPolicy.by_authority(authority.file)
    return Trust(policy, server, client, names)


class Net:
    """Makes relays and those who use them, and clears them away."""

    def __init__(self, stack: AsyncExitStack, trust: Trust) -> None:
        self._stack = stack
        self.trust = trust

    async def relay(self, **options: int) -> SmallRelay:
        relay = SmallRelay(self.trust.server, self.trust.client, **options)  # type: ignore[arg-type]
        return await self._stack.enter_async_context(relay)

    async def user(
        self, *relays: SmallRelay, name: str = "Alice", **options: object
    ) -> msrp.MsrpRelay:
        user = msrp.MsrpRelay(
            [relay.uri for relay in relays],
            username=name,
            password={"Alice": "secret", "Bob": "hidden"}[name],
            tls=self.trust.policy,
            **options,  # type: ignore[arg-type]
        )
        return await self._stack.enter_async_context(user)

    async def listener(self) -> msrp.MsrpListener:
        listener = msrp.MsrpListener("127.0.0.1", 0, tls=self.trust.policy)
        return await self._stack.enter_async_context(listener)

    def connection(
        self,
        offered: MediaDescription,
        answered: MediaDescription,
        port: Port,
        *,
        is_incoming: bool,
        **options: object,
    ) -> msrp.MsrpConnection:
        connection = msrp.MsrpConnection.create_from_sdp(
            offered,
            answered,
            is_incoming=is_incoming,
            listener=port,
            **options,  # type: ignore[arg-type]
        )
        connection.max_message_length = 20_000_000
        self._stack.push_async_callback(connection.shutdown, timeout=0.0)
        return connection

    async def pair(
        self,
        one: Port,
        two: Port,
        *,
        prefer_active: bool = False,
        **options: object,
    ) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
        offered, answered = await agree(one, two, prefer_active=prefer_active)
        ours = self.connection(offered, answered, one, is_incoming=False, **options)
        theirs = self.connection(offered, answered, two, is_incoming=True, **options)
        await asyncio.gather(ours.start(), theirs.start())
        await asyncio.gather(ours.established(), theirs.established())
        return ours, theirs


async def agree(
    one: Port, two: Port, *, prefer_active: bool = False
) -> tuple[MediaDescription, MediaDescription]:
    offered = one.offer(accept_types=("*",))
    if not isinstance(offered, MediaDescription):
        offered = await offered
    answered = two.answer(offered, prefer_active=prefer_active, accept_types=("*",))
    if answered is not None and not isinstance(answered, MediaDescription):
        answered = await answered
    assert answered is not None
    return offered, answered


@pytest_asyncio.fixture
async def net(board: Board, trust: Trust) -> AsyncIterator[Net]:
    async with AsyncExitStack() as stack:
        yield Net(stack, trust)


async def exchange(*ends: msrp.MsrpConnection) -> None:
    """Have each end say something to the other, and show it a picture."""
    for one, other in (ends, reversed(ends)):
        async with asyncio.timeout(20):
            text = await one.send_text("hello", success_report=True)
            picture = await one.send_message("image/png", PICTURE, success_report=True)
            await text.delivered()
            await picture.delivered()
            assert (await anext(other)).contents == b"hello"
            received = await anext(other)
        assert received.content_type == "image/png"
        assert received.contents == PICTURE


@pytest.mark.rule("RLY-8", "RLY-13", "RLY-14", "MT-13")
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_two_who_can_not_be_connected_to_talk_through_their_relays(
    net: Net, prefer_active: bool
) -> None:
    relays = await net.relay(), await net.relay(piece=1000)
    one = await net.user(relays[0])
    two = await net.user(relays[1], name="Bob")
    ends = await net.pair(one, two, prefer_active=prefer_active)
    assert [len(end.negotiated.local_path) for end in ends] == [2, 2]
    assert [len(end.session.remote_path) for end in ends] == [3, 3]
    await exchange(*ends)
    # Each has one connection, that to its relay.
    assert [len(relay.granted) for relay in relays] == [1, 1]


@pytest.mark.rule("RLY-13")
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_the_offerer_alone_may_have_a_relay(
    net: Net, prefer_active: bool
) -> None:
    relay = await net.relay()
    # The relay has TLS, and the answerer must have it too.
    offerer = await net.user(relay)
    answerer = await net.user(relay, name="Bob")
    await exchange(*await net.pair(offerer, answerer, prefer_active=prefer_active))


@pytest.mark.rule("RLY-26")
async def test_one_side_without_tls_meets_the_relay_of_the_other(net: Net) -> None:
    relay = await net.relay()
    offerer, answerer = await net.listener(), await net.user(relay, name="Bob")
    offered, answered = await agree(offerer, answerer)
    assert offered.proto == "TCP/MSRP"
    assert answered.proto == "TCP/TLS/MSRP"
    assert (answered.first("path") or "").startswith("msrps://localhost:")
    await exchange(*await net.pair(offerer, answerer))


@pytest.mark.rule("RLY-8", "RLY-10")
async def test_a_way_through_several_relays(net: Net) -> None:
    inner, outer = await net.relay(), await net.relay()
    one = await net.user(inner, outer)
    two = await net.user(outer, name="Bob")
    ends = await net.pair(one, two)
    path = [uri.port for uri in ends[0].negotiated.local_path[:-1]]
    assert path == [outer.port, inner.port]
    assert [u.port for u in ends[0].session.remote_path[:-1]] == [
        inner.port,
        outer.port,
        outer.port,
    ]
    await exchange(*ends)


@pytest.mark.rule("RLY-9")
async def test_no_two_sessions_have_the_same_uri(net: Net) -> None:
    relay = await net.relay()
    user = await net.user(relay)
    paths = [(await user.offer()).first("path") for _ in range(3)]
    assert len({path for each in paths for path in (each or "").split(" ")}) == 6
    assert len(relay.granted) == 3
    assert len(relay.hops) == 1


@pytest.mark.rule("RLY-9")
async def test_sessions_share_the_connection_and_don_t_mix(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    pairs = [await net.pair(one, two, prefer_active=bool(n % 2)) for n in range(4)]
    for number, (ours, theirs) in enumerate(pairs):
        await ours.send_text(f"to {number}")
        await theirs.send_text(f"from {number}")
    for number, (ours, theirs) in enumerate(pairs):
        async with asyncio.timeout(10):
            assert (await anext(theirs)).contents == f"to {number}".encode()
            assert (await anext(ours)).contents == f"from {number}".encode()
    assert len({hop for _, hop in relay.granted.values()}) == 2
    await pairs[0][0].shutdown()
    await pairs[0][1].shutdown()
    await exchange(*pairs[1])


@pytest.mark.rule("RLY-1")
async def test_auth_is_refused_without_tls_before_anything_is_sent() -> None:
    with pytest.raises(msrp.LocalProtocolError, match="over TLS"):
        msrp.MsrpRelay("msrp://127.0.0.1:9;tcp", username="Alice", password="secret")
    msrp.MsrpRelay("msrp://127.0.0.1:9;tcp", allow_plain_tcp=True)
    with pytest.raises(msrp.LocalProtocolError, match="no relay"):
        msrp.MsrpRelay([])


@pytest.mark.rule("RLY-1")
async def test_the_relay_is_asked_by_name_and_shown_no_certificate(net: Net) -> None:
    relay = await net.relay()
    await net.user(relay)
    assert net.trust.names[-1] == "localhost"
    [hop] = relay.hops
    assert hop.writer.get_extra_info("ssl_object").getpeercert(True) is None


@pytest.mark.rule("RLY-1")
async def test_a_certificate_for_somebody_else_is_refused(
    net: Net, tmp_path: Path
) -> None:
    wrong = make_trust(tmp_path, "other.example.com")
    async with SmallRelay(wrong.server) as relay:
        user = msrp.MsrpRelay(
            relay.uri, username="Alice", password="secret", tls=wrong.policy
        )
        with pytest.raises(msrp.CertificateRejected):
            await user.start()
        await user.close()
        assert relay.seen == []


@pytest.mark.rule("RLY-3", "RLY-15")
async def test_a_wrong_password_is_said_at_the_start(net: Net) -> None:
    relay = await net.relay()
    user = msrp.MsrpRelay(
        relay.uri, username="Alice", password="wrong", tls=net.trust.policy
    )
    with pytest.raises(msrp.AuthorizationFailed) as error:
        async with user:
            pass
    assert error.value.code == 401
    assert not user.is_connected


@pytest.mark.usefixtures("time_flies")
async def test_a_relay_that_says_nothing_is_given_up(net: Net) -> None:
    relay = await net.relay()
    relay.mute = True
    user = msrp.MsrpRelay(relay.uri, tls=net.trust.policy, response_timeout=0.1)
    with pytest.raises(msrp.ConnectionFailed, match="not answered in time"):
        async with user:
            pass


async def test_a_relay_that_hangs_up_is_given_up(net: Net) -> None:
    relay = await net.relay()
    relay.mute = True
    user = msrp.MsrpRelay(relay.uri, tls=net.trust.policy)
    starting = asyncio.ensure_future(user.start())
    await until(lambda: relay.hops)
    relay.cut()
    with pytest.raises(msrp.ConnectionFailed):
        await starting
    await user.close()


async def test_a_relay_that_is_not_there_is_given_up(net: Net) -> None:
    relay = await net.relay()
    uri = relay.uri
    await relay.__aexit__()
    with pytest.raises(msrp.ConnectionFailed, match="connection refused"):
        await msrp.MsrpRelay(uri, tls=net.trust.policy).start()


@pytest.mark.rule("RLY-12", "XT-3")
async def test_a_relay_without_a_port_is_looked_up(net: Net) -> None:
    relay = await net.relay()
    asked: list[str] = []

    async def look_up(name: str) -> list[Server]:
        asked.append(name)
        return [Server(0, 0, 9, "127.0.0.1"), Server(1, 0, relay.port, "127.0.0.1")]

    user = msrp.MsrpRelay(
        "msrps://localhost;tcp",
        username="Alice",
        password="secret",
        tls=net.trust.policy,
        look_up=look_up,
    )
    # To the small relay a URI without a port isn't its own.
    with pytest.raises(msrp.ConnectionFailed, match="closed the connection"):
        async with user:
            pass
    assert asked == ["_msrps._tcp.localhost"]
    assert str(relay.seen[0].to_path[0]) == "msrps://localhost;tcp"


async def test_a_relay_is_started_once_and_not_after_its_end(net: Net) -> None:
    relay = await net.relay()
    user = await net.user(relay)
    with pytest.raises(msrp.LocalProtocolError, match="started before"):
        await user.start()
    await user.close()
    with pytest.raises(msrp.LocalProtocolError, match="has been closed"):
        await user.offer()


@pytest.mark.parametrize("is_incoming", [False, True])
async def test_a_session_needs_the_relay_of_its_path(
    net: Net, is_incoming: bool
) -> None:
    relay = await net.relay()
    one, two = await net.listener(), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two)
    wrong: tuple[Port, Port] = two, one
    with pytest.raises(msrp.LocalProtocolError, match="needs that relay"):
        net.connection(offered, answered, wrong[is_incoming], is_incoming=is_incoming)


async def test_what_can_not_be_answered_costs_no_request(net: Net) -> None:
    relay = await net.relay()
    user = await net.user(relay, name="Bob")
    before = len(relay.seen)
    offered = await user.offer()
    rejected = MediaDescription("audio", 0, "RTP/AVP", ("0",))
    assert await user.answer(rejected) is None
    assert await user.answer(replace(offered, port=0)) is None
    assert len(relay.seen) == before


async def test_a_plain_relay_can_not_answer_an_offer_of_tls(net: Net) -> None:
    secure = await net.user(await net.relay())
    async with (
        SmallRelay() as relay,
        msrp.MsrpRelay(
            relay.uri, username="Bob", password="hidden", allow_plain_tcp=True
        ) as user,
    ):
        assert await user.answer(await secure.offer()) is None


@pytest.mark.rule("RLY-11")
@pytest.mark.usefixtures("time_flies")
async def test_before_the_grant_expires_the_session_moves_to_another(
    net: Net,
) -> None:
    relay = await net.relay()
    one = await net.user(relay, expires=1)
    two = await net.user(relay, name="Bob")
    told: list[msrp.RelayExpiring] = []
    one.on_expiring = told.append
    ours, theirs = await net.pair(one, two)
    await ours.send_text("before")
    await until(lambda: told)
    assert told[0].local_uri == ours.negotiated.local_uri
    assert told[0].remaining == pytest.approx(0.2)
    picture = await ours.send_message("image/png", PICTURE, success_report=True)
    offered, answered = await agree(one, two)
    await asyncio.gather(
        theirs.reestablish(offered, answered, is_incoming=True),
        ours.reestablish(offered, answered, is_incoming=False),
    )
    async with asyncio.timeout(10):
        await picture.delivered()
        assert [(await anext(theirs)).contents for _ in range(2)] == [
            b"before",
            PICTURE,
        ]


@pytest.mark.rule("RLY-11", "MSRP-41", "OA-19")
@pytest.mark.parametrize("steps", [1, 2])
async def test_who_moves_later_is_heard_by_the_path_that_he_knows(
    net: Net, steps: int
) -> None:
    one, two = await net.user(await net.relay()), await net.user(await net.relay())
    ours, theirs = await net.pair(one, two)
    agreed = [await agree(one, two) for _ in range(steps)]
    for offered, answered in agreed:
        await theirs.reestablish(offered, answered, is_incoming=True)
    for number, (offered, answered) in enumerate(agreed):
        await ours.send_text(f"by path {number}")
        async with asyncio.timeout(5):
            assert (await anext(theirs)).text == f"by path {number}"
        await ours.reestablish(offered, answered, is_incoming=False)
    await exchange(ours, theirs)


@pytest.mark.rule("RLY-11")
@pytest.mark.usefixtures("time_flies")
async def test_a_grant_that_nobody_used_expires_without_a_word(net: Net) -> None:
    relay = await net.relay()
    user = await net.user(relay, expires=1)
    told: list[msrp.RelayExpiring] = []
    user.on_expiring = told.append
    seen = len(relay.seen)
    await asyncio.sleep(1.0)
    await user.offer()
    assert told == []
    assert len(relay.seen) == seen + 1


@pytest.mark.parametrize("prefer_active", [False, True])
async def test_a_relay_that_is_lost_takes_its_sessions_along(
    net: Net, prefer_active: bool
) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    ends = await net.pair(one, two, prefer_active=prefer_active)
    relay.cut()
    async with asyncio.timeout(10):
        for end in ends:
            assert (await end.closed()).reason is not msrp.CloseReason.BY_US
    assert not one.is_connected
    # The next session has another connection.
    await exchange(*await net.pair(one, two))


async def test_who_waits_for_a_peer_is_told_that_the_relay_is_lost(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two)
    waiting = net.connection(offered, answered, two, is_incoming=True)
    await waiting.start()
    relay.cut()
    with pytest.raises(msrp.ConnectionFailed, match="relay was lost"):
        async with asyncio.timeout(10):
            await waiting.established()
    # And so is who would have begun.
    beginning = net.connection(offered, answered, one, is_incoming=False)
    with pytest.raises(msrp.ConnectionFailed, match="relay is gone"):
        await beginning.start()


@pytest.mark.usefixtures("time_flies")
async def test_a_peer_that_never_comes_is_given_up(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two)
    waiting = net.connection(
        offered, answered, two, is_incoming=True, connect_timeout=0.1
    )
    await waiting.start()
    with pytest.raises(msrp.ConnectionFailed, match="sent nothing through the relay"):
        await waiting.established()


async def test_a_peer_that_is_faster_than_its_answer_is_held(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two, prefer_active=True)
    theirs = net.connection(offered, answered, two, is_incoming=True)
    starting = asyncio.ensure_future(theirs.start())
    await until(lambda: any(h.method == "SEND" for h in relay.seen))
    await asyncio.sleep(0.05)
    ours = net.connection(offered, answered, one, is_incoming=False)
    await ours.start()
    await starting
    await exchange(ours, theirs)


@pytest.mark.usefixtures("time_flies")
async def test_a_peer_is_not_held_for_ever(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.aio.relays.sessions._HOLD_TIME", 0.1)
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two, prefer_active=True)
    theirs = net.connection(offered, answered, two, is_incoming=True)
    async with asyncio.timeout(10):
        await theirs.start()
        # The relay has taken it, and then heard that nobody is there.
        end = await theirs.closed()
        assert "481" in str(end.error)
        await one.offer()  # The connection is read again.
    ours = net.connection(offered, answered, one, is_incoming=False)
    await ours.shutdown()


@pytest.mark.rule("RLY-14", "MSRP-92")
@pytest.mark.parametrize(
    ("code", "expected"), [(408, msrp.ResponseTimeout), (413, msrp.FailureReported)]
)
async def test_a_failure_that_a_relay_reports_fails_the_message(
    net: Net, code: int, expected: type[msrp.DeliveryError]
) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    ours, theirs = await net.pair(one, two)

    def says_no(passing: Passing) -> int | None:
        return code if passing.body == b"no" else None

    relay.drops = says_no
    message = await ours.send_text("no", success_report=True)
    with pytest.raises(expected):
        async with asyncio.timeout(10):
            await message.delivered()
    await ours.send_text("yes")
    async with asyncio.timeout(10):
        assert (await anext(theirs)).contents == b"yes"


@pytest.mark.rule("RLY-8", "RLY-13")
async def test_a_call_can_have_a_relay_as_its_medium(net: Net) -> None:
    relay = await net.relay()
    one = msrp.MsrpMedia(await net.user(relay))
    two = msrp.MsrpMedia(await net.user(relay, name="Bob"))
    offered = await one.offer()
    answered = await two.answer(offered)
    assert answered is not None
    await two.start(offered, answered, False)
    await one.start(offered, answered, True)
    async with asyncio.timeout(10):
        await one.connection.established()
        await one.connection.send_text("hello")
        received = await anext(two.connection)
    assert received.text == "hello"
    await one.stop()
    await two.stop()
    refused = msrp.MsrpMedia(await net.user(relay))
    await refused.offer()
    await refused.stop()


@pytest.mark.rule("CEMA-2", "CEMA-6")
async def test_descriptions_lead_to_the_relay(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    offered, answered = await agree(one, two)
    assert offered.first("setup") == "actpass"
    assert offered.has("msrp-cema")
    assert offered.port == relay.port
    assert [c.address for c in offered.connections] == ["localhost"]
    assert not offered.has("fingerprint")
    # With relays on both sides nobody goes by c= and m=.
    assert not answered.has("msrp-cema")
    session: Negotiated = negotiate(offered, answered, is_incoming=False)
    assert session.to_path == (*session.relays, *session.remote_path)
    assert [uri.port for uri in session.relays] == [relay.port]


async def test_who_is_cancelled_while_asking_leaves_the_relay_usable(
    net: Net,
) -> None:
    relay = await net.relay()
    user = await net.user(relay)
    await user.offer()  # What was given at the start.
    relay.mute = True
    asking = asyncio.ensure_future(user.offer())
    waiting = asyncio.ensure_future(user.offer())
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    relay.mute = False
    async with asyncio.timeout(10):
        assert (await waiting).first("path")


async def test_who_is_cancelled_while_connecting_leaves_nothing_behind(
    net: Net,
) -> None:
    relay = await net.relay()
    user = msrp.MsrpRelay(
        relay.uri, username="Alice", password="secret", tls=net.trust.policy
    )
    for steps in range(12):
        starting = asyncio.ensure_future(user.start())
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises((asyncio.CancelledError, msrp.LocalProtocolError)):
            await starting
    await user.close()


async def test_a_session_that_ends_leaves_the_relay_to_others(net: Net) -> None:
    relay = await net.relay()
    one, two = await net.user(relay), await net.user(relay, name="Bob")
    async with asyncio.timeout(10):
        for _ in range(3):
            ours, theirs = await net.pair(one, two)
            await ours.send_text("hello")
            await anext(theirs)
            await ours.shutdown()
            await theirs.shutdown()
    assert one.is_connected
    assert two.is_connected


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


async def test_whoever_stops_waiting_for_a_relay_may_ask_again(net: Net) -> None:
    relay = await net.relay()

    async def use(user: msrp.MsrpRelay) -> None:
        await user.start()
        await user.offer(accept_types=("*",))
        await user.close()

    async def once(nth: int, run: Run) -> None:
        user = msrp.MsrpRelay(
            [relay.uri], username="Alice", password="secret", tls=net.trust.policy
        )
        await run(use(user))
        await user.close()  # Whatever it was about, this ends it,
        others = await net.user(relay), await net.user(relay, name="Bob")
        ends = await net.pair(*others)  # and harms nobody.
        await (await ends[0].send_text("hello", success_report=True)).delivered()
        for other in others:
            await other.close()

    assert await cancel_at_each(once) >= 3


@pytest.mark.rule("FT-7", "FT-11", "RLY-14")
async def test_a_file_goes_through_relays_and_is_known_to_be_there(
    net: Net, tmp_path: Path
) -> None:
    relays = await net.relay(), await net.relay(piece=1000)
    one = await net.user(relays[0])
    two = await net.user(relays[1], name="Bob")
    path = tmp_path / "picture.png"
    path.write_bytes(PICTURE)
    begun: list[msrp.FileTransfer] = []
    answerer = msrp.FileAnswerer(
        two, lambda offer: msrp.SaveFile(tmp_path / "there"), on_transfer=begun.append
    )
    push, stream = msrp.FilePush(one, path), answerer.another()
    offered = await push.offer()
    answered = await stream.answer(offered)
    assert answered is not None
    await stream.start(offered, answered, False)
    await push.start(offered, answered, True)
    async with asyncio.timeout(20):
        # A 200 is the relay's, and only the report says so much.
        await push.finished()
        received = await begun[0].finished()
    assert received.is_verified
    assert received.path.read_bytes() == PICTURE
    await push.stop()
    await answerer.stop()


async def test_who_taps_a_relay_hears_its_sessions_and_no_password(net: Net) -> None:
    relay = await net.relay()
    one = msrp.MsrpRelay(
        [relay.uri], username="Alice", password="secret", tls=net.trust.policy
    )
    said, wire = list[MessageRecord](), list[WireRecord]()
    taps = one.add_tap(said.append), one.add_wire_tap(wire.append)
    async with one:
        ends = await net.pair(one, await net.user(relay, name="Bob"))
        await exchange(*ends)
        await ends[0].shutdown()
        await taps[0].drained()
        sent, received = (
            sorted(each.size for each in said if each.direction is direction)
            for direction in (Direction.SENT, Direction.RECEIVED)
        )
        assert sent == received == [len("hello"), len(PICTURE)]
        assert len(said) == 4
        await taps[1].drained()
    asked = [each.octets for each in wire if b" AUTH\r\n" in each.octets]
    assert len(asked) >= 2
    assert any(b"Authorization: ****" in octets for octets in asked)
    assert not any(b"response=" in octets for octets in asked)
    # And when the relay is done with, so are they.
    await until(lambda: all(tap.is_removed for tap in taps))


@pytest.mark.rule("RLY-14", "RLY-23", "TYP-5", "IMDN-8", "CHAT-9")
@pytest.mark.parametrize("between", [1, 2])
async def test_typing_receipts_and_nicknames_go_through_relays(
    net: Net, between: int
) -> None:
    relays = [await net.relay(), await net.relay()]
    profile = msrp.Profile.EMERGENCY
    one = await net.user(relays[0], profile=profile)
    two = await net.user(relays[between - 1], name="Bob", profile=profile)
    ours, theirs = await net.pair(one, two)
    ours.local_address = theirs.remote_address = msrp.Address("im:alice@example.com")
    theirs.local_address = ours.remote_address = msrp.Address("im:bob@example.com")
    ours.request_notifications = {
        msrp.Disposition.POSITIVE_DELIVERY,
        msrp.Disposition.DISPLAY,
    }
    async with asyncio.timeout(10):
        ours.composing()
        await until(lambda: theirs.peer_is_composing)
        text = await ours.send_text("hello")
        message = await anext(theirs)
        assert not theirs.peer_is_composing
        await text.notified()
        assert await theirs.displayed(message)
        await text.notified(msrp.DispositionType.DISPLAY)
        await ours.use_nickname("Alice")
        await until(lambda: theirs.remote_nickname == "Alice")
        await theirs.use_nickname("Bob")
        assert (theirs.nickname, ours.remote_nickname) == ("Bob", "Bob")
