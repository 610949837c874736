"""The nicknames of a session: ours, and the peer's (:rfc:`7701#section-7`).

Ours is asked for when somebody says so, and once more whenever the session has moved to
another path: to a room it is another session then, and a room gives no nickname to a
session by itself (:rfc:`7701#section-7.1`).
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from msrp.aio.session.progress import Milestone
from msrp.errors import LocalProtocolError, MsrpError, NicknameFailed
from msrp.negotiation import Negotiated
from msrp.sansio.inquiries import Answer, OnAnswer
from msrp.sansio.nicknames import check_answer, write_request
from msrp.status import StatusCode

if TYPE_CHECKING:
    from msrp.aio.session.running import RunningSession

__all__ = ["Nicknamed", "Nicknames"]

logger = logging.getLogger("msrp.connection")


class Nicknames:
    """Those of one session; it is made when the first of them is spoken of.

    Args:
        running: The session.
        wanted: What to ask for as soon as it can be.
    """

    __slots__ = ("_lock", "_running", "_tasks", "_wanted", "ours", "remote")

    def __init__(self, running: RunningSession, wanted: str | None = None) -> None:
        self.ours: str | None = None
        """What the peer has given to us."""
        self.remote: str | None = None
        """What the peer wants to be called."""
        self._wanted = wanted
        self._running = running
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def use(self, nickname: str) -> None:
        """Ask for one, after what was asked for before; see :class:`Nicknamed`."""
        running = self._running
        write_request("", "", nickname)  # What can't be said shall not wait.
        _check_declared(running.negotiated)
        async with self._lock:
            await running.established()
            _check_declared(running.negotiated)
            session = running.session
            request = write_request(session.to_path, session.from_path, nickname)
            note = partial(self._note, nickname)
            check_answer(await self._ask(*request, note))

    def established(self) -> None:
        """Be told that messages can flow: for the first time, or again."""
        if self._wanted is None:
            return
        declared = self._running.negotiated.remote_chatroom
        if declared is None or not declared.nickname:
            return
        task = asyncio.create_task(self._say_again(self._wanted), name="msrp nickname")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def renegotiated(self) -> None:
        """Be told that the peer has declared anew what it knows."""
        if self.ours is None and not self._tasks:
            self.established()

    async def close(self) -> None:
        """Ask for nothing more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Inside.

    async def _ask(
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
        running = self._running
        answers: list[Answer] = []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answered(answer: Answer | None) -> None:
            on_answer(answer)
            answers.extend([] if answer is None else [answer])
            if not done.done():
                done.set_result(None)

        # Its answer is read, even if messages wait for somebody to take them.
        with running.outbox.waiting():
            with running.progress.waking(done, Milestone.LOST | Milestone.OVER):
                if running.stream is None:
                    return None
                running.stream.ask(transaction_id, octets, answered)
                await done
        return answers[0] if answers else None

    def _note(self, nickname: str, answer: Answer | None) -> None:
        # Here, so that it is known even if nobody waits for the answer any more.
        if answer is not None and answer.head.code == StatusCode.OK:
            self.ours = self._wanted = nickname or None

    async def _say_again(self, nickname: str) -> None:
        """Ask for what is wanted; nothing depends on whether it is given."""
        if nickname != self._wanted:
            return  # Another one has been asked for since.
        try:
            await self.use(nickname)
        except NicknameFailed as error:
            logger.info("%s", error)
            if error.code is not None:
                self.ours = None
        except MsrpError as error:
            logger.info("no nickname: %s", error)


class Nicknamed:
    """The part of :class:`~msrp.MsrpConnection` that has to do with nicknames.

    Attributes:
        offered_nickname: What we want to be called: it is asked for as soon as the
            session is open, if the peer knows of nicknames.  Whether it is given makes
            no difference to the session.  Set it before the start.
    """

    offered_nickname: str | None = None

    def _running_session(self) -> RunningSession | None:
        raise NotImplementedError

    @property
    def nickname(self) -> str | None:
        """The nickname that the peer, or its room, has given to us."""
        nicknames = self._nicknames()
        return None if nicknames is None else nicknames.ours

    @property
    def remote_nickname(self) -> str | None:
        """What the peer wants to be called, if it has said so; nobody has proved it."""
        nicknames = self._nicknames()
        return None if nicknames is None else nicknames.remote

    async def use_nickname(self, nickname: str) -> None:
        """Ask the peer, usually a chat room, for a nickname (:rfc:`7701#section-7`).

        It is ours when this returns, and for as long as the session lasts: if that
        moves to another path, it is asked for again.  Should it not be given, the one
        before it stays.  If several ask at once, they do so one after the other.

        Args:
            nickname: It, up to 1,023 octets; empty to have none any more.

        Raises:
            LocalProtocolError: It can't be a nickname, or the peer has not declared
                that it knows of them (``a=chatroom:nickname``); nothing was sent.
            NicknameFailed: The peer doesn't give it, or doesn't answer.
            ConnectionFailed: There never was a session.
            SessionClosed: The session is over.
        """
        running = self._running_session()
        if running is None:
            raise LocalProtocolError("start the connection first")
        await running.nicknames.use(nickname)

    def _nicknames(self) -> Nicknames | None:
        running = self._running_session()
        return None if running is None else running.known_nicknames


def _check_declared(negotiated: Negotiated) -> None:
    chatroom = negotiated.remote_chatroom
    if chatroom is None or not chatroom.nickname:
        raise LocalProtocolError(
            "the peer has not declared that it knows of nicknames", section="7701#7.1"
        )
