"""How far a file has come, told often enough and not too often."""

from __future__ import annotations

from collections.abc import Callable

from msrp_chat.events import Progress, Receiving
from msrp_chat.events.output import Output

__all__ = ["IncomingProgress", "OutgoingProgress", "Steps"]


class Steps:
    """Passes on every percent, and the end.

    Args:
        tell: Called with the octets so far and in all.
    """

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._told = 0

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far it is."""
        if done == total or done - self._told >= total / 100:
            self._told = done
            self._tell(done, total)


class OutgoingProgress:
    """Tells of a file that we send.

    The first octets may be out before the message has got its id.

    Args:
        filename: What it is called.
        output: Who is told.
    """

    def __init__(self, filename: str, output: Output) -> None:
        self._filename = filename
        self._output = output
        self._message_id: str | None = None
        self._state = (0, 0)
        self._steps = Steps(self._tell)

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far it is."""
        self._state = (done, total)
        self._steps(done, total)

    def of_transfer(self, done: int, total: int | None) -> None:
        """Do the same for a file whose size may not be known."""
        if total is not None:
            self(done, total)

    def begin(self, message_id: str) -> None:
        """Say which message it is."""
        self._message_id = message_id
        if self._state != (0, 0):
            self._tell(*self._state)

    def _tell(self, done: int, total: int) -> None:
        if self._message_id is not None:
            self._output.tell(
                Progress(
                    message_id=self._message_id,
                    filename=self._filename,
                    done=done,
                    total=total,
                )
            )


class IncomingProgress:
    """Tells of a long message that arrives.

    Args:
        message_id: Which.
        filename: What its sender calls it.
        content_type: What it is.
        output: Who is told.
    """

    def __init__(
        self, message_id: str, filename: str | None, content_type: str, output: Output
    ) -> None:
        self._message_id = message_id
        self._filename = filename
        self._content_type = content_type.partition(";")[0].strip()
        self._output = output
        self._steps = Steps(self._tell)

    def __call__(self, done: int, total: int | None) -> None:
        """Take note of how far it is; its sender may not say how long it is."""
        if total is not None:
            self._steps(done, total)

    def _tell(self, done: int, total: int) -> None:
        self._output.tell(
            Receiving(
                message_id=self._message_id,
                filename=self._filename,
                content_type=self._content_type,
                done=done,
                total=total,
            )
        )
