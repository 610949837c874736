"""The value of one line, as a value (:rfc:`8866#section-5`).

Every class here checks itself when it is made, whether from the octets of a peer
or by the application, so that what can be held can also be written.  In
particular none can hold CR, LF or NUL, and nobody can smuggle a line of their own
into a description by way of an attribute's value.

The classes here are apart from :mod:`sdp.description` since a line needs to know
nothing of the section that it stands in.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import string
from typing import Self

from sdp.errors import SdpError
from sdp.grammar import (
    DIGITS,
    check_number,
    check_text,
    check_word,
    fields,
    is_token,
    number,
)

__all__ = ["Attribute", "Bandwidth", "ConnectionData", "Origin", "TimeDescription"]

_HOST_CHARS = string.ascii_letters + string.digits + "-."
_MIN_HOST_LENGTH = 4
_MIN_TIME_DIGITS = 10
_MAX_TTL = 255
_MULTICAST = ("22", "23")
"""How an IPv4 multicast address begins, being 224.0.0.0 or above and below 240."""


def _is_internet(nettype: str, addrtype: str) -> bool:
    return nettype == "IN" and addrtype in ("IP4", "IP6")


def _check_bracketless(addrtype: str, address: str) -> None:
    if addrtype == "IP6" and ":" in address:
        try:
            ipaddress.IPv6Address(address)
        except ValueError:
            raise SdpError("not an IPv6 address") from None
        if "%" in address:
            raise SdpError("an IPv6 address has a zone")
    elif addrtype == "IP4" and ":" in address:
        raise SdpError("an IPv6 address is said to be IP4")
    elif "[" in address:
        raise SdpError("an address is in brackets")


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Who made the description, and which version of it this is (``o=``).

    All fields but :attr:`version` together name the session
    (:rfc:`8866#section-5.2`).

    Raises:
        SdpError: A field is empty, holds a space, or isn't what it should be.
    """

    username: str
    """``-`` if the originating host has no such thing."""

    session_id: int
    version: int
    nettype: str
    addrtype: str
    address: str
    """Where the originator is; a name for it, not a place to send to."""

    def __post_init__(self) -> None:
        check_word(self.username, "the user name")
        check_number(self.session_id, "the session id")
        check_number(self.version, "the session version")
        if not (is_token(self.nettype) and is_token(self.addrtype)):
            raise SdpError("a network or address type is not a token")
        check_word(self.address, "the origin's address")
        if self.nettype == "IN":
            _check_bracketless(self.addrtype, self.address)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands after ``o=``.

        Raises:
            SdpError: It isn't six fields, or one of them is malformed.
        """
        username, session_id, version, *place = fields(value, 6, "the origin")
        return cls(
            username,
            number(session_id, "the session id"),
            number(version, "the session version"),
            *place,
        )

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.version}"
            f" {self.nettype} {self.addrtype} {self.address}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionData:
    """Where media is to be sent (``c=``, :rfc:`8866#section-5.7`).

    Raises:
        SdpError: A field is malformed; an IPv6 address is in brackets; a time
            to live or a number of addresses is given for a unicast address.
    """

    nettype: str
    addrtype: str
    address: str
    """A literal address without brackets, or a host name."""

    ttl: int | None = None
    """Hops that multicast may travel; every IPv4 multicast address has one."""

    count: int | None = None
    """How many multicast addresses there are, from :attr:`address` upwards."""

    def __post_init__(self) -> None:
        if not (is_token(self.nettype) and is_token(self.addrtype)):
            raise SdpError("a network or address type is not a token")
        check_word(self.address, "the connection address")
        if self.is_internet:
            self._check_internet_address()
            self._check_multicast()
        elif self.ttl is not None or self.count is not None:
            raise SdpError("only an Internet address has a time to live")

    def _check_internet_address(self) -> None:
        _check_bracketless(self.addrtype, self.address)
        # IPv4 addresses are made of the same characters, and the grammar can't
        # tell a bad one from a host name.
        if ":" not in self.address and (
            len(self.address) < _MIN_HOST_LENGTH or self.address.strip(_HOST_CHARS)
        ):
            raise SdpError("the connection address is not a host name")

    def _check_multicast(self) -> None:
        if not self.is_multicast:
            if self.ttl is not None or self.count is not None:
                raise SdpError("a unicast address has a time to live or a count")
            return
        if (self.ttl is None) is (self.addrtype == "IP4"):
            raise SdpError("IPv4 multicast has a time to live, IPv6 has none")
        if self.ttl is not None and not 0 <= self.ttl <= _MAX_TTL:
            raise SdpError("the time to live is out of range")
        if self.count is not None:
            check_number(self.count, "the number of addresses", 1)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands after ``c=``.

        Raises:
            SdpError: It isn't three fields, or one of them is malformed.
        """
        nettype, addrtype, address = fields(value, 3, "the connection data")
        if "/" not in address or not _is_internet(nettype, addrtype):
            return cls(nettype, addrtype, address)
        address, *slashed = address.split("/")
        numbers = [number(digits, "a part of the address") for digits in slashed]
        # IPv6 multicast has no time to live: its only number is the count.
        if addrtype == "IP4" and len(numbers) <= 2:
            return cls(nettype, addrtype, address, *numbers)
        if addrtype == "IP6" and len(numbers) == 1:
            return cls(nettype, addrtype, address, count=numbers[0])
        raise SdpError("the connection address has too many parts")

    @classmethod
    def for_address(cls, address: str) -> ConnectionData:
        """Make the connection data for an address of our own.

        Args:
            address: A literal IPv4 or IPv6 address, or a host name.  A host
                name is written as ``IP4``, which says nothing of what the name
                will resolve to.

        Raises:
            SdpError: It is none of these, or it is the unspecified address
                (``0.0.0.0``, ``::``) that no description may be made with any
                more (:rfc:`3264#section-8.4`).
        """
        return _of_ours(address)

    @property
    def is_internet(self) -> bool:
        """Whether the address is an IPv4 or IPv6 one, or a host name."""
        return _is_internet(self.nettype, self.addrtype)

    @property
    def is_multicast(self) -> bool:
        """Whether the address is a literal multicast one."""
        if not self.is_internet:
            return False
        if ":" in self.address:
            return ipaddress.IPv6Address(self.address).is_multicast
        if not self.address.startswith(_MULTICAST):
            return False
        try:
            return ipaddress.IPv4Address(self.address).is_multicast
        except ValueError:
            return False

    @property
    def is_unspecified(self) -> bool:
        """Whether nothing is to be sent: ``0.0.0.0`` or ``::``.

        The way of holding a stream before :rfc:`3264` (section 8.4), and a way
        to offer a stream whose address isn't known yet.
        """
        if not self.is_internet:
            return False
        if ":" in self.address:
            return ipaddress.IPv6Address(self.address).is_unspecified
        return self.address == "0.0.0.0"

    def __str__(self) -> str:
        numbers = [f"/{n}" for n in (self.ttl, self.count) if n is not None]
        return f"{self.nettype} {self.addrtype} {self.address}{''.join(numbers)}"


