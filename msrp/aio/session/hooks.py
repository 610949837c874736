"""Hooks: where an application says what it wants to be called for.

``connection.on_closed = handler`` replaces what was there, ``@connection.on_closed``
adds to it.  A handler takes one event object and may be ``def`` or ``async def``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, ParamSpec, Protocol, Self, TypeVar, overload

__all__ = [
    "Handler",
    "Handlers",
    "Hook",
    "Hooked",
    "call_handlers",
    "call_only",
    "guarded",
]

E = TypeVar("E")
P = ParamSpec("P")
E_contra = TypeVar("E_contra", contravariant=True)


class Handler(Protocol[E_contra]):
    """What may be attached to a hook."""

    def __call__(self, event: E_contra, /) -> Awaitable[None] | None:
        """Take note of an event."""


class Handlers(Generic[E]):
    """The handlers of one hook of one object."""

    __slots__ = ("_changed", "_handlers")

    def __init__(self, changed: Callable[[], None]) -> None:
        self._handlers: list[Handler[E]] = []
        self._changed = changed

    def __call__(self, handler: Handler[E]) -> Handler[E]:
        """Add a handler and give it back, so that this works as a decorator."""
        self._handlers.append(handler)
        self._changed()
        return handler

    def replace(self, handler: Handler[E] | None) -> None:
        """Put this handler in the place of all others."""
        self._handlers = [] if handler is None else [handler]
        self._changed()

    def __iter__(self) -> Iterator[Handler[E]]:
        return iter(list(self._handlers))

    def __bool__(self) -> bool:
        return bool(self._handlers)

    @property
    def only(self) -> Handler[E] | None:
        """The handler, if there is exactly one."""
        return self._handlers[0] if len(self._handlers) == 1 else None


class Hooked:
    """An object that has hooks."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handlers[object]] = {}

    def handlers_changed(self) -> None:
        """Be told that a hook has got or lost a handler."""


class Hook(Generic[E]):
    """A class attribute that gives each object its :class:`Handlers`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Hooked, owner: type) -> Handlers[E]: ...

    def __get__(self, instance: Hooked | None, owner: type) -> Self | Handlers[E]:
        """Return the handlers of this hook of one object."""
        if instance is None:
            return self
        handlers = instance._handlers.get(self._name)
        if handlers is None:
            handlers = Handlers(instance.handlers_changed)
            instance._handlers[self._name] = handlers
        return handlers  # type: ignore[return-value]  # one dict, many types

    def __set__(self, instance: Hooked, handler: Handler[E] | None) -> None:
        """Put one handler in the place of all others."""
        self.__get__(instance, type(instance)).replace(handler)


async def call_handlers(handlers: Handlers[E], event: E) -> None:
    """Call every handler in turn; report those that raise and carry on.

    A handler that fails is a bug in the application, not in the session: it is
    given to the loop's exception handler, and neither the peer nor the other
    handlers notice.
    """
    for handler in handlers:
        try:
            result = handler(event)
            if result is not None and inspect.isawaitable(result):
                await result
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Not we are cancelled, but something that the handler has waited for.
            _report(event, error)
        except Exception as error:
            _report(event, error)


def call_only(handler: Handler[E], event: E) -> Awaitable[None] | None:
    """Call a handler that is the only one of its hook, from outside of any task.

    Returns:
        What is left to be awaited; ``None`` if the handler is done.
    """
    try:
        result = handler(event)
    except (Exception, asyncio.CancelledError) as error:
        _report(event, error)
        return None
    if result is None or not inspect.isawaitable(result):
        return None
    begun: Handlers[E] = Handlers(_nothing_changed)
    begun(lambda _: result)
    return call_handlers(begun, event)


def _nothing_changed() -> None:
    """Be told that what is left of a handler is to be awaited: nothing follows."""


def _report(event: object, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler(
        {
            "message": f"handler of {type(event).__name__} failed",
            "exception": error,
            "event": event,
        }
    )


def guarded(callback: Callable[P, object]) -> Callable[P, None]:
    """Keep what a callback raises away from the protocol, and tell it to the loop."""
    loop = asyncio.get_running_loop()

    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:
            loop.call_exception_handler(
                {"message": "a callback for progress failed", "exception": error}
            )

    return call
