"""Registrations with a registrar that is a user agent with a handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

import sip
from sip.aio import IncomingRequest
from sip.aio.requests.registration import Registering, Registration

QUICK = sip.Timers(t1=0.02, t2=0.1, t4=0.1)


class Registrar:
    """Grants what it is asked for, or answers as it is told."""

    def __init__(self, agent: sip.UserAgent) -> None:
        self.agent = agent
        self.requests: list[sip.Request] = []
        self.answer: sip.Reply | None = None
        self.bindings: dict[str, int] = {}
        agent.on_request("REGISTER")(self.handle)

    @property
    def uri(self) -> str:
        return f"sip:127.0.0.1:{self.agent.listening[0].port}"

    async def handle(self, incoming: IncomingRequest) -> sip.Reply:
        request = incoming.request
        self.requests.append(request)
        if self.answer is not None:
            return self.answer
        uri = str(request.contacts[0].uri)
        self.bindings[uri] = request.expires or 0
        if not self.bindings[uri]:
            del self.bindings[uri]
        contacts = [
            ("Contact", f"<{known}>;expires={seconds}")
            for known, seconds in self.bindings.items()
        ]
        return sip.Reply(headers=contacts)


@pytest_asyncio.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def agent(stack: AsyncExitStack, **options: Any) -> sip.UserAgent:
    return await stack.enter_async_context(
        sip.UserAgent(
            "sip:alice@example.net",
            listen=["udp://127.0.0.1:0"],
            timers=options.pop("timers", QUICK),
            **options,
        )
    )


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[str]:
    """Give the URI of somebody who reads and says nothing."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0)
    )
    yield f"sip:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    transport.close()


@pytest_asyncio.fixture
async def registrar(stack: AsyncExitStack) -> Registrar:
    return Registrar(await agent(stack))


