"""What a tap hears of a connection, put together from its octets.

A :class:`~msrp.tap.wire.WireReader` reads one direction of a connection once more, with
a parser of its own, and finds the requests and responses in it; each of them is a
record for wire taps.  The :class:`~msrp.tap.messages.Messages` of a session make whole
messages of those, and of what the session says became of them: refused, given up,
delivered, handed to the application.  When all is known of one it is told, once, and
remembered for a while, lest it be told again when it is sent again elsewhere.

It stands beside the core and not in it, so nothing of this costs anything where nobody
listens; and where somebody does, only gathering is done at once.  Reading what a
message says, :func:`~msrp.tap.draft.record_of`, is left to the thread of the tap.
"""

from __future__ import annotations

from msrp.tap.draft import Draft, Parties, record_of
from msrp.tap.messages import Messages
from msrp.tap.wire import WireMessage, WireReader

__all__ = ["Draft", "Messages", "Parties", "WireMessage", "WireReader", "record_of"]
