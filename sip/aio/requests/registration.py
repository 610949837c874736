"""Registrations as an application sees them (:rfc:`3261#section-10`)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Generator
from types import TracebackType

from sip.aio.driver import Driver
from sip.aio.reasons import error_of
from sip.errors import LocalError
from sip.name_addr import NameAddr
from sip.sansio.events import RegistrationChanged
from sip.sansio.hop import Hop
from sip.sansio.registration import Registration as RegistrationCore
from sip.sansio.registration import RegistrationState
from sip.sansio.user_agent import UserAgentCore

__all__ = ["Registering", "Registration", "RegistrationDesk"]

_log = logging.getLogger("sip.registration")


class Registration:
    """A binding with a registrar, which is kept until it is left.

    A registrar that is lost is asked again until it is found, with growing pauses.

    Attributes:
        on_changed: Called with the registration when its :attr:`state` has changed,
            or another attempt has failed.
    """

    def __init__(self, driver: Driver, core: RegistrationCore) -> None:
        self.on_changed: Callable[[Registration], None] | None = None
        self._driver = driver
        self._core = core
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    @property
    def state(self) -> RegistrationState:
        """How far it has come."""
        return self._core.state

    @property
    def is_registered(self) -> bool:
        """Whether the registrar knows where we are, as far as we know."""
        until = self._core.expires_at
        return until is not None and until > self._driver.now()

    @property
    def expires_in(self) -> float | None:
        """Seconds until the registrar forgets us unless it is asked again."""
        until = self._core.expires_at
        return None if until is None else max(0.0, until - self._driver.now())

    @property
    def error(self) -> Exception | None:
        """Why the last attempt failed, if it did."""
        return self._error

    def refresh(self) -> None:
        """Register now, as when the network has come back."""
        self._core.refresh(self._driver.now())
        self._driver.flush()

    async def registered(self) -> None:
        """Wait until the registrar knows where we are.

        Raises:
            LocalError: It has been left.
        """
        while self.state is not RegistrationState.REGISTERED:
            if self.state in (RegistrationState.ENDING, RegistrationState.ENDED):
                raise LocalError("the registration has been left")
            await self._changed.wait()

    async def leave(self) -> None:
        """Take the binding back, and wait for that a short time.

        A registrar that says nothing within :attr:`~sip.Limits.closing_time` is
        left to find out.
        """
        self._core.leave(self._driver.now())
        self._driver.flush()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._driver.core.limits.closing_time):
                    while self.state is not RegistrationState.ENDED:
                        await self._changed.wait()
        finally:
            self.abandon()

    async def __aenter__(self) -> Registration:
        """Give the registration back."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave it."""
        await self.leave()

    # What the desk does.

    def abandon(self) -> None:
        """End it without a word."""
        self._core.abandon()
        self._driver.flush()

    async def begun(self) -> None:
        """Wait for the first outcome.

        Raises:
            CallRefused: The registrar refused.
            CallTimeout: It didn't answer.
            TransportError: It can't be reached.
            LocalError: The user agent was closed.
        """
        try:
            while self.state is RegistrationState.REGISTERING:
                await self._changed.wait()
            if self._error is not None:
                raise self._error
            if self.state is not RegistrationState.REGISTERED:
                raise LocalError("the user agent was closed")
        except BaseException:
            self.abandon()
            raise

    def changed(self, sent_error: Exception | None) -> None:
        """Take note of what the core reports."""
        self._error = sent_error
        words = self.state.value if sent_error is None else str(sent_error)
        _log.info("registration: %s", words)
        self._changed.set()
        self._changed = asyncio.Event()
        if self.on_changed is not None:
            try:
                self.on_changed(self)
            except Exception as exc:
                self._driver.report("on_changed failed", exc)


class Registering:
    """A registration that is being made: await it, or enter it with ``async with``."""

    def __init__(self, make: Callable[[], Registration]) -> None:
        self._make = make
        self._registration: Registration | None = None

    def __await__(self) -> Generator[object, None, Registration]:
        """Wait until the registrar has granted it."""
        return self._begin().__await__()

    async def __aenter__(self) -> Registration:
        """Wait until the registrar has granted it."""
        self._registration = await self._begin()
        return self._registration

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave it."""
        if self._registration is not None:
            await self._registration.leave()

    async def _begin(self) -> Registration:
        registration = self._make()
        await registration.begun()
        return registration


class RegistrationDesk:
    """Where the registrations of a user agent are kept.

    Args:
        core: The user agent.

    Attributes:
        driver: What runs the core, once it is open.
    """

    def __init__(self, core: UserAgentCore) -> None:
        self.driver: Driver | None = None
        self._core = core
        self._registrations: dict[RegistrationCore, Registration] = {}

    def begin(self, core: RegistrationCore) -> Registration:
        """Take care of a registration that has just been made."""
        assert self.driver is not None
        registration = Registration(self.driver, core)
        self._registrations[core] = registration
        self.driver.flush()
        return registration

    def handle(self, event: RegistrationChanged) -> None:
        """Take what the core reports."""
        core = event.registration
        registration = self._registrations.get(core)
        if event.state is RegistrationState.ENDED:
            self._registrations.pop(core, None)
        if registration is not None:
            error: Exception | None = None
            if event.state is RegistrationState.LOST:
                error = error_of(
                    core.response, core.failure, core.last, self._core.timers
                )
            registration.changed(error)

    def service_route(self) -> tuple[NameAddr, ...]:
        """Return the proxies to go by, in the words of the registrar that knows us."""
        for core in self._registrations:
            if core.service_route and core.address.uri.equals(self._core.address.uri):
                return core.service_route
        return ()

    def lost_connection(self, hop: Hop) -> None:
        """Take note that a connection that we had opened is no more."""
        assert self.driver is not None
        for core in list(self._registrations):
            core.lost_connection(hop, self.driver.now())
        self.driver.flush()

    async def close(self) -> None:
        """Leave all of them."""
        everyone = list(self._registrations.values())
        await asyncio.gather(*(registration.leave() for registration in everyone))

    def abandon(self) -> None:
        """End all of them without a word."""
        for registration in list(self._registrations.values()):
            registration.abandon()
