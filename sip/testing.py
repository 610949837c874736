"""A test kit: user agents on a network that is a list, with a clock that is a number.

:class:`RecordingMedia` is a medium that agrees to everything and remembers it, and
:class:`FollowingRecorder` one that also follows what is agreed later.
:class:`Network` joins any number of :class:`~sip.sansio.UserAgentCore` and scripted
peers.  It may lose, repeat and delay what they send, as :func:`bad_weather` does
(:class:`sip.aio.testing.BadUdp` does it to real datagrams).  Time passes only when
:meth:`Network.run` is told so, and then at once; so a test may wait for timer B and
say to the millisecond what was sent when.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import sdp
from sip.errors import SipParseError
from sip.message import Message, Request, Response
from sip.name_addr import NameAddr
from sip.sansio.admission import Admission
from sip.sansio.events import Event
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.limits import Limits
from sip.sansio.requests.sender import Lookup
from sip.sansio.timers import Timers
from sip.sansio.user_agent import UserAgentCore
from sip.uri import SipUri, Uri
from sip.wire import parse_message

__all__ = [
    "FollowingRecorder",
    "Network",
    "Node",
    "Peer",
    "RecordingMedia",
    "Sent",
    "bad_weather",
]

E = TypeVar("E")


@dataclass(slots=True, eq=False)  # Not frozen: one is made for every message.
class Sent:
    """A message that somebody sent."""

    time: float
    """When."""

    source: Hop
    """Who."""

    target: Hop
    """To whom."""

    message: Message
    """What."""

    arrivals: int = 0
    """How often it arrives, as fate will have it."""

    @property
    def what(self) -> str:
        """The method or the status code."""
        if isinstance(self.message, Request):
            return self.message.method
        return str(self.message.status)


Fate = Callable[[Sent], Sequence[float]]
"""Decides after which delays a message arrives: none if it is lost, several if
it is repeated on the way."""


def bad_weather(
    seed: int,
    *,
    loss: float = 0.3,
    copies: float = 0.05,
    delay: tuple[float, float] = (0.005, 0.3),
) -> Fate:
    """Let datagrams be lost, repeated and overtaken, the same way for each seed.

    What goes over a stream arrives, in order.

    Args:
        seed: What the dice begin with.
        loss: How likely it is that a datagram is lost.
        copies: How likely it is that one arrives twice.
        delay: The shortest and the longest time on the way, in seconds; messages
            sent within it of each other overtake each other.
    """
    dice = random.Random(seed)

    def fate(sent: Sent) -> Sequence[float]:
        if sent.target.transport.reliable:
            return (delay[0],)
        if dice.random() < loss:
            return ()
        number = 2 if dice.random() < copies else 1
        return [dice.uniform(*delay) for _ in range(number)]

    return fate


class Peer:
    """A scripted peer: it keeps what it gets and sends what it is told.

    Attributes:
        received: The messages it got.
    """

    def __init__(self, network: Network, host: str, port: int = 5060) -> None:
        self.network = network
        self.host = host
        self.port = port
        self.received: list[Message] = []

    def hop(self, transport: Transport = Transport.UDP) -> Hop:
        """Return the address by which it is reached."""
        return Hop(transport, self.host, self.port)

    def receive(self, data: bytes, source: Hop, transport: Transport) -> None:
        """Take what arrives."""
        self.received.append(parse_message(data))

    def send(self, message: Message, target: Hop) -> None:
        """Send a message."""
        source = self.hop(target.transport)
        self.network.send(source, Outgoing(message, target), None)

    def requests(self, method: str) -> list[Request]:
        """Return the requests it got with a method."""
        return [
            message
            for message in self.received
            if isinstance(message, Request) and message.method == method
        ]

    def statuses(self) -> list[int]:
        """Return the status codes of the responses it got."""
        return [
            message.status for message in self.received if isinstance(message, Response)
        ]


class Node:
    """A user agent core on the network.

    Attributes:
        core: The core.
        events: What it reported.
        on_event: Called with each event, if set.
        resolve: Finds the hops of a URI.
    """

    def __init__(
        self,
        network: Network,
        host: str,
        port: int = 5060,
        *,
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.network = network
        self.host = host
        self.port = port
        self.core = UserAgentCore(
            NameAddr.parse(f"<sip:{host}>"),
            lambda hop: Hop(hop.transport, host, port),
            admission=admission,
            timers=timers,
            limits=limits,
        )
        self.events: list[Event] = []
        self.on_event: Callable[[Event], None] | None = None
        self.resolve: Callable[[Uri], Sequence[Hop]] = _resolve

    def receive(self, data: bytes, source: Hop, transport: Transport) -> None:
        """Take what arrives."""
        try:
            message = parse_message(data)
        except SipParseError as exc:
            self.core.receive_invalid(exc, source, self.network.now)
        else:
            self.core.receive(message, source, self.network.now)

    def settle(self) -> None:
        """Do for the core what it wants."""
        busy = True
        while busy:
            lookups: list[Lookup] = self.core.lookups()
            for lookup in lookups:
                hops = self.resolve(lookup.uri)
                self.core.found(lookup, hops, self.network.now)
            outgoing = self.core.messages_to_send()
            for message in outgoing:
                source = Hop(message.hop.transport, self.host, self.port)
                self.network.send(source, message, self)
            events = self.core.events_received()
            for event in events:
                self.events.append(event)
                if self.on_event is not None:
                    self.on_event(event)
            busy = bool(lookups or outgoing or events)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


class Network:
    """Where nodes and peers meet.

    Attributes:
        now: The time, in seconds.
        delay: How long a message is on its way.
        fate: What becomes of each message; by default it arrives after ``delay``.
        log: Everything that was sent, lost messages included.
        refused: The transports on which nobody listens.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.delay = 0.0
        self.fate: Fate = lambda sent: (self.delay,)
        self.log: list[Sent] = []
        self.refused: set[Transport] = set()
        self._stations: dict[tuple[str, int], Node | Peer] = {}
        self._nodes: list[Node] = []
        self._underway: list[tuple[float, int, Sent]] = []
        self._number = 0

    def node(
        self,
        host: str,
        *,
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
    ) -> Node:
        """Add a user agent core, which listens on port 5060."""
        node = Node(self, host, admission=admission, timers=timers, limits=limits)
        self._stations[host, node.port] = node
        self._nodes.append(node)
        return node

    def peer(self, host: str, port: int = 5060) -> Peer:
        """Add a scripted peer."""
        peer = self._stations[host, port] = Peer(self, host, port)
        return peer

    def send(self, source: Hop, outgoing: Outgoing, sender: Node | None) -> None:
        """Put a message on the wire."""
        target = outgoing.hop
        sent = Sent(self.now, source, target, outgoing.message)
        self.log.append(sent)
        known = (target.host, target.port) in self._stations
        if target.transport.reliable and (
            not known or target.transport in self.refused
        ):
            if sender is not None:
                sender.core.transport_failed(outgoing, self.now)
            return
        for delay in self.fate(sent):
            sent.arrivals += 1
            self._number += 1
            heapq.heappush(self._underway, (self.now + delay, self._number, sent))

    def run(self, seconds: float = 0.0) -> None:
        """Let time pass, and everything happen that is due in it."""
        end = self.now + seconds
        self._settle()
        while (when := self._next()) is not None and when <= end:
            self.now = max(self.now, when)
            while self._underway and self._underway[0][0] <= self.now:
                self._deliver(heapq.heappop(self._underway)[2])
            for node in self._nodes:
                due = node.core.next_timeout()
                if due is not None and due <= self.now:
                    node.core.handle_timeout(self.now)
            self._settle()
        self.now = end

    def sent(self, what: str) -> list[Sent]:
        """Return what was sent with a method or a status code."""
        return [sent for sent in self.log if sent.what == what]

    def times(self, what: str) -> list[float]:
        """Return when something was sent, in seconds rounded to the millisecond."""
        return [round(sent.time, 3) for sent in self.sent(what)]

    def _next(self) -> float | None:
        first = self._underway[0][0] if self._underway else None
        for node in self._nodes:
            due = node.core.next_timeout()
            if due is not None and (first is None or due < first):
                first = due
        return first

    def _deliver(self, sent: Sent) -> None:
        station = self._stations.get((sent.target.host, sent.target.port))
        if station is not None:
            transport = sent.target.transport
            station.receive(bytes(sent.message), sent.source, transport)
            if isinstance(station, Node):
                station.settle()

    def _settle(self) -> None:
        for node in self._nodes:
            node.settle()


