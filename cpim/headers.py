"""The headers of ``message/cpim`` and their namespaces (:rfc:`3862#section-3`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from cpim.address import Address
from cpim.errors import CpimError
from cpim.escapes import escape, unescape
from cpim.grammar import ABSOLUTE_URI, HEADER_NAME, NAME, STRING, TOKEN, is_name

__all__ = [
    "CORE_NAMESPACE",
    "DEFAULT_LANGUAGE",
    "Header",
    "Namespaces",
    "QualifiedName",
]

CORE_NAMESPACE = "urn:ietf:params:cpim-headers:"
"""The namespace of From, To and all others that RFC 3862 defines."""

DEFAULT_LANGUAGE = "i-default"
"""The language of a header that names none (:rfc:`3862#section-3.3`)."""

_TOKEN = re.compile(TOKEN)
_HEADER_NAME = re.compile(HEADER_NAME)
_NAMESPACE = re.compile(rf"({NAME})? *<({ABSOLUTE_URI})>")
_PARAMETER = re.compile(rf";({NAME})=({TOKEN}|{STRING})", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class QualifiedName(NamedTuple):
    """A header name that means the same in every message (:rfc:`3862#section-3.4`)."""

    namespace: str | None
    """The URI of the namespace; None if the prefix was never declared."""

    name: str
    """The name within it; the whole name if the prefix was never declared."""


@dataclass(frozen=True, slots=True)
class Header:
    """One header of a message, octet for octet.

    Names count with their case: ``from`` isn't ``From``.
    """

    name: str
    """The name as written, with its prefix if it has one."""

    raw_value: str
    """The value as written, with its escapes."""

    parameters: tuple[tuple[str, str], ...] = ()
    """Names and values, without quotes and escapes."""

    namespace: str | None = CORE_NAMESPACE
    """The namespace that the name is in; None if its prefix wasn't declared."""

    raw: bytes = field(default=b"", compare=False, repr=False)
    """The line, without its end."""

    problems: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What was forgiven when it was read."""

    @classmethod
    def parse(cls, line: bytes, *, strict: bool = False) -> Header:
        """Read a line, without its end.  Its namespace is left to the message.

        Args:
            line: The octets.
            strict: Refuse what is otherwise forgiven: a missing or superfluous
                space, control characters, octets that aren't UTF-8.

        Raises:
            CpimError: It isn't a header.
        """
        problems: list[str] = []
        try:
            text = line.decode()
        except UnicodeDecodeError:
            problems.append("the header isn't UTF-8")
            text = line.decode(errors="replace")
        if "\r" in text or "\n" in text:
            raise CpimError("a line end that isn't one within a header")
        if _CONTROL.search(text):
            problems.append("a control character that isn't escaped")
        name, colon, rest = text.partition(":")
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise CpimError("a line that doesn't begin with a header name and a colon")
        parameters, rest = _split_parameters(rest)
        if not rest.startswith(" "):
            problems.append("no space between the name and the value")
        value = rest.removeprefix(" ")
        if value != value.strip(" \t"):
            problems.append("white space around the value")
            value = value.strip(" \t")
        if strict and problems:
            raise CpimError(problems[0])
        return cls(name, value, parameters, None, line, tuple(problems))

    @classmethod
    def build(
        cls, name: str, value: str, *, parameters: tuple[tuple[str, str], ...] = ()
    ) -> Header:
        """Make a header to send.

        Args:
            name: With a prefix if it isn't of the core namespace.
            value: Any text; it is escaped.  Spaces at its ends are dropped, as
                there is no way to write them.
            parameters: Such as ``("lang", "fr")``.

        Raises:
            CpimError: A name has characters that names can't have, or something
                can't be written as UTF-8.
        """
        if not _HEADER_NAME.fullmatch(name):
            raise CpimError("a header name has characters that it can't have")
        raw_value = escape(value.strip(" "))
        return cls._of_wire_text(name, raw_value, parameters)

    @classmethod
    def of_address(cls, name: str, address: Address) -> Header:
        """Make a From, To or cc header.

        Raises:
            CpimError: The address can't be written as UTF-8.
        """
        return cls._of_wire_text(name, str(address), ())

    @classmethod
    def _of_wire_text(
        cls, name: str, raw_value: str, parameters: tuple[tuple[str, str], ...]
    ) -> Header:
        suffix = "".join(_format_parameter(*parameter) for parameter in parameters)
        try:
            raw = f"{name}:{suffix} {raw_value}".encode()
        except UnicodeEncodeError:
            raise CpimError("a header can't be written as UTF-8") from None
        namespace = None if "." in name else CORE_NAMESPACE
        return cls(name, raw_value, parameters, namespace, raw)

    @property
    def qualified_name(self) -> QualifiedName:
        """The name and its namespace; the whole name if it has no namespace."""
        if self.namespace is None:
            return QualifiedName(None, self.name)
        return QualifiedName(self.namespace, self.local_name)

    @property
    def local_name(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(".")[2]

    @property
    def value(self) -> str:
        """The value without its escapes.  It may hold any character, even CR and LF."""
        return unescape(self.raw_value)

    @property
    def language(self) -> str:
        """The language tag of the value; ``i-default`` if it has none."""
        tags = (value for name, value in self.parameters if name == "lang")
        return next(tags, DEFAULT_LANGUAGE)

    def __bytes__(self) -> bytes:
        """Return the line without its end."""
        return self.raw


class Namespaces:
    """The prefixes declared so far in one message (:rfc:`3862#section-3.4`)."""

    __slots__ = ("_by_prefix", "default")

    def __init__(self) -> None:
        self._by_prefix: dict[str, str] = {}
        self.default = CORE_NAMESPACE
        """The namespace of the names without a prefix."""

    def declare(self, value: str) -> None:
        """Take in the value of an ``NS`` header; a later one replaces an earlier.

        Raises:
            CpimError: It isn't ``[prefix] <absolute-URI>``.
        """
        match = _NAMESPACE.fullmatch(value)
        if match is None:
            raise CpimError("the namespace isn't of the form: prefix <URI>")
        if match[1] is None:
            self.default = match[2]
        else:
            self._by_prefix[match[1]] = match[2]

    def resolve(self, name: str) -> QualifiedName:
        """Return what a name means at this point of the message."""
        prefix, dot, local_name = name.partition(".")
        if not dot:
            return QualifiedName(self.default if is_name(name) else None, name)
        namespace = self._by_prefix.get(prefix)
        is_known = namespace is not None and is_name(local_name)
        return (
            QualifiedName(namespace, local_name)
            if is_known
            else QualifiedName(None, name)
        )


def _split_parameters(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    parameters: list[tuple[str, str]] = []
    at = 0
    while text.startswith(";", at):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise CpimError("a parameter isn't of the form: name=value")
        value = match[2]
        is_string = value.startswith('"')
        parameters.append((match[1], unescape(value[1:-1]) if is_string else value))
        at = match.end()
    return tuple(parameters), text[at:]


def _format_parameter(name: str, value: str) -> str:
    if not is_name(name):
        raise CpimError("the name of a parameter has characters that it can't have")
    if _TOKEN.fullmatch(value):
        return f";{name}={value}"
    return f';{name}="{escape(value, in_string=True)}"'
