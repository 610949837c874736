"""What an application can send: the verbs of a connection."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msrp.aio.features.noticing import Noticing
from msrp.aio.sending.files import type_of
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.aio.sending.streamed import Progress
from msrp.aio.session.in_room import InRoom
from msrp.content import (
    Address,
    CpimMessage,
    Part,
    body_for,
    cpim_body,
    file_disposition,
    line_body,
    multipart_body,
    text_body,
)
from msrp.errors import LocalProtocolError
from msrp.headers import FailureReport
from msrp.negotiation import Negotiated

if TYPE_CHECKING:
    from msrp.aio.session.running import RunningSession

__all__ = ["Sending"]


class Sending(InRoom, Noticing):
    """The part of :class:`~msrp.MsrpConnection` that sends.

    Attributes:
        negotiated: What offer and answer say of the session.
        local_address: Whom messages in CPIM are from; anonymous if not set.
        remote_address: Whom they are for; anonymous if not set.
    """

    def __init__(self, negotiated: Negotiated) -> None:
        self.negotiated = negotiated
        self.local_address: Address | None = None
        self.remote_address: Address | None = None

    def _started(self) -> RunningSession:
        raise NotImplementedError

    async def send_message(
        self,
        content_type: str,
        contents: bytes | AsyncIterable[bytes],
        *,
        size: int | None = None,
        message_id: str | None = None,
        success_report: bool | None = None,
        failure_report: FailureReport = FailureReport.YES,
        disposition: str | None = None,
        to: Address | None = None,
    ) -> OutgoingMessage:
        """Send a message of any type.

        It is wrapped in CPIM if the peer takes this type in no other way.  Returns
        once the message is queued, waiting while too much is; what becomes of it
        is another matter, see :class:`OutgoingMessage`.

        Contents that are made or fetched as they go out come from an asynchronous
        iterable.  It is pulled from as the peer takes octets, and closed at the end.
        If it raises, or gives another number of octets than ``size``, the peer is
        told that no more will come (``#``), and :meth:`OutgoingMessage.delivered`
        raises :exc:`~msrp.MessageAborted` with the cause.

        Args:
            content_type: The type, with parameters if it has any.
            contents: The octets, or what gives them.
            size: How many octets an iterable gives; without it the peer learns
                that at the end (:rfc:`4975#section-7.1.1`).
            message_id: The Message-ID; one that is given asks for a success report.
            success_report: Whether to ask for one, if the id shall not decide it.
            failure_report: What to hear of failures (:rfc:`4975#section-7.1.1`).
            disposition: The value of Content-Disposition, if any.
            to: In a chat room, for whom alone it is (:rfc:`7701#section-6.2`); by
                default for all.

        Raises:
            LocalProtocolError: The peer takes no such message, or the size can't be;
                or it has not declared that it knows private messages.
            SessionClosed: The session isn't open any more.
        """
        at_hand = b"" if isinstance(contents, AsyncIterable) else contents
        _check_size(contents, size)
        body = body_for(
            content_type,
            at_hand,
            accept=self.negotiated.remote_accept_types,
            accept_wrapped=self.negotiated.remote_accept_wrapped_types,
            sender=self.local_address,
            recipient=self._recipient(to),
            now=_now(),
            disposition=disposition,
            headers=self._envelope(self._features.headers(content_type), to),
        )
        wish = _wish(message_id, success_report)
        if isinstance(contents, AsyncIterable):
            message = self._started().outbox.streamed.send_iterable(
                contents,
                body,
                size=size,
                message_id=message_id,
                success_report=wish,
                failure_report=failure_report,
            )
        else:
            message = await self._started().outbox.send(
                body,
                message_id=message_id,
                success_report=wish,
                failure_report=failure_report,
            )
        return self._features.queued(message, body.envelope)

    async def send_text(
        self,
        text: str,
        *,
        message_id: str | None = None,
        success_report: bool | None = None,
        to: Address | None = None,
    ) -> OutgoingMessage:
        """Send a text, in CPIM if the peer prefers that; else as send_message."""
        running = self._started()
        features = running.features
        headers = self._envelope(features.headers("text/plain"), to)
        accept = self.negotiated.remote_accept_types
        body = line_body(text, accept) if headers is None else None
        if body is None:
            body = text_body(
                text,
                accept=accept,
                accept_wrapped=self.negotiated.remote_accept_wrapped_types,
                sender=self.local_address,
                recipient=self._recipient(to),
                now=_now(),
                headers=headers,
            )
        message = await running.outbox.send(
            body,
            message_id=message_id,
            success_report=_wish(message_id, success_report),
        )
        return features.queued(message, body.envelope)

    async def send_cpim(
        self,
        message: CpimMessage,
        *,
        message_id: str | None = None,
        success_report: bool | None = None,
    ) -> OutgoingMessage:
        """Send a CPIM message as it is; else as send_message.

        In a chat room it has exactly one To: the room, or one of those in it.
        """
        self._check_addressed(message)
        body = cpim_body(
            message,
            accept=self.negotiated.remote_accept_types,
            accept_wrapped=self.negotiated.remote_accept_wrapped_types,
        )
        sent = await self._started().outbox.send(
            body,
            message_id=message_id,
            success_report=_wish(message_id, success_report),
        )
        return self._features.queued(sent, body.envelope)

    async def send_multipart(
        self,
        parts: Sequence[Part],
        *,
        subtype: str = "mixed",
        message_id: str | None = None,
        success_report: bool | None = None,
        to: Address | None = None,
    ) -> OutgoingMessage:
        """Send several parts as one message; else as send_message.

        Args:
            parts: The parts, see :meth:`msrp.Part.build`.
            subtype: ``mixed``, ``alternative`` or ``related``.
            message_id: As for send_message.
            success_report: As for send_message.
            to: As for send_message.
        """
        body = multipart_body(
            parts,
            subtype=subtype,
            accept=self.negotiated.remote_accept_types,
            accept_wrapped=self.negotiated.remote_accept_wrapped_types,
            sender=self.local_address,
            recipient=self._recipient(to),
            now=_now(),
            headers=self._envelope(self._features.headers(f"multipart/{subtype}"), to),
        )
        message = await self._started().outbox.send(
            body,
            message_id=message_id,
            success_report=_wish(message_id, success_report),
        )
        return self._features.queued(message, body.envelope)

    async def send_file(
        self,
        path: str | Path,
        *,
        content_type: str | None = None,
        progress: Progress | None = None,
        message_id: str | None = None,
        success_report: bool | None = None,
        disposition: str | None = None,
        start: int = 0,
        stop: int | None = None,
        to: Address | None = None,
    ) -> OutgoingMessage:
        """Send a file; it is read from disk while it goes out.

        Args:
            path: Which file.
            content_type: Its type; by default what its name suggests.
            progress: Called with the octets that are on their way, and with how
                many there are to send.
            disposition: The value of Content-Disposition; by default an attachment
                of the file's name.
            start: The zero-based offset of the first octet to send, which is to the
                peer the first of the message (:rfc:`5547#section-8.7`).
            stop: The offset after the last one; ``None`` is the end of the file.
            message_id: As for send_message.
            success_report: As for send_message.
            to: As for send_message.

        Raises:
            FileUnreadable: The file can't be read.
            LocalProtocolError: The peer takes no such message.
            SessionClosed: The session isn't open any more.
        """
        path = Path(path)
        guess = content_type or type_of(path)
        head = body_for(
            guess,
            b"",
            accept=self.negotiated.remote_accept_types,
            accept_wrapped=self.negotiated.remote_accept_wrapped_types,
            sender=self.local_address,
            recipient=self._recipient(to),
            now=_now(),
            disposition=disposition or file_disposition(path.name),
            headers=self._envelope(self._features.headers(guess), to),
        )
        message = await self._started().outbox.streamed.send_file(
            path,
            head,
            message_id=message_id,
            success_report=_wish(message_id, success_report),
            progress=progress,
            start=start,
            stop=stop,
        )
        return self._features.queued(message, head.envelope)


def _check_size(contents: bytes | AsyncIterable[bytes], size: int | None) -> None:
    if size is None:
        return
    if size < 0:
        raise LocalProtocolError("a size can't be negative")
    if not isinstance(contents, AsyncIterable) and size != len(contents):
        raise LocalProtocolError("the contents have another size than was said")


def _wish(message_id: str | None, success_report: bool | None) -> bool:
    return message_id is not None if success_report is None else success_report


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
