"""``Content-Disposition``: what to do with a body (:rfc:`2183#section-2`)."""

from __future__ import annotations

from dataclasses import dataclass

from mime.content_type import ContentType
from mime.errors import MimeError
from mime.extended_parameters import decoded_parameter, encoded_parameter
from mime.filename import safe_filename
from mime.parameters import (
    Parameters,
    check_parameters,
    format_parameters,
    is_token,
    parameter,
    split_parameters,
)

__all__ = ["ContentDisposition", "safe_filename"]

_KNOWN_KINDS = frozenset(
    {
        # RFC 2183
        "inline",
        "attachment",
        # RFC 3261 section 20.11, and RFC 5621 section 8
        "session",
        "render",
        "icon",
        "alert",
        "by-reference",
        # RFC 3959, 3893, 5363, 5364, 5438, 6086 and 7578
        "early-session",
        "aib",
        "recipient-list",
        "recipient-list-history",
        "notification",
        "info-package",
        "form-data",
    }
)

MAX_SIZE_DIGITS = 18
"""Digits of a believable ``size``: an exbibyte."""


@dataclass(frozen=True, slots=True)
class ContentDisposition:
    """How a body is to be presented, and what file it was.

    Raises:
        MimeError: It couldn't be written.
    """

    kind: str
    """``render``, ``attachment`` and so on, in lower case, as the sender has it."""

    parameters: Parameters = ()
    """Names, in lower case, and values, without quotes."""

    def __post_init__(self) -> None:
        if not is_token(self.kind):
            raise MimeError("a disposition type isn't a token")
        object.__setattr__(self, "kind", self.kind.lower())
        object.__setattr__(self, "parameters", check_parameters(self.parameters))

    @classmethod
    def parse(cls, value: str | bytes) -> ContentDisposition:
        """Read the value of a ``Content-Disposition`` field.

        Raises:
            MimeError: It doesn't begin with a disposition type.
        """
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return cls(*split_parameters(value))

    @classmethod
    def build(
        cls,
        kind: str,
        *,
        filename: str | None = None,
        size: int | None = None,
        handling: str | None = None,
    ) -> ContentDisposition:
        """Make the disposition of a body to send.

        Args:
            kind: ``render``, ``attachment`` and so on.
            filename: The name of the file; anything US-ASCII can't say goes
                into ``filename*`` as well (:rfc:`2231`).
            size: Octets of the file.
            handling: ``required`` or ``optional``.

        Raises:
            MimeError: An argument can't be written in a header field.
        """
        parameters: Parameters = ()
        if filename is not None:
            parameters += encoded_parameter("filename", filename)
        if size is not None:
            parameters += (("size", str(size)),)
        if handling is not None:
            parameters += (("handling", handling),)
        return cls(kind, parameters)

    @classmethod
    def default_for(cls, content_type: ContentType) -> ContentDisposition:
        """Return what a body without the field has (:rfc:`3261#section-20.11`)."""
        is_session = content_type.essence == "application/sdp"
        return cls("session" if is_session else "render")

    @property
    def treated_as(self) -> str:
        """The kind to act on: ``attachment`` if this one is unknown (§2.8)."""
        return self.kind if self.kind in _KNOWN_KINDS else "attachment"

    @property
    def filename(self) -> str | None:
        """The name of the file as the sender wrote it.

        Never use it as a path: see :func:`safe_filename`.
        """
        return decoded_parameter(self.parameters, "filename")

    @property
    def handling(self) -> str:
        """``optional`` if the sender can do without, else ``required``."""
        value = (self.parameter("handling") or "").lower()
        return "optional" if value == "optional" else "required"

    @property
    def size(self) -> int | None:
        """About how many octets the file has; None if that isn't said."""
        digits = self.parameter("size") or ""
        is_number = digits.isascii() and digits.isdigit()
        return int(digits) if is_number and len(digits) <= MAX_SIZE_DIGITS else None

    def parameter(self, name: str) -> str | None:
        """Return the first value of a parameter, whose name may be in any case."""
        return parameter(self.parameters, name)

    def __str__(self) -> str:
        return self.kind + format_parameters(self.parameters)
