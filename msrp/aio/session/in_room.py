"""What is particular about messages in a chat room (:rfc:`7701#section-6`).

To is the room, which hands a message to all, or one of those in it, which makes it
private.  Both only work in a CPIM envelope.
"""

from __future__ import annotations

from dataclasses import replace

from msrp.chatroom import is_same_uri
from msrp.content import Address, CpimMessage, EnvelopeHeaders, MessageReceived
from msrp.errors import LocalProtocolError
from msrp.negotiation import Negotiated

__all__ = ["InRoom"]

_NO_HEADERS = EnvelopeHeaders(())


class InRoom:
    """The part of :class:`~msrp.MsrpConnection` that knows of chat rooms.

    Attributes:
        in_room: Whether the other party is a chat room, of which ``remote_address`` is
            the URI: in SIP its Contact then says ``isfocus`` (:rfc:`7701#section-5.2`).
            :class:`~msrp.MsrpMedia` is told by its call; whoever has a SIP stack of
            their own says it here, at any time.
    """

    negotiated: Negotiated
    local_address: Address | None
    remote_address: Address | None
    in_room: bool = False

    def _recipient(self, to: Address | None) -> Address | None:
        """Return whom the envelope is for.

        Raises:
            LocalProtocolError: It is for one of many, and the room hasn't declared
                that it keeps such messages from the others.
        """
        if to is None or self._is_to_all(to):
            return self.remote_address
        self._check_private()
        return to

    def _envelope(
        self, headers: EnvelopeHeaders | None, to: Address | None = None
    ) -> EnvelopeHeaders | None:
        """Return what an envelope says, and whether there has to be one."""
        if to is not None:
            return replace(headers or _NO_HEADERS, are_vital=True)
        if self.in_room or self.negotiated.remote_chatroom is not None:
            return headers or _NO_HEADERS
        return headers

    def _check_addressed(self, message: CpimMessage) -> None:
        """See that an envelope that the application has made is fit for a room.

        Raises:
            LocalProtocolError: It isn't.
        """
        if not self.in_room:
            return
        if len(message.to) != 1:
            raise LocalProtocolError(
                "a message in a chat room is to the room, or to one of those in it",
                section="7701#6.1",
            )
        if not self._is_to_all(message.to[0]):
            self._check_private()

    def is_private(self, message: MessageReceived) -> bool:
        """Tell whether a message of a room is for us alone (section 6.2)."""
        if not self.in_room or message.recipient is None:
            return False
        if self.remote_address is not None:
            return not is_same_uri(message.recipient, self.remote_address.uri)
        own = self.local_address
        return own is not None and is_same_uri(message.recipient, own.uri)

    def _is_to_all(self, to: Address) -> bool:
        room = self.remote_address
        return room is not None and is_same_uri(to.uri, room.uri)

    def _check_private(self) -> None:
        chatroom = self.negotiated.remote_chatroom
        if chatroom is None or not chatroom.private_messages:
            raise LocalProtocolError(
                "the peer has not declared that it keeps private messages private",
                section="7701#6.2",
            )
