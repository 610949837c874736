"""What happens on a connection, whichever command made it.

A :class:`Conversation` performs steps (:mod:`~msrp_chat.conversation.script`) and
leaves what arrives to its :class:`~msrp_chat.conversation.reception.Reception`, and
what becomes of its messages to :class:`~msrp_chat.conversation.deliveries.Deliveries`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import Iterator
from pathlib import Path

import cpim
import mime
import msrp
import sip
from msrp.aio.sending.files import type_of
from msrp_chat.conversation.deliveries import Deliveries
from msrp_chat.conversation.progress import OutgoingProgress
from msrp_chat.conversation.reception import Reception
from msrp_chat.conversation.save import Saver, digest
from msrp_chat.conversation.script import EXPECT_TIME
from msrp_chat.conversation.transfers import Transfers
from msrp_chat.events import Notice, Opened, Sending, Summary
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode

__all__ = ["Conversation"]

_TEXT = "text/plain;charset=utf-8"
_RECEIPTS = frozenset({msrp.Disposition.POSITIVE_DELIVERY, msrp.Disposition.DISPLAY})
_ANONYMOUS = msrp.Address("sip:anonymous@anonymous.invalid")


class Conversation:
    """Talks on one connection.

    Args:
        connection: The connection, not started yet.
        output: Where events go.
        saver: Where files go.
        echo: Whether to send every message back.
        receipts: Whether to ask to hear when messages are displayed, and to tell the
            other side when theirs are.
        transfers: The files of the call, if it is one.

    Attributes:
        problem: The first thing that went wrong on the way.
    """

    def __init__(
        self,
        connection: msrp.MsrpConnection,
        output: Output,
        saver: Saver,
        *,
        echo: bool = False,
        receipts: bool = False,
        transfers: Transfers | None = None,
    ) -> None:
        self.problem: ChatError | None = None
        self._connection = connection
        self._timeout = EXPECT_TIME
        self._output = output
        self._reception = Reception(
            output, saver, self._fail, self._send_back if echo else None, receipts
        )
        self._receipts = receipts
        if receipts:
            connection.request_notifications = _RECEIPTS
        self._reception.attach(connection)
        connection.on_connection_established = self._established
        self._deliveries = Deliveries(output, self._fail)
        self._transfers = transfers
        if transfers is not None:
            transfers.fail = self._fail
            transfers.heard = self._reception.note_heard
        self._began = time.monotonic()

    @property
    def call(self) -> sip.Call | None:
        """The call that it is part of, if it is in one."""
        return None if self._transfers is None else self._transfers.call

    @call.setter
    def call(self, call: sip.Call) -> None:
        if self._transfers is not None:
            self._transfers.call = call

    # Its life.

    async def opened(self) -> None:
        """Wait until messages can flow.

        Raises:
            ChatError: They never can.
        """
        try:
            await self._connection.established()
        except msrp.ConnectionFailed as exc:
            raise ChatError(str(exc), ExitCode.UNREACHABLE) from exc
        except msrp.MsrpError as exc:
            raise ChatError(f"no message session: {exc}") from exc

    async def over(self) -> msrp.ClosedEvent:
        """Wait until the session is over, and return how it ended."""
        return await self._connection.closed()

    async def settled(self) -> None:
        """Wait until it is known of every message whether it has arrived."""
        await self._deliveries.settled()
        if self._transfers is not None:
            await self._transfers.settled()

    async def silence(self, seconds: float) -> None:
        """Wait until nothing has arrived for this long."""
        await self._reception.silence(seconds)

    def abandon(self) -> None:
        """Give up what is still on its way."""
        self._deliveries.abandon()

    async def close(self) -> None:
        """End the session, and wait until all that happened in it was told."""
        await self._connection.shutdown()
        await self._deliveries.told()
        if self._transfers is not None:
            await self._transfers.settled()

    def summary(self) -> Summary:
        """Return what it all amounts to."""
        return Summary(
            sessions=1,
            messages_sent=self._deliveries.messages,
            messages_received=self._reception.messages,
            octets_sent=self._deliveries.octets,
            octets_received=self._reception.octets,
            seconds=round(time.monotonic() - self._began, 3),
        )

    # What can be said.

    async def say_text(self, text: str) -> None:
        """Send text, as text/plain; in CPIM if the peer takes it only so.

        Raises:
            ChatError: The peer takes no text, or isn't there any more.
        """
        with _explained():
            if self._receipts:
                # Only an envelope can ask for them.
                sent = await self._connection.send_text(text)
            else:
                sent = await self._connection.send_message(_TEXT, text.encode())
        self._follow_text(text, sent)

    async def say_privately(self, to: str, text: str) -> None:
        """Send text that is for one of those in a room alone.

        Raises:
            ChatError: That is no address, the room doesn't keep messages private, or
                isn't there any more.
        """
        with _explained():
            address = msrp.parse_address(to)
            sent = await self._connection.send_text(text, to=address)
        self._follow_text(text, sent, to=address.uri)

    async def use_nickname(self, nickname: str) -> None:
        """Ask to be called something else.

        Raises:
            ChatError: The peer doesn't know of nicknames, or has refused this one.
        """
        try:
            await self._connection.use_nickname(nickname)
        except msrp.MsrpError as exc:
            raise ChatError(f"no nickname: {exc}") from exc
        self._output.tell(Notice(text=f"you are {nickname} now"))

    def composing(self) -> None:
        """Take note that somebody is typing; the peer is told now and then."""
        self._connection.composing()

    async def say_cpim(self, text: str) -> None:
        """Send text in a CPIM envelope.

        Raises:
            ChatError: The peer takes no CPIM, or isn't there any more.
        """
        with _explained():
            message = cpim.CpimMessage.build(
                _TEXT,
                text.encode(),
                sender=self._connection.local_address or _ANONYMOUS,
                to=self._connection.remote_address or _ANONYMOUS,
                date_time=datetime.datetime.now(datetime.UTC),
            )
            sent = await self._connection.send_cpim(message)
        self._deliveries.follow(
            Sending(
                message_id=sent.message_id,
                kind="cpim",
                content_type="message/cpim",
                octets=len(message.content),
                text=text,
            ),
            sent,
        )

    async def send_file(self, path: Path) -> None:
        """Send a file, and ask for a delivery report.

        Raises:
            ChatError: It can't be read, the peer takes no such file, or isn't there
                any more.
        """
        content_type = type_of(path)
        progress = OutgoingProgress(path.name, self._output)
        with _explained():
            sha256 = await asyncio.to_thread(digest, path)
            sent = await self._connection.send_file(
                path, content_type=content_type, progress=progress, success_report=True
            )
        self._deliveries.follow(
            Sending(
                message_id=sent.message_id,
                kind="file",
                content_type=content_type,
                octets=sent.size or 0,
                filename=path.name,
                sha256=sha256,
            ),
            sent,
        )
        progress.begin(sent.message_id)

    async def offer_file(self, path: Path) -> None:
        """Offer a file in the call, and send it when the other side wants it.

        Raises:
            ChatError: There is no call, or the other side doesn't want it.
        """
        if self._transfers is None:
            raise ChatError("a file can only be offered in a call")
        await self._transfers.offer(path)

    async def send_multipart(self, text: str, path: Path) -> None:
        """Send text and a file as one multipart/mixed message.

        Raises:
            ChatError: As for :meth:`send_file`.
        """
        with _explained():
            data = await asyncio.to_thread(path.read_bytes)
            sha256 = await asyncio.to_thread(digest, path)
            parts = [
                mime.Part.build(_TEXT, text.encode()),
                mime.Part.build(type_of(path), data, disposition=_named(path.name)),
            ]
            sent = await self._connection.send_multipart(parts, success_report=True)
        self._deliveries.follow(
            Sending(
                message_id=sent.message_id,
                kind="multipart",
                content_type="multipart/mixed",
                octets=len(data),
                text=text,
                filename=path.name,
                sha256=sha256,
            ),
            sent,
        )

    async def expect(self, text: str) -> None:
        """Wait until a text or the name of a file has ``text`` in it.

        Raises:
            ChatError: Nothing like it came in time.
        """
        await self._reception.expect(text, self._timeout)

    async def expect_nothing(self, seconds: float) -> None:
        """See that nothing comes for a while.

        Raises:
            ChatError: Something has come.
        """
        await self._reception.nothing(seconds)

    async def expect_delivery(self) -> None:
        """Wait until all that was sent has arrived.

        Raises:
            ChatError: Something has not.
        """
        await self.settled()
        if self.problem is not None:
            raise self.problem

    def set_timeout(self, seconds: float) -> None:
        """Say how long to wait for what is expected from now on."""
        self._timeout = seconds

    # Inside.

    def _follow_text(
        self, text: str, sent: msrp.OutgoingMessage, to: str | None = None
    ) -> None:
        self._deliveries.follow(
            Sending(
                message_id=sent.message_id,
                kind="text",
                content_type="text/plain",
                octets=len(text.encode()),
                text=text,
                to=to,
                receipt=sent.imdn_message_id is not None,
            ),
            sent,
        )

    def _established(self, event: msrp.ConnectionEstablished) -> None:
        self._began = time.monotonic()
        tls = self._connection.negotiated.secure
        self._output.tell(Opened(tls=tls, active=not event.is_passive))

    async def _send_back(self, event: msrp.MessageReceived) -> None:
        name = event.filename
        try:
            sent = await self._connection.send_message(
                event.content_type,
                event.contents,
                disposition=None if name is None else str(_named(name)),
            )
        except msrp.MsrpError as exc:
            self._fail(ChatError(f"a message could not be sent back: {exc}"))
            return
        self._deliveries.follow(
            Sending(
                message_id=sent.message_id,
                kind="echo",
                content_type=event.content_type,
                octets=len(event.contents),
            ),
            sent,
        )

    def _fail(self, problem: ChatError) -> None:
        if self.problem is None:
            self.problem = problem


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say in one line why something couldn't be sent."""
    try:
        yield
    except msrp.FileUnreadable as exc:
        raise ChatError(str(exc), ExitCode.USAGE) from exc
    except msrp.MsrpError as exc:
        raise ChatError(f"cannot send this: {exc}") from exc
    except OSError as exc:
        problem = f"{exc.filename}: {exc.strerror or 'it cannot be read'}"
        raise ChatError(problem, ExitCode.USAGE) from exc
    except ValueError as exc:
        # Such as what was typed with another encoding than the terminal's.
        raise ChatError(f"cannot send this: {exc}", ExitCode.USAGE) from exc


def _named(filename: str) -> mime.ContentDisposition:
    name = mime.safe_filename(filename)
    return mime.ContentDisposition.build("attachment", filename=name)
