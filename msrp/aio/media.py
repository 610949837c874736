"""What a SIP call needs in order to negotiate and run a message session.

It has the shape that ``sip.Media`` asks for, and those of the media that follow a
re-INVITE, explain a refusal and want to be offered anew; and it imports nothing of
``sip``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace

from msrp.aio.connection import MsrpConnection
from msrp.aio.listener import MsrpListener
from msrp.aio.relays.relay import MsrpRelay
from msrp.aio.session.lost import Watch
from msrp.chatroom import name_in
from msrp.composing import CONTENT_TYPE as COMPOSING
from msrp.config import SessionConfig
from msrp.content import Address
from msrp.errors import ConnectionFailed, InvalidUri, LocalProtocolError, MsrpError
from msrp.imdn import CONTENT_TYPE as IMDN
from msrp.negotiation import (
    MediaDescription,
    Negotiated,
    Resolver,
    answer_again,
    has_same_path,
    is_message_line,
    negotiate,
    uses_tls,
)
from msrp.profile import Profile
from msrp.uri import MsrpUri, parse_path
from recording import CallIdentity

__all__ = ["MsrpMedia"]

logger = logging.getLogger("msrp.media")

RECOVERY_TIME = 90.0
"""Seconds that a session which has lost its connection waits, for as long as its call
lives: a few re-INVITEs, each of which may cross with one of the peer and go to an
address that doesn't answer."""


