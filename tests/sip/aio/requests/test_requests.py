"""Messages and other requests between user agents over real sockets."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

import digest
import sip
from sip.aio import IncomingCall, IncomingRequest
from sip.testing import RecordingMedia

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)


@pytest_asyncio.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def agent(stack: AsyncExitStack, name: str, **options: Any) -> sip.UserAgent:
    return await stack.enter_async_context(
        sip.UserAgent(
            f"sip:{name}@127.0.0.1",
            listen=["udp://127.0.0.1:0"],
            timers=options.pop("timers", QUICK),
            **options,
        )
    )


@pytest_asyncio.fixture
async def alice(stack: AsyncExitStack) -> sip.UserAgent:
    return await agent(stack, "alice")


@pytest_asyncio.fixture
async def bob(stack: AsyncExitStack) -> sip.UserAgent:
    return await agent(stack, "bob")


def uri_of(agent: sip.UserAgent) -> str:
    return f"sip:bob@127.0.0.1:{agent.listening[0].port}"


def reports() -> list[str]:
    """Gather what is reported to the loop."""
    found: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: found.append(str(context["exception"]))
    )
    return found


async def call(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> tuple[sip.Call, IncomingCall]:
    """Let Alice call Bob; return both sides."""
    calls: list[IncomingCall] = []

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        calls.append(call)
        await call.answer([RecordingMedia("bob")])

    ours = await alice.invite(uri_of(bob), media=[RecordingMedia("alice")])
    async with asyncio.timeout(5):
        while not calls[0].answered:  # noqa: ASYNC110  # It is answered soon.
            await asyncio.sleep(0.005)
    return ours, calls[0]


# Messages outside a call.


@pytest.mark.rule("SIP-54", "SIP-19")
async def test_a_message_comes_with_its_text_and_makes_no_dialog(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    got: list[IncomingRequest] = []
    bob.on_message(got.append)
    await alice.send_message(uri_of(bob), "Grüß Gott", expires=60)
    (message,) = got
    assert message.text == "Grüß Gott"
    assert message.method == "MESSAGE"
    assert str(message.sender.uri) == "sip:alice@127.0.0.1"
    assert message.content_type == "text/plain;charset=utf-8"
    assert (message.call, message.username) == (None, None)
    assert "Contact" not in message.request.headers
    now = datetime.datetime.now(datetime.UTC)
    assert message.expires_at is not None
    assert 50 < (message.expires_at - now).total_seconds() <= 61
    assert bob.calls == alice.calls == ()


@pytest.mark.rule("SIP-54")
async def test_the_response_to_a_message_is_final_and_empty(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    bob.on_message(lambda message: 202)
    response = await alice.request(
        "MESSAGE", uri_of(bob), body=b"<x/>", content_type="message/cpim"
    )
    assert (response.status, response.body) == (202, b"")
    assert "Contact" not in response.headers


@pytest.mark.rule("SIP-54")
@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/plain", "h\xe9"),
        ("text/plain;charset=iso-8859-1", "h\xc3\xa9"),
        ("text/html", "h\xe9"),
        ("message/cpim", None),
        ("nonsense", None),
    ],
)
async def test_what_is_no_text_is_given_as_octets(
    alice: sip.UserAgent, bob: sip.UserAgent, content_type: str, text: str | None
) -> None:
    got: list[IncomingRequest] = []
    bob.on_message(got.append)
    await alice.send_message(uri_of(bob), "h\xe9", content_type)
    assert (got[0].body, got[0].text) == (b"h\xc3\xa9", text)


@pytest.mark.rule("SIP-54", "SIP-12")
async def test_a_message_outside_a_call_is_short(
    alice: sip.UserAgent, bob: sip.UserAgent, stack: AsyncExitStack
) -> None:
    got: list[int] = []
    bob.on_message(lambda message: got.append(len(bytes(message.request))))
    with pytest.raises(sip.LocalError, match="1300 octets at most"):
        await alice.send_message(uri_of(bob), b"x" * 1000)
    # The longest that may go fits into what is allowed, Via and all.
    for length in range(1000, 500, -1):
        try:
            await alice.send_message(uri_of(bob), b"x" * length)
        except sip.LocalError:
            continue
        break
    assert 1200 < got[0] <= 1300
    carol = await agent(stack, "carol", limits=sip.Limits(message_size=9000))
    await carol.send_message(uri_of(bob), b"x" * 3000)
    assert got[1] > 3000


@pytest.mark.rule("SIP-54")
@pytest.mark.usefixtures("time_flies")
async def test_one_message_to_a_target_waits_for_the_response_to_the_other(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    busy, most, texts = 0, 0, []

    @bob.on_message
    async def take(message: IncomingRequest) -> None:
        nonlocal busy, most
        busy += 1
        most = max(busy, most)
        await asyncio.sleep(0.02)
        texts.append(message.text)
        busy -= 1

    uri = uri_of(bob)
    await asyncio.gather(*(alice.send_message(uri, str(n)) for n in range(5)))
    assert (most, texts) == (1, ["0", "1", "2", "3", "4"])
    assert alice._turns == {}


@pytest.mark.rule("SIP-54", "SIP-34", "SIP-52")
async def test_without_a_handler_messages_are_refused_and_options_says_so(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    with pytest.raises(sip.CallRefused) as refused:
        await alice.send_message(uri_of(bob), "hello")
    assert refused.value.status == 405
    assert "MESSAGE" not in refused.value.response.allow
    bob.on_message(lambda message: None)
    response = await alice.options(uri_of(bob))
    assert "MESSAGE" in response.allow


@pytest.mark.rule("SIP-54", "SIP-37")
async def test_a_type_that_the_handler_does_not_take_is_refused_with_those_it_does(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    got: list[IncomingRequest] = []
    bob.on_message(got.append, content_types=("text/plain", "message/cpim"))
    with pytest.raises(sip.CallRefused) as refused:
        await alice.send_message(uri_of(bob), "<p>", "text/html")
    assert refused.value.status == 415
    accept = refused.value.response.headers.get("Accept")
    assert accept == "text/plain, message/cpim"
    await alice.send_message(uri_of(bob), "hello")
    assert len(got) == 1


async def test_whoever_gives_up_a_message_is_in_nobodys_way(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    go_on, texts = asyncio.Event(), []

    @bob.on_message
    async def take(message: IncomingRequest) -> None:
        texts.append(message.text)
        await go_on.wait()

    uri = uri_of(bob)
    sending = [asyncio.ensure_future(alice.send_message(uri, str(n))) for n in range(3)]
    while not texts:  # noqa: ASYNC110  # It is soon.
        await asyncio.sleep(0.005)
    for one in sending[:2]:
        one.cancel()
    go_on.set()
    await sending[2]
    results = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(result) for result in results[:2]] == [asyncio.CancelledError] * 2
    assert texts == ["0", "2"]
    assert alice._turns == {}


# Any method.


@pytest.mark.rule("SIP-34")
async def test_a_handler_answers_what_it_wants(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    @bob.on_request("PUBLISH")
    async def publish(request: IncomingRequest) -> sip.Reply:
        tag = [("SIP-ETag", "one")]
        return sip.Reply(headers=tag, body=request.body, content_type="x/y")

    @bob.on_request("FOO")
    def refuse(request: IncomingRequest) -> None:
        raise sip.RefuseRequest(403, "No", headers=[("X", "y")])

    uri = uri_of(bob)
    published = await alice.request("PUBLISH", uri, body=b"?", content_type="x/y")
    assert (published.status, published.body) == (200, b"?")
    assert published.headers.get("SIP-ETag") == "one"
    refused = await alice.request("FOO", uri)
    assert (refused.status, refused.reason) == (403, "No")
    assert refused.headers.get("X") == "y"
    assert (await alice.request("BAR", uri)).status == 501


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(RuntimeError("a bug"), id="an-error"),
        pytest.param(sip.Reply(status=180), id="not-final"),
        pytest.param(sip.Reply(status=1000), id="no-status"),
        pytest.param(sip.Reply(headers=[("X", "a\r\nb")]), id="a-line-end"),
        pytest.param(sip.Reply(body=b"x"), id="no-type"),
        pytest.param(sip.Reply(headers=[("Contact", "<sip:a>")]), id="a-contact"),
        pytest.param(sip.RefuseRequest(99), id="no-refusal"),
    ],
)
async def test_a_handler_that_fails_is_a_500_and_is_reported(
    alice: sip.UserAgent, bob: sip.UserAgent, answer: sip.Reply | Exception
) -> None:
    found = reports()

    @bob.on_message
    async def handle(message: IncomingRequest) -> sip.Reply:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(sip.CallRefused) as refused:
        await alice.send_message(uri_of(bob), "hello")
    assert refused.value.status == 500
    assert len(found) == 1


@pytest.mark.rule("SIP-26")
async def test_a_handler_that_takes_too_long_is_a_500(
    alice: sip.UserAgent, stack: AsyncExitStack
) -> None:
    found = reports()
    bob = await agent(stack, "bob", limits=sip.Limits(handler_time=0.05))
    ended: list[bool] = []

    @bob.on_request("FOO")
    async def handle(request: IncomingRequest) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(True)

    assert (await alice.request("FOO", uri_of(bob))).status == 500
    assert (len(found), ended) == (1, [True])


@pytest.mark.rule("SIP-68")
async def test_how_many_handlers_run_is_bounded(
    alice: sip.UserAgent, stack: AsyncExitStack
) -> None:
    bob = await agent(stack, "bob", limits=sip.Limits(handlers=2))
    go_on = asyncio.Event()
    running: list[IncomingRequest] = []

    @bob.on_request("FOO")
    async def handle(request: IncomingRequest) -> None:
        running.append(request)
        await go_on.wait()

    requests = [asyncio.ensure_future(alice.request("FOO", uri_of(bob)))]
    requests += [asyncio.ensure_future(alice.request("FOO", uri_of(bob)))]
    async with asyncio.timeout(5):
        while len(running) < 2:  # noqa: ASYNC110  # It is soon.
            await asyncio.sleep(0.005)
    third = await alice.request("FOO", uri_of(bob))
    assert third.status == 503
    assert third.headers.get("Retry-After") == "5"
    go_on.set()
    assert [(await request).status for request in requests] == [200, 200]


@pytest.mark.usefixtures("time_flies")
async def test_closing_answers_what_a_handler_has_not(
    alice: sip.UserAgent, stack: AsyncExitStack
) -> None:
    bob = await agent(stack, "bob", limits=sip.Limits(closing_time=0.05))
    began = asyncio.Event()

    @bob.on_request("FOO")
    async def handle(request: IncomingRequest) -> None:
        began.set()
        await asyncio.sleep(100)

    request = asyncio.ensure_future(alice.request("FOO", uri_of(bob)))
    await began.wait()
    await bob.close()
    with pytest.raises((sip.CallTimeout, sip.TransportError)):
        await request


@pytest.mark.parametrize("method", ["INVITE", "ACK", "OPTIONS", "NOTIFY", "CANCEL"])
async def test_what_the_agent_does_itself_has_no_handler(
    alice: sip.UserAgent, method: str
) -> None:
    with pytest.raises(sip.LocalError):
        alice.on_request(method)


# In a call.


@pytest.mark.rule("SIP-54", "SIP-43", "NG-10")
async def test_messages_go_both_ways_in_a_call(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    got: list[IncomingRequest] = []
    bob.on_message(got.append)
    ours, theirs = await call(alice, bob)
    await ours.send_message("to Bob")
    assert (got[0].call, got[0].text) == (theirs, "to Bob")
    with pytest.raises(sip.CallRefused):
        await theirs.send_message("to Alice")
    ours.on_message(got.append)
    await theirs.send_message("x" * 2000)
    assert got[1].call is ours
    assert got[1].request.cseq.number > 0
    await ours.bye()
    with pytest.raises(sip.CallOver):
        await ours.send_message("too late")


async def test_a_call_may_have_a_handler_of_its_own(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    bob.on_request("FOO")(lambda request: 480)
    ours, theirs = await call(alice, bob)
    assert (await ours.send_request("FOO")).status == 480

    @theirs.on_request("FOO")
    async def handle(request: IncomingRequest) -> int:
        return 299

    assert (await ours.send_request("FOO")).status == 299
    assert (await alice.request("FOO", uri_of(bob))).status == 480
    # A handler of one call doesn't make another take the method.
    theirs.on_request("BAR")(lambda request: None)
    assert (await alice.request("BAR", uri_of(bob))).status == 405
    for make in (ours.send_request("BYE"), ours.send_request("INVITE")):
        with pytest.raises(sip.LocalError):
            await make
    with pytest.raises(sip.LocalError):
        theirs.on_request("UPDATE")
    await ours.bye()


async def test_whoever_gives_up_a_request_leaves_the_call_alone(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    @bob.on_request("FOO")
    async def handle(request: IncomingRequest) -> None:
        began.set()
        await go_on.wait()

    ours, _ = await call(alice, bob)
    asking = asyncio.ensure_future(ours.send_request("FOO"))
    await began.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    assert (await ours.send_request("FOO")).status == 200
    await ours.bye()


async def test_nothing_is_sent_in_a_call_that_nobody_has_responded_to(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    async with await alice.call(uri_of(bob), media=[RecordingMedia()]) as ringing:
        with pytest.raises(sip.LocalError, match="nobody has responded"):
            await ringing.send_message("hello")


@pytest.mark.rule("SIP-34")
async def test_info_is_taken_by_package(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    got: list[IncomingRequest] = []
    bob.on_info("g.example")(got.append)
    ours, theirs = await call(alice, bob)
    assert theirs.request.headers.get("Recv-Info") is None
    await ours.send_info("G.Example", b"data", "x/y")
    assert got[0].body == b"data"
    assert got[0].request.headers.get("Content-Disposition") == "Info-Package"
    with pytest.raises(sip.CallRefused) as refused:
        await ours.send_info("other")
    assert refused.value.status == 469
    assert refused.value.response.headers.get("Recv-Info") == "g.example"
    # Without a package there is nobody to take it.
    assert (await ours.send_request("INFO")).status == 405
    # Nor is there outside a call.
    assert (await alice.request("INFO", uri_of(bob))).status == 481
    back = await bob.options(uri_of(alice))
    assert "Recv-Info" not in back.headers
    assert (await alice.options(uri_of(bob))).headers.get("Recv-Info") == "g.example"
    await ours.bye()


@pytest.mark.rule("SIP-45")
async def test_a_peer_that_does_not_know_the_call_has_ended_it(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    bob.on_request("FOO")(lambda request: 481)
    ours, _ = await call(alice, bob)
    assert (await ours.send_request("FOO")).status == 481
    assert await ours.ended() is not None


# Who it is.


@pytest.mark.rule("SIP-60", "SIP-61", "SIP-63", "ST-8")
@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(("alice", "secret"), id="anywhere"),
        pytest.param({"bob": ("alice", "secret"), "x": ("y", "z")}, id="by-realm"),
        pytest.param(
            digest.DigestClient([digest.Account("alice", "secret")]), id="client"
        ),
    ],
)
async def test_calls_and_messages_are_let_in_with_a_password(
    stack: AsyncExitStack, credentials: Any
) -> None:
    bob = await agent(
        stack,
        "bob",
        authenticator=sip.Authenticator.with_passwords("bob", {"alice": "secret"}),
    )
    alice = await agent(stack, "alice", credentials=credentials)
    names: list[str | None] = []
    bob.on_message(lambda message: names.append(message.username))
    await alice.send_message(uri_of(bob), "hello")
    assert names == ["alice"]
    ours, _ = await call(alice, bob)
    await ours.send_message("again")
    await ours.bye()
    assert names == ["alice", "alice"]


@pytest.mark.rule("SIP-60", "SIP-68")
@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (None, "refused with 401 (Unauthorized)"),
        (("alice", "wrong"), "the user name or the password was rejected"),
        ({"elsewhere": ("alice", "secret")}, "there is no account"),
    ],
    ids=["none", "wrong", "elsewhere"],
)
async def test_without_it_a_call_is_refused_and_the_error_says_why(
    stack: AsyncExitStack,
    credentials: Any,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    bob = await agent(
        stack,
        "bob",
        authenticator=sip.Authenticator.with_passwords("bob", {"alice": "secret"}),
    )
    alice = await agent(stack, "alice", credentials=credentials)
    with pytest.raises(sip.CallRefused) as refused:
        await alice.invite(uri_of(bob), media=[RecordingMedia()])
    assert refused.value.status == 401
    assert words in str(refused.value)
    assert "secret" not in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.rule("SIP-30")
async def test_a_call_is_redirected_unless_that_is_switched_off(
    alice: sip.UserAgent, bob: sip.UserAgent, stack: AsyncExitStack
) -> None:
    carol = await agent(stack, "carol")
    headers = [("Contact", f"<{uri_of(carol)}>")]

    @bob.on_invite
    async def elsewhere(call: IncomingCall) -> None:
        await call.reject(302, headers=headers)

    @carol.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.answer([RecordingMedia("carol")])

    ours = await alice.invite(uri_of(bob), media=[RecordingMedia("alice")])
    await ours.bye()
    stubborn = await agent(stack, "stubborn", follow_redirects=False)
    with pytest.raises(sip.CallRefused) as refused:
        await stubborn.invite(uri_of(bob), media=[RecordingMedia("alice")])
    assert refused.value.status == 302


@pytest.mark.rule("SIP-41")
async def test_a_refusal_tells_when_to_come_again(
    alice: sip.UserAgent, bob: sip.UserAgent
) -> None:
    @bob.on_invite
    async def busy(call: IncomingCall) -> None:
        await call.reject(486, headers=[("Retry-After", "120 (lunch);duration=9")])

    with pytest.raises(sip.CallRefused) as refused:
        await alice.invite(uri_of(bob), media=[RecordingMedia("alice")])
    assert refused.value.retry_after == 120


@pytest.mark.rule("SIP-1", "SIP-54")
@pytest.mark.parametrize("expires", ["60", "4294967295", "soon", None])
def test_a_date_that_cannot_be_read_is_no_date(expires: str | None) -> None:
    from sip.sansio.hop import Hop, Transport
    from sip.sansio.transactions.server import NonInviteServerTransaction

    headers = [("Date", "yesterday")]
    headers += [] if expires is None else [("Expires", expires)]
    request = sip.Request.build("MESSAGE", "sip:b", headers)
    hop = Hop(Transport.UDP, "192.0.2.1", 5060)
    transaction = NonInviteServerTransaction(request, hop, hop, None, QUICK, 0.0)
    message = IncomingRequest(transaction, None)
    assert (message.expires_at is None) == (expires in (None, "soon"))
