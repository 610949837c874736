"""The headers of ``message/cpim`` and their namespaces (:rfc:`3862#section-3`)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from cpim.address import Address
from cpim.errors import CpimError
from cpim.escapes import escape, unescape
from cpim.grammar import ABSOLUTE_URI, NAME, is_header_name, is_name
from cpim.header_line import Parameters, header_line, split_line, split_plain

__all__ = [
    "CORE_NAMESPACE",
    "DEFAULT_LANGUAGE",
    "Header",
    "Namespaces",
    "QualifiedName",
    "read_header",
]

CORE_NAMESPACE = "urn:ietf:params:cpim-headers:"
"""The namespace of From, To and all others that RFC 3862 defines."""

DEFAULT_LANGUAGE = "i-default"
"""The language of a header that names none (:rfc:`3862#section-3.3`)."""

_RECALLED = 256
_RECALLED_LENGTH = 128
"""How many lines to remember, and up to which length: what peers can make this hold is
some hundred kilobytes."""

_REPEATED = (b"From:", b"To:", b"cc:", b"NS:")
"""How lines begin that are the same in all messages of a session.  A DateTime isn't
remembered, being another one each time."""

_NAMESPACE = re.compile(rf"({NAME})? *<({ABSOLUTE_URI})>")


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

    parameters: Parameters = ()
    """Names and values, without quotes and escapes."""

    namespace: str | None = CORE_NAMESPACE
    """The namespace that the name is in; None if its prefix wasn't declared."""

    raw: bytes = field(default=b"", compare=False, repr=False)
    """The line, without its end."""

    problems: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What was forgiven when it was read."""

    @classmethod
    def parse(
        cls,
        line: bytes,
        *,
        strict: bool = False,
        namespaces: Namespaces | None = None,
    ) -> Header:
        """Read a line, without its end.

        Args:
            line: The octets.
            strict: Refuse what is otherwise forgiven: a missing or superfluous
                space, control characters, octets that aren't UTF-8.
            namespaces: What prefixes mean where the line stands.  Without, its
                namespace is left open.

        Raises:
            CpimError: It isn't a header.
        """
        name, value, parameters, problems = split_plain(line) or split_line(line)
        if strict and problems:
            raise CpimError(problems[0])
        namespace = None if namespaces is None else namespaces.namespace_of(name)
        return cls(name, value, parameters, namespace, line, problems)

    @classmethod
    def build(cls, name: str, value: str, *, parameters: Parameters = ()) -> Header:
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
        if not is_header_name(name):
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
    def _of_wire_text(cls, name: str, raw_value: str, parameters: Parameters) -> Header:
        namespace = None if "." in name else CORE_NAMESPACE
        raw = header_line(name, raw_value, parameters)
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

    def namespace_of(self, name: str) -> str | None:
        """Return the namespace of a header at this point of the message.

        Args:
            name: A name as a header has it, with or without a prefix.
        """
        if name == "NS":
            # Also where NS isn't a core header by the letter, after the default
            # namespace was changed: or else there would be no way back.
            return CORE_NAMESPACE
        prefix, dot, _ = name.partition(".")
        return self._by_prefix.get(prefix) if dot else self.default

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


def read_header(line: bytes, namespaces: Namespaces) -> Header:
    """Read a line of a message, tolerantly.

    Those that all messages of a session have alike are remembered.

    Raises:
        CpimError: It isn't a header.
    """
    is_repeated = line.startswith(_REPEATED) and len(line) <= _RECALLED_LENGTH
    if is_repeated and namespaces.default == CORE_NAMESPACE:
        return _recall(line)
    return Header.parse(line, namespaces=namespaces)


@functools.lru_cache(maxsize=_RECALLED)
def _recall(line: bytes) -> Header:
    return Header.parse(line, namespaces=Namespaces())
