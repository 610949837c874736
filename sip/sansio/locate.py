"""Which hops a URI means, given what the DNS says (:rfc:`3263#section-4`).

Nothing here asks the DNS; these functions say what to ask next and what the
records amount to.  :mod:`sip.aio.locating.resolver` asks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sip.errors import LocalError, SipParseError
from sip.message import Message, Request
from sip.sansio.hop import Transport, is_numeric
from sip.uri import SipUri, Uri

__all__ = [
    "Naptr",
    "Service",
    "Srv",
    "Target",
    "check_target",
    "default_services",
    "order_servers",
    "services_of",
    "target_of",
    "way_back",
]

_LONGEST_NAME = 254  # Octets, with the dot at the end (RFC 1035 §2.3.4).
_LONGEST_LABEL = 63

RandomInt = Callable[[int], int]
"""Gives a number from 0 up to, and including, its argument."""

_NAPTR_SERVICES = {
    "sip+d2u": (Transport.UDP, False),
    "sip+d2t": (Transport.TCP, False),
    "sips+d2t": (Transport.TLS, True),
}

_BY_NAME = {transport.value: transport for transport in Transport}

_SRV_PREFIX = {
    Transport.TLS: "_sips._tcp.",
    Transport.TCP: "_sip._tcp.",
    Transport.UDP: "_sip._udp.",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a URI says by itself about where to go."""

    host: str
    """A name or a numeric address: the ``maddr`` if there is one."""

    port: int | None
    """The port, if the URI names one."""

    transport: Transport | None
    """The transport, unless the DNS may choose it."""

    server_name: str
    """The domain that a certificate must show."""

    secure: bool
    """Whether only TLS will do."""

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to ask the DNS but the addresses of a name."""
        return self.port is not None or is_numeric(self.host)


@dataclass(frozen=True, slots=True)
class Naptr:
    """A NAPTR record (:rfc:`3403`)."""

    order: int
    preference: int
    service: str
    replacement: str
    flags: str = "s"


@dataclass(frozen=True, slots=True)
class Srv:
    """An SRV record (:rfc:`2782`)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Service:
    """A name to ask SRV records of, and the transport that they are for."""

    transport: Transport
    name: str


def check_target(uri: Uri, transports: Sequence[Transport]) -> None:
    """Find out whether a URI of ours can lead anywhere at all.

    Args:
        uri: Where a request is to go.
        transports: What we can use.

    Raises:
        LocalError: It names a transport that we don't have, or a host that is
            neither an address nor a name (:rfc:`3261#section-25.1`).
    """
    if not isinstance(uri, SipUri):
        return
    named = uri.transport
    if named and named not in _BY_NAME:
        known = ", ".join(_BY_NAME)
        raise LocalError(f"there is no transport {named!r} here, only {known}")
    if target_of(uri, transports) is None:
        wanted = "tls" if uri.secure else named
        raise LocalError(f"to send by {wanted} a user agent has to listen on it")
    host = (uri.parameter("maddr") or uri.host).strip("[]")
    if not is_numeric(host) and not _can_be_name(host):
        raise LocalError(f"{host!r} is neither an IP address nor the name of a host")
    if uri.port == 0:
        raise LocalError("nobody can be reached at port 0")


def _can_be_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    # The last one begins with a letter, so that no address looks like a name.
    return (
        len(host) <= _LONGEST_NAME
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
        and not labels[-1][:1].isdigit()
    )


def target_of(uri: SipUri, transports: Sequence[Transport]) -> Target | None:
    """Tell where a URI leads, as far as it says so itself.

    Args:
        uri: A route or a Request-URI.
        transports: What we can use, the one we like best first.

    Returns:
        The target, or ``None`` if it can't be reached by any of ``transports``.
    """
    host = (uri.parameter("maddr") or uri.host).strip("[]")
    named = (uri.transport or "").lower()
    if named and named not in _BY_NAME:
        return None
    transport: Transport | None = None
    if uri.secure:
        transport = Transport.TLS
    elif named:
        transport = _BY_NAME[named]
    elif uri.port is not None or is_numeric(host):
        # UDP, says the RFC; a user agent without it has to go by something else.
        transport = Transport.UDP if Transport.UDP in transports else transports[0]
    if transport is not None and transport not in transports:
        return None
    return Target(host, uri.port, transport, uri.host, uri.secure)


def services_of(
    records: Iterable[Naptr], target: Target, transports: Sequence[Transport]
) -> list[Service]:
    """Give the services that NAPTR records name, the best first.

    Services that we can't use are left out, and so is all that isn't SIPS for a
    ``sips`` URI.
    """
    found: list[Service] = []
    for record in sorted(records, key=lambda r: (r.order, r.preference)):
        known = _NAPTR_SERVICES.get(record.service.lower())
        if known is None or record.flags.lower() != "s":
            continue
        transport, secure = known
        if transport in transports and (secure or not target.secure):
            found.append(Service(transport, record.replacement.rstrip(".")))
    return found


def default_services(target: Target, transports: Sequence[Transport]) -> list[Service]:
    """Give the services to ask for where there are no NAPTR records."""
    if target.transport is not None:
        wanted: Sequence[Transport] = (target.transport,)
    elif target.secure:
        wanted = (Transport.TLS,)
    else:
        wanted = transports
    return [
        Service(transport, _SRV_PREFIX[transport] + target.host) for transport in wanted
    ]


def order_servers(
    records: Iterable[Srv], random_int: RandomInt | None = None
) -> list[Srv]:
    """Put SRV records into the order to try them in (:rfc:`2782`).

    Lower priorities go first; within one, chance decides according to weight.
    """
    choose = random_int or _random_int
    # Those of weight 0 first, so that they have a small chance.
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    ordered: list[Srv] = []
    while left:
        group = [record for record in left if record.priority == left[0].priority]
        number = choose(sum(record.weight for record in group))
        total = 0
        for record in group:
            total += record.weight
            if total >= number:
                ordered.append(record)
                left.remove(record)
                break
    return ordered


def way_back(message: Message) -> SipUri | None:
    """Tell what to look up for a response that couldn't be sent.

    Its sent-by may be a name with other addresses than the one that the request came
    from (:rfc:`3263#section-5`).

    Returns:
        A URI that leads there; ``None`` if the sent-by is no name, if it can't be
        read, or if ``message`` is a request.
    """
    if isinstance(message, Request):
        return None
    try:
        via = message.via
    except SipParseError:
        return None
    transport = _BY_NAME.get(via.transport.lower())
    if transport is None or is_numeric(via.host) or not _can_be_name(via.host):
        return None
    if transport is Transport.TLS:
        return SipUri("sips", None, None, via.host, via.port)
    parameters = (("transport", transport.value),)
    return SipUri("sip", None, None, via.host, via.port, parameters)


def _random_int(most: int) -> int:
    return random.SystemRandom().randint(0, most)
