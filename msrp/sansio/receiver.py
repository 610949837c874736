"""What arrives on one connection, given to the sessions that it is for.

Each request names its session in To-Path (:rfc:`4975#section-5.4`), is judged at its
head, and answered as soon as it is known how: the sender of a long chunk that isn't
wanted can stop at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from msrp.errors import RemoteProtocolError
from msrp.headers import (
    ByteRange,
    ContinuationFlag,
    FailureReport,
    RequestHead,
    salvage_path,
    salvage_value,
)
from msrp.sansio.encoder import encode_response
from msrp.sansio.incoming import IncomingChunk
from msrp.sansio.inquiries import Answer
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    FramingEvent,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from msrp.sansio.reports import encode_report
from msrp.sansio.session import Session
from msrp.sansio.session_state import SessionState
from msrp.sansio.shortcut import Shortcut
from msrp.status import StatusCode
from msrp.uri import MsrpUri, format_path

if TYPE_CHECKING:
    from msrp.sansio.stream import Stream

__all__ = ["Receiver"]


@dataclass(slots=True, eq=False)
class _Request:
    """The request that is being received."""

    transaction_id: str
    head: RequestHead | None = None
    session: Session | None = None
    chunk: IncomingChunk | None = None
    refusal: int | None = None
    from_path: tuple[MsrpUri, ...] = ()
    to_path: tuple[MsrpUri, ...] = ()
    answered: bool = False


_LONG = 64 * 1024
"""Octets of a message that make it a long one."""

# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_OK = StatusCode.OK
_YES, _NO = FailureReport.YES, FailureReport.NO

_Path = tuple[MsrpUri, ...]
_Paths = tuple[_Path, _Path, str, str]
"""Of the last answer: From-Path and To-Path of the request, and what went back."""


class Receiver:
    """The receiving half of one connection.

    Args:
        stream: The connection.
        max_head_size: Octets of an unfinished head to hold.
        new_id: Makes transaction ids.
    """

    __slots__ = (
        "_answered_paths",
        "_backlog",
        "_in_vain",
        "_new_id",
        "_parser",
        "_request",
        "_shortcut",
        "_stream",
        "held",
        "held_since",
    )

    def __init__(
        self, stream: Stream, max_head_size: int, new_id: Callable[[], str]
    ) -> None:
        self.held = False
        """Whether what has arrived waits for a session that is being negotiated."""
        self.held_since = 0.0
        """Since when, if it does."""
        self._in_vain = False
        self._stream = stream
        self._parser = Parser(max_head_size)
        self._request: _Request | None = None
        self._backlog: deque[FramingEvent] | None = None
        self._new_id = new_id
        self._answered_paths: _Paths | None = None
        self._shortcut = Shortcut(stream)

    @property
    def error(self) -> RemoteProtocolError | None:
        """Why what arrives isn't MSRP, once all that came before is dealt with."""
        return None if self.held else self._parser.error

    @property
    def parser(self) -> Parser:
        """A parser that is where ours is, and goes on by itself."""
        return copy(self._parser)

    @property
    def in_message(self) -> bool:
        """Whether something has begun to arrive that has not ended."""
        return self._parser.in_message

    @property
    def in_request(self) -> bool:
        """The same, or whether a request isn't dealt with yet."""
        return self._parser.in_message or self._request is not None

    @property
    def in_long_message(self) -> bool:
        """Whether a chunk is arriving of a message of which much is here already."""
        request = self._request
        if request is None or request.chunk is None:
            return False
        return request.chunk.offset >= _LONG

    def receive(self, data: bytes, now: float) -> None:
        """Take in what the transport has read."""
        parser = self._parser
        if parser.is_between and not self.held and not self._stream.closing:
            at = self._shortcut.take(data, 0, now)
            if at == len(data):
                return  # Of most reads nothing is left.
            parser.add(data[at:])
        else:
            parser.add(data)
            self._take_short_way(now)
        while events := parser.next_events():
            for event in events:
                if self.held:
                    assert self._backlog is not None, "what it is held for is in there"
                    self._backlog.append(event)
                else:
                    self._handle(event, now)
            self._take_short_way(now)
        parser.drop_read()

    def _take_short_way(self, now: float) -> None:
        if not self.held and not self._stream.closing:
            self._parser.skip(self._shortcut.take, now)

    def forget(self, session: Session) -> None:
        """Let go of a session that leaves the connection."""
        self._shortcut.forget(session)

    def retry(self, now: float) -> None:
        """Go on with what was kept back until a session is there."""
        backlog = self._backlog
        if backlog is None:
            return
        first, since, self.held = backlog[0], self.held_since, False
        while backlog and not self.held:
            self._handle(backlog.popleft(), now)
        if not backlog:
            self._backlog = None
        elif backlog[0] is first:
            self.held_since = since  # Another session has come, and not this one.

    def stop_waiting(self, now: float) -> None:
        """Go on as if the session that is waited for would never be there."""
        self._in_vain = True
        self.retry(now)

    def _handle(self, event: FramingEvent, now: float) -> None:
        if self._stream.closing:
            return
        match event:
            case BodyReceived():
                self._body_received(event.data, now)
            case EndReceived():
                self._end_received(event.flag, now)
            case RequestReceived():
                self._request_received(event, now)
            case ResponseReceived():
                self._response_received(event)
            case _:
                assert_never(event)

    # Requests.

    def _request_received(self, event: RequestReceived, now: float) -> None:
        request = _Request(event.transaction_id)
        in_vain, self._in_vain = self._in_vain, False
        try:
            head = RequestHead.parse(event.transaction_id, event.method, event.block)
        except RemoteProtocolError as error:
            self._request = request
            self._salvage(request, event)
            request.refusal = error.status
            self._answer_refusal(request)
            return
        uri = head.to_path[0]
        directory = self._stream.directory
        session = None
        if len(head.to_path) == 1:  # Else it is for a relay, which this isn't.
            session = self._stream.left.called(uri) or directory.find(uri)
        if session is None and not in_vain and directory.expects(uri):
            self.held, self.held_since = True, now
            if self._backlog is None:
                self._backlog = deque()
            self._backlog.appendleft(event)  # Before its body, if that is there.
            return
        request.head = head
        request.from_path, request.to_path = head.from_path, head.to_path
        self._request = request
        request.answered = head.method == "REPORT"
        self._route(request, session, event, now)
        self._answer_refusal(request)

    def _salvage(self, request: _Request, event: RequestReceived) -> None:
        """Find in a malformed head what its answer needs."""
        request.from_path = salvage_path(event.block, b"from-path")
        request.to_path = salvage_path(event.block, b"to-path") or request.from_path
        wish = salvage_value(event.block, b"failure-report") or b""
        silent = event.method == "REPORT" or wish.lower() == b"no"
        request.answered = silent or not request.from_path

    def _route(
        self,
        request: _Request,
        session: Session | None,
        event: RequestReceived,
        now: float,
    ) -> None:
        """Let the session that a request is for judge its head."""
        head, has_body, block = request.head, event.has_body, event.block
        assert head is not None
        has_left = session is not None and self._has_left(session)
        if session is None or (has_left and _is_over(session)):
            request.refusal = StatusCode.SESSION_DOES_NOT_EXIST
            return
        if session.stream not in (None, self._stream):
            request.refusal = StatusCode.WRONG_CONNECTION
            return
        if head.method == "REPORT":
            here = has_left or session.stream is self._stream
            request.session = session if here else None
            return
        if head.method != "SEND":
            here = session.stream is self._stream
            code = StatusCode.UNKNOWN_METHOD
            request.refusal = session.request_received(head) if here else code
            return
        if not (session.stream or has_left or self._accept(session, request)):
            return
        request.session = session
        latest = session.latest
        if latest.stream is not None:  # Else no message grows old.
            latest.stream.chunk_received(latest)
        request.chunk = session.incoming.begin(head, has_body=has_body, now=now)
        request.refusal = request.chunk.refusal
        if has_body and session is self._stream.session_at(head.to_path[0]):
            self._shortcut.learn_paths(block, head, session)

    def _accept(self, session: Session, request: _Request) -> bool:
        """Bind a session to this connection: the peer has shown that it knows it."""
        if session.is_active or session.state is not SessionState.NEW:
            request.refusal = StatusCode.SESSION_DOES_NOT_EXIST
        elif not self._stream.has_room:
            request.refusal = StatusCode.FORBIDDEN
        else:
            self._stream.accept(session)
            return True
        return False

    def _body_received(self, data: bytes, now: float) -> None:
        request = self._request
        if request is None:
            return
        self._check_session(request)
        if request.chunk is None or request.session is None:
            return
        if request.refusal is None:
            request.session.incoming.add(request.chunk, data, now)
            request.refusal = request.chunk.refusal
            # The sender of a long chunk can stop at once.
            self._answer_refusal(request)

    def _end_received(self, flag: ContinuationFlag, now: float) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        self._check_session(request)
        if request.session is None:
            return
        session, head = request.session, request.head
        assert head is not None
        if request.chunk is None:
            if session.stream is self._stream:
                session.underway.report_received(head)
            else:
                late = session.late_report_received(head)
                self._stream.received_late(session, late)
            return
        if request.refusal is None:
            session.incoming.end(request.chunk, flag, now)
            request.refusal = request.chunk.refusal
        self._conclude(request, head, session, request.chunk)

    def _conclude(
        self,
        request: _Request,
        head: RequestHead,
        session: Session,
        chunk: IncomingChunk,
    ) -> None:
        """Answer a chunk, and tell what it has led to."""
        self._answer(request, chunk.refusal or _OK)
        if session.stream is self._stream:
            session.bound()
            for event in chunk.events:
                session.tell(event)
        else:
            self._stream.received_late(session, chunk.events)
        if chunk.completed is not None and head.success_report:
            self._report_success(session, head, chunk.completed)

    def _check_session(self, request: _Request) -> None:
        """Let go of a session that has ended since the request began."""
        session = request.session
        if session is None or session.stream is self._stream:
            return
        if _is_over(session):
            request.session = None
            self._answer(request, StatusCode.SESSION_DOES_NOT_EXIST)
        elif not self._has_left(session):
            request.session = None

    def _has_left(self, session: Session) -> bool:
        """Tell whether a session has moved, or was lost, and is still called here."""
        return session.stream is None and session in self._stream.left

    # Responses.

    def _response_received(self, event: ResponseReceived) -> None:
        head = event.head
        transaction = self._stream.writer.transactions.end(head.transaction_id)
        if transaction is None:
            # Or it is late, doubled, or nobody's: peers send such things.
            self._stream.inquiries.answered(Answer(head, event.block))
            return
        session, message = transaction.session, transaction.message
        if head.code == _OK and head.comment == "OK":
            self._shortcut.learn_answer(event.block, session)
        session.underway.response_received(message, head.code, transaction.chunk)

    # Answering.

    def _answer_refusal(self, request: _Request) -> None:
        if request.refusal is not None:
            self._answer(request, request.refusal)

    def _answer(self, request: _Request, code: int) -> None:
        if request.answered:
            return
        request.answered = True
        head = request.head
        wish = _YES if head is None else head.failure_report
        if wish is not _YES and (wish is _NO or code == _OK):
            return
        # Hop by hop for a SEND, all the way back for anything else.
        hop_by_hop = head is None or head.method == "SEND"
        to_path = request.from_path[:1] if hop_by_hop else request.from_path
        paths = self._answered_paths
        # Paths are read by a cache, so that those of one session are the same objects.
        if paths is None or to_path is not paths[0] or request.to_path is not paths[1]:
            texts = format_path(to_path), format_path(request.to_path[:1])
            paths = self._answered_paths = to_path, request.to_path, *texts
        self._stream.writer.queue(
            encode_response(request.transaction_id, code, paths[2], paths[3])
        )

    def _report_success(self, session: Session, head: RequestHead, size: int) -> None:
        assert head.message_id is not None
        self._stream.writer.queue(
            encode_report(
                self._new_id(),
                format_path(head.from_path),
                session.from_path,
                message_id=head.message_id,
                byte_range=ByteRange(1, size, size),
                code=StatusCode.OK,
            )
        )


def _is_over(session: Session) -> bool:
    """Tell whether nobody goes on with a session."""
    return session.latest.state is SessionState.CLOSED
