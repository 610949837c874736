"""A relay that is small and does by the book what :rfc:`4976#section-6` says.

It gathers each chunk before it sends it on, and holds as much as comes: it is for
tests, where those who come are known.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from digest import Algorithm, DigestServer, Passwords
from msrp.headers import ContinuationFlag, RequestHead, parse_fields
from msrp.sansio.encoder import encode_end, encode_head
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from msrp.uri import MsrpUri, format_path, new_session_id, parse_path

__all__ = ["Hop", "Passing", "SmallRelay"]


@dataclass(slots=True, eq=False)
class Hop:
    """One connection of the relay."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server_name: str | None = None
    open: dict[str, Passing] = field(default_factory=dict)
    """What waits for a response there."""


@dataclass(slots=True, eq=False)
class Passing:
    """A request on its way through."""

    transaction_id: str
    head: RequestHead
    block: bytes
    body: bytes | None
    source: Hop
    flag: ContinuationFlag = ContinuationFlag.END


_OWN = ("to-path", "from-path", "content-type", "byte-range")


class SmallRelay:
    """One relay on the loopback; its users are Alice and Bob.

    Args:
        server: For TLS connections that come in; ``None`` for TCP.
        client: For those that go out.
        host: What is written into URIs.
        piece: Octets of body per chunk that goes out.
    """

    def __init__(
        self,
        server: ssl.SSLContext | None = None,
        client: ssl.SSLContext | None = None,
        *,
        host: str = "localhost",
        expires: int = 900,
        piece: int = 100_000,
    ) -> None:
        self._server_context = server
        self._client_context = client
        self._host = host
        self.expires = expires
        self._piece = piece
        self.digest = DigestServer(
            host,
            Passwords({"Alice": "secret", "Bob": "hidden"}),
            algorithms=(Algorithm.SHA_256, Algorithm.MD5),
        )
        self.granted: dict[str, tuple[MsrpUri, Hop]] = {}
        """To whom each session id was given."""
        self.routes: dict[MsrpUri, Hop] = {}
        """Where something has come from."""
        self.dialled: dict[str, Hop] = {}
        self.hops: list[Hop] = []
        self.seen: list[RequestHead] = []
        self.dropped: list[Passing] = []
        self.drops: Callable[[Passing], int | None] = lambda passing: None
        """Which requests aren't sent on, and the code that is reported of them."""
        self.mute = False
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SmallRelay:
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", 0, ssl=self._server_context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for hop in self.hops:
            _cut(hop.writer)
        for task in self._tasks:
            task.cancel()
        for end in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    @property
    def scheme(self) -> str:
        return "msrp" if self._server_context is None else "msrps"

    @property
    def uri(self) -> str:
        return f"{self.scheme}://{self._host}:{self.port};tcp"

    def cut(self) -> None:
        """Break all connections."""
        for hop in self.hops:
            _cut(hop.writer)

    def _accepted(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._run(self._serve(Hop(reader, writer)))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

    async def _serve(self, hop: Hop) -> None:
        self.hops.append(hop)
        parser = Parser()
        request: RequestReceived | ResponseReceived | None = None
        body = b""
        try:
            while data := await hop.reader.read(65536):
                for event in parser.receive_data(data):
                    match event:
                        case RequestReceived() | ResponseReceived():
                            request, body = event, b""
                        case BodyReceived():
                            body += event.data
                        case EndReceived():
                            assert request is not None
                            await self._take(hop, request, body, event.flag)
                assert parser.error is None
        except ConnectionError:
            pass
        finally:
            hop.writer.close()
            for name in [n for n, (_, h) in self.granted.items() if h is hop]:
                del self.granted[name]

    async def _take(
        self,
        hop: Hop,
        event: RequestReceived | ResponseReceived,
        body: bytes,
        flag: ContinuationFlag,
    ) -> None:
        if self.mute:
            return
        if isinstance(event, ResponseReceived):
            await self._response(hop, event)
            return
        head = RequestHead.parse(event.transaction_id, event.method, event.block)
        self.seen.append(head)
        self.routes[head.from_path[0]] = hop
        passing = Passing(
            event.transaction_id,
            head,
            event.block,
            body if event.has_body else None,
            hop,
            flag,
        )
        first = head.to_path[0]
        if first.port != self.port:  # Section 6.2.
            hop.writer.close()
        elif head.method == "AUTH" and len(head.to_path) == 1:
            self._authorize(passing)
        elif not self._may_pass(passing):
            if head.method == "SEND":
                self._reply(passing, 481)
        else:
            await self._pass(passing)

    def _authorize(self, passing: Passing) -> None:
        head, target = passing.head, str(passing.head.to_path[0])
        given = head.others.get("authorization")
        lines = [] if given is None else [given]
        now = asyncio.get_running_loop().time()
        verdict = self.digest.verify(lines, "AUTH", target, now=now)
        if verdict.username is None:
            challenges = self.digest.challenges(now, stale=verdict.is_stale)
            fields = [("WWW-Authenticate", str(each)) for each in challenges]
            self._reply(passing, 401, fields)
            return
        name = new_session_id()
        own = f"{self.scheme}://{self._host}:{self.port}/{name};tcp"
        self.granted[name] = head.from_path[0], passing.source
        before = reversed(head.from_path[:-1])
        wish = int(head.others.get("expires", self.expires))
        info = self.digest.confirm(verdict, target, next_nonce_at=now)
        fields = [
            ("Use-Path", " ".join([*map(str, before), own])),
            ("Authentication-Info", str(info)),
            ("Expires", str(min(wish, self.expires))),
        ]
        self._reply(passing, 200, fields)

    def _may_pass(self, passing: Passing) -> bool:
        """Section 6.4: only to or from the client that was given the URI."""
        to_path = passing.head.to_path
        granted = self.granted.get(to_path[0].session_id or "")
        if granted is None or len(to_path) < 2:
            return False
        client, hop = granted
        return to_path[1] == client or passing.source is hop

    async def _pass(self, passing: Passing) -> None:
        head = passing.head
        if head.method == "SEND" and head.failure_report.value == "yes":
            self._reply(passing, 200)
        code = self.drops(passing)
        if code is not None:
            self.dropped.append(passing)
            self._report(passing, code)
            return
        onward = await self._hop_to(head.to_path[1])
        if onward is None:
            self._report(passing, 408)
            return
        body = passing.body
        size = 0 if body is None else len(body)
        for start in range(0, max(size, 1), self._piece):
            self._send_piece(onward, passing, start)
        await onward.writer.drain()

    def _send_piece(self, onward: Hop, passing: Passing, start: int) -> None:
        head, body = passing.head, passing.body
        name = new_transaction_id()
        fields = parse_fields(passing.block)
        others = [(k.title(), v) for k, v in fields.items() if k not in _OWN]
        flag = passing.flag
        piece = b"" if body is None else body[start : start + self._piece]
        if head.byte_range is not None:
            first = head.byte_range.start + start
            total = head.byte_range.total or "*"
            others.append(("Byte-Range", f"{first}-*/{total}"))
        if body is not None and start + len(piece) < len(body):
            flag = ContinuationFlag.MORE
        octets = encode_head(
            name,
            head.method,
            format_path(head.to_path[1:]),
            format_path((head.to_path[0], *head.from_path)),
            others,
            head.content_type if body is not None else None,
        )
        if head.method != "REPORT":
            onward.open[name] = passing
        onward.writer.write(octets + piece + encode_end(name, flag))

    async def _hop_to(self, uri: MsrpUri) -> Hop | None:
        known = self.routes.get(uri) or self.dialled.get(uri.authority)
        if known is not None and not known.writer.is_closing():
            return known
        assert uri.port is not None
        try:
            reader, writer = await asyncio.open_connection(
                uri.host,
                uri.port,
                ssl=self._client_context if uri.secure else None,
                server_hostname=uri.host if uri.secure else None,
            )
        except OSError:
            return None
        hop = self.dialled[uri.authority] = Hop(reader, writer)
        self._run(self._serve(hop))
        return hop

    async def _response(self, hop: Hop, event: ResponseReceived) -> None:
        passing = hop.open.pop(event.head.transaction_id, None)
        if passing is None:
            return
        if passing.head.method == "SEND":
            if event.head.code != 200:
                self._report(passing, event.head.code)
            return
        # Section 6.4.3: all others go all the way back.
        lines = [line.split(": ", 1) for line in event.block.decode().split("\r\n")]
        fields = [(name, value) for name, value in lines]
        to_path = parse_path(fields[0][1])
        from_path = (to_path[0], *parse_path(fields[1][1]))
        self._write(
            passing.source,
            passing.transaction_id,
            f"{event.head.code} {event.head.comment}",
            format_path(to_path[1:]),
            format_path(from_path),
            fields[2:],
        )

    def _reply(
        self, passing: Passing, code: int, fields: list[tuple[str, str]] | None = None
    ) -> None:
        head = passing.head
        hop_by_hop = head.method == "SEND"
        self._write(
            passing.source,
            passing.transaction_id,
            f"{code} Because",
            format_path(head.from_path[:1] if hop_by_hop else head.from_path),
            str(head.to_path[0]),
            fields or [],
        )

    def _report(self, passing: Passing, code: int) -> None:
        head = passing.head
        if head.method != "SEND" or head.failure_report.value == "no":
            return
        fields = [
            ("Message-ID", head.message_id or ""),
            ("Status", f"000 {code} Because"),
        ]
        to_path, own = format_path(head.from_path), str(head.to_path[0])
        self._write(
            passing.source, new_transaction_id(), "REPORT", to_path, own, fields
        )

    def _write(
        self,
        hop: Hop,
        transaction_id: str,
        what: str,
        to_path: str,
        from_path: str,
        fields: list[tuple[str, str]],
    ) -> None:
        octets = encode_head(transaction_id, what, to_path, from_path, fields)
        hop.writer.write(octets + encode_end(transaction_id, ContinuationFlag.END))


def _cut(writer: asyncio.StreamWriter) -> None:
    # The transport for TLS of Python 3.11.2 can't be cut once it was closed twice.
    with contextlib.suppress(AttributeError):
        writer.transport.abort()