@pytest.mark.rule("SIP-53")
async def test_a_registration_is_entered_and_left(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice = await agent(stack)
    async with alice.register(registrar.uri, expires=300) as registration:
        assert registration.is_registered
        assert 299 < (registration.expires_in or 0) <= 300
        assert registration.error is None
        (uri,) = registrar.bindings
        assert uri == f"sip:alice@127.0.0.1:{alice.listening[0].port}"
        await registration.registered()
    assert registrar.bindings == {}
    assert registration.state is sip.RegistrationState.ENDED
    assert (registration.is_registered, registration.expires_in) == (False, None)
    with pytest.raises(sip.LocalError):
        await registration.registered()


@pytest.mark.rule("SIP-53")
async def test_closing_the_agent_leaves_what_was_registered(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice = await agent(stack)
    await alice.register(registrar.uri)
    await alice.register(registrar.uri, address="sip:other@example.net")
    assert len(registrar.bindings) == 1
    await alice.close()
    assert registrar.bindings == {}
    assert [request.expires for request in registrar.requests] == [3600, 3600, 0, 0]


@pytest.mark.rule("SIP-53")
async def test_a_refresh_can_be_asked_for(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice = await agent(stack)
    async with await alice.register(registrar.uri) as registration:
        registration.refresh()
        registration.refresh()
        async with asyncio.timeout(5):
            while len(registrar.requests) < 2:  # noqa: ASYNC110  # It is soon.
                await asyncio.sleep(0.005)
    assert [request.cseq.number for request in registrar.requests] == [1, 2, 3]


@pytest.mark.rule("SIP-53")
@pytest.mark.usefixtures("time_flies")
async def test_what_begins_with_a_failure_is_an_error(
    stack: AsyncExitStack, registrar: Registrar, silent: str
) -> None:
    alice = await agent(stack)
    registrar.answer = sip.Reply(status=403)
    with pytest.raises(sip.CallRefused):
        await alice.register(registrar.uri)
    with pytest.raises(sip.CallTimeout):
        await alice.register(silent)
    assert alice._registrations._registrations == {}


@pytest.mark.rule("SIP-53")
async def test_a_lost_registrar_is_found_again(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice = await agent(stack)
    seen: list[tuple[sip.RegistrationState, str]] = []

    def note(registration: Registration) -> None:
        seen.append((registration.state, str(registration.error)))

    async with alice.register(registrar.uri) as registration:
        registration.on_changed = note
        registrar.answer = sip.Reply(status=500)
        registration.refresh()
        async with asyncio.timeout(5):
            while not seen:  # noqa: ASYNC110  # It is soon.
                await asyncio.sleep(0.005)
        assert seen[0][0] is sip.RegistrationState.LOST
        assert "500" in seen[0][1]
        assert isinstance(registration.error, sip.CallRefused)
        # What was granted is still there.
        assert registration.is_registered
        registrar.answer = None
        registration.refresh()
        await asyncio.wait_for(registration.registered(), 5)
        assert registration.error is None
    states = [state for state, _ in seen]
    assert states[-2:] == [
        sip.RegistrationState.ENDING,
        sip.RegistrationState.ENDED,
    ]


async def test_a_hook_that_fails_is_reported(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    found: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: found.append(str(context["exception"]))
    )

    def fail(registration: Registration) -> None:
        raise RuntimeError("a bug")

    alice = await agent(stack)
    async with alice.register(registrar.uri) as registration:
        registration.on_changed = fail
    assert found == ["a bug", "a bug"]


@pytest.mark.rule("SIP-53")
async def test_leaving_a_registrar_that_is_gone_takes_no_longer_than_closing(
    stack: AsyncExitStack,
) -> None:
    limits = sip.Limits(closing_time=0.05)
    alice, other = await agent(stack, limits=limits), await agent(stack)
    registration = await alice.register(Registrar(other).uri)
    await other.close()
    await asyncio.wait_for(registration.leave(), 5)
    assert registration.state is sip.RegistrationState.ENDED


async def test_closing_while_registering_is_an_error(
    stack: AsyncExitStack, silent: str
) -> None:
    limits = sip.Limits(closing_time=0.05)
    alice = await agent(stack, timers=sip.Timers(), limits=limits)
    registering = asyncio.ensure_future(_await(alice.register(silent)))
    await asyncio.sleep(0)
    await alice.close()
    with pytest.raises(sip.LocalError):
        await registering


async def test_giving_up_while_registering_leaves_nothing(
    stack: AsyncExitStack, silent: str
) -> None:
    alice = await agent(stack)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await alice.register(silent)
    assert alice._registrations._registrations == {}


async def _await(registering: Registering) -> Registration:
    return await registering


@pytest.mark.parametrize(
    "uri", ["sip:alice@example.net", "tel:+1", "nonsense", "sip:127.0.0.1;maddr=x"]
)
async def test_what_is_no_registrar_is_refused_here(
    stack: AsyncExitStack, uri: str
) -> None:
    alice = await agent(stack, timers=QUICK)
    with pytest.raises((sip.LocalError, sip.TransportError)):
        await alice.register(uri)


@pytest.mark.rule("SIP-53")
async def test_a_lost_connection_is_made_anew_where_calls_come_over_it(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    registrar.answer = sip.Reply(headers=[("Require", "outbound")])
    urn = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"
    alice = await agent(stack, instance=urn)
    uri = f"{registrar.uri};transport=tcp"
    backoff = sip.sansio.Backoff(base=0.02)
    async with alice.register(uri, backoff=backoff) as registration:
        assert registrar.agent._driver is not None
        for stream in list(registrar.agent._driver.transport._streams.values()):
            stream.abort()
        async with asyncio.timeout(5):
            while len(registrar.requests) < 2:  # noqa: ASYNC110  # It is soon.
                await asyncio.sleep(0.005)
            await registration.registered()
    one, two = (request.contacts[0].parameters for request in registrar.requests[:2])
    assert one == two


async def test_an_instance_is_named_by_a_urn(stack: AsyncExitStack) -> None:
    for wrong in ("me", "urn:", 'urn:uuid:"'):
        with pytest.raises(sip.LocalError):
            await agent(stack, instance=wrong)


@pytest.mark.rule("SIP-60", "SIP-63", "SIP-53", "SIP-31")
async def test_a_registrar_may_want_a_password_and_a_longer_interval(
    stack: AsyncExitStack,
) -> None:
    passwords = {"alice": "secret"}
    other = await agent(
        stack, authenticator=sip.Authenticator.with_passwords("example", passwords)
    )
    registrar = Registrar(other)

    @other.on_request("REGISTER")
    async def brief(incoming: IncomingRequest) -> sip.Reply:
        assert incoming.username == "alice"
        if 0 < (incoming.request.expires or 0) < 60:
            return sip.Reply(status=423, headers=[("Min-Expires", "60")])
        return await registrar.handle(incoming)

    alice = await agent(stack, credentials=("alice", "secret"))
    async with alice.register(registrar.uri, expires=10) as registration:
        assert 59 < (registration.expires_in or 0) <= 60
    numbers = [request.cseq.number for request in registrar.requests]
    assert numbers == [3, 4]


# The proxies that a registrar wants us to go by (RFC 3608).


def route_to(agent: sip.UserAgent) -> str:
    return f"<sip:127.0.0.1:{agent.listening[0].port};lr>"


async def asked_by(agent: sip.UserAgent, uri: str, **options: Any) -> sip.Request:
    """Send a message and return what the agent got of it."""
    taken: list[sip.Request] = []

    @agent.on_message
    def take(message: IncomingRequest) -> None:
        taken.append(message.request)

    alice = options.pop("by")
    await alice.send_message(uri, "hello", **options)
    return taken[0]


async def test_requests_go_by_the_proxies_of_the_registrar(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice, proxy = await agent(stack), await agent(stack)
    route = route_to(proxy)
    registrar.answer = sip.Reply(headers=[("Service-Route", f"{route}, <sip:b;lr>")])
    async with alice.register(registrar.uri) as registration:
        # It leads whom no proxy of ours would: to a URN, say.
        got = await asked_by(proxy, "urn:service:sos", by=alice)
        assert [str(r) for r in got.routes] == [route, "<sip:b;lr>"]
        assert registration.is_registered
        # But a request to the registrar itself doesn't go that way.
        registration.refresh()
        await registration.registered()
        assert all(not request.routes for request in registrar.requests)
    with pytest.raises(sip.LocalError):
        await alice.send_message("urn:service:sos", "hello")


async def test_the_proxies_of_the_registrar_come_after_our_own(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    proxy = await agent(stack)
    own = route_to(proxy)
    alice = await agent(stack, outbound_proxy=own.strip("<>"))
    for said, expected in (
        ("<sip:b;lr>", [own, "<sip:b;lr>"]),
        (f"{own}, <sip:b;lr>", [own, "<sip:b;lr>"]),
    ):
        registrar.answer = sip.Reply(headers=[("Service-Route", said)])
        registering = alice.register(registrar.uri, outbound_proxy=registrar.uri)
        async with registering:
            got = await asked_by(proxy, "sip:bob@example.net", by=alice)
            assert [str(r) for r in got.routes] == expected


async def test_they_are_for_whom_is_registered_and_for_whom_wants_no_others(
    stack: AsyncExitStack, registrar: Registrar
) -> None:
    alice, proxy = await agent(stack), await agent(stack)
    registrar.answer = sip.Reply(headers=[("Service-Route", "<sip:nobody.test;lr>")])
    uri = f"sip:127.0.0.1:{proxy.listening[0].port}"
    async with alice.register(registrar.uri, address="sip:other@example.net"):
        assert (await asked_by(proxy, uri, by=alice)).routes == ()
    async with alice.register(registrar.uri):
        got = await asked_by(proxy, "sip:bob@c", by=alice, outbound_proxy=uri)
        assert [str(r) for r in got.routes] == [f"<{uri};lr>"]
