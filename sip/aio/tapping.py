"""What the taps of a user agent hear: see :mod:`sip.tap`."""

from __future__ import annotations

import asyncio
import datetime
from functools import partial

from recording import (
    Direction,
    Endpoint,
    Protocol,
    Taps,
    Transport,
    WireRecord,
    utc_now,
    without_credentials,
)
from sip.errors import SipParseError, TransportError
from sip.message import Message, Request
from sip.sansio.events import (
    CallEnded,
    CallReceived,
    Event,
    NotifyReceived,
    RequestArrived,
    SubscribeReceived,
)
from sip.sansio.hop import Hop
from sip.sansio.hop import Transport as HopTransport
from sip.tap import Draft, Heard, MessageCutter, Requests, record_of
from sip.wire import StreamFramer, parse_message

__all__ = ["AgentTap", "StreamTap"]

_TRANSPORTS = {
    HopTransport.UDP: Transport.UDP,
    HopTransport.TCP: Transport.TCP,
    HopTransport.TLS: Transport.TLS,
}


class AgentTap:
    """Hears all sockets of a user agent.

    Args:
        taps: Whom to tell.
        timeout: Seconds until a request without any response has failed.
    """

    def __init__(self, taps: Taps, timeout: float) -> None:
        self.taps = taps
        self._requests = Requests(self._tell, timeout)
        self._loop = asyncio.get_running_loop()
        self._settling: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def heard(
        self,
        direction: Direction,
        octets: bytes,
        near: Hop,
        far: Hop,
        *,
        began: datetime.datetime | None = None,
    ) -> None:
        """Take note of what went through a socket and may be a message.

        Args:
            direction: Which way.
            octets: All of it.
            near: Our end.
            far: The other one.
            began: When the first of it went by, if that wasn't just now.
        """
        now = utc_now()
        if self.taps.hears_wire:
            make = partial(_wire_record, direction, octets, near, far, now)
            self.taps.tell_wire(make, len(octets))
        message = _read(octets) if self.taps.hears_messages else None
        if message is None:
            return
        self._requests.heard(
            Heard(
                direction=direction,
                message=message,
                octets=octets,
                peer=_endpoint(far),
                began=began or now,
                ended=now,
            )
        )
        self._look()

    def happened(self, event: Event) -> None:
        """Take note that the application is told of something."""
        request = _request_of(event)
        if request is not None:
            self._requests.handed_over(request, utc_now())

    def failed(self, message: Message, error: TransportError) -> None:
        """Take note that a message couldn't be sent."""
        if isinstance(message, Request):
            self._requests.failed(message, str(error))

    def finish(self) -> None:
        """Tell of all that is left."""
        self._requests.finish()
        for handle in (self._settling, self._timer):
            if handle is not None:
                handle.cancel()
        self._settling = self._timer = None

    def _tell(self, draft: Draft) -> None:
        self.taps.tell(partial(record_of, draft), len(draft.octets))

    def _look(self) -> None:
        """See to it that what is over is told, and so is what nobody answers."""
        if self._settling is None and not self._requests.is_settled:
            self._settling = self._loop.call_soon(self._settle)
        if self._timer is None:
            self._set_timer()

    def _settle(self) -> None:
        self._settling = None
        self._requests.settle()

    def _set_timer(self) -> None:
        due = self._requests.next_timeout()
        if due is not None:
            wait = max(0.0, (due - utc_now()).total_seconds())
            self._timer = self._loop.call_later(wait, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        self._requests.handle_timeout(utc_now())
        self._set_timer()


class StreamTap:
    """Listens to both directions of one connection.

    Args:
        agent: Who is told of messages.
        near: Our end.
        far: The other one.
        framer: Where reading has come to.
    """

    def __init__(
        self, agent: AgentTap, near: Hop, far: Hop, framer: StreamFramer
    ) -> None:
        self._agent = agent
        self._near, self._far = near, far
        self._received = MessageCutter(*framer.unread)
        self._sent = MessageCutter()

    def received(self, data: bytes) -> None:
        """Take what was read, before anything is done about it."""
        for octets, began in self._received.feed(data, utc_now()):
            self._heard(Direction.RECEIVED, octets, began)

    def sent(self, data: bytes) -> None:
        """Take what was handed to the transport."""
        for octets, began in self._sent.feed(data, utc_now()):
            self._heard(Direction.SENT, octets, began)

    def _heard(
        self, direction: Direction, octets: bytes, began: datetime.datetime
    ) -> None:
        self._agent.heard(direction, octets, self._near, self._far, began=began)


def _read(octets: bytes) -> Message | None:
    try:
        return parse_message(octets)
    except SipParseError as error:
        return error.request  # What of it can be read, if it can be answered.


def _request_of(event: Event) -> Request | None:
    match event:
        case RequestArrived():
            return event.transaction.request
        case CallReceived():
            return event.call.request
        case CallEnded() | NotifyReceived():
            return event.request
        case SubscribeReceived():
            return event.subscription.request
        case _:
            return None


def _endpoint(hop: Hop) -> Endpoint:
    return Endpoint(hop.host, hop.port)


def _wire_record(
    direction: Direction,
    octets: bytes,
    near: Hop,
    far: Hop,
    time: datetime.datetime,
) -> WireRecord:
    return WireRecord(
        protocol=Protocol.SIP,
        direction=direction,
        transport=_TRANSPORTS[near.transport],
        local=_endpoint(near),
        peer=_endpoint(far),
        connection=far.flow or 0,
        time=time,
        octets=without_credentials(octets),
        size=len(octets),
    )
