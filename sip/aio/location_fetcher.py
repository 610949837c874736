"""Locations that didn't come with a call, fetched from where they are to be had.

A ``sip``, ``sips`` or ``pres`` URI is subscribed to for a moment
(:rfc:`6442#section-4.2`, :rfc:`3856`).  For ``http`` and ``https`` the application
gives something that gets documents (:class:`HttpClient`), since whose certificates to
show and whom to believe there is its own affair; what comes may be a location document,
or one within an answer of HELD (:rfc:`6753`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Protocol

import mime
from markup import MAX_OCTETS, MarkupError, parse_markup
from sip.aio.subscriptions.subscription import Subscription
from sip.emergency.body import Body
from sip.emergency.location import Access, Location, is_pidf, read_location
from sip.emergency.pidf import PIDF_TYPE
from sip.errors import LocationUnavailable, SipError
from sip.uri import OtherUri, Uri

__all__ = ["HttpClient", "LocationFetcher"]

_log = logging.getLogger("sip.emergency")

_HELD_TYPE = "application/held+xml"
_ACCEPT = f"{PIDF_TYPE}, {_HELD_TYPE};q=0.5"

_TRIES = 10
"""How often one reference is asked for in :data:`_TRIES_TIME`: a caller moves, but a
server may count (NENA-STA-010 asks for no more than ten in a few minutes)."""

_TRIES_TIME = 300.0
"""Seconds."""

_REMEMBERED = 256
"""References whose tries are counted; the oldest is forgotten."""

_AT_ONCE = 16
"""References that are fetched at the same time.  Callers choose them, and each may
take as long as it is waited for."""

_PATIENCE = 10.0
"""Seconds for one reference, by default.  The call doesn't wait for it."""


class HttpClient(Protocol):
    """What gets documents from ``http`` and ``https`` URIs."""

    async def get(self, uri: str, *, accept: str, max_octets: int) -> tuple[str, bytes]:
        """Get a document.

        The URI is the caller's choice: don't follow it to where only you may go.

        Args:
            uri: Where from.
            accept: The Accept header field to send.
            max_octets: The largest document to take.

        Returns:
            Its Content-Type, and the document.

        Raises:
            Exception: It can't be had; of any kind, and told as the cause.
        """


class Subscriber(Protocol):
    """What this needs of a user agent."""

    async def subscribe(
        self,
        uri: str,
        event: str,
        *,
        expires: int | None = 3_600,
        accept: Sequence[str] = (),
        outbound_proxy: str | None = None,
    ) -> Subscription:
        """Subscribe to something; return when the peer has told the first of it."""


class LocationFetcher:
    """Fetches the locations that a call only names.

    Args:
        agent: The user agent that subscribes.
        http: What gets documents; without it ``http`` and ``https`` are no use.
        outbound_proxy: The proxy for subscriptions, if not that of the agent.
        patience: Seconds for each location.
    """

    def __init__(
        self,
        agent: Subscriber,
        *,
        http: HttpClient | None = None,
        outbound_proxy: str | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        self._agent = agent
        self._http = http
        self._outbound_proxy = outbound_proxy
        self._patience = patience
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, location: Location) -> Location:
        """Fetch a location; one that came with the call is given back as it is.

        Returns:
            The location by value, with the same reference.

        Raises:
            LocationUnavailable: It can't be had, or is asked for too often.
        """
        uri = location.uri
        if location.access is Access.VALUE or uri is None:
            return location
        self._count(str(uri))
        try:
            async with asyncio.timeout(self._patience), self._at_once:
                part = await self._get(location.access, uri)
        except TimeoutError as exc:
            words = f"nobody told it within {self._patience:g} s"
            raise LocationUnavailable(words) from exc
        return read_location(location.reference, part)

    async def fetch_all(self, locations: Sequence[Location]) -> tuple[Location, ...]:
        """Fetch all locations of a call at once, in their order.

        One that can't be had stays as it is, with a warning that says why.
        """
        return tuple(await asyncio.gather(*map(self._fetch_if_possible, locations)))

    async def _fetch_if_possible(self, location: Location) -> Location:
        try:
            return await self.fetch(location)
        except LocationUnavailable as exc:
            _log.info("%s", exc)
            warnings = (*location.warnings, str(exc))
            return dataclasses.replace(location, warnings=warnings)

    async def _get(self, access: Access, uri: Uri) -> mime.Part:
        match access:
            case Access.PRESENCE:
                return await self._subscribe(uri)
            case Access.HTTP if self._http is not None:
                return await self._get_document(self._http, uri)
            case Access.HTTP:
                raise LocationUnavailable("nothing here gets documents by HTTP")
        raise LocationUnavailable("nothing here knows how to get at it")

    async def _subscribe(self, uri: Uri) -> mime.Part:
        text = str(uri)
        if isinstance(uri, OtherUri):
            text = f"sip:{uri.rest}"  # pres: is a name for whichever protocol serves.
        try:
            subscription = await self._agent.subscribe(
                text,
                "presence",
                expires=0,
                accept=[PIDF_TYPE],
                outbound_proxy=self._outbound_proxy,
            )
            try:
                async for told in subscription:
                    for part in filter(is_pidf, Body(told.request).parts):
                        return part
            finally:
                subscription.abandon()
        except SipError as exc:
            raise LocationUnavailable(str(exc)) from exc
        raise LocationUnavailable("its server tells no location")

    async def _get_document(self, http: HttpClient, uri: Uri) -> mime.Part:
        try:
            content_type, document = await http.get(
                str(uri), accept=_ACCEPT, max_octets=MAX_OCTETS
            )
        except TimeoutError:
            raise
        except Exception as exc:
            raise LocationUnavailable("it could not be got by HTTP") from exc
        if len(document) > MAX_OCTETS:
            raise LocationUnavailable("its server tells far too much")
        if content_type.partition(";")[0].strip().lower() == _HELD_TYPE:
            document, content_type = _within_held(document), PIDF_TYPE
        return mime.Part((("Content-Type", content_type),), document)

    def _count(self, reference: str) -> None:
        """Take note of a try.

        Raises:
            LocationUnavailable: There have been too many.
        """
        now = asyncio.get_running_loop().time()
        tries = self._tries.setdefault(reference, deque(maxlen=_TRIES))
        self._tries.move_to_end(reference)
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        if len(tries) == _TRIES and now - tries[0] < _TRIES_TIME:
            minutes = _TRIES_TIME / 60
            words = f"it was asked for {_TRIES} times in {minutes:g} minutes"
            raise LocationUnavailable(words)
        tries.append(now)


def _within_held(document: bytes) -> bytes:
    """Take the location document out of an answer of HELD (:rfc:`5985#section-5.2`).

    Raises:
        LocationUnavailable: There is none.
    """
    try:
        presence = parse_markup(document).find("presence")
    except MarkupError as exc:
        raise LocationUnavailable(f"its server isn't understood: {exc}") from exc
    if presence is None:
        raise LocationUnavailable("its server knows no location")
    return bytes(presence)
