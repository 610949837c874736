"""What happens in a call, and how it is said to people and programs.

Each event is one JSON object (:func:`to_json`, :func:`from_json`) and one line in the
terminal, or none (:meth:`Event.line`).  They are told to an
:class:`~msrp_chat.events.output.Output`.
"""

from __future__ import annotations

from msrp_chat.events.as_json import from_json, to_json
from msrp_chat.events.calls import (
    Answered,
    Calling,
    Ended,
    HelpWanted,
    Invited,
    Listening,
    Notice,
    Opened,
    Problem,
    Ringing,
    Summary,
    Traced,
)
from msrp_chat.events.event import Event
from msrp_chat.events.messages import (
    Composing,
    Delivered,
    Displayed,
    FileReceived,
    Incomplete,
    Message,
    Progress,
    Receiving,
    Refused,
    Report,
    Sending,
    Sent,
    TextReceived,
    Undelivered,
)

__all__ = [
    "Answered",
    "Calling",
    "Composing",
    "Delivered",
    "Displayed",
    "Ended",
    "Event",
    "FileReceived",
    "HelpWanted",
    "Incomplete",
    "Invited",
    "Listening",
    "Message",
    "Notice",
    "Opened",
    "Problem",
    "Progress",
    "Receiving",
    "Refused",
    "Report",
    "Ringing",
    "Sending",
    "Sent",
    "Summary",
    "TextReceived",
    "Traced",
    "Undelivered",
    "from_json",
    "to_json",
]
