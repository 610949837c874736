"""Something that works while its user agent is open."""

from __future__ import annotations

from sip.aio.driver import Driver
from sip.errors import LocalError

__all__ = ["Opened"]


class Opened:
    """What the parts of a user agent have in common: they need it to be open."""

    def __init__(self) -> None:
        super().__init__()
        self._driver: Driver | None = None
        self._closed = False

    def _open_driver(self) -> Driver:
        """Return what runs the core.

        Raises:
            LocalError: The user agent isn't open yet, or not any more.
        """
        if self._driver is None or self._closed:
            raise LocalError("the user agent isn't open")
        return self._driver
