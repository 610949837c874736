from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.resolver
import pytest

from msrp.aio.relays.address import Server, in_order, look_up_srv, places_of
from msrp.errors import ConnectionFailed, LocalProtocolError
from msrp.uri import MsrpUri


class Dns:
    """Answers every question with the same records, and remembers it."""

    def __init__(self, *servers: Server) -> None:
        self.servers = servers
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[Server]:
        self.asked.append(name)
        return self.servers


@pytest.mark.rule("RLY-12")
@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("msrps://relay.example.com:9000;tcp", ("relay.example.com", 9000)),
        ("msrps://192.0.2.1:2855;tcp", ("192.0.2.1", 2855)),
        ("msrps://[2001:db8::1]:2855;tcp", ("2001:db8::1", 2855)),
        ("msrp://relay.example.com;tcp", ("relay.example.com", 2855)),
    ],
)
async def test_who_names_a_port_is_not_looked_up(
    uri: str, place: tuple[str, int]
) -> None:
    look_up = Dns(Server(0, 0, 1, "x"))
    assert await places_of(MsrpUri.parse(uri), look_up) == [place]
    assert look_up.asked == []


@pytest.mark.rule("RLY-12")
@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
async def test_an_address_needs_a_port(host: str) -> None:
    with pytest.raises(LocalProtocolError, match="needs a port"):
        await places_of(MsrpUri.parse(f"msrps://{host};tcp"), Dns())


@pytest.mark.rule("RLY-12", "XT-3")
async def test_a_name_is_looked_up_as_a_service() -> None:
    look_up = Dns(
        Server(1, 0, 9001, "spare.example.com."),
        Server(0, 0, 9000, "server.example.com."),
    )
    places = await places_of(MsrpUri.parse("msrps://alice@example.com;tcp"), look_up)
    assert places == [("server.example.com", 9000), ("spare.example.com", 9001)]
    assert look_up.asked == ["_msrps._tcp.example.com"]


@pytest.mark.rule("RLY-12", "XT-3")
async def test_a_name_that_is_no_service_has_the_port_of_msrp() -> None:
    uri = MsrpUri.parse("msrps://example.com;tcp")
    assert await places_of(uri, Dns()) == [("example.com", 2855)]


async def test_a_service_that_there_is_not_is_said() -> None:
    with pytest.raises(ConnectionFailed, match="no relay"):
        await places_of(
            MsrpUri.parse("msrps://example.com;tcp"), Dns(Server(0, 0, 0, "."))
        )


async def test_only_so_many_servers_are_tried() -> None:
    servers = [Server(0, 0, 1 + n, "x.example.com") for n in range(100)]
    uri = MsrpUri.parse("msrps://example.com;tcp")
    assert len(await places_of(uri, Dns(*servers))) == 16


@pytest.mark.rule("RLY-12")
def test_servers_are_chosen_by_priority_and_weight() -> None:
    light, heavy = Server(0, 1, 1, "light"), Server(0, 3, 2, "heavy")
    never_first, backup = Server(0, 0, 3, "zero"), Server(5, 9, 4, "backup")
    servers = [backup, heavy, never_first, light]
    firsts: Counter[str] = Counter()
    for number in range(1000):
        # Each number that there is comes up equally often.
        order = in_order(servers, lambda most: number % (most + 1))  # noqa: B023
        firsts[order[0].target] += 1
    assert firsts["heavy"] == 3 * firsts["light"]
    assert firsts["zero"] == firsts["light"]
    order = in_order(servers)
    assert order[-1] is backup
    assert set(order) == {light, heavy, never_first, backup}


@pytest.mark.parametrize(
    "error", [dns.resolver.NXDOMAIN, dns.resolver.NoAnswer], ids=lambda e: e.__name__
)
async def test_a_name_without_records_is_no_failure(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns.asyncresolver, "resolve", _raising(error))
    assert await look_up_srv("_msrps._tcp.example.com") == []


@pytest.mark.parametrize(
    "error",
    [dns.exception.Timeout, dns.exception.SyntaxError, OSError],
    ids=lambda e: e.__name__,
)
async def test_a_dns_that_can_not_be_asked_is_a_failure(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns.asyncresolver, "resolve", _raising(error))
    with pytest.raises(ConnectionFailed, match="can't be asked"):
        await look_up_srv("_msrps._tcp.example.com")


def _raising(error: type[Exception]) -> object:
    async def resolve(*args: object, **kwargs: object) -> None:
        raise error()

    return resolve
