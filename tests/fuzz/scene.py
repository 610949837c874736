"""What there is when a script begins: sessions, and one on another connection."""

from __future__ import annotations

from collections.abc import Callable

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.errors import LimitExceeded
from msrp.policy import Announcement, Store
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session
from msrp.sansio.stream import Stream
from msrp.status import StatusCode
from msrp.testing import Directory
from msrp.uri import MsrpUri

__all__ = [
    "LIMITS",
    "MAX_MESSAGE_LENGTH",
    "Bystander",
    "Drip",
    "Ledger",
    "keep_ledgers",
    "new_config",
    "new_session",
]

LIMITS = Limits(
    max_head_size=300,
    max_open_messages=3,
    max_ranges=8,
    max_held_octets=600,
    max_remembered_messages=4,
    max_unsent_responses=2000,
    max_sessions_per_stream=2,
)
"""So tight that a short script can meet each."""

MAX_MESSAGE_LENGTH = 500

_CHUNK_SIZES = (2048, 10, 5000, None)


class Drip:
    """A body whose octets come a few at a time, and of which nobody knows how long."""

    size = None

    def __init__(self) -> None:
        self.octets = b""
        self.ended = False
        self._at = 0

    def read(self, limit: int) -> bytes | None:
        """Return what there is."""
        data = self.octets[self._at : self._at + limit]
        self._at += len(data)
        return data if data or self.ended else None


class Ledger:
    """A store that takes octets in their order only, and remembers how it ended."""

    max_length = None
    held = 0

    def __init__(self) -> None:
        self.octets = b""
        self.ends: list[str] = []

    def write(self, offset: int, data: bytes) -> None:
        """Take the next octets.

        Raises:
            LimitExceeded: These aren't.
        """
        assert not self.ends
        if offset != len(self.octets):
            raise LimitExceeded("out of order", status=StatusCode.STOP_SENDING)
        self.octets += data

    def finish(self, size: int) -> None:
        """Be told that all octets are here."""
        assert size == len(self.octets)
        self.ends.append("finished")

    def give_up(self, *, keep: bool) -> None:
        """Be told that no more will come."""
        self.ends.append("kept" if keep else "thrown away")

    def __repr__(self) -> str:
        return f"<Ledger {self.octets!r} {self.ends}>"


class Bystander:
    """A session on a connection of its own, with a message under way.

    Nothing that happens on another connection may make a difference to it.

    Args:
        config: That of the session.
        new_id: Makes transaction ids.
    """

    def __init__(self, config: SessionConfig, new_id: Callable[[], str]) -> None:
        self.session = new_session("other", config, new_id)
        self.stream = Stream(Directory(self.session), 0.0, limits=LIMITS)
        self.message = Outgoing("other1", "text/plain", BytesBody(b"x"), new_id=new_id)
        self.stream.attach(self.session, 0.0)
        self.stream.receive_data(self._send(), 0.0)
        self.session.send(self.message)
        self.response = self._send()
        """What will tell that the message has arrived."""
        self.stream.events_received()
        self.due = self.stream.next_timeout()
        """When its response will be missing."""

    def _send(self) -> bytes:
        """Write one request, and return the response to it."""
        transaction_id = self.stream.data_to_send(1, 0.0).split(b" ", 2)[1]
        return b"MSRP %b 200 OK\r\n-------%b$\r\n" % (transaction_id, transaction_id)


def keep_ledgers(session: Session) -> list[Ledger]:
    """Have a session decide by type where messages go; return where some went."""
    ledgers: list[Ledger] = []
    in_memory = session.incoming.in_memory

    def open_store(announcement: Announcement) -> Store | int:
        if announcement.content_type == "text/x-refused":
            return StatusCode.FORBIDDEN
        if announcement.content_type != "text/x-ledger":
            return in_memory()
        ledgers.append(Ledger())
        return ledgers[-1]

    session.incoming.open_store = open_store
    return ledgers


def new_config(choice: int) -> SessionConfig:
    """Return how our sessions send, and what they take."""
    return SessionConfig(
        max_message_length=MAX_MESSAGE_LENGTH,
        chunk_size=_CHUNK_SIZES[choice % 4],
        window=1 if choice & 4 else 4,
        accept_types=AcceptTypes.parse("text/* message/cpim"),
        limits=LIMITS,
    )


def new_session(name: str, config: SessionConfig, new_id: Callable[[], str]) -> Session:
    """Make a session between ``msrp://a:1`` and ``msrp://b:2``, same name on each."""
    return Session(
        MsrpUri("msrp", "a", 1, name),
        (MsrpUri("msrp", "b", 2, name),),
        is_active=name in ("here", "other"),
        config=config,
        new_id=new_id,
    )
