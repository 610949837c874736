"""The connection to the relay next to us."""

from __future__ import annotations

import asyncio

from msrp.accept_types import AcceptTypes
from msrp.aio.relays.address import LookUp, places_of
from msrp.aio.streams.called import StreamDirectory
from msrp.aio.streams.connector import Manner, open_stream
from msrp.aio.streams.stream import StreamProtocol
from msrp.config import Limits
from msrp.errors import (
    CertificateRejected,
    ConnectionFailed,
    LocalProtocolError,
    MsrpError,
    SessionClosed,
)
from msrp.negotiation import Negotiated
from msrp.sansio.inquiries import Answer
from msrp.uri import MsrpUri, new_session_id

__all__ = ["RelayLink", "ask", "new_uri"]


class RelayLink:
    """A connection that is opened when it is needed, and again when it was lost.

    Args:
        relay: Where to.
        manner: How.
        directory: Finds sessions that are called on it.
        limits: Bounds on what comes over it.
        connect_timeout: Seconds until a place is given up where nobody answers.
        response_timeout: Seconds until a missing response is a failure.
        idle_time: Seconds that it stays open without a session.
        look_up: Gives SRV records; ``None`` asks the DNS.
    """

    def __init__(
        self,
        relay: MsrpUri,
        manner: Manner,
        directory: StreamDirectory,
        *,
        limits: Limits,
        connect_timeout: float,
        response_timeout: float,
        idle_time: float,
        look_up: LookUp | None,
    ) -> None:
        self._relay = relay
        self._manner = manner
        self._directory = directory
        self._limits = limits
        self._connect_timeout = connect_timeout
        self._response_timeout = response_timeout
        self._idle_time = idle_time
        self._look_up = look_up
        self._stream: StreamProtocol | None = None
        self._closed = False

    @property
    def was_opened(self) -> bool:
        """Whether there is, or ever was, a connection."""
        return self._stream is not None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._stream is not None and not self._stream.is_closing

    async def get(self) -> StreamProtocol:
        """Return the connection; only one at a time may ask.

        Raises:
            ConnectionFailed: The relay can't be reached.
            CertificateRejected: Somebody answers who isn't the relay.
            CertificateUnusable: The file of authorities can't be used.
            LocalProtocolError: This was closed, or the relay has no port that is
                known.
        """
        if not self._closed and not self.is_open:
            self._stream = await self._open()
        if self._closed:  # Perhaps only now.
            await self.close()
            raise LocalProtocolError("this relay has been closed")
        assert self._stream is not None
        return self._stream

    async def close(self) -> None:
        """End the connection, and open no other."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()
            await self._stream.wait_closed()

    async def _open(self) -> StreamProtocol:
        """Connect to the first of the places where somebody is."""
        failure: ConnectionFailed | None = None
        for host, port in await places_of(self._relay, self._look_up):
            try:
                return await open_stream(
                    _hop(self._relay, host, port),
                    self._manner,
                    limits=self._limits,
                    response_timeout=self._response_timeout,
                    timeout=self._connect_timeout,
                    directory=self._directory,
                    idle_time=self._idle_time,
                )
            except CertificateRejected:
                raise  # Who is there under the relay's name isn't the relay.
            except ConnectionFailed as error:
                failure = failure or error
        assert failure is not None
        raise failure


async def ask(stream: StreamProtocol, transaction_id: str, octets: bytes) -> Answer:
    """Send a request that belongs to no session, and return its answer.

    Raises:
        ConnectionFailed: There is none.
    """
    future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    def answered(answer: Answer | None) -> None:
        if not future.done():
            future.set_result(answer)

    stream.ask(transaction_id, octets, answered)
    answer = await future
    if answer is None:
        raise ConnectionFailed(stream.peer, _why_silent(stream))
    return answer


def new_uri(stream: StreamProtocol) -> MsrpUri:
    """Return a URI of our own.

    Nobody connects there, but it must have a host and a port: our end's.
    """
    host, port = stream.local_address
    scheme = "msrps" if stream.secure else "msrp"
    return MsrpUri(scheme, host, port, new_session_id())


def _why_silent(stream: StreamProtocol) -> str:
    if not stream.is_closing:
        return "the relay has not answered in time"
    error: MsrpError | None = stream.error
    if error is None or isinstance(error, SessionClosed):
        return "the relay has closed the connection"
    return str(error)


def _hop(relay: MsrpUri, host: str, port: int) -> Negotiated:
    """Describe the way to a relay, of which nothing was negotiated."""
    own = MsrpUri(relay.scheme, "localhost", port, None)
    nothing = AcceptTypes(())
    return Negotiated(
        local_uri=own,
        local_path=(own,),
        remote_path=(relay,),
        is_active=True,
        connect_to=(host, port),
        server_name=relay.host,
        secure=relay.secure,
        remote_fingerprints=(),
        accept_types=nothing,
        accept_wrapped_types=nothing,
        remote_accept_types=nothing,
        remote_accept_wrapped_types=nothing,
        remote_max_size=None,
        may_send=False,
        may_receive=False,
    )
