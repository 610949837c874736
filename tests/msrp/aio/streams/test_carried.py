from __future__ import annotations

import pytest

import msrp
from msrp.aio.streams.called import NoDirectory, SessionOwner
from msrp.aio.streams.carried import Carried
from msrp.aio.streams.stream import StreamProtocol
from msrp.events import CoreEvent
from msrp.sansio.session import Session
from tests.msrp.aio.streams.scripted import (
    PEER,
    Owner,
    lose,
    opened,
)


class Listed(NoDirectory):
    """Knows one session that may be called."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.bound: list[StreamProtocol] = []

    def find_for(
        self, stream: StreamProtocol, uri: msrp.MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        return self._owner.session, self._owner

    def stream_bound(self, stream: StreamProtocol) -> None:
        self.bound.append(stream)


async def test_owners_are_not_asked_at_each_read() -> None:
    class Asked(Owner):
        def __init__(self) -> None:
            self.times = 0
            super().__init__()

        @property
        def reading_wanted(self) -> bool:
            self.times += 1
            return True

        @reading_wanted.setter
        def reading_wanted(self, wanted: bool) -> None: ...

    owner = Asked()
    stream, _ = opened(owner)
    before = owner.times
    for _ in range(10):
        stream.data_received(b"\r\n")
        stream.flush()
    assert owner.times == before
    lose(stream)


@pytest.mark.rule("MSRP-36")
async def test_on_a_connection_of_ours_only_its_own_session_is_called() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    paths = f"To-Path: msrp://127.0.0.1:2855/other;tcp\r\nFrom-Path: {PEER}\r\n"
    head = f"MSRP abcdefgh SEND\r\n{paths}Message-ID: 12345678\r\n"
    stream.data_received(head.encode() + b"-------abcdefgh$\r\n")
    (written,) = transport.written
    assert written.startswith(b"MSRP abcdefgh 481")
    lose(stream)


async def test_what_a_hook_leads_to_is_told_after_what_was_there_before() -> None:
    told: list[str] = []

    class Telling(Owner):
        def events_arrived(self, events: list[CoreEvent]) -> None:
            told.append("one")
            if len(told) == 1:
                carried.tell([(self.session, [])])

    class Other(Owner):
        def events_arrived(self, events: list[CoreEvent]) -> None:
            told.append("other")

    stream, one, other = StreamProtocol(), Telling(), Other()
    carried = Carried(stream, NoDirectory(), any_host=False)
    for owner in (one, other):
        owner.session.stream = stream.core
        carried.add(owner.session, owner)
    carried.tell([(one.session, []), (other.session, [])])
    assert told == ["one", "other", "one"]


async def test_who_was_called_and_has_not_got_the_session_is_told_nothing() -> None:
    owner, stream = Owner(), StreamProtocol()
    directory = Listed(owner)
    carried = Carried(stream, directory, any_host=False)
    assert carried.find(owner.session.local_uri) is owner.session
    assert carried.find(owner.session.local_uri) is owner.session  # As in two requests.
    carried.adopt()
    assert carried.owners == {}
    assert owner.stream is None
    assert directory.bound == []


async def test_who_was_called_and_has_got_the_session_knows_by_which_stream() -> None:
    owner, stream = Owner(), StreamProtocol()
    directory = Listed(owner)
    carried = Carried(stream, directory, any_host=False)
    carried.find(owner.session.local_uri)
    owner.session.stream = stream.core
    carried.adopt()
    assert owner.stream is stream
    assert directory.bound == [stream]
    carried.adopt()
    assert directory.bound == [stream]
