"""What the program does: call, listen, session; and running it to its end.

A :class:`~msrp_chat.commands.party.Party` is one side of a SIP call.  Each command
gets an :class:`msrp.MsrpConnection` in its own way and leaves what happens on it to a
:class:`~msrp_chat.conversation.conversation.Conversation`.

"""

from __future__ import annotations

__all__: list[str] = []
