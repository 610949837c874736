"""What goes along with a session may do there, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msrp.aio.session.dispatch import Notice
from msrp.config import SessionConfig
from msrp.content import Body
from msrp.headers import FailureReport
from msrp.sansio.session import SessionState

if TYPE_CHECKING:
    from msrp.aio.session.running import RunningSession

__all__ = ["SessionStage"]


class SessionStage:
    """The :class:`~msrp.aio.features.feature.Stage` that a running session is.

    Args:
        running: The session.
    """

    __slots__ = ("_running",)

    def __init__(self, running: RunningSession) -> None:
        self._running = running

    @property
    def config(self) -> SessionConfig:
        """What was set for it."""
        return self._running.session.config

    @property
    def is_open(self) -> bool:
        """Whether messages can flow now."""
        return self._running.session.state is SessionState.OPEN

    def tell(self, event: Notice) -> None:
        """Have the hooks called for what has happened."""
        self._running.inbox.put(event)

    def send_aside(
        self,
        body: Body,
        *,
        failure_report: FailureReport,
        refused: Callable[[int | None], None],
    ) -> bool:
        """Send what isn't the application's, see :meth:`Outbox.send_aside`."""
        return self._running.outbox.send_aside(
            body, failure_report=failure_report, refused=refused
        )

    async def room_aside(self) -> None:
        """Wait until there is room for another such message."""
        await self._running.outbox.room_aside()
