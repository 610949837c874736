"""What to change about a request that was refused for one thing in its head.

Each function takes the request, without Via and Contact, and the response, and gives
the request to send instead, or ``None`` if there is none.
"""

from __future__ import annotations

from sip.fields.session_expires import MinSE, SessionExpires
from sip.message import Request, Response
from sip.uri import SipUri

__all__ = [
    "as_sip_uri",
    "with_longer_expiry",
    "with_longer_session",
    "without_extensions",
]

_DISPENSABLE = frozenset(
    {"100rel", "gruu", "histinfo", "norefersub", "outbound", "path", "timer"}
)
"""Extensions about how something is done.  Without one of the others, such as
``replaces``, something else would be done than was asked for."""


def as_sip_uri(request: Request, response: Response) -> Request | None:
    """Write a telephone number as a SIP URI (:rfc:`3261#section-19.1.6`).

    Who knows the number is the proxy that the request goes to.
    """
    uri, routes = request.uri, request.routes
    if uri.scheme != "tel" or not routes:
        return None
    proxy = routes[0].uri
    if not isinstance(proxy, SipUri) or isinstance(uri, SipUri):
        return None
    number = SipUri("sip", uri.rest, None, proxy.host, proxy.port)
    return Request(
        request.method,
        str(number.with_parameter("user", "phone")),
        request.headers.copy(),
        request.body,
    )


def without_extensions(request: Request, response: Response) -> Request | None:
    """Leave out the extensions that a 420 says aren't known."""
    unknown = {tag.lower() for tag in response.headers.values("Unsupported")}
    lighter = request.copy()
    changed = False
    for name in ("Require", "Proxy-Require", "Supported"):
        tags = request.headers.values(name)
        kept = [tag for tag in tags if tag.lower() not in unknown]
        if len(kept) == len(tags):
            continue
        gone = {tag.lower() for tag in tags} & unknown
        if name != "Supported":
            if not gone <= _DISPENSABLE:
                return None
            changed = True
        lighter.headers.remove(name)
        if kept:
            lighter.headers.add(name, ", ".join(kept))
    return lighter if changed else None


def with_longer_session(request: Request, response: Response) -> Request | None:
    """Ask for the session interval that a 422 wants (:rfc:`4028#section-7.3`)."""
    wanted, asked = response.headers.get("Min-SE"), request.session_expires
    if wanted is None or asked is None:
        return None
    least = MinSE.parse(wanted).interval
    if least <= asked.interval:
        return None
    longer = request.copy()
    expires = SessionExpires(least, asked.refresher, asked.parameters)
    longer.headers.set("Session-Expires", str(expires))
    longer.headers.set("Min-SE", str(least))
    return longer


def with_longer_expiry(request: Request, response: Response) -> Request | None:
    """Ask for the time that a 423 wants (:rfc:`3261#section-10.3`)."""
    least, asked = response.min_expires, request.expires
    if least is None or asked is None or not 0 < asked < least:
        return None
    longer = request.copy()
    longer.headers.set("Expires", str(least))
    contacts = request.contacts
    longer.headers.remove("Contact")
    for contact in contacts:
        if contact.parameter("expires") is not None:
            contact = contact.with_parameter("expires", str(least))
        longer.headers.add("Contact", str(contact))
    return longer
