"""One port for any number of sessions (:rfc:`4975#section-5.4`).

Peers connect from wherever they like; which session a connection is for is said
by the To-Path of its first request, and by nothing else.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Self

from msrp.aio.streams.arrivals import Arrivals
from msrp.aio.streams.directory import ListeningSession, UriDirectory
from msrp.aio.streams.shared import SharedStreams
from msrp.aio.streams.sockets import Openings, SocketOptions
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.certificates import LocalCertificate
from msrp.aio.tls.policy import TlsPolicy
from msrp.chatroom import Chatroom
from msrp.config import Limits
from msrp.errors import ConnectionFailed, LocalProtocolError
from msrp.negotiation import (
    Fingerprint,
    MediaDescription,
    Resolver,
    answer_media,
    is_message_line,
    offer_media,
    uses_tls,
)
from msrp.profile import Profile
from msrp.uri import MsrpUri, new_session_id
from recording import Tappable

__all__ = ["MsrpListener"]

DEFAULT_PORT = 2855
"""The port that is registered for MSRP; only a habit (:rfc:`4975#section-15.4`)."""


class MsrpListener(Tappable):
    """Listens for the connections of active peers.

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.
        local_cert: With it the port is for TLS, without it for TCP.
        advertised_host: What to write into paths, if that isn't ``host``: where it
            is ``0.0.0.0``, or behind a NAT.
        limits: Bounds on all peers together.
        tls: How peers are verified, and with what ciphers; also for connections of
            its sessions that we open.
        sockets: How connections are marked, and where those that we open come from.
        any_host: Find a session by its session id alone, if no other has the same:
            for proxies that put another host into the paths of requests.  A session
            id can't be guessed any more than a URI; but a wrong host, which would
            show a mistake in the setup of a network, then goes unnoticed.
        share_streams: Let sessions that we open to the same host and port share a
            connection (:rfc:`4975#section-5.4`).  Off by default, since some stacks
            take one session per connection; a session that such a peer turns away
            is opened once more on a connection of its own.  Sessions that the peer
            opens share connections as it likes, either way.
        profile: What its offers and answers say, and the media that use it do, unless
            they are told otherwise; and the ciphers of TLS, if ``tls`` doesn't say.

    Raises:
        CertificateUnusable: The certificate isn't good enough for TLS, or the file
            of authorities isn't.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        local_cert: LocalCertificate | None = None,
        advertised_host: str | None = None,
        limits: Limits | None = None,
        tls: TlsPolicy | None = None,
        sockets: SocketOptions | None = None,
        any_host: bool = False,
        share_streams: bool = False,
        profile: Profile | None = None,
    ) -> None:
        self.local_cert = local_cert
        self.profile = profile or Profile()
        self.tls = tls or TlsPolicy(aes_256_only=self.profile.aes_256_only)
        self.sockets = sockets or SocketOptions()
        self.any_host = any_host
        self.openings = Openings()
        """The connections that its sessions are opening."""
        self.shared = SharedStreams() if share_streams else None
        """The connections that its sessions have opened, if they share them."""
        self.limits = limits or Limits()
        self.port_taps = PortTaps(self.limits)
        """What hears its sessions and their connections, whoever has opened them."""
        self.taps = self.port_taps.taps
        self._host = host
        self._port = port
        self._advertised = advertised_host or host
        self._server: asyncio.Server | None = None
        self._uris = UriDirectory(self.tls, any_host=any_host)
        self._arrivals = Arrivals(
            self._uris,
            None if local_cert is None else self.tls.server_context(local_cert),
            limits=self.limits,
            sockets=self.sockets,
            any_host=any_host,
            port=self.port_taps,
        )

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ConnectionFailed: The address can't be listened on.
            LocalProtocolError: Peers couldn't be told where to connect to, or it
                listens already.
        """
        if self._server is not None:
            raise LocalProtocolError("this listener was started before")
        if _is_unspecified(self._advertised):
            raise LocalProtocolError(
                f"{self._host} is no address to connect to: give an advertised_host"
            )
        loop = asyncio.get_running_loop()
        try:
            # In two steps, so that whoever cancels the second leaves no port open.
            self._server = await loop.create_server(
                self._arrivals.new,
                self._host,
                self._port,
                # The system drops callers that come at once in larger numbers, and
                # they try again only a second later.
                backlog=self.limits.max_unbound_connections,
                reuse_port=self.sockets.reuse_port,
                start_serving=False,
            )
            for sock in self._server.sockets:
                self.sockets.apply(sock)  # What leaves before there is a stream.
            await self._server.start_serving()
        except OSError as error:
            await self.close()
            problem = f"can't listen there ({error.strerror or error})"
            target = f"{self._host}:{self._port}"
            raise ConnectionFailed(target, problem) from error
        except BaseException:
            await self.close()
            raise
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop to listen, and end the sessions that came in here or still might."""
        if self._server is None:
            return
        self._server.close()
        for waiting in self._uris:
            if waiting.session.stream is None and not waiting.session.is_active:
                waiting.rejected(ConnectionFailed("", "the listener was closed"))
        await self._arrivals.close()
        self._server = None
        self.port_taps.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def host(self) -> str:
        """The host in the URIs that are given out."""
        return self._advertised

    @property
    def port(self) -> int:
        """The port, once it is listened on."""
        return self._port

    @property
    def secure(self) -> bool:
        """Whether the port is for TLS."""
        return self.local_cert is not None

    def new_uri(self) -> MsrpUri:
        """Return a URI that no other session has, and expect calls on it."""
        scheme = "msrps" if self.secure else "msrp"
        uri = MsrpUri(scheme, self._advertised, self._port, new_session_id())
        self._uris.expect(uri)
        return uri

    def offer(
        self,
        setup: str = "actpass",
        *,
        accept_types: Sequence[str] | None = None,
        accept_wrapped_types: Sequence[str] | None = None,
        max_size: int | None = None,
        cema: bool | None = None,
        chatroom: Chatroom | None = None,
        languages: Sequence[str] | None = None,
        profile: Profile | None = None,
    ) -> MediaDescription:
        """Make the m-line of an offer for a new session on this port.

        What isn't said here is as the profile has it.

        Args:
            setup: ``actpass`` lets the peer choose who connects; ``active`` if
                it can't reach us.
            accept_types: The types that are taken, in order of preference.
            accept_wrapped_types: Those taken inside of CPIM or multipart only.
            max_size: Octets of the largest message that is wanted.
            cema: As for :func:`msrp.offer_media`: ``False`` for an offer that
                follows :attr:`Negotiated.needs_plain_offer`.
            chatroom: What we know of chat rooms (:rfc:`7701#section-8`).
            languages: The tags of the languages that we use and understand, the best
                first (:rfc:`8373`).
            profile: By default the listener's.
        """
        said = (profile or self.profile).but(
            accept_types=accept_types,
            accept_wrapped_types=accept_wrapped_types,
            chatroom=chatroom,
            languages=languages,
            cema=cema,
        )
        return offer_media(
            self.new_uri(),
            setup=setup,
            max_size=max_size,
            fingerprints=self._fingerprints(),
            cema=said.cema,
            **said.words,
        )

    def answer(
        self,
        offered: MediaDescription,
        *,
        prefer_active: bool = False,
        accept_types: Sequence[str] | None = None,
        accept_wrapped_types: Sequence[str] | None = None,
        max_size: int | None = None,
        resolve: Resolver | None = None,
        chatroom: Chatroom | None = None,
        languages: Sequence[str] | None = None,
        profile: Profile | None = None,
    ) -> MediaDescription | None:
        """Make the m-line that answers an offered one.

        Args:
            offered: The offered one.
            prefer_active: Connect ourselves, if the offer leaves the choice to us.
            accept_types: As for :meth:`offer`.
            accept_wrapped_types: As for :meth:`offer`.
            max_size: As for :meth:`offer`.
            resolve: Gives the addresses of a host name, as for
                :func:`msrp.negotiate`.
            chatroom: As for :meth:`offer`, whether it was offered or not.
            languages: As for :func:`msrp.answer_media`.
            profile: As for :meth:`offer`.

        Returns:
            The m-line; ``None`` if the offered one isn't for MSRP or asks for TLS
            where this port has none, or the other way round: it then has to be
            refused with port 0.
        """
        if not is_message_line(offered) or uses_tls(offered) is not self.secure:
            return None
        said = (profile or self.profile).but(
            accept_types=accept_types,
            accept_wrapped_types=accept_wrapped_types,
            chatroom=chatroom,
            languages=languages,
        )
        uri = self.new_uri()
        answered = answer_media(
            offered,
            uri,
            prefer_active=prefer_active,
            max_size=max_size,
            fingerprints=self._fingerprints(),
            resolve=resolve,
            **said.words,
        )
        if answered is None:
            self.forget(uri)
        return answered

    def hear_with(self, port: PortTaps) -> None:
        """Have the taps of somebody else hear what is said here, instead of its own.

        To be called before it listens.
        """
        self._arrivals.port = self.port_taps = port
        self.taps = port.taps

    def add(self, waiting: ListeningSession) -> None:
        """Let a session be called on this port."""
        self._uris.add(waiting)

    def failure_since(self, time: float) -> str | None:
        """Say why somebody has got no further than TLS here, if somebody has.

        Args:
            time: What was before isn't told, by the clock of the loop.
        """
        return self._arrivals.failure_since(time)

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody be called by this URI any more: it gets a 481."""
        self._uris.forget(uri)

    def _fingerprints(self) -> list[Fingerprint]:
        return [] if self.local_cert is None else [self.local_cert.fingerprint]


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""
