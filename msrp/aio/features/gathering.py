"""All that goes along with one session."""

from __future__ import annotations

from msrp.aio.features.feature import Feature, Party, Stage
from msrp.aio.outgoing import OutgoingMessage
from msrp.content import CpimMessage, EnvelopeHeaders, MessageReceived

__all__ = ["Features"]


class Features:
    """The features of one connection, each made when it is first needed.

    Args:
        party: Who we are in the session.
    """

    __slots__ = ("_all", "_stage", "party")

    def __init__(self, party: Party) -> None:
        self.party = party
        """Who we are in the session."""
        self._stage: Stage | None = None
        self._all: tuple[Feature, ...] = ()

    def add(self, feature: Feature) -> None:
        """Have one more go along."""
        self._all = (*self._all, feature)

    @property
    def any(self) -> bool:
        """Whether there is one: without any, nobody takes a message apart in vain."""
        return bool(self._all)

    def attach(self, stage: Stage) -> None:
        """Be told that the session was started."""
        self._stage = stage

    def arrived(self, message: MessageReceived) -> bool:
        """Have all see a message; tell whether it was for one of them alone."""
        # Each of them sees it, whether another one has taken it or not.
        return any([each.arrived(message) for each in self._all])

    def headers(self, content_type: str) -> EnvelopeHeaders | None:
        """Return what they want to have said on an envelope; ``None`` for none."""
        if not self._all:
            return None
        found = [each.headers(content_type) for each in self._all]
        wanted = [headers for headers in found if headers is not None]
        if not wanted:
            return None
        return EnvelopeHeaders(
            tuple(header for each in wanted for header in each.headers),
            tuple(named for each in wanted for named in each.namespaces),
        )

    def queued(
        self, message: OutgoingMessage, envelope: CpimMessage | None
    ) -> OutgoingMessage:
        """Tell them that content is on its way, and give it back."""
        for feature in self._all:
            feature.queued(message, envelope)
        return message

    def over(self) -> None:
        """Tell them that the session is over."""
        for feature in self._all:
            feature.over()
