"""A message of which not all is known yet, and the record that is made of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace

from msrp.content import MessageReceived, read_message
from msrp.errors import RemoteProtocolError
from msrp.headers import FailureReport, RequestHead, salvage_value
from msrp.imdn import UNDERSTOOD
from msrp.tap.wire import WireMessage
from recording import (
    CallIdentity,
    Direction,
    Endpoint,
    MessageRecord,
    Outcome,
    Protocol,
    without_credentials,
)

__all__ = ["Draft", "Parties", "record_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who talks to whom in a session, and in which call."""

    local: str
    """Who we are: the party of the call, or else our URI."""

    remote: str
    call: CallIdentity = field(default_factory=CallIdentity)


@dataclass(slots=True, eq=False)
class Draft:
    """What has been heard of one message so far."""

    direction: Direction
    method: str
    message_id: str | None
    transaction_id: str | None = None
    """Of its first chunk."""

    session_id: str | None = None
    peer: Endpoint | None = None
    content_type: str | None = None
    disposition: str | None = None
    expects_answer: bool = True
    """Whether each of its chunks gets a response."""

    chunks: list[tuple[int, WireMessage]] = field(default_factory=list)
    """Those that are held, in the order of the wire, and where each begins."""

    open: dict[WireMessage, int] = field(default_factory=dict)
    """Those that have not ended; mostly there is but one."""

    kept: int = 0
    size: int = 0
    is_cut: bool = False
    unanswered: dict[str, None] = field(default_factory=dict)
    """Transactions that wait for a response."""

    ends: bool = False
    """Whether its last octet went by."""

    outcome: Outcome | None = None
    """``None`` until it is known."""

    code: int | None = None
    problem: str | None = None
    waits_for_handover: bool = False
    waits_until: datetime.datetime | None = None
    """How long for the application, or for a response that has to be written."""

    first_octet: datetime.datetime | None = None
    last_octet: datetime.datetime | None = None
    handed_over: datetime.datetime | None = None
    answered: datetime.datetime | None = None

    @classmethod
    def of_chunk(cls, chunk: WireMessage, message_id: str | None) -> Draft:
        """Begin with the first chunk of a message."""
        assert chunk.method is not None
        return cls(
            chunk.direction,
            chunk.method,
            message_id,
            chunk.transaction_id,
            chunk.session_id,
            first_octet=chunk.began,
        )

    def take(self, chunk: WireMessage) -> int:
        """Note what the head of a chunk says; return where its body begins."""
        try:
            assert chunk.method is not None
            head = RequestHead.parse(chunk.transaction_id, chunk.method, chunk.block)
        except RemoteProtocolError:
            wish = salvage_value(chunk.block, b"failure-report") or b""
            self.expects_answer = wish.lower() != b"no"
            return 0
        self.expects_answer = head.failure_report is FailureReport.YES
        self.content_type = self.content_type or head.content_type
        self.disposition = self.disposition or head.others.get("content-disposition")
        return 0 if head.byte_range is None else max(0, head.byte_range.start - 1)

    def close(self) -> None:
        """Be left as it is, whatever still goes by of its chunks."""
        for chunk, start in self.open.items():
            self.chunks.append((start, replace(chunk, body=list(chunk.body))))
            self.size = max(self.size, start + chunk.body_size)
            self.is_cut = self.is_cut or chunk.body_kept < chunk.body_size
        self.open.clear()

    @property
    def contents(self) -> bytes:
        """The body from its first octet on, as far as it is held without a gap."""
        contents = bytearray()
        for start, chunk in sorted(self.chunks, key=lambda each: each[0]):
            if start > len(contents):
                break
            body = b"".join(chunk.body)
            contents[start : start + len(body)] = body
            if chunk.body_kept < chunk.body_size:
                break
        return bytes(contents)


def record_of(draft: Draft, parties: Parties) -> MessageRecord:
    """Make the record of a message, of which nothing more will become known."""
    sent = draft.direction is Direction.SENT
    contents, message = draft.contents, None
    if draft.content_type is not None:
        message = read_message(
            draft.message_id or "",
            draft.content_type,
            contents,
            draft.disposition,
            understood=UNDERSTOOD,
        )
    local, remote = parties.local, parties.remote
    sender, recipient = (local, remote) if sent else (remote, local)
    raw = b"".join(without_credentials(chunk.octets) for _, chunk in draft.chunks)
    return MessageRecord(
        protocol=Protocol.MSRP,
        direction=draft.direction,
        method=draft.method,
        outcome=draft.outcome or Outcome.UNKNOWN,
        code=draft.code,
        problem=draft.problem,
        message_id=draft.message_id,
        transaction_id=draft.transaction_id,
        session_id=draft.session_id,
        call=parties.call,
        sender=_sender_in(message) or sender,
        recipient=_recipient_in(message) or recipient,
        content_type=draft.content_type,
        size=draft.size,
        text=None if message is None else message.text,
        contents=contents,
        raw=raw,
        is_cut=draft.is_cut,
        first_octet=draft.first_octet,
        last_octet=draft.last_octet,
        handed_over=draft.handed_over,
        answered=draft.answered,
        peer=draft.peer,
    )


def _sender_in(message: MessageReceived | None) -> str | None:
    return None if message is None else message.sender


def _recipient_in(message: MessageReceived | None) -> str | None:
    if message is None or message.cpim is None or not message.cpim.to:
        return None
    return ", ".join(address.uri for address in message.cpim.to)
