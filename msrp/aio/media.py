"""What a SIP call needs in order to negotiate and run a message session.

It has the shape that ``sip.Media`` asks for, and imports nothing of ``sip``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from msrp.accept_types import AcceptTypes
from msrp.aio.connection import MsrpConnection
from msrp.aio.listener import MsrpListener
from msrp.aio.relay import MsrpRelay
from msrp.config import SessionConfig
from msrp.content import Address
from msrp.errors import LocalProtocolError, MsrpError
from msrp.negotiation import (
    DEFAULT_ACCEPT_TYPES,
    DEFAULT_ACCEPT_WRAPPED_TYPES,
    MediaDescription,
    Resolver,
)
from msrp.uri import parse_path

__all__ = ["MsrpMedia"]

logger = logging.getLogger("msrp.media")


class MsrpMedia:
    """One message session of a call.

    Args:
        listener: The port that peers connect to, or the relay that we use.
        on_connection: Called with the connection before it starts: the place to
            set hooks and ``max_message_length``.
        accept_types: The types of content to take, in order of preference.
        accept_wrapped_types: Those to take inside of CPIM or multipart only.
        max_size: Octets of the largest message to ask for, which then is also
            what is taken.
        prefer_active: Connect to the peer where there is a choice.
        local_address: Whom messages in CPIM are from; by default who we are in
            the call.
        remote_address: Whom they are for; by default the call's other party.
        config: How to send.
        cema: As for :func:`msrp.offer_media`.
        resolve: Gives the addresses of a host name, as for :func:`msrp.negotiate`.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        *,
        on_connection: Callable[[MsrpConnection], None] | None = None,
        accept_types: Sequence[str] = DEFAULT_ACCEPT_TYPES,
        accept_wrapped_types: Sequence[str] = DEFAULT_ACCEPT_WRAPPED_TYPES,
        max_size: int | None = None,
        prefer_active: bool = False,
        local_address: Address | None = None,
        remote_address: Address | None = None,
        config: SessionConfig | None = None,
        cema: bool = True,
        resolve: Resolver | None = None,
    ) -> None:
        self._listener = listener
        self._on_connection = on_connection
        self._accept_types = accept_types
        self._accept_wrapped_types = accept_wrapped_types
        self._max_size = max_size
        self._prefer_active = prefer_active
        self._local_address = local_address
        self._remote_address = remote_address
        self._config = config
        self._cema = cema
        self._resolve = resolve
        self._connection: MsrpConnection | None = None
        self._described: MediaDescription | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def connection(self) -> MsrpConnection:
        """The session, once the call is answered.

        Raises:
            LocalProtocolError: It isn't yet, or refused the message stream.
        """
        if self._connection is None:
            raise LocalProtocolError("the call has no message session (yet)")
        return self._connection

    async def offer(self) -> MediaDescription:
        """Return our m-line for an offer."""
        described = self._listener.offer(
            accept_types=self._accept_types,
            accept_wrapped_types=self._accept_wrapped_types,
            max_size=self._max_size,
            cema=self._cema,
        )
        if isinstance(described, Awaitable):
            described = await described
        self._described = described
        return described

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        """Return our m-line for an answer; ``None`` to refuse the offered one."""
        described = self._listener.answer(
            offered,
            prefer_active=self._prefer_active,
            accept_types=self._accept_types,
            accept_wrapped_types=self._accept_wrapped_types,
            max_size=self._max_size,
            resolve=self._resolve,
        )
        if isinstance(described, Awaitable):
            described = await described
        self._described = described
        return described

    def introduce(self, local: str, remote: str) -> None:
        """Be told by the call who talks to whom, unless that was said before.

        Args:
            local: Our URI.
            remote: The peer's.
        """
        self._local_address = self._local_address or Address(local)
        self._remote_address = self._remote_address or Address(remote)

    async def start(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Set up the session that both have agreed on.

        It returns when the connection is there to be used; a peer that can't be
        reached shows in its hooks and in ``established()``, and doesn't harm the
        call.

        Raises:
            NegotiationError: They have not agreed on one.
        """
        connection = MsrpConnection.create_from_sdp(
            offered,
            answered,
            is_incoming=not is_offerer,
            listener=self._listener,
            config=self._config or self._default_config(),
            resolve=self._resolve,
        )
        if self._max_size is not None:
            connection.max_message_length = self._max_size
        connection.local_address = self._local_address
        connection.remote_address = self._remote_address
        if self._on_connection is not None:
            self._on_connection(connection)
        self._connection = connection
        self._starting = asyncio.create_task(self._start(connection), name="msrp start")
        await asyncio.sleep(0)  # So that what is sent from now on is queued.

    async def stop(self) -> None:
        """End the session; also one that was only offered."""
        if self._described is not None:
            path = self._described.first("path")
            if path:
                self._listener.forget(parse_path(path)[-1])
        if self._connection is not None:
            await self._connection.shutdown()
        if self._starting is not None:
            await asyncio.wait([self._starting])

    def _default_config(self) -> SessionConfig:
        return SessionConfig(accept_types=AcceptTypes(tuple(self._accept_types)))

    async def _start(self, connection: MsrpConnection) -> None:
        try:
            await connection.start()
        except MsrpError as error:
            # Its hooks have been told; the call goes on.
            logger.info("no message session: %s", error)
