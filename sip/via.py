"""The Via header field: the way back (:rfc:`3261#section-20.42`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sip.errors import SipParseError
from sip.frozen import quick_init
from sip.grammar import WSP, is_token, parse_host_port
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

__all__ = ["BRANCH_COOKIE", "Via"]

BRANCH_COOKIE = "z9hG4bK"
"""What the branch of an RFC 3261 element starts with (:rfc:`3261#section-8.1.1.7`)."""

# sent-protocol LWS: SIP / 2.0 / UDP, with any white space around the slashes.
_SENT_PROTOCOL = re.compile(
    r"([^ \t/;,]++)[ \t]*+/[ \t]*+([^ \t/;,]++)[ \t]*+/[ \t]*+([^ \t/;,]++)[ \t]++"
)

# What nearly all values look like; the same as the full grammar gives.
_PLAIN = re.compile(
    r"SIP/2\.0/([A-Z]++) ([A-Za-z0-9_.\-]++)(?::([1-5][0-9]{4}|[0-9]{1,4}))?+"
    rf"({PLAIN})"
)

_MAX_RPORT = 65535


@quick_init
@dataclass(frozen=True, slots=True)
class Via:
    """One hop: ``SIP/2.0/UDP host:port;branch=…``."""

    transport: str
    """In upper case: ``"UDP"``, ``"TCP"``, ``"TLS"`` or another token."""

    host: str
    """Where it says it is; an IPv6 address is without its brackets."""

    port: int | None = None
    """``None`` means the default of the transport."""

    parameters: Parameters = ()

    protocol: str = "SIP/2.0"
    """The version the hop speaks; kept so that a 505 can find its way."""

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one value of a Via header field.

        Raises:
            SipParseError: It isn't one.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            transport, host, digits, rest = plain.groups()
            port = int(digits) if digits else None
            return cls(transport, host, port, split_plain(rest))
        return cls._parse_fully(text)

    @classmethod
    def _parse_fully(cls, text: str) -> Via:
        match = _SENT_PROTOCOL.match(text)
        if match is None:
            raise SipParseError("no protocol, version and transport")
        name, version, transport = match.groups()
        if not (is_token(name) and is_token(version) and is_token(transport)):
            raise SipParseError("no proper protocol, version and transport")
        sent_by, semicolon, parameters = text[match.end() :].partition(";")
        host, port = parse_host_port(sent_by.strip(WSP))
        return cls(
            transport.upper(),
            host,
            port,
            parse_parameters(semicolon + parameters),
            f"{name}/{version}".upper(),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        parameters = format_parameters(self.parameters)
        return f"{self.protocol}/{self.transport} {host}{port}{parameters}"

    @property
    def branch(self) -> str | None:
        """The transaction's identifier, or ``None`` from an RFC 2543 element."""
        return find_parameter(self.parameters, "branch")

    @property
    def received(self) -> str | None:
        """The address the request came from, without brackets.

        Both ways to write an IPv6 address are in use (:rfc:`5118#section-4.5`).
        """
        value = self.parameter("received")
        return None if value is None else value.strip("[]")

    @property
    def rport(self) -> int | str | None:
        """The port the request came from (:rfc:`3581#section-3`).

        ``""`` asks for it to be filled in; ``None`` is no parameter, or one
        that isn't a port.
        """
        value = find_parameter(self.parameters, "rport")
        if not value:
            return value
        if not (value.isascii() and value.isdigit() and len(value) <= len("65535")):
            return None
        return port if (port := int(value)) <= _MAX_RPORT else None

    def parameter(self, name: str) -> str | None:
        """Look up a parameter.

        Returns:
            Its value, ``""`` if it is there without one, ``None`` if it isn't.
        """
        return find_parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str | None = None) -> Via:
        """Give this value with a parameter set."""
        parameters = set_parameter(self.parameters, name, value)
        return Via(self.transport, self.host, self.port, parameters, self.protocol)

    def without_parameter(self, name: str) -> Via:
        """Give this value without a parameter."""
        return replace(self, parameters=unset_parameter(self.parameters, name))
