"""A process that sends or receives a file, and goes on when its connection is lost.

``--peer send FILE RESPONSE_TIMEOUT`` or ``--peer receive DIRECTORY LOSSES``, where
LOSSES says how often it is to go on.  It speaks with the first process in lines of
JSON: offers and answers, ``lost`` when it has noticed that, and what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msrp
import sdp

CHUNK_SIZE = 256 * 1024
"""Octets; what is confirmed in a chunk of the whole file is nothing, or all."""


def config(response_timeout: float = 30.0) -> msrp.SessionConfig:
    return msrp.SessionConfig(
        chunk_size=CHUNK_SIZE, recovery_time=60.0, response_timeout=response_timeout
    )


def watched(connection: msrp.MsrpConnection) -> asyncio.Event:
    lost = asyncio.Event()
    connection.on_connection_lost(lambda _: lost.set())
    return lost


async def send(file: str, response_timeout: str) -> None:
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        offered = listener.offer(accept_types=["*"])
        say(str(offered))
        connection = msrp.MsrpConnection.create_from_sdp(
            offered,
            sdp.MediaDescription.parse(await hear()),
            is_incoming=False,
            listener=listener,
            config=config(float(response_timeout)),
        )
        lost = watched(connection)
        async with connection:
            sent = await connection.send_file(file)
            await lost.wait()
            say("lost")
            offered = listener.offer(accept_types=["*"])
            say(str(offered))
            answered = sdp.MediaDescription.parse(await hear())
            await connection.reestablish(
                offered,
                answered,
                is_incoming=False,
                from_the_start=await hear() == "from the start",
            )
            try:
                await sent.delivered()
            except msrp.DeliveryError as error:
                say(type(error).__name__)
            else:
                say("delivered")
            await hear()


async def receive(directory: str, losses: str) -> None:
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        offered, answered = await answer(listener)
        connection = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=listener, config=config()
        )
        connection.policy = lambda _: msrp.IntoDirectory(Path(directory))
        connection.on_incomplete_message(lambda _: say("given up"))
        lost = watched(connection)
        async with connection:
            say(str(answered))
            for _ in range(int(losses)):
                await lost.wait()
                lost.clear()
                say("lost")
                offered, answered = await answer(listener)
                await connection.reestablish(offered, answered, is_incoming=True)
                say(str(answered))
            async for message in connection:
                say(str(message.path))
            say("over")


async def answer(
    listener: msrp.MsrpListener,
) -> tuple[sdp.MediaDescription, sdp.MediaDescription]:
    offered = sdp.MediaDescription.parse(await hear())
    answered = listener.answer(offered, accept_types=["*"])
    assert answered is not None
    return offered, answered


async def hear() -> str:
    line = await asyncio.to_thread(sys.stdin.readline)
    said: str = json.loads(line) if line else ""
    return said


def say(what: str) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    what, *rest = sys.argv[2:]
    asyncio.run(send(*rest) if what == "send" else receive(*rest))
