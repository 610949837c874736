"""What a tap hears of a user agent, put together from its octets.

Each message that goes through a socket is a record for wire taps.  The
:class:`~sip.tap.requests.Requests` of an agent make a record of each request: once,
however often it is repeated, and when it is known what became of it, which is mostly
when it has its final response.

It stands beside the core and reads the octets once more, so nothing of this costs
anything where nobody listens.
"""

from __future__ import annotations

from sip.tap.cutter import MessageCutter
from sip.tap.draft import Draft, record_of
from sip.tap.requests import Heard, Requests

__all__ = ["Draft", "Heard", "MessageCutter", "Requests", "record_of"]
