"""What goes along with a session beside the application: typing, notifications.

A feature sees each message of the peer before the application does, and keeps what is
meant for it; it dresses what we send, and hears of it.  It belongs to the connection
and not to the session of the core, so that it stays when a session moves.
"""

from __future__ import annotations

from msrp.content import EnvelopeHeaders, MessageReceived

__all__ = ["Feature"]


class Feature:
    """One of them; what it doesn't care for it leaves as it is here.

    Nothing that the peer sends may make these methods raise, and none waits.
    """

    __slots__ = ()

    def arrived(self, message: MessageReceived) -> bool:
        """Take in a message of the peer, before the application is told of it.

        Returns:
            Whether it was for the feature alone, and is shown to nobody.
        """
        return False

    def headers(self, content_type: str) -> EnvelopeHeaders | None:
        """Return what the envelope of content that we are about to send shall say.

        Args:
            content_type: Of the content itself, whatever it is to be wrapped in.

        Returns:
            ``None`` if it needs no envelope on our account.
        """
        return None

    def queued(self, content_type: str, message_id: str) -> None:
        """Be told that content of ours is on its way."""

    def over(self) -> None:
        """Be told that the session is over; nothing follows."""
