"""The focus of a conference: it lets callers into a chat room, and says what it is."""

from __future__ import annotations

import asyncio
from typing import cast

import sdp
import sip
from sip.message import response_to
from tests.msrp.aio.small_room import SmallRoom

__all__ = ["Focus"]


class Focus(asyncio.DatagramProtocol):
    """Takes calls over UDP, from anybody who says who he is.

    Attributes:
        is_focus: Whether its Contact says so.
    """

    def __init__(self, room: SmallRoom) -> None:
        self.room = room
        self.is_focus = True
        self.port = 0
        self._said: dict[str, sdp.MediaDescription] = {}

    async def __aenter__(self) -> Focus:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, ("127.0.0.1", 0)
        )
        self.port = transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._transport.close()

    @property
    def uri(self) -> str:
        """Whom to call."""
        return f"{self.room.uri.partition('@')[0]}@127.0.0.1:{self.port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = sip.parse_message(data)
        assert isinstance(request, sip.Request)
        if request.method == "ACK":
            return
        answer = b""
        if request.method == "INVITE":
            answer = self._answer(request)
        contact = f"<sip:127.0.0.1:{self.port}>" + (";isfocus" * self.is_focus)
        response = response_to(
            request,
            200,
            to_tag="room",
            headers=[("Contact", contact)],
            body=answer,
            content_type="application/sdp" if answer else None,
        )
        self._transport.sendto(bytes(response), addr)

    def _answer(self, request: sip.Request) -> bytes:
        offer = sdp.SessionDescription.parse(request.body)
        said = self._said.get(request.call_id)
        if said is None:
            self.room.uri = str(request.to.uri)
            user = str(request.from_.uri)
            said = self.room.answer(user, offer.effective_media(0))
            assert said is not None
            self._said[request.call_id] = said
        slots = [said, *[None] * (len(offer.media) - 1)]
        return bytes(sdp.build_answer(offer, slots, address="127.0.0.1"))
