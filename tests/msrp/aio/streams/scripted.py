"""A stream without a network: a transport that writes down, and an owner that too."""

from __future__ import annotations

import asyncio

import msrp
from msrp.aio.streams.stream import StreamProtocol
from msrp.events import CoreEvent
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState

__all__ = ["PEER", "FakeTransport", "Owner", "answer", "lose", "opened"]

PEER = msrp.MsrpUri("msrp", "127.0.0.1", 9, "peer")


class FakeTransport(asyncio.Transport):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.calls: list[str] = []
        self.closing = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.1", 2855) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.calls.append("close")
        self.closing = True

    def abort(self) -> None:
        self.calls.append("abort")
        self.closing = True

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")


class Owner:
    """Has a session, and takes what happens in it."""

    def __init__(self, config: msrp.SessionConfig | None = None) -> None:
        uri = msrp.MsrpUri("msrp", "127.0.0.1", 2855, "own")
        self.session = Session(uri, (PEER,), is_active=True, config=config)
        self.stream: StreamProtocol | None = None
        self.events: list[CoreEvent] = []
        self.reading_wanted = True

    def carried_by(self, stream: StreamProtocol) -> None:
        self.stream = stream

    def events_arrived(self, events: list[CoreEvent]) -> None:
        self.events += events

    wants_tap = False

    def session_tap(self) -> None:
        return None

    def taps_changed(self) -> None:
        pass

    def send(self, size: int) -> None:
        body = BytesBody(bytes(size))
        self.session.send(Outgoing("abcdefgh", "x/y", body))


def opened(
    owner: Owner, *, limits: msrp.Limits | None = None
) -> tuple[StreamProtocol, FakeTransport]:
    """Make a stream that carries a session, which is open."""
    stream, transport = StreamProtocol(limits=limits), FakeTransport()
    stream.connection_made(transport)
    stream.attach(owner.session, owner)
    (binding,) = transport.written
    answer(stream, binding)
    assert owner.session.state is SessionState.OPEN
    transport.written.clear()
    return stream, transport


def answer(stream: StreamProtocol, request: bytes, code: int = 200) -> None:
    name = request.split(b" ", 2)[1].decode()
    stream.data_received(
        f"MSRP {name} {code}\r\nTo-Path: {PEER}\r\nFrom-Path: {PEER}\r\n"
        f"-------{name}$\r\n".encode()
    )


def lose(stream: StreamProtocol) -> None:
    stream.connection_lost(None)
