"""Where a connection listens that was given no listener."""

from __future__ import annotations

from msrp.aio.listener import MsrpListener
from msrp.aio.streams.connector import Manner
from msrp.config import Limits
from msrp.errors import LocalProtocolError
from msrp.negotiation import Negotiated
from msrp.uri import MsrpUri

__all__ = ["OwnPorts"]


class OwnPorts:
    """The listeners of one connection: one, or more if its address has changed.

    Args:
        manner: How peers are met.
        limits: Bounds on them.
    """

    def __init__(self, manner: Manner, limits: Limits) -> None:
        self._manner = manner
        self._limits = limits
        self._listeners: list[MsrpListener] = []

    async def listen(self, negotiated: Negotiated) -> MsrpListener:
        """Return what listens at the address of our URI.

        Raises:
            ConnectionFailed: The address can't be listened on.
            LocalProtocolError: For TLS there has to be a certificate.
        """
        uri, secure = negotiated.local_uri, negotiated.secure
        assert uri.port is not None
        for listener in self._listeners:
            at = listener.host, listener.port, listener.secure
            if at == (uri.host, uri.port, secure):
                return listener
        if secure and self._manner.local_cert is None:
            raise LocalProtocolError("a passive side needs a local_cert for TLS")
        listener = MsrpListener(
            uri.host,
            uri.port,
            local_cert=self._manner.local_cert if secure else None,
            limits=self._limits,
            tls=self._manner.tls,
            sockets=self._manner.sockets,
        )
        listener.hear_with(self._manner.port)
        await listener.start()
        self._listeners.append(listener)
        return listener

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody be called by this URI any more."""
        for listener in self._listeners:
            listener.forget(uri)

    async def close(self) -> None:
        """Stop to listen."""
        for listener in self._listeners:
            await listener.close()
