"""The services of MSRP relays, from the side of a client (:rfc:`4976`).

A client that nobody can connect to, or whose network asks for it, opens a connection
to its relay and stays connected.  For each session it asks the relay for a URI, which
it puts into the path of its session description; what peers send there comes over the
connection, and what we send goes out over it.  It makes no difference who is active.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

from digest import Account, Algorithm, DigestClient
from msrp.aio.relays.address import LookUp
from msrp.aio.relays.link import RelayLink, ask, new_uri
from msrp.aio.relays.sessions import OnExpiring, RelayBinding, RelaySessions
from msrp.aio.session.hooks import Hook, Hooked, call_handlers
from msrp.aio.session.progress import Progress
from msrp.aio.streams.connector import Manner
from msrp.aio.streams.sockets import SocketOptions
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.policy import TlsPolicy
from msrp.chatroom import Chatroom
from msrp.config import Limits
from msrp.errors import LocalProtocolError
from msrp.events import RelayExpiring
from msrp.negotiation import (
    MediaDescription,
    Resolver,
    answer_media,
    is_message_line,
    offer_media,
)
from msrp.profile import Profile
from msrp.sansio.authorization import Authorization, Grant, Terms
from msrp.uri import MsrpUri
from recording import Tappable

__all__ = ["MsrpRelay"]

logger = logging.getLogger("msrp.relay")

IDLE_TIME = 3600.0
"""Seconds that the connection stays open without a session, as
:rfc:`4976#section-5.4` has it for a client's own relay."""

_ALGORITHMS = (Algorithm.SHA_512_256, Algorithm.SHA_256, Algorithm.MD5)
"""Relays are forbidden the others (:rfc:`4976#section-9.1`)."""


