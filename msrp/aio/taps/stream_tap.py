"""What hears both directions of one connection: see :mod:`msrp.aio.taps.tapping`."""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING

from msrp.aio.streams.called import SessionOwner
from msrp.sansio.session import Session
from msrp.tap import Draft, Messages, Parties, WireMessage, WireReader, record_of
from recording import (
    Direction,
    Endpoint,
    Protocol,
    Transport,
    WireRecord,
    utc_now,
    without_credentials,
)

if TYPE_CHECKING:
    from msrp.aio.streams.stream import StreamProtocol
    from msrp.aio.taps.tapping import PortTaps, SessionTap

__all__ = ["StreamTap", "endpoint_of"]

_NOWHERE = Endpoint("0.0.0.0", 0)


class StreamTap:
    """Listens to both directions of one connection.

    Args:
        stream: It.
        port: Whose it is.
    """

    def __init__(self, stream: StreamProtocol, port: PortTaps) -> None:
        self._stream = stream
        self._port = port
        self._pending: list[tuple[bytes, datetime.datetime]] = []
        self._time = utc_now()
        self._owners = 0
        self._routes: dict[str, SessionTap] = {}
        limit = port.limits.max_recorded_octets
        received, sent = stream.parsers_in_step()
        self._received = WireReader(
            Direction.RECEIVED, self, max_body=limit, parser=received
        )
        self._sent = WireReader(Direction.SENT, self, max_body=limit, parser=sent)
        self._local, self._peer = stream.endpoints
        self._transport = Transport.TLS if stream.secure else Transport.TCP
        self._strays = Messages(self._tell_stray, max_octets=limit, is_alone=True)

    # What the stream tells.

    def received(self, data: bytes) -> None:
        """Take what was read, before anything is done about it."""
        self._pending.append((data, utc_now()))

    def catch_up(self) -> None:
        """Listen to what was read, once it is known which sessions it is for."""
        if self._stream.is_holding:
            return  # What it is for is still being negotiated.
        pending, self._pending = self._pending, []
        for data, time in pending:
            self._received.feed(data, time)
        if len(self._stream.owners) != self._owners:
            self._owners = len(self._stream.owners)
            self._port.check(self._stream)

    def sent(self, data: bytes) -> None:
        """Take what was handed to the transport."""
        self._sent.feed(data, utc_now())

    def close(self) -> None:
        """Tell what has begun, and ends with the connection."""
        for data, time in self._pending:
            self._received.feed(data, time)
        self._pending = []
        self._received.close()
        self._sent.close()
        self._strays.finish()

    # What the readers tell.

    def began(self, message: WireMessage) -> None:
        """Take note of a request or response whose head is complete."""
        heard = self._messages_of(message)
        if heard is not None:
            heard.began(message, self._peer)

    def went_on(self, message: WireMessage, time: datetime.datetime) -> None:
        """Take note that some of its body went by."""
        heard = self._messages_of(message)
        if heard is not None:
            heard.went_on(message, time)

    def ended(self, message: WireMessage) -> None:
        """Take note of the end of a request or response."""
        tap = self._tap_of(message)
        taps = self._port.taps if tap is None else tap.taps
        if taps.hears_wire:
            taps.tell_wire(
                partial(
                    _wire_record,
                    message,
                    message.octets,
                    transport=self._transport,
                    local=self._local,
                    peer=self._peer,
                    connection=id(self._stream),
                    time=message.ended or utc_now(),
                ),
                message.kept,
            )
        heard = self._messages_of(message)
        if heard is not None:
            heard.ended(message)

    # Inside.

    def _messages_of(self, message: WireMessage) -> Messages | None:
        tap = self._tap_of(message)
        if tap is not None:
            return tap.messages
        return self._strays if self._port.taps.hears_messages else None

    def _tap_of(self, message: WireMessage) -> SessionTap | None:
        name = message.session_id
        if name is None:
            return None
        tap = self._routes.get(name)
        if tap is None or tap.is_over:
            owner = self._owner_of(name)
            tap = owner.session_tap() if owner is not None else tap
            if tap is not None:
                self._routes = {n: t for n, t in self._routes.items() if not t.is_over}
                self._routes[name] = tap
        return tap

    def _owner_of(self, session_id: str) -> SessionOwner | None:
        for session, owner in self._stream.owners.items():
            if _name_of(session) == session_id:
                return owner
        return None

    def _tell_stray(self, draft: Draft) -> None:
        parties = Parties(local=str(self._local), remote=str(self._peer))
        self._port.taps.tell(partial(record_of, draft, parties), draft.kept)


def endpoint_of(name: object) -> Endpoint:
    """Return one end of a connection, as the system names it."""
    if isinstance(name, tuple) and len(name) >= 2:
        return Endpoint(str(name[0]), int(name[1]))
    return _NOWHERE


def _name_of(session: Session) -> str | None:
    return session.local_uri.session_id


def _wire_record(
    message: WireMessage,
    octets: bytes,
    *,
    transport: Transport,
    local: Endpoint,
    peer: Endpoint,
    connection: int,
    time: datetime.datetime,
) -> WireRecord:
    return WireRecord(
        protocol=Protocol.MSRP,
        direction=message.direction,
        transport=transport,
        local=local,
        peer=peer,
        connection=connection,
        time=time,
        octets=without_credentials(octets),
        size=message.size,
        session_id=message.session_id,
        is_complete=message.ended is not None,
    )
