"""Opening a connection to a peer (:rfc:`4975#section-6.2`)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from msrp.aio.listener import MsrpListener
from msrp.aio.streams.called import StreamDirectory
from msrp.aio.streams.closing import CLOSING_TIME
from msrp.aio.streams.shared import Place, Security, SharedStreams
from msrp.aio.streams.sockets import Openings, SocketOptions, connect, format_address
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.certificates import LocalCertificate
from msrp.aio.tls.policy import TlsPolicy
from msrp.aio.tls.wrapping import HANDSHAKE_TIME, tls_words
from msrp.config import Limits
from msrp.errors import CertificateRejected, ConnectionFailed
from msrp.negotiation import Negotiated

if TYPE_CHECKING:
    from msrp.aio.tls.context import TlsContext

__all__ = ["Manner", "describe", "open_stream", "reach"]

_OPENINGS = Openings()
"""Those of connections without a listener, in the whole process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a connection is opened, apart from where to."""

    local_cert: LocalCertificate | None
    """What to show over TLS."""

    tls: TlsPolicy
    sockets: SocketOptions
    openings: Openings
    """Among which it is counted while it isn't open yet."""

    max_openings: int
    """As :attr:`msrp.Limits.max_openings`."""

    any_host: bool
    """As :attr:`MsrpListener.any_host`."""

    shared: SharedStreams | None
    """As :attr:`MsrpListener.shared`."""

    port: PortTaps
    """The taps of the listener, or of whom it belongs to."""

    @classmethod
    def of(
        cls,
        listener: MsrpListener | None,
        *,
        local_cert: LocalCertificate | None,
        tls: TlsPolicy | None,
        sockets: SocketOptions | None,
        limits: Limits,
        port: PortTaps,
    ) -> Manner:
        """Take what isn't given from the listener, if there is one.

        That includes how many may be opened at a time: it is for all its sessions
        together.
        """
        if listener is None:
            return cls(
                local_cert=local_cert,
                tls=tls or TlsPolicy(),
                sockets=sockets or SocketOptions(),
                openings=_OPENINGS,
                max_openings=limits.max_openings,
                any_host=False,
                shared=None,
                port=port,
            )
        return cls(
            local_cert=local_cert or listener.local_cert,
            tls=tls or listener.tls,
            sockets=sockets or listener.sockets,
            openings=listener.openings,
            max_openings=listener.limits.max_openings,
            any_host=listener.any_host,
            shared=listener.shared,
            port=port,
        )


async def reach(
    negotiated: Negotiated,
    manner: Manner,
    *,
    limits: Limits,
    response_timeout: float,
    timeout: float,
    avoid: Collection[StreamProtocol] = (),
) -> StreamProtocol:
    """Return a connection to the adjacent hop: one that others use, if that may be.

    Whoever uses it has shown the certificate that this session expects too, in a
    handshake that asked for as much.

    Args:
        negotiated: As for :func:`open_stream`, and so are those that follow.
        manner: How; it says whether connections are shared.
        limits: Bounds on the peer.
        response_timeout: For the transactions on the stream.
        timeout: Seconds that all of it may take.
        avoid: Connections that are not good for this session.

    Raises:
        ConnectionFailed: As :func:`open_stream`, and so are those that follow.
        CertificateRejected: Somebody answers who isn't the peer.
        CertificateUnusable: Ours, or the file of authorities, can't be used.
    """
    open_own = partial(
        open_stream,
        negotiated,
        manner,
        limits=limits,
        response_timeout=response_timeout,
        timeout=timeout,
    )
    if manner.shared is None:
        return await open_own()
    place = _place(negotiated, manner, limits, response_timeout)
    target = format_address(*negotiated.connect_to)

    def fits(stream: StreamProtocol) -> bool:
        if stream in avoid:
            return False
        try:
            manner.tls.check(
                negotiated, stream.certificate, target=target, peer=stream.peer
            )
        except CertificateRejected:
            return False
        return True

    try:
        async with asyncio.timeout(timeout):  # With the time it waits for another.
            return await manner.shared.get(
                place, negotiated.remote_fingerprints, fits, open_own
            )
    except TimeoutError:
        problem = f"no answer within {timeout:g} s"
        raise ConnectionFailed(target, problem) from None


