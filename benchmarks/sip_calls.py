"""How many calls a second our user agent makes and takes beside SIPp.

`python -m benchmarks.sip_calls` prints two ratios: calls per second from SIPp to us,
and from us to SIPp, each divided by those from SIPp to SIPp in the same run.  A call
is INVITE, 180, 200, ACK, BYE and 200 over UDP, with a message stream in the offer and
in the answer, and a bounded number of calls goes on at a time.  SIPp is written in C++
and plays a script: it keeps no dialogs, and parses what the script asks for.

SIPp is in Debian's package `sip-tester`.
"""

from __future__ import annotations

import asyncio
import csv
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sip
from sip.testing import RecordingMedia

SIPP = shutil.which("sipp")
SCENARIOS = Path(__file__).parent / "sipp"

RUNS = 5
CALLS = 600
BARE_CALLS = 3_000
"""SIPp is that much faster, and needs more calls for as good a figure."""

FIRST_CALLS = 100
"""Calls until all is imported and compiled; they aren't counted."""

AT_ONCE = 20
"""Calls that go on at a time: the wires are never idle, and nothing is dropped."""

SECONDS = 60
"""After which a SIPp that hangs is ended."""


def measure() -> list[tuple[str, list[float]]]:
    """Return each piece of work and its ratios, one for each run.

    Raises:
        RuntimeError: There is no SIPp, or a call failed.
    """
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, list[float]]]:
    if SIPP is None:
        raise RuntimeError("sipp is missing; it is in Debian's package sip-tester")
    answering: list[float] = []
    calling: list[float] = []
    await _sipp_calls_us(FIRST_CALLS)
    await _we_call_sipp(FIRST_CALLS)
    for _ in range(RUNS):
        bare = await _sipp_calls_sipp()
        answering.append(await _sipp_calls_us(CALLS) / bare)
        calling.append(await _we_call_sipp(CALLS) / bare)
    return [("SIPp calls us over UDP", answering), ("we call SIPp over UDP", calling)]


async def _sipp_calls_sipp() -> float:
    """Return calls per second."""
    async with _answering_sipp() as port:
        return await _calling_sipp(port, BARE_CALLS)


async def _sipp_calls_us(calls: int) -> float:
    """Return calls per second."""
    listen = ["udp://127.0.0.1:0"]
    async with sip.UserAgent("sip:uas@127.0.0.1", listen=listen) as agent:

        @agent.on_invite
        async def answer(call: sip.IncomingCall) -> None:
            await call.ringing()
            await call.answer([RecordingMedia()])

        return await _calling_sipp(agent.listening[0].port, calls)


async def _we_call_sipp(calls: int) -> float:
    """Return calls per second."""
    listen = ["udp://127.0.0.1:0"]
    async with (
        _answering_sipp() as port,
        sip.UserAgent("sip:uac@127.0.0.1", listen=listen) as agent,
    ):
        left = iter(range(calls))

        async def call_on_and_on() -> None:
            for _ in left:
                uri = f"sip:uas@127.0.0.1:{port}"
                call = await agent.invite(uri, media=[RecordingMedia()])
                await call.bye()

        began = time.perf_counter()
        await asyncio.gather(*(call_on_and_on() for _ in range(AT_ONCE)))
        return calls / (time.perf_counter() - began)


@asynccontextmanager
async def _answering_sipp() -> AsyncIterator[int]:
    """Run a SIPp that answers; give its port."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as directory:
        process = await _start("uas.xml", port, directory)
        try:
            async with asyncio.timeout(10):
                while not _is_bound(port):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            yield port
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _calling_sipp(port: int, calls: int) -> float:
    """Let a SIPp make calls; return calls per second."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = [f"127.0.0.1:{port}", "-m", str(calls), "-l", str(AT_ONCE)]
        arguments += ["-r", "100000", "-trace_stat", "-stf", "calls.csv"]
        process = await _start("uac.xml", _free_port(), directory, *arguments)
        try:
            if await process.wait():
                raise RuntimeError("a call of sipp failed")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = (Path(directory) / "calls.csv").read_text()
        head, *_, last = csv.reader(text.splitlines(), delimiter=";")
        return float(last[head.index("CallRate(C)")])


async def _start(
    scenario: str, port: int, directory: str, *arguments: str
) -> asyncio.subprocess.Process:
    assert SIPP is not None
    return await asyncio.create_subprocess_exec(
        *(SIPP, "-sf", str(SCENARIOS / scenario), "-i", "127.0.0.1", "-p", str(port)),
        *("-nostdin", "-timer_resol", "1", "-timeout", str(SECONDS), *arguments),
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_bound(port: int) -> bool:
    """Tell whether somebody listens, which is all that SIPp never says."""
    return f"0100007F:{port:04X}" in Path("/proc/net/udp").read_text()


def main() -> None:
    try:
        rows = measure()
    except RuntimeError as exc:
        sys.exit(str(exc))
    for name, ratios in rows:
        middle = statistics.median(ratios)
        print(f"{name:44} {middle:6.2f}  {min(ratios):.2f} – {max(ratios):.2f}")


if __name__ == "__main__":
    main()
