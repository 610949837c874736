"""What a peer wants to change in a call that runs, and what may be said to it.

Without a policy of the application it is done as far as the media follow.  With one,
somebody can be asked before a stream is added or taken away
(:rfc:`3261#section-14.2`).
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import sdp
from sip.media import Media
from sip.message import Request

__all__ = ["ChangeDecision", "ChangePolicy", "ProposedChange"]


class ChangeDecision(enum.Enum):
    """What to do about a change that a peer proposes."""

    ACCEPT = "as far as the media can"
    """Streams that are new go to the first of ``call.candidates`` that takes them."""

    WITHOUT_NEW_STREAMS = "but for the streams that are new"
    """Those are refused one by one with port 0; all else is done."""

    REFUSE = "everything stays as it is"
    """The peer gets 488, and the session goes on as it was."""


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """What a peer wants to change in a call."""

    request: Request
    """The INVITE or UPDATE; a PRACK before the call is answered."""

    offered: sdp.SessionDescription
    """What the peer offers."""

    added: tuple[sdp.MediaDescription, ...]
    """The streams that are new."""

    ended: tuple[Media, ...]
    """The media whose streams the peer takes away."""

    altered: tuple[Media, ...]
    """The media that are to go on in another way: held, resumed, or elsewhere."""

    @property
    def may_take_time(self) -> bool:
        """Whether there is time to ask a person.

        Only an INVITE may be answered later; others are refused if the decision
        isn't made at once (:rfc:`3311#section-5.2`), and then the peer may come back
        with an INVITE.
        """
        return self.request.method == "INVITE"

    @property
    def is_refresh(self) -> bool:
        """Whether nothing is to change; a policy isn't asked about that."""
        return not (self.added or self.ended or self.altered)


ChangePolicy: TypeAlias = Callable[
    [ProposedChange], ChangeDecision | Awaitable[ChangeDecision]
]
"""Decides about changes that a peer proposes."""
