"""``Content-Type``: what a body is (:rfc:`2045#section-5`)."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from mime.errors import MimeError
from mime.parameters import (
    Parameters,
    check_parameters,
    format_parameters,
    is_token,
    parameter,
    split_parameters,
)

__all__ = ["OCTET_STREAM", "TEXT_PLAIN", "ContentType"]

_MAX_CACHED = 200
"""Characters of a value that is worth remembering; longer ones are one of a kind."""


@dataclass(frozen=True, slots=True, eq=False)
class ContentType:
    """A media type with its parameters.

    The type, the subtype and the names of parameters are kept in lower case,
    so two values are equal however they were written; neither does the order
    of the parameters count.

    Raises:
        MimeError: It couldn't be written, such as ``ContentType("a b", "c")``.
    """

    type: str
    """The part before the slash, in lower case."""

    subtype: str
    """The part after the slash, in lower case."""

    parameters: Parameters = ()
    """Names, in lower case, and values, without quotes."""

    def __post_init__(self) -> None:
        if not (is_token(self.type) and is_token(self.subtype)):
            raise MimeError("a media type isn't of the form type/subtype")
        object.__setattr__(self, "type", self.type.lower())
        object.__setattr__(self, "subtype", self.subtype.lower())
        object.__setattr__(self, "parameters", check_parameters(self.parameters))

    @classmethod
    def parse(cls, value: str | bytes) -> ContentType:
        """Read the value of a ``Content-Type`` field.

        Odd spacing, comments, folding and values that should have been quoted
        are accepted.

        Raises:
            MimeError: There is no ``type/subtype`` in it.
        """
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return _parse(value) if len(value) <= _MAX_CACHED else _parse_anew(value)

    @property
    def essence(self) -> str:
        """``type/subtype`` in lower case, without parameters."""
        return f"{self.type}/{self.subtype}"

    @property
    def charset(self) -> str | None:
        """The ``charset`` parameter in lower case."""
        charset = self.parameter("charset")
        return None if charset is None else charset.lower()

    @property
    def boundary(self) -> str | None:
        """The ``boundary`` parameter of a multipart, as written."""
        return self.parameter("boundary")

    def parameter(self, name: str) -> str | None:
        """Return the first value of a parameter, whose name may be in any case."""
        return parameter(self.parameters, name)

    def matches(self, pattern: str) -> bool:
        """Tell whether an entry of ``accept-types`` covers this type.

        Args:
            pattern: ``*``, ``type/*`` or ``type/subtype``; parameters in it
                don't count (:rfc:`4975#section-8.6`).
        """
        wanted = pattern.partition(";")[0].strip().lower()
        return wanted in {"*", "*/*", f"{self.type}/*", self.essence}

    def __str__(self) -> str:
        return self.essence + format_parameters(self.parameters)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContentType):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, Parameters]:
        return self.essence, tuple(sorted(self.parameters))


TEXT_PLAIN = ContentType("text", "plain")
"""What a part without ``Content-Type`` is (:rfc:`2046#section-5.1`)."""

OCTET_STREAM = ContentType("application", "octet-stream")
"""What a part is whose transfer encoding nobody knows (:rfc:`2045#section-6.4`)."""


def _parse_anew(value: str) -> ContentType:
    essence, parameters = split_parameters(value)
    type_, _, subtype = essence.partition("/")
    return ContentType(type_.strip(), subtype.strip(), parameters)


# The same few types come again and again, and each part is asked for its own
# many times over.
_parse = functools.lru_cache(maxsize=256)(_parse_anew)
