"""The way of a request: its Request-URI and its Route headers.

:func:`route_request` makes both from a target and a route set, for the loose
routers of today and the strict ones of :rfc:`2543`.  :func:`new_request` makes a
request outside any dialog, whose route set is given rather than learnt
(:rfc:`3261#section-8.1.1`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sip.errors import LocalError
from sip.identifiers import new_call_id, new_tag
from sip.message import Request
from sip.name_addr import NameAddr
from sip.uri import SipUri, Uri

__all__ = ["RoutedRequest", "new_request", "route_request"]


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """What a route set makes of a request."""

    uri: Uri
    """The Request-URI."""

    routes: tuple[NameAddr, ...]
    """The Route headers."""

    next_hop: Uri
    """The URI to look up for the address to send to."""


def route_request(target: Uri, route_set: Sequence[NameAddr]) -> RoutedRequest:
    """Apply a route set to a request for ``target``.

    If the first router is strict its URI takes the place of the Request-URI and
    the target goes to the end of the routes (:rfc:`3261#section-12.2.1.1`).
    """
    if not route_set:
        return RoutedRequest(target, (), target)
    first = route_set[0].uri
    if not isinstance(first, SipUri) or first.loose_routing:
        return RoutedRequest(target, tuple(route_set), first)
    strict = first.for_request_line()
    return RoutedRequest(strict, (*route_set[1:], NameAddr(None, target)), strict)


def new_request(
    method: str,
    uri: Uri,
    *,
    sender: NameAddr,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
    route_set: Sequence[NameAddr] = (),
) -> tuple[Request, Uri]:
    """Make a request outside any dialog, without Via and Contact.

    Args:
        method: The method.
        uri: Whom it is for.
        sender: From, which gets a new tag.
        headers: More headers.
        body: The body.
        content_type: The type of the body.
        route_set: Proxies to go by, the first one first.

    Returns:
        The request, and the URI to look up for the address to send it to.

    Raises:
        LocalError: Nothing tells where to go, or something can't be put into a
            request.
    """
    routed = route_request(uri, route_set)
    if not isinstance(routed.next_hop, SipUri):
        raise LocalError("this URI needs a proxy to go to")
    request_uri = routed.uri
    if isinstance(request_uri, SipUri):
        request_uri = request_uri.for_request_line()
    all_headers = [("Route", str(route)) for route in routed.routes]
    all_headers += [
        ("From", str(sender.with_tag(new_tag()))),
        ("To", str(NameAddr(None, _as_identity(uri)))),
        ("Call-ID", new_call_id()),
        ("CSeq", f"1 {method}"),
        ("Max-Forwards", "70"),
        *headers,
    ]
    request = Request.build(
        method, request_uri, all_headers, body=body, content_type=content_type
    )
    return request, routed.next_hop


def _as_identity(uri: Uri) -> Uri:
    """Leave out what tells the way: To says who is meant (§19.1.1, table 1)."""
    if not isinstance(uri, SipUri):
        return uri
    identity = replace(uri.for_request_line(), port=None)
    for name in ("transport", "maddr", "ttl", "lr"):
        identity = identity.without_parameter(name)
    return identity
