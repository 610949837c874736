"""A request with less in its body, for a peer that takes no more.

What may go are the parts beside the description of the session, such as a location,
and a body that says itself that it may be ignored.  What a request is about stays.
"""

from __future__ import annotations

from collections.abc import Callable

import mime
from sip.errors import SipParseError
from sip.fields.accept import parse_media_ranges
from sip.message import Request, Response

__all__ = ["accepted_body", "smaller_body"]

Keeps = Callable[[mime.Part], bool]

_SDP = "application/sdp"

# Headers whose values may point into the body (RFC 6442, RFC 7852).
_POINTERS = ("Geolocation", "Call-Info")


def smaller_body(request: Request) -> Request | None:
    """Return a request with as little body as it can do with, after a 413.

    Returns:
        ``None`` if there is nothing that could be left out.
    """
    if _is_related(request):
        return _root_alone(request)
    return _reduced(request, lambda part: part.content_type.essence == _SDP)


def accepted_body(request: Request, response: Response) -> Request | None:
    """Return a request with those parts that a 415 says are taken.

    Returns:
        ``None`` if that would leave out what the request is about, or nothing.
    """
    is_related = _is_related(request)
    if "Accept" not in response.headers:
        # What isn't taken is a coding, or a language; or nobody knows it.
        return _root_alone(request) if is_related else None
    try:
        ranges = parse_media_ranges(response.headers.get_all("Accept"))
    except SipParseError:
        return None

    def is_taken(part: mime.Part) -> bool:
        return any(r.q > 0 and r.covers(part.content_type.essence) for r in ranges)

    if is_related:
        return _root_alone(request, is_taken)
    if "multipart" not in (request.content_type or "").lower():
        return _without_body(request)
    takes_multipart = any(r.q > 0 and r.covers("multipart/mixed") for r in ranges)
    return _reduced(request, is_taken, as_multipart=takes_multipart)


def _is_related(request: Request) -> bool:
    return (request.content_type or "").lower().startswith("multipart/related")


def _root_of(part: mime.Part) -> mime.Part:
    """Return what counts of parts that are about each other."""
    inner = part.multipart
    return inner.root if inner is not None and inner.subtype == "related" else part


def _root_alone(request: Request, keeps: Keeps | None = None) -> Request | None:
    """Return a request without what its description points at (RFC 5547 §8.8)."""
    try:
        root = mime.parse_multipart(request.content_type or "", request.body).root
    except mime.MimeError:
        return None
    if root.content_type.essence != _SDP or not (keeps is None or keeps(root)):
        return None
    lighter = request.copy()
    lighter.headers.set("Content-Type", str(root.content_type))
    lighter.body = root.content
    return lighter


def _reduced(
    request: Request, keeps: Keeps, *, as_multipart: bool = True
) -> Request | None:
    if not request.body:
        return None
    content_type = request.content_type or ""
    if not content_type.lower().startswith("multipart/mixed"):
        return _without_body(request)
    try:
        whole = mime.parse_multipart(content_type, request.body).parts
    except mime.MimeError:
        return None
    parts = tuple(map(_root_of, whole))
    kept = [part for part in parts if keeps(part)]
    needed = [part for part in parts if part.content_type.essence == _SDP]
    if any(part not in kept for part in needed):
        return None
    if not as_multipart:
        kept = (needed or kept)[:1]
    if not kept or tuple(kept) == whole:
        return None
    lighter = request.copy()
    if len(kept) == 1:
        lighter.headers.set("Content-Type", str(kept[0].content_type))
        lighter.body = kept[0].content
    else:
        new_type, lighter.body = mime.build_multipart(kept)
        lighter.headers.set("Content-Type", str(new_type))
    gone = [part.content_id for part in parts if part not in kept]
    _drop_pointers(lighter, {mime.cid_url(known) for known in gone if known})
    return lighter


def _without_body(request: Request) -> Request | None:
    disposition = request.headers.get("Content-Disposition")
    if not request.body or disposition is None:
        return None
    try:
        if mime.ContentDisposition.parse(disposition).handling != "optional":
            return None
    except mime.MimeError:
        return None
    lighter = request.copy()
    lighter.body = b""
    for name in ("Content-Type", "Content-Disposition", "Content-Encoding"):
        lighter.headers.remove(name)
    return lighter


def _drop_pointers(request: Request, urls: set[str]) -> None:
    for name in _POINTERS:
        try:
            values = request.headers.values(name)
        except SipParseError:
            continue
        kept = [value for value in values if not any(url in value for url in urls)]
        if len(kept) < len(values):
            request.headers.remove(name)
            for value in kept:
                request.headers.add(name, value)
