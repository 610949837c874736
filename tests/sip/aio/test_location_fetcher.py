"""Locations that a call only names are fetched, and only so often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import sip
from sip.aio import location_fetcher
from sip.emergency import (
    Access,
    Circle,
    EmergencyCall,
    Location,
    Position,
    write_pidf,
)
from sip.sansio.hop import Hop

UDP = ["udp://127.0.0.1:0"]
QUICK = sip.Timers(t1=0.02, t2=0.1, t4=0.1)
HERE = Circle(Position(42.5463, -73.2512), 30.0)
PIDF = write_pidf("pres:caller@example.com", shape=HERE, method="GPS")
PIDF_TYPE = "application/pidf+xml"
HELD = (
    b'<locationResponse xmlns="urn:ietf:params:xml:ns:geopriv:held">'
    b'<locationUriSet expires="2026-01-01T13:00:00.0Z"/>'
    + PIDF.partition(b"?>")[2]
    + b"</locationResponse>"
)


def named(*references: str) -> tuple[Location, ...]:
    """Return the locations of a call that names these."""
    headers = [("Geolocation", f"<{reference}>") for reference in references]
    invite = sip.Request.build("INVITE", "urn:service:sos", headers)
    return EmergencyCall.from_request(invite).locations


@asynccontextmanager
async def presence_server() -> AsyncIterator[tuple[sip.UserAgent, sip.UserAgent]]:
    async with (
        sip.UserAgent("sip:lis@127.0.0.1", listen=UDP, timers=QUICK) as server,
        sip.UserAgent("sip:psap@127.0.0.1", listen=UDP, timers=QUICK) as console,
    ):
        yield server, console


def port_of(agent: sip.UserAgent) -> int:
    hop: Hop = agent.listening[0]
    return hop.port


@pytest.mark.rule("NG-3", "SIP-59")
@pytest.mark.parametrize("scheme", ["sip", "pres"])
async def test_a_location_is_fetched_from_where_it_is_to_be_subscribed_to(
    scheme: str,
) -> None:
    asked: list[sip.Request] = []
    async with presence_server() as (server, console):

        @server.on_subscribe("presence")
        async def tell(watcher: sip.Watcher) -> None:
            asked.append(watcher.request)
            watcher.accept()
            watcher.notify(PIDF, PIDF_TYPE)

        fetcher = sip.LocationFetcher(console)
        (location,) = named(f"{scheme}:a-token@127.0.0.1:{port_of(server)}")
        assert (location.access, location.shapes) == (Access.PRESENCE, ())
        found = await fetcher.fetch(location)
        assert found.access is Access.VALUE
        assert found.shapes == (HERE,)
        assert found.raw == PIDF
        assert found.reference == location.reference
        assert found.warnings == ()
        # What is there already isn't fetched again.
        assert await fetcher.fetch(found) is found
    (request,) = asked
    assert request.expires == 0
    assert request.headers.get("Accept") == PIDF_TYPE


@pytest.mark.rule("NG-3", "NG-2")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("refuse", "403", id="refused"),
        pytest.param("nothing", "tells no location", id="empty"),
        pytest.param("text", "tells no location", id="no-location"),
        pytest.param("silence", "nobody told it within 0.2 s", id="silent"),
    ],
)
@pytest.mark.usefixtures("time_flies")
async def test_a_presence_server_may_fail(answer: str, words: str) -> None:
    async with presence_server() as (server, console):

        @server.on_subscribe("presence")
        async def tell(watcher: sip.Watcher) -> None:
            if answer == "silence":
                await asyncio.sleep(0.4)
            elif answer == "refuse":
                watcher.reject(403)
            else:
                watcher.accept()
                if answer == "text":
                    watcher.notify(b"here", "text/plain")
                else:
                    watcher.notify()

        fetcher = sip.LocationFetcher(console, patience=0.2)
        location, value = named(
            f"sip:a@127.0.0.1:{port_of(server)}", "geo:42.5463,-73.2512"
        )
        with pytest.raises(sip.LocationUnavailable, match=words):
            await fetcher.fetch(location)
        # A call's other locations are there all the same.
        same, other = await fetcher.fetch_all([location, value])
        assert same.access is Access.PRESENCE
        assert words in same.warnings[-1]
        assert other is value


class Web:
    """Documents, and what was asked for."""

    def __init__(self, content_type: str = PIDF_TYPE, document: bytes = PIDF) -> None:
        self.content_type = content_type
        self.document = document
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.busy = 0
        self.busiest = 0

    async def get(self, uri: str, *, accept: str, max_octets: int) -> tuple[str, bytes]:
        self.asked.append((uri, accept))
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        await asyncio.sleep(0.001)
        self.busy -= 1
        if self.error is not None:
            raise self.error
        return self.content_type, self.document


class Nobody:
    """A user agent that isn't asked."""

    async def subscribe(self, *_: object, **__: object) -> sip.Subscription:
        raise AssertionError("nobody subscribes to HTTP")


