"""Sessions through a relay that knows nothing of us: Kamailio's module ``msrp``.

It is in Debian's package ``kamailio``; the tests need ``kamailio-extra-modules`` and
``kamailio-tls-modules`` too, and are skipped without them.  It doesn't send
``Authentication-Info``, and demands a ``uri`` in credentials.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import msrp
from digest import Account
from msrp.negotiation import MediaDescription
from tests.interop.kamailio_program import needs_kamailio, running_kamailio
from tests.msrp.aio.small_relay import SmallRelay

PICTURE = bytes(range(256)) * 4096
"""A mebibyte."""

pytestmark = [
    needs_kamailio,
    pytest.mark.timeout(60),
]


@dataclass(frozen=True)
class Relay:
    """A running Kamailio."""

    uri: str
    certificate: Path

    def user(
        self,
        name: str,
        password: str = "xyz123",
        *,
        beyond: Sequence[str] = (),
        accounts: Sequence[Account] = (),
    ) -> msrp.MsrpRelay:
        """Make a user of it, and perhaps of others beyond it."""
        return msrp.MsrpRelay(
            [self.uri, *beyond],
            username=name,
            password=password,
            accounts=accounts,
            accept_unproven=True,
            allow_plain_tcp=True,
            tls=msrp.TlsPolicy.by_authority(self.certificate),
        )


@asynccontextmanager
async def kamailio(
    directory: Path, transport: str, *, defaults: Sequence[str] = ()
) -> AsyncIterator[Relay]:
    """Run it."""
    async with running_kamailio(
        directory, "msrp_relay.cfg", "tcp", defaults=defaults
    ) as program:
        uri = f"msrp://127.0.0.1:{program.port};tcp"
        if transport == "tls":
            uri = f"msrps://127.0.0.1:{program.tls_port};tcp"
        yield Relay(uri, program.certificate)


async def connect(
    stack: AsyncExitStack,
    one: msrp.MsrpRelay,
    two: msrp.MsrpRelay | msrp.MsrpListener,
    *,
    prefer_active: bool,
    policy: msrp.Policy | None = None,
    config: msrp.SessionConfig | None = None,
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Let two agree on a session, and open it."""
    offered = await one.offer(accept_types=("*",))
    answer = two.answer(offered, prefer_active=prefer_active, accept_types=("*",))
    answered = answer if isinstance(answer, MediaDescription | None) else await answer
    assert answered is not None
    ends = [
        msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=is_incoming, listener=port, config=config
        )
        for port, is_incoming in ((one, False), (two, True))
    ]
    for end in ends:
        end.max_message_length = 4_000_000
        end.policy = policy
        stack.push_async_callback(end.shutdown, timeout=0.0)
    await asyncio.gather(*(end.start() for end in ends))
    await asyncio.gather(*(end.established() for end in ends))
    return ends[0], ends[1]


async def exchange(*ends: msrp.MsrpConnection) -> None:
    """Have each end say something to the other, and show it a picture."""
    for one, other in (ends, ends[::-1]):
        async with asyncio.timeout(20):
            text = await one.send_text("hello", success_report=True)
            picture = await one.send_message("image/png", PICTURE, success_report=True)
            assert (await anext(other)).contents == b"hello"
            assert (await anext(other)).contents == PICTURE
            await text.delivered()
            await picture.delivered()


@pytest.mark.rule("RLY-2", "RLY-3", "RLY-8", "RLY-13", "RLY-14", "FIELD-4", "FIELD-8")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_two_talk_through_kamailio(
    tmp_path: Path, transport: str, prefer_active: bool
) -> None:
    async with kamailio(tmp_path, transport) as relay, AsyncExitStack() as stack:
        one = await stack.enter_async_context(relay.user("alice"))
        two = await stack.enter_async_context(relay.user("bob"))
        ends = await connect(stack, one, two, prefer_active=prefer_active)
        assert all(len(end.negotiated.to_path) == 3 for end in ends)
        await exchange(*ends)


QUEUES = ("tcp_conn_wq_max", "tcp_wq_max")


