"""When a refused request is sent again (:rfc:`3261#section-8.1.3.5`).

Some refusals say what would be taken: credentials, a smaller body, another URI, a
longer interval.  Then the request goes out once more with what was asked for, the
next sequence number and a new branch, and whoever sent it hears of that only if it
helps no more.  What was tried for one request is its :class:`Trail`, which bounds
how often that is done.

Here it is decided; the :class:`~sip.sansio.requests.sender.Sender` does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import digest
from sip.errors import SipParseError
from sip.message import Request, Response
from sip.sansio.limits import Limits
from sip.sansio.requests.credentials import (
    challenged,
    confirm,
    forget_server,
    with_credentials,
)
from sip.sansio.requests.lighter import accepted_body, smaller_body
from sip.sansio.requests.redirect import Targets, redirected
from sip.sansio.requests.remedies import (
    as_sip_uri,
    with_longer_expiry,
    with_longer_session,
    without_extensions,
)
from sip.uri import SipUri, Uri

if TYPE_CHECKING:
    from sip.sansio.requests.sender import ClientRequest

__all__ = ["Again", "Retries", "Trail"]


def _smaller(request: Request, response: Response) -> Request | None:
    # With Retry-After the condition will pass, and the body isn't to blame.
    return None if "Retry-After" in response.headers else smaller_body(request)


_REMEDIES: dict[int, Callable[[Request, Response], Request | None]] = {
    413: _smaller,
    415: accepted_body,
    416: as_sip_uri,
    420: without_extensions,
    422: with_longer_session,
    423: with_longer_expiry,
}

_AS_OFTEN_AS_IT_HELPS = frozenset({422, 423})
"""Each proxy on the way may want more than the one before."""


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """What to send instead of a request that was refused."""

    request: Request
    """The request, whose CSeq is that of the one before."""

    next_hop: Uri | None = None
    """Where it goes; to where it went before if there is none."""


class Trail:
    """What has been tried for one request.

    Args:
        request: The request as it was in the beginning.

    Attributes:
        attempts: How often it was sent again.
        remedies: The status codes of refusals that were met.
        targets: Where redirections lead.
        asked: Who we say we are in it.
        why_not: Why a challenge wasn't answered, if one wasn't.
    """

    __slots__ = ("asked", "attempts", "remedies", "targets", "why_not")

    def __init__(self, request: Request) -> None:
        self.attempts = 0
        self.remedies: set[int] = set()
        self.targets = Targets(request.uri)
        self.asked: digest.ClientRequest | None = None
        self.why_not: digest.Refusal | None = None


class Retries:
    """Decides which requests are sent again, and how.

    Args:
        limits: How often.

    Attributes:
        credentials: Who we are, for those who ask.
        follows_redirects: Whether requests go where a 3xx response says.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.credentials: digest.DigestClient | None = None
        self.follows_redirects = True

    def prepare(self, trail: Trail, request: Request) -> Request:
        """Give a request the credentials that are known to be wanted.

        That is for those who have asked before in the same dialog, or in the same
        series of requests.
        """
        if self.credentials is None:
            return request
        trail.asked = self.credentials.request(
            request.method, request.raw_uri, request.body, scope=request.call_id
        )
        return with_credentials(request, trail.asked)

    def after(self, sent: ClientRequest, response: Response) -> Again | None:
        """Return what to send after a final response; ``None`` if that's the end."""
        trail = sent.trail
        if response.status < 300:
            if trail.asked is not None:
                confirm(trail.asked, response)
            return None
        if trail.attempts >= self._limits.attempts:
            return None
        again = self._remedy(sent, response)
        if again is None and response.status < 600:
            again = self._elsewhere(sent)
        trail.attempts += again is not None
        return again

    def after_failure(self, sent: ClientRequest) -> Again | None:
        """Return what to send after no response at all."""
        if sent.trail.attempts >= self._limits.attempts:
            return None
        again = self._elsewhere(sent)
        sent.trail.attempts += again is not None
        return again

    def _remedy(self, sent: ClientRequest, response: Response) -> Again | None:
        trail, status = sent.trail, response.status
        if status in (401, 407):
            return self._authenticate(sent, response)
        if 300 <= status < 400 and self.follows_redirects:
            trail.targets.add(response, self._limits)
            return None
        remedy = _REMEDIES.get(status)
        if remedy is None or status in trail.remedies:
            return None
        try:
            request = remedy(sent.plain, response)
        except SipParseError:
            return None  # It doesn't say what it wants.
        if request is None:
            return None
        if status not in _AS_OFTEN_AS_IT_HELPS:
            trail.remedies.add(status)
        changed = request.raw_uri != sent.plain.raw_uri
        next_hop = _next_hop(sent, request) if changed else None
        return Again(self.prepare(trail, request), next_hop)

    def _authenticate(self, sent: ClientRequest, response: Response) -> Again | None:
        trail = sent.trail
        if trail.asked is None:
            return None
        trail.why_not = challenged(trail.asked, response)
        if trail.why_not is not None:
            return None
        return Again(with_credentials(sent.plain, trail.asked))

    def _elsewhere(self, sent: ClientRequest) -> Again | None:
        target = sent.trail.targets.next() if self.follows_redirects else None
        if target is None or sent.next_hop is None:
            return None
        request, next_hop = redirected(sent.plain, sent.next_hop, target)
        others = next_hop != sent.next_hop
        request = forget_server(self.credentials, request, proxies=others)
        return Again(self.prepare(sent.trail, request), next_hop)


def _next_hop(sent: ClientRequest, request: Request) -> Uri | None:
    """Tell where a request goes whose URI has changed."""
    if request.routes or not isinstance(request.uri, SipUri):
        return sent.next_hop
    return request.uri
