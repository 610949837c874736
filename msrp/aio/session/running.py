"""A session that was started: its parts, and how it comes, goes on and is left.

Below it is the protocol state, which the stream drives; above it are the hooks of the
:class:`~msrp.MsrpConnection`.  Whom what happens in it concerns is written in
:mod:`msrp.aio.session.telling`, and its end in :mod:`msrp.aio.session.ending`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from msrp.aio.features.feature import Party
from msrp.aio.features.gathering import Features
from msrp.aio.receiving.incoming import Reception
from msrp.aio.relays.sessions import RelayBinding
from msrp.aio.sending.outgoing import Outbox
from msrp.aio.session.binding import Binding
from msrp.aio.session.dispatch import ConnectionHooks, Notice, Undelivered
from msrp.aio.session.ending import Ending
from msrp.aio.session.inbox import Inbox
from msrp.aio.session.nicknames import Nicknames
from msrp.aio.session.progress import Milestone, Progress
from msrp.aio.session.recovery import Recovery
from msrp.aio.session.stage import SessionStage
from msrp.aio.session.telling import tell_all, tell_of_message
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.taps.tapping import SessionTap, Tapped, TappedHooks
from msrp.config import SessionConfig
from msrp.errors import CloseReason, ConnectionFailed, MsrpError
from msrp.events import CoreEvent
from msrp.negotiation import Negotiated
from msrp.policy import Policy
from msrp.sansio.session import Session, SessionState

__all__ = ["RunningSession", "announced"]

logger = logging.getLogger("msrp.connection")


class RunningSession:
    """One session from its start to its end, over all its connections.

    Args:
        negotiated: What offer and answer say.
        config: How it sends and what it takes.
        policy: Where messages go.
        hooks: Whom to tell.
        progress: Where to note how far it has come.
        new_binding: Makes what gets it onto connections.
        party: Who we are in it, and what goes along with it for us.
        tapped: Whom somebody may listen to.
    """

    __slots__ = (
        "_left",
        "binding",
        "ending",
        "hooks",
        "inbox",
        "known_features",
        "known_nicknames",
        "negotiated",
        "outbox",
        "party",
        "progress",
        "reception",
        "recovery",
        "session",
        "tap",
        "tapped",
    )

    def __init__(
        self,
        negotiated: Negotiated,
        *,
        config: SessionConfig,
        policy: Policy | None,
        hooks: ConnectionHooks,
        progress: Progress,
        new_binding: Callable[[], Binding | RelayBinding],
        party: Party,
        tapped: Tapped,
    ) -> None:
        self.negotiated = negotiated
        self.session = _new_session(negotiated, config)
        self.hooks = hooks
        self.progress = progress
        self.party = party
        self.tapped = tapped
        self.inbox = Inbox(config.limits, hooks, self)
        self.reception = Reception(config, policy, self)
        self.outbox = Outbox(self.session, negotiated, self)
        self.recovery = Recovery(config.recovery_time, progress, self)
        incoming = self.session.incoming
        incoming.has_room = self.inbox.has_room
        if policy is not None:
            incoming.open_store = self.reception.open_store
        self.binding = new_binding()
        self._left: dict[StreamProtocol, None] = {}
        """Connections of before, on which the peer may still say something."""
        self.known_nicknames: Nicknames | None = None
        """Ours and the peer's, once one of them has been spoken of."""
        self.known_features: Features | None = None
        """What goes along with it, once something does."""
        self.ending: Ending | None = None
        """How it ends, once it does."""
        self.tap: SessionTap | None = None
        """What hears all that is said in it, while anybody listens."""
        self.session_tap()
        self.inbox.start()

    # Its life.

    async def open(self) -> None:
        """Connect or wait for the peer, for the first time or once more."""
        try:
            if not self.session.is_active:
                await self.binding.listen(self)
                return
            await self.binding.connect(self)
            if self.recovery.failed is not None:
                raise self.recovery.failed
            await self.progress.established()
        except MsrpError as error:
            self._not_opened(CloseReason.LOST, error)
            raise
        except BaseException:
            self._not_opened(CloseReason.BY_US)
            raise

    async def established(self) -> None:
        """Wait until messages can flow.

        Raises:
            ConnectionFailed: They never can.
            SessionClosed: The session is over.
        """
        await self.progress.established()
        if self.progress.end is not None:
            raise self.session.closed_error()

    def move(self, negotiated: Negotiated, *, from_the_start: bool) -> None:
        """Go on by other paths, in another session of the core.

        Args:
            negotiated: What the further offer and answer say.
            from_the_start: Whether to send again what was confirmed of messages.
        """
        lost = self.session
        self.binding.stop_waiting()
        self.progress.leave(Milestone.ESTABLISHED)
        lost.let_go()
        self.flush()  # What is half written ends; what has happened is told.
        self._left = {each: None for each in self._left if not each.is_gone}
        left = self.binding.leave(self)
        if left is not None:
            self._left[left] = None
        session = _new_session(negotiated, announced(lost.config, negotiated))
        now = asyncio.get_running_loop().time()
        session.replace(lost, now, from_the_start=from_the_start)
        self.negotiated, self.session = negotiated, session
        self.outbox.moved(session, negotiated)
        self.events_arrived(session.events_received())

    def renegotiated(self, negotiated: Negotiated) -> None:
        """Go on as before, by a further offer and answer."""
        self.negotiated = negotiated
        self.outbox.moved(self.session, negotiated)
        if self.known_nicknames is not None:
            self.known_nicknames.renegotiated()

    def rejected(self, error: MsrpError) -> None:
        """Be told that somebody connected who isn't the peer, or nobody did."""
        if self.session.state is not SessionState.LOST:  # It waits for nobody here.
            self._not_opened(CloseReason.LOST, error)

    def not_recovered(self) -> None:
        """Be told that it has not been reestablished in time."""
        logger.info("nobody has reestablished a lost session in time")
        self.session.give_up()
        self._tell()

    async def shutdown(self, timeout: float) -> None:
        """End it, once what has been sent has arrived or its time is over."""
        try:
            if self.session.state is SessionState.OPEN:
                async with asyncio.timeout(timeout):
                    await self.outbox.drained()
        except TimeoutError:
            logger.info("session ends with messages on their way")
        finally:
            self._end()
        if self.ending is not None:
            await self.ending.wait()
        await self.inbox.join()
        if self.tap is not None:
            self.tap.finish()
        self.tapped.taps.end()

    def _not_opened(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        session = self.session
        if session.was_open and reason is CloseReason.BY_US:
            reason, error = CloseReason.LOST, ConnectionFailed("", "it was given up")
        session.not_bound(reason, error)
        self._tell()

    def _end(self) -> None:
        if self.session.state is SessionState.LOST:
            self.session.give_up()
        else:
            self.session.end(CloseReason.BY_US, None)
        self._tell()

    # What happens in it.

    def events_arrived(self, events: list[CoreEvent]) -> None:
        """Take what happened in the session."""
        if self.tap is not None:
            for event in events:
                self.tap.happened(event)
        tell_all(self, events)

    def arrived(self, event: Notice | Undelivered) -> None:
        """Take what the reception has for the application."""
        tell_of_message(self, event)

    def _tell(self) -> None:
        self.flush()  # Which also has the events delivered.
        self.events_arrived(self.session.events_received())

    # What goes along with it.

    @property
    def features(self) -> Features:
        """What goes along with it; it is made when somebody asks."""
        if self.known_features is None:
            self.known_features = Features(self.party, SessionStage(self))
        return self.known_features

    @property
    def nicknames(self) -> Nicknames:
        """Ours and the peer's."""
        if self.known_nicknames is None:
            self.known_nicknames = Nicknames(self)
        return self.known_nicknames

    # Its connection, and how much goes over that.

    @property
    def stream(self) -> StreamProtocol | None:
        """The connection that it is on."""
        return self.binding.stream

    def carried_by(self, stream: StreamProtocol) -> None:
        """Be told which connection the session is on."""
        self.binding.stream = stream

    def flush(self) -> None:
        """Have the connection write, if there is one."""
        stream = self.binding.stream
        if stream is not None:
            stream.flush()
        else:  # A message may fail before anybody has connected.
            self.events_arrived(self.session.events_received())

    def write(self) -> None:
        """Have the connection write, with what else is sent in this turn."""
        stream = self.binding.stream
        if stream is not None:
            stream.write()

    @property
    def reading_wanted(self) -> bool:
        """Whether there is room for more messages, or somebody waits for the peer."""
        if self._is_closed:
            return True  # Nobody is kept waiting by those who have gone.
        if self.inbox.full and not self.outbox.is_awaited:
            return False
        return not self.reception.full

    def flow_changed(self) -> None:
        """Be told that reading may go on, or perhaps no more."""
        if self.stream is not None:
            self.stream.update_reading()
        for stream in self._left:
            stream.update_reading()

    def awaited_changed(self) -> None:
        """Be told that somebody waits for the peer, or nobody does any more."""
        if self.inbox.full:  # Only then it decides whether we read.
            self.flow_changed()

    # Who listens to it.

    @property
    def wants_tap(self) -> bool:
        """Whether anybody listens to it."""
        return self.tapped.taps.hears_anything

    def session_tap(self) -> SessionTap | None:
        """Return what hears all that is said in it, if anybody listens."""
        if self.tap is None and self.wants_tap and not self._is_closed:
            self.tap = SessionTap(self.tapped)
            self.inbox.deliver_by(TappedHooks(self.hooks, self.tap))
        return self.tap

    def taps_changed(self) -> None:
        """Be told that somebody listens now, or does no longer."""
        tap = self.session_tap()
        if tap is not None and not self.wants_tap:
            tap.finish()
            self.tap = None
            self.inbox.deliver_by(self.hooks)

    @property
    def _is_closed(self) -> bool:
        return self.session.state is SessionState.CLOSED


def announced(config: SessionConfig, negotiated: Negotiated) -> SessionConfig:
    """Return what is configured, with what we have announced that we take."""
    chatroom = negotiated.chatroom
    return replace(
        config,
        accept_types=negotiated.accept_types,
        takes_nicknames=chatroom is not None and chatroom.nickname,
    )


def _new_session(negotiated: Negotiated, config: SessionConfig) -> Session:
    return Session(
        negotiated.local_uri,
        negotiated.to_path,
        is_active=negotiated.is_active,
        config=config,
    )