class MsrpRelay(Hooked, Tappable):
    """One or more relays, and what they do for our sessions.

    It stands wherever an :class:`~msrp.MsrpListener` can: descriptions come from
    :meth:`offer` and :meth:`answer`, connections and media take it as ``listener``::

        async with MsrpRelay(
            "msrps://relay.example.net;tcp", username="alice", password="secret"
        ) as relay:
            offered = await relay.offer()
            ...
            connection = MsrpConnection.create_from_sdp(
                offered, answered, is_incoming=False, listener=relay
            )

    Should the connection to the relay be lost, so are all sessions on it, and the
    next offer or answer opens another.

    Args:
        uris: The relays; of several, the one next to us first.  Without a port they
            are looked up (:rfc:`4976#section-8`).
        username: Who we are.
        password: How we show it.
        accounts: Who we are where that is another name or password.
        expires: Seconds to ask for; by default what the relay likes.
        sends_uri: Put a ``uri`` into credentials at first, not only after a second
            401: relays differ in whether they ask for it or don't bear it.
        accept_unproven: Take a relay that doesn't show that it knows the password.
        allow_plain_tcp: Take a relay without TLS, which the standard forbids: names
            and URIs can be read on the way.
        tls: How the relay is verified; by default by the authorities that the system
            knows.  Fingerprints are no use, as no description has them.
        sockets: How the connection is marked.
        limits: Bounds on what comes over it.
        connect_timeout: Seconds until a relay is given up that can't be reached.
        response_timeout: Seconds until a missing response is a failure.
        idle_time: Seconds that the connection stays open without a session.
        look_up: Gives SRV records; by default from the DNS.
        profile: As for :class:`~msrp.MsrpListener`.

    Raises:
        InvalidUri: One of the relays isn't an MSRP URI.
        LocalProtocolError: There is none, or one without TLS.
    """

    on_expiring = Hook[RelayExpiring]()
    """What a relay has given to a session is soon good no longer: make another offer
    with :meth:`offer`, and :meth:`MsrpConnection.reestablish` the session with its
    answer.  Nothing is lost by that.  Called again when half of the time is over, and
    half of the rest; :class:`MsrpMedia` has its call do all of this by itself."""

    def __init__(
        self,
        uris: str | Sequence[str],
        *,
        username: str = "",
        password: str = "",
        accounts: Sequence[Account] = (),
        expires: int | None = None,
        sends_uri: bool = False,
        accept_unproven: bool = False,
        allow_plain_tcp: bool = False,
        tls: TlsPolicy | None = None,
        sockets: SocketOptions | None = None,
        limits: Limits | None = None,
        connect_timeout: float = 30.0,
        response_timeout: float = 30.0,
        idle_time: float = IDLE_TIME,
        look_up: LookUp | None = None,
        profile: Profile | None = None,
    ) -> None:
        super().__init__()
        self.profile = profile or Profile()
        aes_256_only = self.profile.aes_256_only
        self.tls = tls or TlsPolicy.by_authority(aes_256_only=aes_256_only)
        texts = (uris,) if isinstance(uris, str) else tuple(uris)
        self._relays = tuple(map(MsrpUri.parse, texts))
        if not self._relays:
            raise LocalProtocolError("there is no relay")
        if not (allow_plain_tcp or all(uri.secure for uri in self._relays)):
            raise LocalProtocolError(
                "a relay is asked over TLS: its URI starts with msrps",
                section="4976#9.2",
            )
        named = [Account(username, password)] if username else []
        self._client = DigestClient(
            [*named, *accounts], algorithms=_ALGORITHMS, assume_auth=True
        )
        self._terms = Terms(
            expires=expires, sends_uri=sends_uri, accept_unproven=accept_unproven
        )
        self._habits: dict[str, bool] = {}
        limits = limits or Limits()
        self.port_taps = PortTaps(limits)
        """What hears its sessions and the connection to it."""
        self.taps = self.port_taps.taps
        self._sessions = RelaySessions(self._expiring)
        self._link = RelayLink(
            self._relays[0],
            Manner.of(
                None,
                local_cert=None,  # Digest says who we are (section 9.2).
                tls=self.tls,
                sockets=sockets,
                limits=limits,
                port=self.port_taps,
            ),
            self._sessions,
            limits=limits,
            connect_timeout=connect_timeout,
            response_timeout=response_timeout,
            idle_time=idle_time,
            look_up=look_up,
        )
        self._spare: Grant | None = None
        self._asking = asyncio.Lock()
        self._telling: set[asyncio.Task[None]] = set()

    # Its life.

    async def start(self) -> None:
        """Connect, and find out whether the relay does anything for us.

        What it gives now is for the first session.

        Raises:
            AuthorizationFailed: The relay refuses.
            ConnectionFailed: It can't be reached, or has not answered.
            CertificateRejected: Somebody answers who isn't the relay.
            CertificateUnusable: The file of authorities can't be used.
            LocalProtocolError: It was started before, or has been closed.
        """
        if self._link.was_opened:
            raise LocalProtocolError("this relay was started before")
        self._spare = await self._authorize()

    async def close(self) -> None:
        """End the connection, and with it all sessions that are left."""
        self._spare = None
        await self._link.close()
        self.port_taps.close()
        for task in list(self._telling):
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to the relay."""
        return self._link.is_open

    @property
    def secure(self) -> bool:
        """Whether the connection to the relay runs over TLS."""
        return self._relays[0].secure

    # Session descriptions.

    async def offer(
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
        """Make the m-line of an offer for a new session through the relay.

        Args:
            setup: As for :meth:`msrp.MsrpListener.offer`, and so are those that
                follow.
            accept_types: The types that are taken, in order of preference.
            accept_wrapped_types: Those taken inside of CPIM or multipart only.
            max_size: Octets of the largest message that is wanted.
            cema: ``False`` for an offer that follows
                :attr:`Negotiated.needs_plain_offer`.
            chatroom: As for :meth:`msrp.MsrpListener.offer`.
            languages: As for :meth:`msrp.MsrpListener.offer`.
            profile: By default the one of this relay.

        Raises:
            AuthorizationFailed: The relay refuses.
            ConnectionFailed: It can't be reached, or has not answered.
        """
        said = (profile or self.profile).but(
            accept_types=accept_types,
            accept_wrapped_types=accept_wrapped_types,
            chatroom=chatroom,
            languages=languages,
            cema=cema,
        )
        grant = await self._next_grant()
        return offer_media(
            grant.local_uri,
            setup=setup,
            max_size=max_size,
            cema=said.cema,
            relays=grant.use_path,
            **said.words,
        )

    async def answer(
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
        """Make the m-line that answers an offered one, for a session through the relay.

        Args:
            offered: The offered one.
            prefer_active: Begin the session ourselves, if we may choose.
            accept_types: As for :meth:`offer`.
            accept_wrapped_types: As for :meth:`offer`.
            max_size: As for :meth:`offer`.
            resolve: As for :func:`msrp.negotiate`.
            chatroom: As for :meth:`msrp.MsrpListener.answer`.
            languages: As for :meth:`msrp.MsrpListener.answer`.
            profile: As for :meth:`offer`.

        Returns:
            The m-line; ``None`` if the offered one can't be accepted: it isn't for
            MSRP, or asks for TLS where the relay has none.

        Raises:
            AuthorizationFailed: The relay refuses.
            ConnectionFailed: It can't be reached, or has not answered.
        """
        if not is_message_line(offered) or offered.is_rejected:
            return None
        said = (profile or self.profile).but(
            accept_types=accept_types,
            accept_wrapped_types=accept_wrapped_types,
            chatroom=chatroom,
            languages=languages,
        )
        grant = await self._next_grant()
        answered = answer_media(
            offered,
            grant.local_uri,
            prefer_active=prefer_active,
            max_size=max_size,
            resolve=resolve,
            relays=grant.use_path,
            **said.words,
        )
        if answered is None:
            self.forget(grant.local_uri)
        return answered

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody be called by this URI any more: it gets a 481."""
        self._sessions.forget(uri)

    def when_expiring(self, uri: MsrpUri, on_expiring: OnExpiring) -> None:
        """Have something else called than :attr:`on_expiring`, for one session.

        Args:
            uri: Its :attr:`Negotiated.local_uri`.
            on_expiring: Called with it, and with the seconds that remain.
        """
        self._sessions.when_expiring(uri, on_expiring)

    def new_binding(self, connect_timeout: float, progress: Progress) -> RelayBinding:
        """Return what puts a session onto the connection, for that session."""
        return RelayBinding(self._sessions, connect_timeout, progress)

    # Inside.

    async def _next_grant(self) -> Grant:
        spare, self._spare = self._spare, None
        if spare is not None and self._sessions.is_good(spare.local_uri):
            return spare
        return await self._authorize()

    async def _authorize(self) -> Grant:
        """Ask for what one session needs; one after the other (section 9.1)."""
        async with self._asking:
            stream = await self._link.get()
            authorization = Authorization(
                self._relays,
                new_uri(stream),
                self._client,
                self._terms,
                habits=self._habits,
            )
            while authorization.grant is None:
                request = authorization.next_request()
                authorization.answered(await ask(stream, *request))
            grant = authorization.grant
            # Between the answer and this, nothing else can have come.
            self._sessions.granted(grant, stream)
            logger.debug("a relay serves us for %s s", grant.lifetime)
            return grant

    def _expiring(self, uri: MsrpUri, remaining: float) -> None:
        event = RelayExpiring(uri, remaining)
        if not self.on_expiring:
            logger.warning("what a relay gave to a session expires in %g s", remaining)
        task = asyncio.create_task(
            call_handlers(self.on_expiring, event), name="msrp relay"
        )
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