@pytest.mark.rule("NG-3")
@pytest.mark.parametrize(
    ("content_type", "document"),
    [
        pytest.param(PIDF_TYPE, PIDF, id="location"),
        pytest.param("application/held+xml; charset=utf-8", HELD, id="held"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_location_is_got_by_http(
    scheme: str, content_type: str, document: bytes
) -> None:
    web = Web(content_type, document)
    uri = f"{scheme}://lis.example.com/357yc6s64ceyoiuy5ax3o"
    found = await sip.LocationFetcher(Nobody(), http=web).fetch(named(uri)[0])
    assert found.access is Access.VALUE
    assert found.shapes == (HERE,)
    assert web.asked == [(uri, "application/pidf+xml, application/held+xml;q=0.5")]


@pytest.mark.rule("NG-3", "SIP-68")
@pytest.mark.parametrize(
    ("content_type", "document", "words"),
    [
        pytest.param(
            "application/held+xml", b"<error/>", "knows no location", id="held-error"
        ),
        pytest.param(
            "application/held+xml", b"<a><a", "isn't understood", id="held-garbled"
        ),
        pytest.param(PIDF_TYPE, bytes(1 << 20), "far too much", id="too-long"),
    ],
)
async def test_a_web_server_may_fail(
    content_type: str, document: bytes, words: str
) -> None:
    web = Web(content_type, document)
    fetcher = sip.LocationFetcher(Nobody(), http=web)
    with pytest.raises(sip.LocationUnavailable, match=words):
        await fetcher.fetch(named("https://lis.example.com/1")[0])


async def test_why_a_document_could_not_be_got_is_kept() -> None:
    web = Web()
    web.error = ConnectionError("refused")
    fetcher = sip.LocationFetcher(Nobody(), http=web)
    with pytest.raises(sip.LocationUnavailable, match="by HTTP") as caught:
        await fetcher.fetch(named("https://lis.example.com/1")[0])
    assert caught.value.__cause__ is web.error
    web.error = TimeoutError()
    with pytest.raises(sip.LocationUnavailable, match="within"):
        await fetcher.fetch(named("https://lis.example.com/1")[0])


@pytest.mark.rule("NG-2", "NG-3")
async def test_a_document_that_can_t_be_understood_is_a_location_with_a_warning() -> (
    None
):
    fetcher = sip.LocationFetcher(Nobody(), http=Web(document=b"<presence"))
    found = await fetcher.fetch(named("https://lis.example.com/1")[0])
    assert (found.raw, found.shapes) == (b"<presence", ())
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("https://lis.example.com/1", "nothing here gets documents by HTTP"),
        ("ftp://lis.example.com/1", "nothing here knows how"),
        ("pres:\u00fc%zz", "can't be fetched"),
    ],
)
async def test_what_cant_be_fetched_says_why(reference: str, words: str) -> None:
    async with sip.UserAgent("sip:psap@127.0.0.1", listen=UDP) as console:
        fetcher = sip.LocationFetcher(console)
        (found,) = await fetcher.fetch_all(named(reference)[:1])
        assert words in found.warnings[-1]


@pytest.mark.rule("NG-3", "SIP-68")
async def test_one_reference_is_asked_for_ten_times_in_a_few_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    web = Web()
    fetcher = sip.LocationFetcher(Nobody(), http=web)
    (location,) = named("https://lis.example.com/1")
    for _ in range(10):
        await fetcher.fetch(location)
    with pytest.raises(sip.LocationUnavailable, match="10 times in 5 minutes"):
        await fetcher.fetch(location)
    await fetcher.fetch(named("https://lis.example.com/2")[0])
    assert len(web.asked) == 11
    monkeypatch.setattr(location_fetcher, "_TRIES_TIME", 0.0)
    await fetcher.fetch(location)


@pytest.mark.rule("SIP-68")
async def test_what_callers_can_make_it_do_and_remember_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(location_fetcher, "_REMEMBERED", 20)
    web = Web()
    fetcher = sip.LocationFetcher(Nobody(), http=web)
    locations = [named(f"https://lis.example.com/{n}")[0] for n in range(40)]
    found = await fetcher.fetch_all(locations)
    assert [location.access for location in found] == [Access.VALUE] * 40
    assert web.busiest == 16
    assert len(fetcher._tries) == 20
