"""Header fields as attributes of a message, read when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, overload

from sip.errors import SipParseError
from sip.headers import Headers

__all__ = ["Field"]

T = TypeVar("T", covariant=True)


class HasHeaders(Protocol):
    """Anything with header fields."""

    @property
    def headers(self) -> Headers:
        """The header fields."""


class Field(Generic[T]):
    """An attribute that gives what a reader makes of the header fields.

    The value is remembered in ``headers.views`` until a field of this name changes.
    The attribute can't be set; change ``message.headers``.

    Args:
        read: Makes the value of the raw values of all fields of this name, in order,
            or raises :exc:`~sip.errors.SipParseError`.
        name: The usual spelling of the header field, which the error will name.
    """

    __slots__ = ("name", "read")

    def __init__(self, read: Callable[[Sequence[str]], T], name: str) -> None:
        self.read = read
        self.name = name

    @overload
    def __get__(self, message: None, owner: type) -> Field[T]: ...

    @overload
    def __get__(self, message: HasHeaders, owner: type) -> T: ...

    def __get__(self, message: HasHeaders | None, owner: type) -> Field[T] | T:
        if message is None:
            return self
        headers = message.headers
        views = headers.views
        if self in views:
            known: T = views[self]
            return known
        try:
            value = views[self] = self.read(headers.lines(self.name))
        except SipParseError as exc:
            raise exc.within(self.name) from None
        return value

    def remember(self, message: HasHeaders, value: object) -> None:
        """Take note what the field says, for whoever has just written it.

        Reading it from the text again would give the same.
        """
        message.headers.views[self] = value
