"""Telling a registrar where we are (:rfc:`3261#section-10`).

A :class:`Registration` keeps one binding: it registers, refreshes before the granted
time is over, and comes back after the registrar was lost.  All its requests have one
Call-ID and rising numbers, and no two of them are ever under way at once.

A refresh that fails isn't the end.  It is tried again after a time that doubles with
each failure and is partly chance, so that those who lost the same registrar don't all
return at once (:rfc:`5626#section-4.5`), and not before the time that the registrar
has named itself.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass

from sip.errors import LocalError, SipParseError, TransportError
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.numbers import parse_seconds
from sip.sansio.events import Failure, RegistrationChanged
from sip.sansio.hop import Hop
from sip.sansio.requests.resting import retry_after
from sip.sansio.requests.route import new_request
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.services import Headers, Services
from sip.uri import SipUri

__all__ = ["Backoff", "Registration", "RegistrationState"]


_MOST_PROXIES = 16
"""Proxies of a Service-Route, more than any network has one after the other.  All
of them are written into every request."""


class RegistrationState(enum.Enum):
    """How far a registration has come."""

    REGISTERING = "nothing has been granted yet"
    REGISTERED = "the registrar knows where we are"
    LOST = "the registrar can't be had; we try again"
    ENDING = "the binding is being taken back"
    ENDED = "it is over"


_S = RegistrationState
NEXT: dict[RegistrationState, frozenset[RegistrationState]] = {
    _S.REGISTERING: frozenset({_S.REGISTERED, _S.LOST, _S.ENDING, _S.ENDED}),
    _S.REGISTERED: frozenset({_S.LOST, _S.ENDING, _S.ENDED}),
    _S.LOST: frozenset({_S.REGISTERED, _S.ENDING, _S.ENDED}),
    _S.ENDING: frozenset({_S.ENDED}),
    _S.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after failures (:rfc:`5626#section-4.5`)."""

    base: float = 30.0
    """Seconds after the first failure, on which the others build."""

    longest: float = 1_800.0
    """Seconds at most."""

    def wait(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after so many failures in a row.

        Args:
            failures: One or more.
            chance: From 0 to 1.
        """
        doubled = self.base * 2.0 ** min(failures - 1, 32)
        return min(self.longest, doubled) * (0.5 + 0.5 * chance)


class Registration:
    """One binding with one registrar.  Making one sends the first REGISTER.

    Args:
        services: The user agent.
        registrar: The URI of the domain, ``sip:example.net``.
        address: Who is registered: the address-of-record.
        now: The time, in seconds.
        expires: For how many seconds to ask.
        headers: More headers for each REGISTER.
        route_set: Proxies to go by, the first one first.
        backoff: How long to wait after failures.
        chance: Where chance comes from: a number from 0 to 1.

    Attributes:
        state: How far it has come.
        expires_at: Until when the registrar knows where we are, in seconds of our
            clock.
        response: The last final response, if there was one.
        failure: Why there was none the last time, if there wasn't.
        last: The last REGISTER that was sent.
        address: Who is registered.
        service_route: The proxies by which the registrar wants our other requests to
            go, for as long as it knows us (:rfc:`3608`).

    Raises:
        LocalError: The registrar is none, or something can't be put into a request.
    """

    def __init__(
        self,
        services: Services,
        registrar: SipUri,
        address: NameAddr,
        now: float,
        *,
        expires: int = 3_600,
        headers: Headers = (),
        route_set: tuple[NameAddr, ...] = (),
        backoff: Backoff | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if registrar.user is not None:
            raise LocalError("a registrar is a domain and has no user")
        if expires < 1:
            raise LocalError("a registration lasts for one second at least")
        self.state = RegistrationState.REGISTERING
        self.expires_at: float | None = None
        self.response: Response | None = None
        self.failure: Failure | None = None
        self.service_route: tuple[NameAddr, ...] = ()
        self._services = services
        self._backoff = backoff or Backoff()
        self._chance = chance
        self._expires = expires
        self._failures = 0
        self._due: float | None = None
        self._sent: ClientRequest | None = None
        self.last: ClientRequest
        plain = self.address = NameAddr(address.display_name, address.uri)
        self._request, self._next_hop = new_request(
            "REGISTER",
            registrar,
            headers=headers,
            route_set=route_set,
            sender=plain,
        )
        self._request.headers.set("To", str(NameAddr(None, address.uri)))
        if services.sender.instance is not None:
            self._request.headers.add("Supported", "path, outbound")
        self._send(expires)

    @property
    def request(self) -> ClientRequest | None:
        """The REGISTER that is under way, if one is."""
        return self._sent

    @property
    def call_id(self) -> str:
        """The Call-ID of all its requests."""
        return self._request.call_id

    def refresh(self, now: float) -> None:
        """Register now, unless that is under way anyway.

        This is for when our address has changed, or the network has come back.
        """
        if self._sent is None and self.state not in (_S.ENDING, _S.ENDED):
            self._send(self._expires)

    def lost_connection(self, hop: Hop, now: float) -> None:
        """Take note that a connection that we had opened is no more.

        If it is the one by which we are reached, because the registrar knows
        ``outbound`` or because our Contact names its near end, another is made after
        a while (:rfc:`5626#section-4.5`).
        """
        used = self.last.hop
        if used is None or self.state is not _S.REGISTERED or self._sent is not None:
            return
        if (used.transport, used.host, used.port) != (
            hop.transport,
            hop.host,
            hop.port,
        ):
            return
        if not self._is_reached_by(used):
            return
        self.response, self.failure = None, Failure.TRANSPORT
        self.last.cause = TransportError("the connection was lost")
        self._refused(now, 0)

    def _is_reached_by(self, hop: Hop) -> bool:
        """Tell whether requests for us came by the connection that is no more."""
        if self.response is not None and "outbound" in self.response.require:
            return True
        secure = self.last.request.uri.scheme == "sips"
        new = NameAddr.parse(self._services.sender.contact(hop, secure=secure))
        return not any(c.uri.equals(new.uri) for c in self.last.request.contacts)

    def leave(self, now: float) -> None:
        """Take the binding back; a REGISTER that is under way is awaited before."""
        if self.state in (_S.ENDING, _S.ENDED):
            return
        if self._sent is None and self.expires_at is None:
            self._become(_S.ENDED)  # There is nothing to take back.
            return
        self._become(_S.ENDING)
        self._due = None
        if self._sent is None:
            self._send(0)

    def abandon(self) -> None:
        """End it without a word to the registrar."""
        if self.state is _S.ENDED:
            return
        if self._sent is not None:
            self._services.sender.abandon(self._sent)
        self._sent = self._due = None
        self._become(_S.ENDED)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        return self._due

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        if self._due is not None and self._due <= now:
            self._due = None
            self.refresh(now)

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take the response to a REGISTER."""
        if sent is not self._sent or response.status < 200:
            return
        self._done(sent)
        self.response, self.failure = response, None
        if self._asked(sent) == 0:
            self._become(_S.ENDED)
        elif response.status < 300:
            self._granted(sent, response, now)
        else:
            self._refused(now, retry_after(response) or 0)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that there is no response to a REGISTER."""
        if sent is not self._sent:
            return
        self._done(sent)
        self.response, self.failure = None, failure
        if self._asked(sent) == 0:
            self._become(_S.ENDED)
        else:
            self._refused(now, 0)

    def _send(self, expires: int) -> None:
        request = self._request.copy()
        request.headers.set("Expires", str(expires))
        self._due = None
        self.last = self._services.sender.send(request, self._next_hop, self)
        self._sent = self.last
        self._services.wake(self)

    def _done(self, sent: ClientRequest) -> None:
        """Take over what was learnt while it was sent: the number, the least time."""
        self._sent = None
        self._request.headers.set("CSeq", f"{sent.plain.cseq.number + 1} REGISTER")
        self._expires = self._asked(sent) or self._expires

    def _asked(self, sent: ClientRequest) -> int:
        return sent.plain.expires or 0

    def _granted(self, sent: ClientRequest, response: Response, now: float) -> None:
        granted = _granted_time(sent.request, response)
        if not granted:
            self._refused(now, 0)  # A success that grants nothing.
            return
        self._failures = 0
        self.expires_at = now + granted
        self.service_route = _service_route(response)
        if self.state is _S.ENDING:
            self._send(0)
            return
        self._due = now + _refresh_after(granted, self._services.timers.timeout)
        self._services.wake(self)
        if self.state is not _S.REGISTERED:
            self._become(_S.REGISTERED)

    def _refused(self, now: float, least: float) -> None:
        if self.state is _S.ENDING:
            if self.expires_at is not None and self.expires_at > now:
                self._send(0)  # An earlier binding is still there.
            else:
                self._become(_S.ENDED)
            return
        self._failures += 1
        wait = self._backoff.wait(self._failures, self._chance())
        self._due = now + max(wait, least)
        self._services.wake(self)
        if self.state is _S.LOST:
            self._services.emit(RegistrationChanged(self, self.state))
        else:
            self._become(_S.LOST)

    def _become(self, state: RegistrationState) -> None:
        """Change the state: the only place that does."""
        assert state in NEXT[self.state], (self.state, state)
        self.state = state
        if state is _S.ENDED:
            self.expires_at = self._due = None
            self.service_route = ()
        self._services.wake(self)
        self._services.emit(RegistrationChanged(self, state))


def _granted_time(request: Request, response: Response) -> int:
    """Tell for how many seconds a 2xx grants our binding.

    Of the bindings that it lists, ours is the one with our Contact by the rules for
    URIs (:rfc:`3261#section-10.2.4`).  Where it doesn't say, it grants what was asked.
    """
    asked = request.expires or 0
    try:
        ours = [contact.uri for contact in request.contacts]
        for contact in response.contacts:
            if any(contact.uri.equals(uri) for uri in ours):
                seconds = contact.parameter("expires")
                if seconds is not None:
                    return parse_seconds(seconds)
        return asked if response.expires is None else response.expires
    except SipParseError:
        return asked


def _service_route(response: Response) -> tuple[NameAddr, ...]:
    """Read the route that a registrar wants; none if it can't be read, or used."""
    try:
        route = response.service_route[:_MOST_PROXIES]
    except SipParseError:
        return ()
    # A strict router would have to be written in another way (RFC 3608 §5).
    is_loose = all(isinstance(r.uri, SipUri) and r.uri.loose_routing for r in route)
    return tuple(route) if is_loose else ()


def _refresh_after(granted: int, patience: float) -> float:
    """Tell when to refresh, in seconds.

    There has to be time for an attempt that nobody answers and another one, if that
    leaves half of what was granted (:rfc:`3261#section-10.2.4`).
    """
    return max(1.0, granted / 2, granted - max(2 * patience, granted / 10))