class RecordingMedia:
    """A message stream that agrees to everything and sends nothing.

    Args:
        name: What its path ends in, so that two can be told apart.
        kind: The media type that it offers and takes.

    Attributes:
        log: What was asked of it, in order.
        offered: The offer it was started with.
        answered: The answer it was started with.
    """

    def __init__(self, name: str = "stream", kind: str = "message") -> None:
        self.name = name
        self.kind = kind
        self.log: list[str] = []
        self.offered: sdp.MediaDescription | None = None
        self.answered: sdp.MediaDescription | None = None

    async def offer(self) -> sdp.MediaDescription:
        """Offer a stream."""
        self.log.append("offer")
        return self._description("actpass")

    async def answer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        """Take what is of its kind."""
        if offered.media != self.kind:
            return None
        self.log.append("answer")
        return self._description("active")

    async def start(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        """Note that it was started."""
        self.offered, self.answered = offered, answered
        self.log.append("start as offerer" if is_offerer else "start as answerer")

    async def stop(self) -> None:
        """Note that it was stopped."""
        self.log.append("stop")

    def _description(self, setup: str) -> sdp.MediaDescription:
        path = f"msrp://127.0.0.1:2855/{self.name};tcp"
        attributes = (
            sdp.Attribute("accept-types", "message/cpim text/plain"),
            sdp.Attribute("accept-wrapped-types", "*"),
            sdp.Attribute("path", path),
            sdp.Attribute("setup", setup),
        )
        return sdp.MediaDescription(
            self.kind, 2855, "TCP/MSRP", ("*",), attributes=attributes
        )


class FollowingRecorder(RecordingMedia):
    """A message stream that goes wherever it is wanted, and remembers where.

    Attributes:
        willing: Whether it follows what the peer wants.
    """

    def __init__(self, name: str = "stream", kind: str = "message") -> None:
        super().__init__(name, kind)
        self.willing = True
        self._paths = 0

    async def offer(self) -> sdp.MediaDescription:
        """Offer a stream, by another path than before."""
        self._paths += 1
        return await super().offer()

    async def reanswer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        """Agree with what the peer wants, if it is willing."""
        self.log.append("reanswer")
        if not self.willing:
            return None
        self._paths += offered.first("path") != self._remote_path
        wanted = sdp.answer_direction(sdp.direction_of(offered), sdp.Direction.SENDRECV)
        return sdp.with_direction(self._description("active"), wanted)

    async def follow(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        """Note what it goes on with."""
        self.offered, self.answered = offered, answered
        self.log.append("follow as offerer" if is_offerer else "follow as answerer")

    def keep(self) -> None:
        """Note that it goes on as it did."""
        self.log.append("keep")

    @property
    def _remote_path(self) -> str | None:
        mine = f"/{self.name}"
        for said in (self.offered, self.answered):
            path = None if said is None else said.first("path")
            if path is not None and mine not in path:
                return path
        return None

    def _description(self, setup: str) -> sdp.MediaDescription:
        media = super()._description(setup)
        path = f"msrp://127.0.0.1:2855/{self.name}{self._paths};tcp"
        attributes = tuple(
            sdp.Attribute("path", path) if a.name == "path" else a
            for a in media.attributes
        )
        return replace(media, attributes=attributes)


def _resolve(uri: Uri) -> Sequence[Hop]:
    """Take the host of a URI for an address."""
    if not isinstance(uri, SipUri):
        return ()
    transport = Transport.TLS if uri.secure else Transport(uri.transport or "udp")
    return (Hop(transport, uri.host, uri.port or transport.default_port),)
