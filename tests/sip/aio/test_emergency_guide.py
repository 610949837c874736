"""The programs of docs/emergency.md work as they stand."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest

import sip
from sip.emergency import Circle, Position, write_pidf
from sip.testing import RecordingMedia

GUIDE = Path(__file__).parents[3] / "docs" / "emergency.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.S)


def run(block: str, port: int = 0) -> dict[str, Any]:
    """Run a program, with addresses that are ours."""
    block = block.replace("192.0.2.20:5060", f"127.0.0.1:{port}")
    block = block.replace("192.0.2.10:5060", "127.0.0.1:0")
    block = re.sub(r"\"192\.0\.2\.\d+\", 2855", '"127.0.0.1", 0', block)
    assert "192.0.2" not in block
    namespace: dict[str, Any] = {"__name__": "guide"}
    exec(compile(block, str(GUIDE), "exec"), namespace)
    return namespace


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.rule("NG-1", "NG-2", "NG-3", "NG-4", "NG-5", "NG-14", "NT-1")
async def test_a_caller_reaches_a_console_and_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    console, _, caller, _ = BLOCKS
    serving = asyncio.ensure_future(run(console, port)["serve"]())
    main = run(caller, port)["main"]
    try:
        await until_it_listens(port, serving)
        await asyncio.wait_for(main(), 20)
        shown = await lines_until("caller: ", capsys)
    finally:
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    assert shown[0].strip() == "service: urn:service:sos.fire"
    assert shown[1].startswith("on the map: Circle(center=Position(latitude=42.5463,")
    assert shown[2] == "address: 123 Broadway, New York"
    assert shown[3].startswith("to be had by http at https://lis.example.com/")
    assert shown[4] == "Comment b'<Comment>Second door on the left</Comment>'"
    assert shown[5] == "call: None"
    assert shown[6] == "call back: <sip:+12025550123@example.com>"
    assert shown[7:] == ["caller: There is smoke."]


async def lines_until(start: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that are shown up to one that starts so."""
    lines: list[str] = []
    async with asyncio.timeout(10):
        while not any(line.startswith(start) for line in lines):
            lines += capsys.readouterr().out.splitlines()
            await asyncio.sleep(0.01)
    return lines


async def until_it_listens(port: int, serving: asyncio.Future[None]) -> None:
    async with (
        asyncio.timeout(10),
        sip.UserAgent(
            "sip:somebody@example.com", listen=["tcp://127.0.0.1:0"]
        ) as agent,
    ):
        while True:
            assert not serving.done(), serving
            try:
                await agent.options(f"sip:127.0.0.1:{port};transport=tcp")
            except sip.TransportError:
                await asyncio.sleep(0.02)
            else:
                return


class Web:
    """A location server, of which the network allows only one address."""

    async def get(self, uri: str, *, accept: str, max_octets: int) -> tuple[str, bytes]:
        if uri != "https://lis.example.com/1":
            raise PermissionError
        return "application/pidf+xml", here()


def here() -> bytes:
    shape = Circle(Position(42.5463, -73.2512), 30.0)
    return write_pidf("pres:caller@example.com", shape=shape)


@pytest.mark.rule("NG-2", "NG-3")
async def test_the_example_of_fetching_locations_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    locate = run(BLOCKS[1])["locate"]
    listen = ["udp://127.0.0.1:0"]
    async with (
        sip.UserAgent("sip:psap@127.0.0.1", listen=listen) as console,
        sip.UserAgent("sip:caller@127.0.0.1", listen=listen) as caller,
    ):

        @console.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            await locate(sip.LocationFetcher(console, http=Web()), call)
            await call.answer([RecordingMedia()])

        wanted = "<https://lis.example.com/1>, <https://192.168.1.1/admin>"
        uri = f"sip:psap@127.0.0.1:{console.listening[0].port}"
        call = await caller.invite(
            uri, media=[RecordingMedia()], headers=[("Geolocation", wanted)]
        )
        await call.bye()
    good, bad = capsys.readouterr().out.splitlines()
    assert good.startswith("https://lis.example.com/1 (Circle(center=Position(")
    assert bad.endswith("the location can't be fetched: it could not be got by HTTP")


@pytest.mark.rule("NG-9", "NT-5")
def test_the_example_of_calling_back_runs() -> None:
    namespace = run(BLOCKS[3])
    assert "callback" in namespace