@functools.lru_cache(maxsize=64)  # We have a few, and each call names one.
def _of_ours(address: str) -> ConnectionData:
    data = ConnectionData("IN", "IP6" if ":" in address else "IP4", address)
    if data.is_unspecified:
        raise SdpError("the unspecified address is no place to send to")
    return data


@dataclasses.dataclass(frozen=True, slots=True)
class Bandwidth:
    """How much a session or a stream may take (``b=``, :rfc:`8866#section-5.8`).

    Raises:
        SdpError: The type is no token, or the value negative.
    """

    bwtype: str
    """``AS``, ``CT`` or any other; those unknown are to be ignored."""

    value: int
    """Kilobits per second, unless the type says otherwise."""

    def __post_init__(self) -> None:
        if not is_token(self.bwtype):
            raise SdpError("the bandwidth type is not a token")
        check_number(self.value, "the bandwidth")

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands after ``b=``.

        Raises:
            SdpError: It isn't a type, a colon and a number.
        """
        bwtype, colon, digits = value.partition(":")
        if not colon:
            raise SdpError("the bandwidth has no colon")
        return cls(bwtype, number(digits, "the bandwidth"))

    def __str__(self) -> str:
        return f"{self.bwtype}:{self.value}"


@dataclasses.dataclass(frozen=True, slots=True)
class TimeDescription:
    """When the session takes place: ``t=`` and the ``r=`` and ``z=`` after it.

    Times are seconds since 1900 (:rfc:`8866#section-5.9`).  The description of
    a call has ``0 0``: now, and for as long as it lasts.

    Raises:
        SdpError: A time is negative, a repetition or a zone malformed, or a
            zone is given without a repetition.
    """

    start: int = 0
    stop: int = 0
    repeats: tuple[str, ...] = ()
    """The values of the ``r=`` lines, as written."""

    zone: str | None = None
    """The value of the ``z=`` line, as written."""

    def __post_init__(self) -> None:
        check_number(self.start, "the start time")
        check_number(self.stop, "the stop time")
        for repeat in self.repeats:
            spans = repeat.split(" ")
            if len(spans) < 3 or not all(map(_is_span, spans)) or repeat[0] == "0":
                raise SdpError("a repetition is malformed")
        if self.zone is None:
            return
        if not self.repeats:
            raise SdpError("a time zone without a repetition")
        pairs = self.zone.split(" ")
        if len(pairs) % 2 or not (
            all(not time.strip(DIGITS) and time for time in pairs[::2])
            and all(_is_span(offset.removeprefix("-")) for offset in pairs[1::2])
        ):
            raise SdpError("a time zone adjustment is malformed")

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands after ``t=``.

        Raises:
            SdpError: It isn't two numbers.
        """
        start, stop = fields(value, 2, "the time")
        return cls(number(start, "the start time"), number(stop, "the stop time"))

    @property
    def is_plausible(self) -> bool:
        """Whether both times are 0 or have the ten digits they must have."""
        return all(
            time == 0 or time >= 10 ** (_MIN_TIME_DIGITS - 1)
            for time in (self.start, self.stop)
        )

    def __str__(self) -> str:
        lines = [f"{self.start} {self.stop}", *(f"r={r}" for r in self.repeats)]
        if self.zone is not None:
            lines.append(f"z={self.zone}")
        return "\r\n".join(lines)


def _is_span(text: str) -> bool:
    # A typed-time: digits, and perhaps a unit.  The unit is case-sensitive.
    digits = text[:-1] if text[-1:] in ("d", "h", "m", "s") else text
    return digits != "" and not digits.strip(DIGITS)


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """One ``a=`` line (:rfc:`8866#section-5.13`).

    Raises:
        SdpError: The name is no token, or the value is empty or holds NUL, CR
            or LF.
    """

    name: str
    """Case-significant, as all names of attributes are."""

    value: str | None = None
    """What stands after the first colon, spaces and further colons included;
    None for a property attribute, which has no colon."""

    def __post_init__(self) -> None:
        if not is_token(self.name):
            raise SdpError("the name of an attribute is not a token")
        if self.value is not None:
            check_text(self.value, "the value of an attribute")

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands after ``a=``.

        Raises:
            SdpError: The name is no token, or there is nothing after the colon.
        """
        name, colon, text = value.partition(":")
        return cls(name, text if colon else None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"