def _place(
    negotiated: Negotiated, manner: Manner, limits: Limits, response_timeout: float
) -> Place:
    security = None
    if negotiated.secure:
        security = Security(
            policy=manner.tls,
            by_authority=manner.tls.needs_authority(negotiated),
            server_name=negotiated.server_name.lower(),
            ours=manner.local_cert.fingerprint if manner.local_cert else None,
        )
    host, port = negotiated.connect_to
    own_port = negotiated.local_uri.port
    assert own_port is not None, "a path without ports is refused"
    return Place(
        host=host.lower(),
        port=port,
        own_port=own_port,
        security=security,
        sockets=manner.sockets,
        limits=limits,
        response_timeout=response_timeout,
    )


async def open_stream(
    negotiated: Negotiated,
    manner: Manner,
    *,
    limits: Limits,
    response_timeout: float,
    timeout: float,
    directory: StreamDirectory | None = None,
    idle_time: float | None = None,
) -> StreamProtocol:
    """Connect to the adjacent hop on the way to the peer.

    A name that has several addresses is tried at each of them in turn.  Over TLS,
    the peer's certificate has been checked when this returns; it has to name the
    host of the peer's path, also if a middlebox is what we connect to
    (:rfc:`6714#section-7`).

    Args:
        negotiated: Where to, and what the peer's SDP says of its certificate.
        manner: How.
        limits: Bounds on the peer.
        response_timeout: For the transactions on the stream.
        timeout: Seconds that all of it may take.
        directory: Finds sessions that may be called on it, as on one to a relay.
        idle_time: Seconds that it stays open without a session.

    Raises:
        ConnectionFailed: Nobody answers there, or not in time; or too many other
            connections are being opened.
        CertificateRejected: Somebody answers who isn't the peer.
        CertificateUnusable: Ours, or the file of authorities, can't be used.
    """
    host, port = negotiated.connect_to
    target = format_address(host, port)

    def new_stream() -> StreamProtocol:
        return StreamProtocol(
            directory,
            limits=limits,
            response_timeout=response_timeout,
            sockets=manner.sockets,
            any_host=manner.any_host,
            idle_time=idle_time,
            port=manner.port,
        )

    context = None
    if negotiated.secure:
        context = manner.tls.client_context(negotiated, manner.local_cert)
    try:
        with manner.openings.one_more(target, manner.max_openings):
            async with asyncio.timeout(timeout):
                stream = await _open(negotiated, manner, context, new_stream)
    except TimeoutError:
        problem = f"no answer within {timeout:g} s"
        raise ConnectionFailed(target, problem) from None
    except ssl.SSLCertVerificationError as error:
        raise CertificateRejected(target, error.verify_message) from error
    except OSError as error:
        raise ConnectionFailed(target, describe(error)) from error
    except ValueError as error:
        # A name that is too long for the DNS, or has an empty label.
        raise ConnectionFailed(target, "this is no name of a host") from error
    try:
        manner.tls.check(
            negotiated, stream.certificate, target=target, peer=stream.peer
        )
    except CertificateRejected as error:
        stream.abort(error)
        await stream.wait_closed()
        raise
    return stream


async def _open(
    negotiated: Negotiated,
    manner: Manner,
    context: TlsContext | None,
    new_stream: Callable[[], StreamProtocol],
) -> StreamProtocol:
    own_port = negotiated.local_uri.port
    assert own_port is not None, "a path without ports is refused"
    sock = await connect(*negotiated.connect_to, manner.sockets, own_port)
    if context is None:
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(new_stream, sock=sock)
        return stream
    # Not above: who does without TLS needn't wait for OpenSSL.
    from msrp.aio.tls.transport import open_tls

    return await open_tls(
        context.client(negotiated.server_name),
        sock,
        new_stream,
        handshake_time=HANDSHAKE_TIME,
        closing_time=CLOSING_TIME,
    )


def describe(error: OSError) -> str:
    """Put into words why there is no connection."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; is the peer listening there?"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({tls_words(error)})"
    if error.strerror and not error.strerror.startswith("["):
        return error.strerror
    return str(error) or type(error).__name__
