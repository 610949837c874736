"""A session that was started: its parts, and who tells what to whom.

Below it is the protocol state, which the stream drives; above it are the hooks of the
:class:`~msrp.MsrpConnection`.  What happens in the session comes in as events and goes
to those whom it concerns: messages to the reception, the fate of ours to the outbox,
and what the application is to know to the inbox.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from msrp.aio.features.feature import Party
from msrp.aio.features.gathering import Features
from msrp.aio.receiving.incoming import Reception
from msrp.aio.relays.sessions import RelayBinding
from msrp.aio.sending.outgoing import Outbox
from msrp.aio.session.binding import Binding
from msrp.aio.session.dispatch import ConnectionHooks, Notice, Undelivered
from msrp.aio.session.inbox import Inbox
from msrp.aio.session.nicknames import Nicknames
from msrp.aio.session.progress import Milestone, Progress
from msrp.aio.session.recovery import Recovery
from msrp.aio.streams.connector import describe
from msrp.aio.streams.sockets import format_address
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.taps.tapping import SessionTap, Tapped, TappedHooks
from msrp.config import SessionConfig
from msrp.content import Body
from msrp.errors import CloseReason, ConnectionFailed, MsrpError
from msrp.events import (
    BindingFailed,
    ClosedEvent,
    ConnectionEstablished,
    ConnectionFailedEvent,
    ConnectionLost,
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
    MessageSent,
    MessageStored,
    NicknameReceived,
    ReportReceived,
    SessionOver,
)
from msrp.headers import FailureReport
from msrp.negotiation import Negotiated
from msrp.policy import Policy
from msrp.sansio.inquiries import Answer, OnAnswer
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
        "_binding",
        "_closing",
        "_features",
        "_hooks",
        "_is_awaited",
        "_left",
        "_party",
        "_progress",
        "_tapped",
        "inbox",
        "known_nicknames",
        "negotiated",
        "outbox",
        "reception",
        "recovery",
        "session",
        "tap",
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
        self.session = session = Session(
            negotiated.local_uri,
            negotiated.to_path,
            is_active=negotiated.is_active,
            config=config,
        )
        self.inbox = inbox = Inbox(
            config.limits, hooks.deliver, self._flow_changed, hooks.begin
        )
        self._party = party
        self._features: Features | None = None
        self.reception = Reception(config, policy, self._arrived, self._flow_changed)
        self.outbox = Outbox(
            session, negotiated, self.flush, self._awaited_or_not, self._write
        )
        self.recovery = Recovery(config.recovery_time, progress, self._not_recovered)
        session.incoming.has_room = lambda: not inbox.overfull
        if policy is not None:
            session.incoming.open_store = self.reception.open_store
        self._hooks = hooks
        self._progress = progress
        self._binding = new_binding()
        self._closing: asyncio.Task[None] | None = None
        self._left: dict[StreamProtocol, None] = {}
        """Connections of before, on which the peer may still say something."""
        self.known_nicknames: Nicknames | None = None
        """Ours and the peer's, once one of them has been spoken of."""
        self._tapped = tapped
        self._is_awaited = False
        self.tap: SessionTap | None = None
        """What hears all that is said in it, while anybody listens."""
        self.session_tap()
        self._await_streams(self.wants_tap)
        inbox.start()

    # Its life.

    async def open(self) -> None:
        """Connect or wait for the peer, for the first time or once more."""
        try:
            if not self.session.is_active:
                await self._binding.listen(self)
                return
            await self._binding.connect(self)
            if self.recovery.failed is not None:
                raise self.recovery.failed
            await self._progress.established()
        except MsrpError as error:
            self._not_opened(CloseReason.LOST, error)
            raise
        except BaseException:
            self._not_opened(CloseReason.BY_US)
            raise

    def move(self, negotiated: Negotiated, *, from_the_start: bool) -> None:
        """Go on by other paths, in another session of the core.

        Args:
            negotiated: What the further offer and answer say.
            from_the_start: Whether to send again what was confirmed of messages.
        """
        lost = self.session
        self._binding.stop_waiting()
        self._progress.leave(Milestone.ESTABLISHED)
        lost.let_go()
        self.flush()  # What is half written ends; what has happened is told.
        self._left = {each: None for each in self._left if not each.is_gone}
        left = self._binding.leave(self)
        if left is not None:
            self._left[left] = None
        session = Session(
            negotiated.local_uri,
            negotiated.to_path,
            is_active=negotiated.is_active,
            config=announced(lost.config, negotiated),
        )
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

    @property
    def nicknames(self) -> Nicknames:
        """Ours and the peer's."""
        if self.known_nicknames is None:
            self.known_nicknames = Nicknames(self)
        return self.known_nicknames

    async def established(self) -> None:
        """Wait until messages can flow.

        Raises:
            ConnectionFailed: They never can.
            SessionClosed: The session is over.
        """
        await self._progress.established()
        if self._progress.end is not None:
            raise self.session.closed_error()

    async def ask(
        self, transaction_id: str, octets: bytes, on_answer: OnAnswer
    ) -> Answer | None:
        """Send a request that is no message, and return the answer.

        Args:
            transaction_id: Its transaction id.
            octets: The whole of it.
            on_answer: Is told the answer too, even if it comes so late that nobody
                waits for it any more.

        Returns:
            ``None`` if none has come in time, or before the connection was lost.
        """
        answers: list[Answer] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answered(answer: Answer | None) -> None:
            on_answer(answer)
            answers.extend([] if answer is None else [answer])
            if not done.done():
                done.set_result(None)

        # Its answer is read, even if messages wait for somebody to take them.
        with self.outbox.waiting():
            with self._progress.waking(done, Milestone.LOST | Milestone.OVER):
                if self.stream is None:
                    return None
                self.stream.ask(transaction_id, octets, answered)
                await done
        return answers[0] if answers else None

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
        if self._closing is not None and self._closing is not asyncio.current_task():
            await asyncio.shield(self._closing)
        await self.inbox.join()
        if self.tap is not None:
            self.tap.finish()
        self._tapped.taps.end()

    # What the listener and the stream ask and tell.

    @property
    def stream(self) -> StreamProtocol | None:
        """The connection that it is on."""
        return self._binding.stream

    @property
    def reading_wanted(self) -> bool:
        """Whether there is room for more messages, or somebody waits for the peer."""
        if self.session.state is SessionState.CLOSED:
            return True  # Nobody is kept waiting by those who have gone.
        if self.inbox.full and not self.outbox.is_awaited:
            return False
        return not self.reception.full

    def carried_by(self, stream: StreamProtocol) -> None:
        """Be told which connection the session is on."""
        self._binding.stream = stream

    @property
    def wants_tap(self) -> bool:
        """Whether anybody listens to it."""
        return self._tapped.taps.hears_anything

    def session_tap(self) -> SessionTap | None:
        """Return what hears all that is said in it, if anybody listens."""
        if self.tap is None and self.wants_tap:
            self.tap = SessionTap(self._tapped)
            hooks = TappedHooks(self._hooks, self.tap)
            self.inbox.deliver_by(hooks.deliver, hooks.begin)
        return self.tap

    def taps_changed(self) -> None:
        """Be told that somebody listens now, or does no longer."""
        if self.session_tap() is not None and not self.wants_tap:
            self._stop_tap()
        over = self.session.state is SessionState.CLOSED
        self._await_streams(self.wants_tap and not over)

    def _await_streams(self, awaited: bool) -> None:
        """Say whether new connections have to be listened to on our account."""
        self._tapped.port_taps.awaited += awaited - self._is_awaited
        self._is_awaited = awaited

    def _stop_tap(self) -> None:
        assert self.tap is not None
        self.tap.finish()
        self.tap = None
        self.inbox.deliver_by(self._hooks.deliver, self._hooks.begin)

    def rejected(self, error: MsrpError) -> None:
        """Be told that somebody connected who isn't the peer, or nobody did."""
        if self.session.state is not SessionState.LOST:  # It waits for nobody here.
            self._not_opened(CloseReason.LOST, error)

    def events_arrived(self, events: list[CoreEvent]) -> None:
        """Take what happened in the session."""
        tap = self.tap
        for event in events:
            if tap is not None:
                tap.happened(event)
            self._take(event, events)

    def _take(self, event: CoreEvent, events: list[CoreEvent]) -> None:
        match event:
            case MessageCompleted():
                self.reception.completed(event)
            case MessageSent():
                self.outbox.was_sent(event)
            case MessageDelivered():
                self.outbox.was_delivered(event)
            case MessageStored():
                self.reception.stored(event)
            case MessageDeliveryFailed():
                self._failed(event)
            case ConnectionEstablished() | ConnectionLost():
                self.inbox.put(event)  # The hooks first, then who waits.
                self._turned(event)
            case BindingFailed():
                logger.info("a shared connection doesn't take it: %s", event.error)
                self._binding.stream = None
                self._progress.reach(Milestone.TURNED_AWAY)
            case (
                IncompleteMessage()
                | ReportReceived()
                | MessageRefused()
                | NicknameReceived()
            ):
                self._note(event)
            case SessionOver():
                last = map(self.reception.incomplete, _last_incomplete(events))
                self._session_over(event, tuple(last))
            case _:
                assert_never(event)

    # What the features ask.

    @property
    def features(self) -> Features:
        """What goes along with it; it is made when somebody asks."""
        if self._features is None:
            self._features = Features(self._party, self)
        return self._features

    @property
    def config(self) -> SessionConfig:
        """What was set for it."""
        return self.session.config

    @property
    def is_open(self) -> bool:
        """Whether messages can flow now."""
        return self.session.state is SessionState.OPEN

    def tell(self, event: Notice) -> None:
        """Have the hooks called for what has happened."""
        self.inbox.put(event)

    def send_aside(
        self,
        body: Body,
        *,
        failure_report: FailureReport,
        refused: Callable[[int | None], None],
    ) -> bool:
        """Send what isn't the application's, see :meth:`Outbox.send_aside`."""
        return self.outbox.send_aside(
            body, failure_report=failure_report, refused=refused
        )

    async def room_aside(self) -> None:
        """Wait until there is room for another such message."""
        await self.outbox.room_aside()

    def _arrived(self, event: Notice | Undelivered) -> None:
        """Have a message told, unless it is for one of the features alone."""
        if type(event) is Undelivered and self._is_for_feature(event):
            if self.tap is not None:
                self.tap.messages.kept_back(event.message_id)
            return
        self.inbox.put(event)

    def _is_for_feature(self, event: Undelivered) -> bool:
        features = self._features
        if event.is_bare_text and not (features and features.see_lines):
            return False  # Without its being taken apart.
        message = event.message
        if message.cpim is not None and self._party.is_private(message):
            event.message = message = replace(message, is_private=True)
        return self.features.arrived(message)

    def _failed(self, event: MessageDeliveryFailed) -> None:
        if self.outbox.is_aside(event):
            return
        told = bool(self._hooks.on_message_delivery_failed)
        self.outbox.has_failed(event, told=told)
        self.inbox.put(event)

    def _note(
        self,
        event: IncompleteMessage | ReportReceived | MessageRefused | NicknameReceived,
    ) -> None:
        if isinstance(event, IncompleteMessage):
            event = self.reception.incomplete(event)
        if isinstance(event, ReportReceived) and self.outbox.is_aside(event):
            return
        if isinstance(event, NicknameReceived):
            self.nicknames.remote = event.nickname or None
        if isinstance(event, MessageRefused) and not self._hooks.on_message_refused:
            # It is in the log, at least, that a message was turned away.
            code = event.status_code
            logger.warning("a message was refused with %s%s", code, _hint(code))
        self.inbox.put(event)

    def _turned(self, event: ConnectionEstablished | ConnectionLost) -> None:
        self._binding.stop_waiting()
        if isinstance(event, ConnectionLost):
            logger.info("a session has lost its connection: %s", event.error)
            self._progress.leave(Milestone.ESTABLISHED)
            self.recovery.lost(event.error)
            return
        if self.stream is not None:
            who = "them" if event.is_passive else "us"
            logger.info("a session is open with %s, by %s", self.stream.peer, who)
        self.recovery.found()
        self._progress.reach(Milestone.ESTABLISHED)
        self._binding.close_former()
        if self.known_nicknames is not None:
            self.known_nicknames.established()

    # Inside.

    def flush(self) -> None:
        """Have the connection write, if there is one."""
        if self.stream is not None:
            self.stream.flush()
        else:  # A message may fail before anybody has connected.
            self.events_arrived(self.session.events_received())

    def _write(self) -> None:
        """Have the connection write, with what else is sent in this turn."""
        stream = self._binding.stream
        if stream is not None:
            stream.write()

    def _awaited_or_not(self) -> None:
        if self.inbox.full:  # Only then it decides whether we read.
            self._flow_changed()

    def _flow_changed(self) -> None:
        if self.stream is not None:
            self.stream.update_reading()
        for stream in self._left:
            stream.update_reading()

    def _tell(self) -> None:
        self.flush()  # Which also has the events delivered.
        self.events_arrived(self.session.events_received())

    def _not_opened(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        session = self.session
        if session.was_open and reason is CloseReason.BY_US:
            reason, error = CloseReason.LOST, ConnectionFailed("", "it was given up")
        session.not_bound(reason, error)
        self._tell()

    def _not_recovered(self) -> None:
        logger.info("nobody has reestablished a lost session in time")
        self.session.give_up()
        self._tell()

    def _end(self) -> None:
        if self.session.state is SessionState.LOST:
            self.session.give_up()
        else:
            self.session.end(CloseReason.BY_US, None)
        self._tell()

    def _session_over(
        self, event: SessionOver, incomplete: tuple[IncompleteMessage, ...]
    ) -> None:
        error = event.error
        if not event.was_open and event.reason is not CloseReason.BY_US:
            error = self._failure(error)
            self.inbox.put(ConnectionFailedEvent(error))
        why = event.reason.value if error is None else f"{event.reason.value}: {error}"
        logger.info("a session is over, %s", why)
        self._binding.stop_connecting()
        end = ClosedEvent(event.reason, error, incomplete)
        if self._features is not None:
            self._features.over()
        self._binding.stop_waiting()
        self.recovery.stop()
        self._progress.finish(end)
        if not self.reception.busy:
            self.inbox.put(end)
            self.inbox.finish()
        self._closing = asyncio.create_task(self._close_up(end), name="msrp close")

    def _failure(self, error: MsrpError | None) -> ConnectionFailed:
        """Put into words why there never was a session."""
        if isinstance(error, ConnectionFailed):
            return error
        target = ""
        if self.negotiated.is_active:
            target = format_address(*self.negotiated.connect_to)
        if error is None:
            problem = "the peer closed the connection before there was a session"
        elif isinstance(error.__cause__, OSError):
            problem = describe(error.__cause__)
        else:
            problem = str(error)
        failure = ConnectionFailed(target, problem)
        failure.__cause__ = error
        return failure

    async def _close_up(self, end: ClosedEvent) -> None:
        """Let go of what only this session has used."""
        if not self.inbox.finished:
            await self.reception.drained()  # The end is told after all messages.
            self.inbox.put(end)
            self.inbox.finish()
        self._binding.forget(self.negotiated.local_uri)
        if self.known_nicknames is not None:
            await self.known_nicknames.close()
        await self.outbox.close()
        await self._binding.close(is_active=self.negotiated.is_active)
        self._await_streams(False)
        if self.tap is not None:
            self.tap.over()
        self._tapped.session_over()


def announced(config: SessionConfig, negotiated: Negotiated) -> SessionConfig:
    """Return what is configured, with what we have announced that we take."""
    chatroom = negotiated.chatroom
    return replace(
        config,
        accept_types=negotiated.accept_types,
        takes_nicknames=chatroom is not None and chatroom.nickname,
    )


def _hint(code: int) -> str:
    """Say what to change if a message should have been taken."""
    if code == 413:
        return ": it is larger than max_message_length, or there is no room for it"
    return ""


def _last_incomplete(events: list[CoreEvent]) -> tuple[IncompleteMessage, ...]:
    """Return the messages that were given up since the session is over."""
    last: list[IncompleteMessage] = []
    for event in reversed(events[:-1]):
        if not isinstance(event, IncompleteMessage):
            break
        last.append(event)
    return tuple(reversed(last))
