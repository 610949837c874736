"""The programs of docs/sip.md work as they stand."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
from pathlib import Path
from typing import Any

import pytest

import msrp
import sip

GUIDE = Path(__file__).parents[3] / "docs" / "sip.md"
PASSWORDS = {"console": "secret"}


def free_port() -> int:
    """Find one that is free for UDP and TCP, and isn't one that others get."""
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError):
            with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
            return port


def program(name: str, proxy: int = 0, own: int = 0) -> Any:
    """Return the function of a program, with addresses that are ours."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    (text,) = [block for block in blocks if f"\n{name}(" in block]
    assert max(map(len, text.splitlines())) <= 90
    text = text.replace("192.0.2.1:5060", f"127.0.0.1:{proxy}")
    text = re.sub(r"192\.0\.2\.\d+:5060", f"127.0.0.1:{own}", text)
    text = re.sub(r"\"192\.0\.2\.\d+\", 2855", '"127.0.0.1", 0', text)
    assert "192.0.2" not in text
    namespace: dict[str, Any] = {"__name__": "guide"}
    exec(compile(text, str(GUIDE), "exec"), namespace)
    return namespace[name.split()[-1]]


class Network:
    """All that there is behind the proxy: a registrar, and Bob."""

    def __init__(self, agent: sip.UserAgent, listener: msrp.MsrpListener) -> None:
        self.registered: list[int | None] = []
        self.messages: list[str | None] = []
        self.texts: list[bytes] = []
        self._listener = listener
        agent.on_request("REGISTER")(self.register)
        agent.on_message(self.take)
        agent.on_invite(self.ring)

    def register(self, request: sip.IncomingRequest) -> sip.Reply:
        self.registered.append(request.request.expires)
        return sip.Reply(headers=[("Expires", "600")])

    def take(self, message: sip.IncomingRequest) -> None:
        self.messages.append(message.text)

    async def heard(self) -> bytes:
        """Wait for what was said in the first session."""
        async with asyncio.timeout(10):
            while not self.texts:  # noqa: ASYNC110  # It is soon.
                await asyncio.sleep(0.005)
        return self.texts[0]

    async def ring(self, call: sip.IncomingCall) -> None:
        medium = msrp.MsrpMedia(self._listener)
        await call.answer([medium])
        async for message in medium.connection:
            self.texts.append(message.contents)


def network_agent() -> sip.UserAgent:
    return sip.UserAgent(
        "sip:example.net",
        listen=["udp://127.0.0.1:0"],
        authenticator=sip.Authenticator.with_passwords("example.net", PASSWORDS),
    )


@pytest.mark.rule("SIP-53", "SIP-54", "SIP-60")
async def test_the_first_program_registers_calls_and_sends_messages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as listener,
        network_agent() as agent,
    ):
        network = Network(agent, listener)
        main = program("async def main", agent.listening[0].port)
        assert asyncio.iscoroutinefunction(main)
        await asyncio.wait_for(main(), 20)
        assert network.registered == [3600, 0]
        said = "This goes beside the media."
        assert network.messages == ["I'm going to call you.", said]
        assert b"hello" in await network.heard()
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1].strip() == sip.RegistrationState.ENDED.value


@pytest.mark.rule("SIP-54", "SIP-60")
async def test_the_second_program_takes_calls_and_messages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    serving = asyncio.ensure_future(program("async def serve", own=port)())
    uri = f"sip:bob@127.0.0.1:{port}"
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as listener,
        sip.UserAgent(
            "sip:console@example.net",
            listen=["udp://127.0.0.1:0"],
            credentials=("console", "secret"),
        ) as agent,
    ):
        await until_it_answers(agent, uri, serving)
        await agent.send_message(uri, "hello")
        media = [msrp.MsrpMedia(listener)]
        async with await agent.invite(uri, media=media):
            await (await media[0].connection.send_text("hi")).delivered()
        response = await agent.request("PUBLISH", uri, body=b"?", content_type="x/y")
        assert (response.status, response.headers.get("Accept")) == (
            415,
            "application/pidf+xml",
        )
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    shown = capsys.readouterr().out.splitlines()
    assert "console says: hello" in shown
    assert any(line.startswith("in the session:") for line in shown)


async def until_it_answers(
    agent: sip.UserAgent, uri: str, serving: asyncio.Future[None]
) -> None:
    async with asyncio.timeout(20):
        while True:
            assert not serving.done(), serving
            try:
                await agent.options(uri)
            except sip.TransportError:
                await asyncio.sleep(0.02)
            else:
                return


@pytest.mark.rule("SIP-60")
async def test_the_third_program_needs_no_asyncio() -> None:
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as listener,
        network_agent() as agent,
    ):
        network = Network(agent, listener)
        main = program("def main", agent.listening[0].port)
        await asyncio.wait_for(asyncio.to_thread(main), 20)
        assert b"hello" in await network.heard()