class MsrpMedia:
    """One message session of a call.

    It survives the loss of its connection, unless ``recovery_time`` is 0: the call
    offers it anew, with another path, and messages go on where they were
    (:rfc:`4975#section-5.4`).  The call lives in any case.

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
        recovery_time: Seconds that a session without a connection waits for another,
            if ``config`` says nothing of it.
        profile: What is said and done where none of the above says it; by default the
            listener's.
        languages: The tags of the languages that we use and understand, the best first.
        nickname: What we want to be called, by peers that know of nicknames; by default
            who we are in the call, if the profile has one offered.

    Raises:
        LocalProtocolError: The profile asks for more of TLS than the listener does,
            where the peer connects.

    Attributes:
        on_renegotiate: What is called if the session wants to be offered anew; the
            call sets it.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        *,
        on_connection: Callable[[MsrpConnection], None] | None = None,
        accept_types: Sequence[str] | None = None,
        accept_wrapped_types: Sequence[str] | None = None,
        max_size: int | None = None,
        prefer_active: bool = False,
        local_address: Address | None = None,
        remote_address: Address | None = None,
        config: SessionConfig | None = None,
        cema: bool | None = None,
        resolve: Resolver | None = None,
        recovery_time: float = RECOVERY_TIME,
        profile: Profile | None = None,
        languages: Sequence[str] | None = None,
        nickname: str | None = None,
    ) -> None:
        self.on_renegotiate: Callable[[], None] | None = None
        self._listener = listener
        self._on_connection = on_connection
        self._profile = (profile or listener.profile).but(
            accept_types=accept_types,
            accept_wrapped_types=accept_wrapped_types,
            languages=languages,
            cema=cema,
        )
        self._check_ciphers()
        self._nickname = nickname
        self._in_room = False
        self._max_size = max_size
        self._prefer_active = prefer_active
        self._local_address = local_address
        self.call_identity: CallIdentity | None = None
        """Which call it is in, as records shall have it; the call says so by itself."""
        self._remote_address = remote_address
        config = config or self._profile.session_config
        if config.recovery_time <= 0:
            config = replace(config, recovery_time=recovery_time)
        self._config = config
        self._profile = _without_what_is_off(self._profile, config)
        self._resolve = resolve
        self._connection: MsrpConnection | None = None
        self._said: MediaDescription | None = None
        self._described: MediaDescription | None = None
        self._refusal: str | None = None
        self._working: asyncio.Task[None] | None = None
        self._watch: Watch | None = None
        self._expiring = False
        self._stopped = False

    @property
    def connection(self) -> MsrpConnection:
        """The session, once the call is answered.

        It is another one only if the peer has begun a new session in its place.

        Raises:
            LocalProtocolError: It isn't yet, or refused the message stream.
        """
        if self._connection is None:
            raise LocalProtocolError("the call has no message session (yet)")
        return self._connection

    @property
    def refusal(self) -> str | None:
        """Why :meth:`answer` gave ``None`` last, in part of a sentence."""
        return self._refusal

    @property
    def wants_offer(self) -> bool:
        """Whether the session has lost its connection, or is about to lose its relay.

        Not while another connection is being made.
        """
        connection = self._connection
        return connection is not None and (connection.is_lost or self._expiring)

    # What is said.

    async def offer(self) -> MediaDescription:
        """Return our m-line for an offer: a new path, also for one that runs.

        Raises:
            ConnectionFailed: The relay can't be reached, or refuses.
        """
        described = self._listener.offer(
            max_size=self._max_size,
            profile=self._profile,
        )
        if isinstance(described, Awaitable):
            described = await described
        self._describe(described)
        return described

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        """Return our m-line for an answer; ``None`` to refuse the offered one."""
        self._refusal = self._why_not(offered)
        if self._refusal is not None:
            return None
        described = self._listener.answer(
            offered,
            prefer_active=self._prefer_active,
            max_size=self._max_size,
            resolve=self._resolve,
            profile=self._profile,
        )
        if isinstance(described, Awaitable):
            try:
                described = await described
            except ConnectionFailed as error:
                self._refusal = f"no relay serves us: {error.problem}"
                return None
        if described is None:
            self._refusal = "they have no path or no type of content in common"
        self._describe(described)
        return described

    async def reanswer(self, offered: MediaDescription) -> MediaDescription | None:
        """Answer an offer that changes the session.

        If it names the same path the session stays, and its connection with it; so
        do directions of a hold.  Otherwise we answer with a new path of ours, too.
        """
        connection, said = self._connection, self._said
        if connection is None or said is None or connection.is_over:
            return await self.answer(offered)
        if offered.proto != said.proto or not has_same_path(
            offered, connection.negotiated
        ):
            return await self.answer(offered)
        self._forget_described()
        return answer_again(said, offered, connection.negotiated)

    def keep(self) -> None:
        """Be told that nothing comes of what was offered or answered last."""
        self._forget_described()

    def introduce(self, local: str, remote: str) -> None:
        """Be told by the call who talks to whom, unless that was said before.

        Args:
            local: Our URI.
            remote: The peer's.
        """
        self._local_address = self._local_address or Address(local)
        self._remote_address = self._remote_address or Address(remote)

    def confer(self, is_conference: bool) -> None:
        """Be told by the call whether the other party is a conference.

        Then messages are to a chat room, and some are private ones
        (:rfc:`7701#section-5.2`).
        """
        self._in_room = is_conference
        if self._connection is not None:
            self._connection.in_room = is_conference

    def identify(self, call: CallIdentity) -> None:
        """Be told by the call what it is known by, unless that was said before.

        Args:
            call: Its identifiers, for those who tap the session.
        """
        self.call_identity = self.call_identity or call

    # What is done.

    async def start(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Set up the session that both have agreed on.

        It returns when the connection is there to be used; a peer that can't be
        reached shows in its hooks and in ``established()``, and doesn't harm the
        call.  If a session runs already, it follows: see :meth:`follow`.

        Raises:
            NegotiationError: They have not agreed on one.
        """
        if self._connection is not None and not self._connection.is_over:
            await self.follow(offered, answered, is_offerer)
            return
        self._stopped = False
        await self._begin(self._negotiate(offered, answered, is_offerer))
        self._agree_on(offered if is_offerer else answered)

    async def follow(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Go on as both have agreed now.

        With the same paths the connection is not touched.  With others the session
        moves to another connection, and messages that are under way with it.  If that
        can't be, since the peer is another one, or the first session never was or is
        over, a new one begins; ``on_connection`` is called with it.

        Raises:
            NegotiationError: They have not agreed on a session.
        """
        negotiated = self._negotiate(offered, answered, is_offerer)
        connection = self._connection
        if connection is None or connection.is_over:
            await self._begin(negotiated)
        elif not connection.renegotiated(negotiated):
            await self._stop_working()
            self._work(self._move(connection, offered, answered, is_offerer))
            await asyncio.sleep(0)
        self._agree_on(offered if is_offerer else answered)

    async def stop(self) -> None:
        """End the session; also one that was only offered."""
        self._stopped = True
        self._forget_described()
        if self._watch is not None:
            await self._watch.stop()
        if self._connection is not None:
            await self._connection.shutdown()
        if self._working is not None:
            await asyncio.wait([self._working])

    # Inside.

    def _negotiate(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> Negotiated:
        return negotiate(
            offered, answered, is_incoming=not is_offerer, resolve=self._resolve
        )

    async def _begin(self, negotiated: Negotiated) -> None:
        """Begin a session, the first or a new one in the place of another."""
        self._work(self._start(await self._make(negotiated)))
        await asyncio.sleep(0)  # So that what is sent from now on is queued.

    async def _make(self, negotiated: Negotiated) -> MsrpConnection:
        if self._watch is not None:
            await self._watch.stop()
        connection = MsrpConnection(
            negotiated, listener=self._listener, config=self._config
        )
        if self._max_size is not None:
            connection.max_message_length = self._max_size
        connection.local_address = self._local_address
        if self.call_identity is not None:
            connection.call_identity = self.call_identity
        connection.remote_address = self._remote_address
        connection.in_room = self._in_room
        connection.offered_nickname = self._offered_nickname()
        if self._on_connection is not None:
            self._on_connection(connection)
        self._connection = connection
        self._watch = Watch(connection, self._ask_for_offer)
        return connection

    def _offered_nickname(self) -> str | None:
        if self._nickname is not None or not self._profile.offer_nickname:
            return self._nickname
        own = self._local_address
        return None if own is None else own.name or name_in(own.uri)

    def _check_ciphers(self) -> None:
        """See that nobody connects with less than the profile allows."""
        listener, wanted = self._listener, self._profile.aes_256_only
        if wanted and listener.secure and not listener.tls.aes_256_only:
            raise LocalProtocolError(
                "the listener allows ciphers that the profile doesn't: give it the"
                " profile, or a TlsPolicy with aes_256_only"
            )

    async def _start(self, connection: MsrpConnection) -> None:
        try:
            await connection.start()
        except MsrpError as error:
            # Its hooks have been told; the call goes on.
            logger.info("no message session: %s", error)

    async def _move(
        self,
        connection: MsrpConnection,
        offered: MediaDescription,
        answered: MediaDescription,
        is_offerer: bool,
    ) -> None:
        try:
            await connection.reestablish(
                offered,
                answered,
                is_incoming=not is_offerer,
                resolve=self._resolve,
            )
        except LocalProtocolError as error:
            if self._stopped:
                return
            # What was meant for one party isn't for another: begin anew.
            logger.info("a message session begins in the place of one: %s", error)
            await connection.shutdown(timeout=0.0)
            negotiated = self._negotiate(offered, answered, is_offerer)
            await self._start(await self._make(negotiated))
        except MsrpError as error:
            # It is lost once more, and the call will be asked for another path.
            logger.info("a message session could not move: %s", error)

    def _ask_for_offer(self) -> None:
        if self.on_renegotiate is not None:
            self.on_renegotiate()

    def _work(self, work: Coroutine[None, None, None]) -> None:
        self._working = asyncio.create_task(work, name="msrp media")
        self._working.add_done_callback(_tell_mistakes)

    async def _stop_working(self) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])

    def _why_not(self, offered: MediaDescription) -> str | None:
        if not is_message_line(offered):
            return "it is no message session over TCP"
        if isinstance(self._listener, MsrpRelay):
            return None
        secure = self._listener.secure
        if uses_tls(offered) is secure:
            return None
        return "TLS is wanted here" if secure else "there is no TLS here"

    def _describe(self, described: MediaDescription | None) -> None:
        self._forget_described()
        self._described = described

    def _agree_on(self, said: MediaDescription) -> None:
        if self._described is not None and _path_of(self._described) != _path_of(said):
            self._forget_described()
        self._described = None
        self._said = said
        self._watch_grant()

    def _watch_grant(self) -> None:
        """Have the relay say when what it has given to the session is soon gone."""
        connection = self._connection
        if not isinstance(self._listener, MsrpRelay) or self._said is None:
            return
        path = _path_of(self._said)
        if connection is not None and path is not None:
            self._expiring = False
            uri = parse_path(path)[-1]
            self._listener.when_expiring(uri, self._grant_expires)

    def _grant_expires(self, uri: MsrpUri, remaining: float) -> None:
        self._expiring = True
        self._ask_for_offer()

    def _forget_described(self) -> None:
        """Let nobody call what was said last, and not agreed on."""
        described, self._described = self._described, None
        path = None if described is None else _path_of(described)
        if path is not None:
            with suppress(InvalidUri):
                self._listener.forget(parse_path(path)[-1])


def _without_what_is_off(profile: Profile, config: SessionConfig) -> Profile:
    """Announce nothing that would be dropped when it comes."""
    off = {COMPOSING} if not config.composing else set()
    off |= {IMDN} if not config.notifications else set()
    taken = tuple(each for each in profile.control_types if each not in off)
    if taken == profile.control_types:
        return profile
    return replace(profile, control_types=taken)


def _tell_mistakes(working: asyncio.Task[None]) -> None:
    """Have it told at once, not when all is over, that a program is wrong."""
    if not working.cancelled() and (error := working.exception()) is not None:
        working.get_loop().call_exception_handler(
            {"message": "a message session could not begin", "exception": error}
        )


def _path_of(described: MediaDescription) -> str | None:
    return described.first("path")
