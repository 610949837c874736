"""An address with a name: From, To, Contact, Route (:rfc:`3261#section-20.10`).

There are two forms.  In ``"Name" <uri>;params`` the angle brackets say where
the URI ends.  Without them every parameter belongs to the header field, and a
URI that has a comma, a question mark or a semicolon can't be written at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sip.errors import SipParseError
from sip.frozen import quick_init
from sip.grammar import WSP, end_of_quoted_string, quote, split_list, unquote
from sip.numbers import parse_q, parse_seconds
from sip.parameters import (
    PLAIN,
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
    set_parameter,
    split_plain,
    unset_parameter,
)
from sip.recall import recalling
from sip.uri import PLAIN_SIP_URI, Uri, plain_sip_uri, read_uri

__all__ = ["NameAddr", "parse_contacts", "parse_name_addrs", "recall_name_addr"]

# RFC 3261 wants tokens here.  Names with other letters and without quotes are
# common, and harmless as long as nothing in them could end them.
_UNQUOTED_NAME = re.compile(r'[^\x00-\x08\x0a-\x1f\x7f",;<>\\]*+')

# What nearly all addresses look like; the same as the full grammar gives.
_NAME = r'(?:"([^"\\]*+)"[ \t]*+|([A-Za-z0-9\-.!%*_+`\'~ \t]*+))'
_PLAIN = re.compile(rf"{_NAME}<{PLAIN_SIP_URI}>({PLAIN})")

# The same for any URI, and for parameters with quotes.
_BRACKETED = re.compile(rf"{_NAME}<([^<>]*+)>(;.*+)?+", re.DOTALL)


@quick_init
@dataclass(frozen=True, slots=True)
class NameAddr:
    """A URI with an optional display name and header field parameters."""

    display_name: str | None
    """Without quotes and backslashes; ``None`` if there is none."""

    uri: Uri

    parameters: Parameters = ()
    """Those of the header field, not those of the URI."""

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one address, in either form.

        Raises:
            SipParseError: It isn't one.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            quoted, unquoted, scheme, user, host, port, rest, own = plain.groups()
            name = (unquoted.strip(WSP) or None) if quoted is None else quoted
            uri = plain_sip_uri(scheme, user, host, port, rest)
            return cls(name, uri, split_plain(own) if own else ())
        bracketed = _BRACKETED.fullmatch(text)
        if bracketed is not None:
            quoted, unquoted, other, own = bracketed.groups()
            name = (unquoted.strip(WSP) or None) if quoted is None else quoted
            return cls(name, read_uri(other), parse_parameters(own or ""))
        return cls._parse_fully(text.strip(WSP))

    @classmethod
    def _parse_fully(cls, text: str) -> NameAddr:
        if text.startswith('"'):
            end = end_of_quoted_string(text, 0)
            return cls._parse_brackets(unquote(text[:end]), text[end:].lstrip(WSP))
        name, bracket, _ = text.partition("<")
        if bracket and '"' not in name and ";" not in name:
            if _UNQUOTED_NAME.fullmatch(name) is None:
                raise SipParseError("the display name needs quotes")
            return cls._parse_brackets(name.rstrip(WSP) or None, text[len(name) :])
        return cls._parse_bare(text)

    @classmethod
    def _parse_brackets(cls, name: str | None, text: str) -> NameAddr:
        uri, bracket, parameters = text.partition(">")
        if not uri.startswith("<") or not bracket:
            raise SipParseError("the URI isn't in angle brackets")
        return cls(name, read_uri(uri[1:]), parse_parameters(parameters))

    @classmethod
    def _parse_bare(cls, text: str) -> NameAddr:
        uri, semicolon, parameters = text.partition(";")
        if "," in uri or "?" in uri:
            raise SipParseError("a URI with a comma or a question mark needs brackets")
        return cls(
            None,
            read_uri(uri.rstrip(WSP)),
            parse_parameters(semicolon + parameters),
        )

    def __str__(self) -> str:
        name = "" if self.display_name is None else quote(self.display_name) + " "
        return f"{name}<{self.uri}>{format_parameters(self.parameters)}"

    @property
    def tag(self) -> str | None:
        """The tag of a From or To header field (:rfc:`3261#section-19.3`)."""
        return find_parameter(self.parameters, "tag") or None

    @property
    def q(self) -> float | None:
        """How much a Contact is preferred, 0 to 1; ``None`` if it doesn't say."""
        return parse_q(find_parameter(self.parameters, "q") or "")

    @property
    def expires(self) -> int | None:
        """How many seconds a Contact is good for; ``None`` if it doesn't say."""
        value = find_parameter(self.parameters, "expires")
        if value is None or not (value.isascii() and value.isdigit()):
            return None
        return parse_seconds(value)

    def parameter(self, name: str) -> str | None:
        """Look up a parameter of the header field.

        Returns:
            Its value, ``""`` if it is there without one, ``None`` if it isn't.
        """
        return find_parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str | None = None) -> NameAddr:
        """Give this address with a parameter set."""
        parameters = set_parameter(self.parameters, name, value)
        return NameAddr(self.display_name, self.uri, parameters)

    def without_parameter(self, name: str) -> NameAddr:
        """Give this address without a parameter."""
        return replace(self, parameters=unset_parameter(self.parameters, name))

    def with_tag(self, tag: str) -> NameAddr:
        """Give this address with a tag."""
        return self.with_parameter("tag", tag)


def parse_name_addrs(values: Sequence[str]) -> tuple[NameAddr, ...]:
    """Read the comma-separated addresses of some lines, in order.

    This serves Route and Record-Route as well as the other header fields whose
    values are ``<uri>;params`` lists, such as Call-Info and Geolocation.

    Raises:
        SipParseError: One of them isn't an address, or is empty.
    """
    if len(values) == 1 and "," not in values[0]:
        return (recall_name_addr(values[0]),)
    return tuple(
        [recall_name_addr(part) for value in values for part in split_list(value, ",")]
    )


recall_name_addr = recalling(NameAddr.parse)
"""Reads an address as :meth:`NameAddr.parse` does."""


def parse_contacts(values: Sequence[str]) -> tuple[NameAddr, ...]:
    """Read the addresses of Contact lines; a lone ``*`` gives none.

    Raises:
        SipParseError: One of them isn't an address, or ``*`` isn't alone.
    """
    if len(values) == 1 and values[0] == "*":
        return ()
    return parse_name_addrs(values)
