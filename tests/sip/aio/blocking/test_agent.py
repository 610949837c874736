"""User agents of programs that have no event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import get_type_hints

import pytest

import sip
from sip.aio import IncomingRequest
from sip.aio.blocking.agent import AgentOptions, ThreadedUserAgent
from sip.aio.blocking.call import ThreadedCall, ThreadedIncomingCall
from sip.aio.blocking.loop_thread import LoopThread
from sip.testing import RecordingMedia

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)


@pytest.fixture
def threads() -> Iterator[None]:
    """Let a test fail that leaves a loop behind."""
    yield
    assert not [t for t in threading.enumerate() if t.name == "sip"]


@pytest.fixture
def alice(threads: None) -> Iterator[ThreadedUserAgent]:
    with agent() as alice:
        yield alice


@pytest.fixture
def bob(threads: None) -> Iterator[ThreadedUserAgent]:
    with agent() as bob:
        yield bob


def agent() -> ThreadedUserAgent:
    return ThreadedUserAgent(
        "sip:b@127.0.0.1", listen=["udp://127.0.0.1:0"], timers=QUICK
    )


def uri_of(agent: ThreadedUserAgent) -> str:
    return f"sip:bob@127.0.0.1:{agent.listening[0].port}"


def answer(call: ThreadedIncomingCall) -> None:
    """Answer a call that may be over before the answer is done with."""
    with contextlib.suppress(sip.CallOver):
        call.answer([RecordingMedia("bob")])


def test_calls_are_made_and_taken_without_a_loop(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    taken: concurrent.futures.Future[ThreadedIncomingCall]
    taken = concurrent.futures.Future()

    @bob.on_invite
    def ring(call: ThreadedIncomingCall) -> None:
        call.ringing()
        call.answer([RecordingMedia("bob")])
        taken.set_result(call)

    medium = RecordingMedia("alice")
    with alice.invite(uri_of(bob), media=[medium]) as call:
        theirs = taken.result(5)
        assert call.answered
        assert call.media == (medium,)
        assert str(call.remote.uri).startswith("sip:bob@")
        assert theirs.request.call_id == call.request.call_id
        assert call.send_request("FOO").status == 501
        with pytest.raises(sip.CallRefused):
            call.send_message("hello")
        with pytest.raises(TimeoutError):
            call.ended(0.01)
    assert call.end_reason is sip.EndReason.LOCAL_BYE
    assert theirs.ended(5) is sip.EndReason.REMOTE_BYE
    assert medium.log[-1] == "stop"


def test_a_handler_may_wait_for_the_whole_call(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    reasons: list[sip.EndReason] = []

    @bob.on_invite
    def ring(call: ThreadedIncomingCall) -> None:
        answer(call)
        reasons.append(call.ended(5))

    for _ in range(2):
        alice.invite(uri_of(bob), media=[RecordingMedia("alice")]).bye()
    deadline = time.monotonic() + 5
    while len(reasons) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert reasons == [sip.EndReason.REMOTE_BYE] * 2


def test_a_call_may_be_refused(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    bob.on_invite(lambda call: call.reject(486))
    with pytest.raises(sip.CallRefused) as refused:
        alice.invite(uri_of(bob), media=[RecordingMedia("alice")])
    assert refused.value.status == 486


@pytest.mark.rule("SIP-54")
def test_messages_and_other_requests_go_both_ways(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    texts: list[tuple[str | None, bool]] = []

    @bob.on_message
    def take(message: IncomingRequest) -> None:
        in_loop = threading.current_thread().name == "sip"
        texts.append((message.text, in_loop))

    @bob.on_request("FOO")
    def foo(request: IncomingRequest) -> int:
        return 299

    alice.send_message(uri_of(bob), "hello")
    assert texts == [("hello", False)]
    assert alice.request("FOO", uri_of(bob)).status == 299
    assert "MESSAGE" in alice.options(uri_of(bob)).allow


@pytest.mark.rule("SIP-53")
def test_taps_come_and_go_from_any_thread(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    heard: list[str] = []
    tap = bob.do(bob.agent.add_tap, lambda record: heard.append(record.method))
    alice.options(uri_of(bob))
    bob.do(bool)  # What was answered in its loop is told by now.
    assert tap.wait()
    tap.remove()
    alice.options(uri_of(bob))
    bob.do(bool)
    assert tap.wait()
    assert heard == ["OPTIONS"]
    assert not bob.agent.taps.hears_anything


def test_a_registration_is_left(
    alice: ThreadedUserAgent, bob: ThreadedUserAgent
) -> None:
    expires: list[int | None] = []
    bob.on_request("REGISTER")(lambda got: expires.append(got.request.expires))
    uri = f"sip:127.0.0.1:{bob.listening[0].port}"
    with alice.register(uri, expires=60) as registration:
        assert registration.is_registered
    assert expires == [60, 0]


def test_closing_ends_calls_and_whoever_waits(threads: None) -> None:
    ends: list[sip.EndReason] = []
    done = threading.Event()
    with agent() as bob:

        @bob.on_invite
        def ring(call: ThreadedIncomingCall) -> None:
            answer(call)
            ends.append(call.ended())
            done.set()

        with agent() as alice:
            call = alice.invite(uri_of(bob), media=[RecordingMedia("alice")])
        assert call.end_reason is sip.EndReason.LOCAL_BYE
        assert done.wait(5)
    assert ends == [sip.EndReason.REMOTE_BYE]
    for use in (call.bye, lambda: alice.options("sip:127.0.0.1")):
        with pytest.raises(sip.LocalError):
            use()
    alice.close()


def test_what_cannot_listen_leaves_no_thread(threads: None) -> None:
    with pytest.raises(sip.TransportError):
        with ThreadedUserAgent("sip:b@a", listen=["udp://192.0.2.1:5060"]):
            raise AssertionError
    with pytest.raises(sip.LocalError):
        ThreadedUserAgent("sip:b@a", listen=[])


def test_handlers_may_be_set_before_it_listens(threads: None) -> None:
    bob = agent()
    bob.on_message(lambda message: 202)
    bob.on_invite(lambda call: call.reject(600))
    with bob, agent() as alice:
        alice.send_message(uri_of(bob), "hello")
        with pytest.raises(sip.CallRefused):
            alice.invite(uri_of(bob), media=[RecordingMedia()])


def test_the_options_are_those_of_the_agent() -> None:
    parameters = inspect.signature(sip.UserAgent.__init__).parameters
    assert set(AgentOptions.__annotations__) == set(parameters) - {
        "self",
        "address",
        "listen",
    }
    assert get_type_hints(ThreadedCall.bye)["return"] is type(None)


# The loop.


@pytest.fixture
def loop(threads: None) -> Iterator[LoopThread]:
    with LoopThread() as loop:
        yield loop


async def forever(log: list[str]) -> None:
    log.append("begun")
    try:
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(0.01)
        log.append("cleaned up")


def test_results_and_errors_come_back(loop: LoopThread) -> None:
    async def fail() -> None:
        raise TimeoutError("its own")

    assert loop.run(asyncio.sleep(0, 7)) == 7
    with pytest.raises(TimeoutError, match="its own"):
        loop.run(fail(), 5)


def test_what_waits_for_nothing_is_done_in_the_loop(loop: LoopThread) -> None:
    assert loop.do(asyncio.get_running_loop) is not None
    with pytest.raises(ZeroDivisionError):
        loop.do(divmod, 1, 0)


def test_what_is_no_coroutine_is_said_at_once(loop: LoopThread) -> None:
    with pytest.raises(TypeError, match="a coroutine, not NoneType"):
        loop.run(None, timeout=3)  # type: ignore[arg-type]


def test_what_takes_too_long_is_cancelled_and_cleans_up(loop: LoopThread) -> None:
    log: list[str] = []
    with pytest.raises(TimeoutError):
        loop.run(forever(log), 0.05)
    assert log == ["begun", "cleaned up"]


def test_an_interrupt_cancels_what_is_waited_for(loop: LoopThread) -> None:
    log: list[str] = []
    main = threading.get_ident()
    timer = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run(forever(log))
    timer.join()
    assert log == ["begun", "cleaned up"]
    assert loop.run(asyncio.sleep(0, 7)) == 7


def test_what_runs_in_the_loop_may_not_wait_for_it(loop: LoopThread) -> None:
    async def wait() -> None:
        loop.run(asyncio.sleep(0))

    with pytest.raises(sip.LocalError, match="must await"):
        loop.run(wait())


def test_what_was_entered_is_left_the_last_first(threads: None) -> None:
    log: list[str] = []

    @contextlib.asynccontextmanager
    async def entered(name: str) -> AsyncIterator[str]:
        yield name
        log.append(name)

    with LoopThread() as loop:
        assert loop.enter(entered("one")) == "one"
        loop.enter(entered("two"))
    assert log == ["two", "one"]


def test_one_that_is_closed_while_it_starts_ends(
    threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: concurrent.futures.Future[None]) -> None:
        raise KeyboardInterrupt

    loop = LoopThread()
    with monkeypatch.context() as patch:
        patch.setattr(concurrent.futures.Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.__enter__()
    assert not loop.is_running
    with loop:
        assert loop.run(asyncio.sleep(0, 7)) == 7


def test_where_no_loop_can_be_made_there_is_an_error(
    threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> asyncio.AbstractEventLoop:
        raise OSError("too many open files")

    monkeypatch.setattr(asyncio.events, "new_event_loop", fail)
    with pytest.raises(OSError, match="too many"):
        LoopThread().__enter__()


def test_closing_cancels_what_others_wait_for(threads: None) -> None:
    log: list[str] = []
    errors: list[BaseException] = []
    loop = LoopThread()

    def wait() -> None:
        try:
            loop.run(forever(log))
        except sip.LocalError as exc:
            errors.append(exc)

    with loop:
        waiting = threading.Thread(target=wait)
        waiting.start()
        deadline = time.monotonic() + 5
        while not log and time.monotonic() < deadline:
            time.sleep(0.005)
    waiting.join(5)
    assert log == ["begun", "cleaned up"]
    assert len(errors) == 1
    with pytest.raises(sip.LocalError, match="doesn't run"):
        loop.run(forever(log))