@pytest.mark.rule("RLY-14", "FIELD-4", "FIELD-5")
@pytest.mark.parametrize(
    ("defaults", "config"),
    [((), msrp.SessionConfig(relayed_window=1_000_000)), (QUEUES, None)],
    ids=["long", "default"],
)
async def test_100_mebibytes_arrive_whole_through_kamailio(
    tmp_path: Path, defaults: tuple[str, ...], config: msrp.SessionConfig | None
) -> None:
    # By default it drops whoever has 32 KB waiting; it says 200 before that.
    size = 100 * 1024 * 1024
    sent, received = hashlib.sha256(), hashlib.sha256()
    piece = bytes(range(256)) * 256

    async def octets() -> AsyncIterator[bytes]:
        for number in range(size // len(piece)):
            numbered = number.to_bytes(4) + piece[4:]
            sent.update(numbered)
            yield numbered

    class Hashing:
        def write(self, data: bytes) -> None:
            received.update(data)

        def close(self) -> None:
            """Nothing is to be done."""

    async with (
        kamailio(tmp_path, "tcp", defaults=defaults) as relay,
        AsyncExitStack() as stack,
    ):
        one = await stack.enter_async_context(relay.user("alice"))
        two = await stack.enter_async_context(relay.user("bob"))
        ours, theirs = await connect(
            stack,
            *(one, two),
            prefer_active=False,
            policy=lambda announcement: msrp.IntoWriter(Hashing()),
            config=config,
        )
        message = await ours.send_message(
            "application/octet-stream", octets(), size=size, success_report=True
        )
        async with asyncio.timeout(50):
            await message.delivered()
        assert (await anext(theirs)).size == size
    assert received.digest() == sent.digest()


@pytest.mark.rule("RLY-8", "RLY-10", "XT-1")
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_another_relay_is_asked_through_kamailio(
    tmp_path: Path, prefer_active: bool
) -> None:
    # It can only be the first of a row: it answers no AUTH all the way back.
    async with (
        kamailio(tmp_path, "tcp") as near,
        SmallRelay(host="127.0.0.1") as far,
        AsyncExitStack() as stack,
    ):
        at_far = Account("Alice", "secret", realm="127.0.0.1")
        user = near.user("alice", beyond=[far.uri], accounts=[at_far])
        one = await stack.enter_async_context(user)
        two = await stack.enter_async_context(msrp.MsrpListener("127.0.0.1", 0))
        ours, theirs = await connect(stack, one, two, prefer_active=prefer_active)
        ports = [uri.port for uri in ours.negotiated.relays]
        assert ports == [msrp.MsrpUri.parse(near.uri).port, far.port]
        assert len(theirs.negotiated.to_path) == 3
        await exchange(ours, theirs)


async def test_a_wrong_password_is_refused_by_kamailio(tmp_path: Path) -> None:
    async with kamailio(tmp_path, "tls") as relay:
        with pytest.raises(msrp.AuthorizationFailed) as error:
            async with relay.user("alice", "wrong"):
                pass
        assert error.value.code == 401


async def test_a_relay_that_proves_nothing_is_refused_by_default(
    tmp_path: Path,
) -> None:
    async with kamailio(tmp_path, "tls") as relay:
        user = msrp.MsrpRelay(
            relay.uri,
            username="alice",
            password="xyz123",
            tls=msrp.TlsPolicy.by_authority(relay.certificate),
        )
        with pytest.raises(msrp.AuthorizationFailed, match="knows the password"):
            async with user:
                pass


@pytest.mark.rule("RLY-13")
@pytest.mark.parametrize("prefer_active", [False, True], ids=["offerer", "answerer"])
async def test_one_of_two_has_a_relay(tmp_path: Path, prefer_active: bool) -> None:
    async with kamailio(tmp_path, "tcp") as relay, AsyncExitStack() as stack:
        one = await stack.enter_async_context(relay.user("alice"))
        two = await stack.enter_async_context(msrp.MsrpListener("127.0.0.1", 0))
        await exchange(*await connect(stack, one, two, prefer_active=prefer_active))
