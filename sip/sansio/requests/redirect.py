"""Where a 3xx response leads (:rfc:`3261#section-8.1.3.4`).

The Contacts of redirections are a set of targets that are tried one after another,
by their ``q``, each once, until one answers with something else than a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sip.errors import LocalError, SipParseError
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.numbers import parse_q
from sip.sansio.limits import Limits
from sip.uri import SipUri, Uri

__all__ = ["Targets", "harmless_headers", "redirected"]

_FOLLOWED = frozenset({300, 301, 302})
"""305 would have a stranger choose our proxy, and 380 is for a person to read."""

_HARMLESS = frozenset(
    {
        "accept-contact",
        "call-info",
        "in-reply-to",
        "join",
        "priority",
        "reject-contact",
        "replaces",
        "reply-to",
        "request-disposition",
        "subject",
        "user-to-user",
    }
)


class Targets:
    """The URIs that a request is redirected to.

    Args:
        first: The URI that it was for in the beginning.
    """

    __slots__ = ("_first", "_tried", "_waiting")

    def __init__(self, first: Uri) -> None:
        self._first = first
        self._tried: list[Uri] = [_bare(first)]
        self._waiting: list[tuple[float, Uri]] = []

    def add(self, response: Response, limits: Limits) -> None:
        """Take in the Contacts of a redirection."""
        if response.status not in _FOLLOWED:
            return
        try:
            contacts = response.contacts
        except SipParseError:
            return
        for contact in contacts:
            if len(self._tried) > limits.redirections:
                return
            uri = contact.uri
            if not isinstance(uri, SipUri) or self._is_known(uri):
                continue
            if _is_secure(self._first) and not uri.secure:
                continue  # A call that was to be secured never silently isn't.
            self._tried.append(_bare(uri))
            self._waiting.append((_q(contact), uri))
        self._waiting.sort(key=lambda target: -target[0])

    def next(self) -> SipUri | None:
        """Return the URI to try next, if there is one."""
        if not self._waiting:
            return None
        _, uri = self._waiting.pop(0)
        assert isinstance(uri, SipUri)
        return uri

    def _is_known(self, uri: SipUri) -> bool:
        bare = _bare(uri)
        return any(bare.equals(tried) for tried in self._tried)


def redirected(request: Request, next_hop: Uri, target: SipUri) -> tuple[Request, Uri]:
    """Make the request for a URI that a redirection named.

    It goes by the same proxies, with the same From, To and Call-ID; of the headers
    in the URI it has those that :func:`harmless_headers` returns.

    Args:
        request: What was redirected, without Via.
        next_hop: Where that had to go.
        target: The URI.

    Returns:
        The request, and the URI to look up for the address to send it to.
    """
    routes = list(request.headers.get_all("Route"))
    uri: Uri = target.for_request_line()
    request_uri: Uri = uri
    if not routes:
        next_hop = uri
    elif not _is_first(request, next_hop):
        # The way begins with a strict router, whose URI is the Request-URI.
        request_uri = request.uri
        routes[-1] = str(NameAddr(None, uri))
    result = Request(
        request.method, str(request_uri), request.headers.copy(), request.body
    )
    if routes:
        result.headers.remove("Route")
        for route in reversed(routes):
            result.headers.insert_first("Route", route)
    for name, value in harmless_headers(target):
        result.headers.set(name, value)
    return result, next_hop


def harmless_headers(uri: SipUri) -> Sequence[tuple[str, str]]:
    """Return those headers of a URI that may be put into a request.

    What says who we are, where we want to go, or what we can do isn't for a
    stranger to choose (:rfc:`3261#section-19.1.5`); neither is what we know
    nothing about.
    """
    bare = replace(uri, headers=())
    found: list[tuple[str, str]] = []
    for name in dict.fromkeys(name.lower() for name, _ in uri.headers):
        value = uri.header(name)
        if name in _HARMLESS and value is not None:
            try:
                Request.build("OPTIONS", bare.for_request_line(), [(name, value)])
            except LocalError:
                continue  # A line end in it, say.
            found.append((name, value))
    return found


def _is_first(request: Request, next_hop: Uri) -> bool:
    return bool(request.routes) and request.routes[0].uri == next_hop


def _bare(uri: Uri) -> Uri:
    return uri.for_request_line() if isinstance(uri, SipUri) else uri


def _is_secure(uri: Uri) -> bool:
    return isinstance(uri, SipUri) and uri.secure


def _q(contact: NameAddr) -> float:
    q = parse_q(contact.parameter("q") or "")
    return 1.0 if q is None else q
