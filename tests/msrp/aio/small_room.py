"""A chat room that is small and does by the book what :rfc:`7701` says of a switch.

It gathers each message before it hands it on: it is for tests, where those who come are
known.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Self

from cpim import CpimMessage
from msrp.chatroom import (
    Chatroom,
    comparable_nickname,
    is_same_uri,
    read_use_nickname,
)
from msrp.errors import InvalidNickname
from msrp.headers import ContinuationFlag, RequestHead
from msrp.negotiation import (
    MediaDescription,
    Negotiated,
    answer_media,
    negotiate,
)
from msrp.sansio.encoder import encode_end, encode_head, encode_response
from msrp.sansio.ids import new_message_id, new_transaction_id
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from msrp.uri import MsrpUri, format_path, new_session_id

__all__ = ["Participant", "SmallRoom"]


@dataclass(slots=True, eq=False)
class Participant:
    """One session of somebody in the room."""

    user: str
    """The URI by which the focus knows who it is."""

    negotiated: Negotiated
    nickname: str | None = None
    writer: asyncio.StreamWriter | None = None
    message: bytearray = field(default_factory=bytearray)


class SmallRoom:
    """One room on the loopback.

    Args:
        allows: What the policy of the room allows.
        reserved: Nicknames that nobody may have.
    """

    uri = "sip:room@example.test"

    def __init__(
        self,
        allows: Chatroom | None = Chatroom(nickname=True, private_messages=True),  # noqa: B008
        reserved: tuple[str, ...] = ("Admin",),
    ) -> None:
        self.allows = allows
        self.forbids_nicknames = False
        self.mute = False
        """Whether it answers no NICKNAME."""
        self.participants: dict[MsrpUri, Participant] = {}
        self.requests: list[RequestHead] = []
        """The NICKNAMEs."""
        self.blocks: list[bytes] = []
        self._reserved = set(map(comparable_nickname, reserved))
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        for end in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    def cut(self) -> None:
        """Break all connections: no FIN, but a RST."""
        for participant in self.participants.values():
            if participant.writer and not participant.writer.is_closing():
                sock = participant.writer.get_extra_info("socket")
                linger = struct.pack("ii", 1, 0)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                participant.writer.transport.abort()

    def reserve(self, nickname: str) -> None:
        """Let nobody have a nickname."""
        self._reserved.add(comparable_nickname(nickname))

    def answer(self, user: str, offered: MediaDescription) -> MediaDescription | None:
        """Take somebody in who has called; ``None`` is a 488 (section 5.2)."""
        if "message/cpim" not in (offered.first("accept-types") or "").lower().split():
            return None
        uri = MsrpUri("msrp", "127.0.0.1", self._port, new_session_id())
        answered = answer_media(
            offered,
            uri,
            accept_types=("message/cpim",),
            accept_wrapped_types=("text/plain", "image/png"),
            chatroom=self.allows,
        )
        assert answered is not None
        negotiated = negotiate(offered, answered, is_incoming=True)
        self.participants[uri] = Participant(user, negotiated)
        return answered

    def _accepted(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parser = Parser()
        head: RequestHead | None = None
        body = bytearray()
        try:
            while data := await reader.read(65536):
                for event in parser.receive_data(data):
                    match event:
                        case RequestReceived():
                            head = RequestHead.parse(
                                event.transaction_id, event.method, event.block
                            )
                            self.blocks.append(event.block)
                            body.clear()
                        case ResponseReceived():
                            head = None
                        case BodyReceived():
                            body += event.data
                        case EndReceived() if head is not None:
                            self._take(writer, head, bytes(body), event.flag)
                assert parser.error is None
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _take(
        self,
        writer: asyncio.StreamWriter,
        head: RequestHead,
        body: bytes,
        flag: ContinuationFlag,
    ) -> None:
        who = self.participants.get(head.to_path[0])
        if head.method == "REPORT":
            return
        if who is None:
            code = 481
        elif head.method == "NICKNAME":
            self.requests.append(head)
            if self.mute:
                return
            code = self._nickname(who, head)
        elif head.method == "SEND":
            who.writer = writer
            code = self._send(who, head, body, flag)
        else:
            code = 501
        paths = head.from_path[:1] if head.method == "SEND" else head.from_path
        to_path, own = format_path(paths), str(head.to_path[0])
        writer.write(encode_response(head.transaction_id, code, to_path, own))

    def _nickname(self, who: Participant, head: RequestHead) -> int:
        """Section 7.1."""
        if self.forbids_nicknames:
            return 403
        try:
            nickname = read_use_nickname(head.others.get("use-nickname", ""))
            wanted = comparable_nickname(nickname) if nickname else ""
        except InvalidNickname:
            return 424
        others = {
            comparable_nickname(each.nickname)
            for each in self.participants.values()
            if each.nickname and each.user != who.user
        }
        if wanted in others | self._reserved:
            return 425
        who.nickname = nickname or None
        return 200

    def _send(
        self,
        who: Participant,
        head: RequestHead,
        body: bytes,
        flag: ContinuationFlag,
    ) -> int:
        """Sections 6.1 to 6.3."""
        if head.content_type is None:
            return 200  # The first one, which has no body.
        if head.content_type != "message/cpim":
            return 415
        who.message += body
        if flag is not ContinuationFlag.END:
            return 200
        octets = bytes(who.message)
        who.message.clear()
        message = CpimMessage.parse(octets)
        if message.sender is None or not is_same_uri(message.sender.uri, who.user):
            return 403
        if len(message.to) != 1:
            return 403
        to, everybody = message.to[0].uri, self.participants.values()
        if is_same_uri(to, self.uri):
            recipients = [each for each in everybody if each is not who]
        else:
            recipients = [each for each in everybody if is_same_uri(to, each.user)]
            if not recipients:
                return 404
            if not all(map(_knows_private_messages, recipients)):
                return 428
        for each in recipients:
            self._hand_on(each, octets)
        return 200

    def _hand_on(self, to: Participant, octets: bytes) -> None:
        assert to.writer is not None
        name = new_transaction_id()
        head = encode_head(
            name,
            "SEND",
            format_path(to.negotiated.remote_path),
            str(to.negotiated.local_uri),
            [("Message-ID", new_message_id())],
            "message/cpim",
        )
        to.writer.write(head + octets + encode_end(name, ContinuationFlag.END))


def _knows_private_messages(participant: Participant) -> bool:
    chatroom = participant.negotiated.remote_chatroom
    return chatroom is not None and chatroom.private_messages
