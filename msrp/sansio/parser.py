"""Octets from the peer in, framing events out.

A chunk carries no length.  It ends at CRLF, seven hyphens, the transaction id of
*this* request and a continuation flag (:rfc:`4975#section-7.1`), so the only
octets worth holding back are those that may be the start of that end-line.  All
others are passed on at once: what the parser keeps is bounded by
``max_head_size``, whatever the size of the message.

The parser frames and does not judge: a request whose header section makes no
sense is still a request with an end, and can be answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.headers import ContinuationFlag, ResponseHead

__all__ = [
    "BodyReceived",
    "EndReceived",
    "FramingEvent",
    "Parser",
    "RequestReceived",
    "ResponseReceived",
]

_IDENT = r"(?P<transaction_id>[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31})"
_START_LINE = re.compile(
    rf"MSRP {_IDENT} (?:(?P<code>[0-9]{{3}})(?: (?P<comment>.*))?|(?P<method>[A-Z]+))",
    re.ASCII,
)
# The same in octets, for what lies in the buffer as a whole, and without the rarer
# comments: those that aren't US-ASCII, or are long.
_USUAL_START = re.compile(
    rb"MSRP (?P<transaction_id>[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}) "
    rb"(?:(?P<method>[A-Z]{1,32})|(?P<code>[0-9]{3})(?: (?P<comment>[ -~]{0,200}))?)"
    rb"\r\n"
)
_MAX_START_LINE = 1024
"""Octets of a start line: the comment of a response is the only free text."""

_FLAGS = {flag.value: flag for flag in ContinuationFlag}


# Not frozen: that would take longer than finding what they hold.
@dataclass(slots=True)
class RequestReceived:
    """The head of a request is complete; :class:`EndReceived` will follow."""

    transaction_id: str
    method: str
    block: bytes
    """The header section, for :meth:`msrp.headers.RequestHead.parse`."""

    has_body: bool
    """Whether the empty line was there that announces a body."""


@dataclass(slots=True)
class ResponseReceived:
    """The head of a response is complete; :class:`EndReceived` will follow."""

    head: ResponseHead
    block: bytes = field(default=b"", compare=False)
    """The header section, which only few responses are read for."""


@dataclass(slots=True)
class BodyReceived:
    """Some octets of a body; how it is cut means nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndReceived:
    """The end-line of a request or a response."""

    flag: ContinuationFlag


FramingEvent = RequestReceived | ResponseReceived | BodyReceived | EndReceived

_BEFORE, _HEAD, _BODY = range(3)

_ENDS = {flag.value + b"\r\n": EndReceived(flag) for flag in ContinuationFlag}


class Parser:
    """Split a stream of octets into :data:`FramingEvent`.

    Args:
        max_head_size: How many octets of an unfinished head to hold.
    """

    __slots__ = (
        "_at",
        "_data",
        "_end_line",
        "_max_head_size",
        "_searched",
        "_start",
        "_state",
        "error",
    )

    def __init__(self, max_head_size: int = 16 * 1024) -> None:
        self._max_head_size = max_head_size
        self._data = b""
        self._at = 0
        self._searched = 0
        self._state = _BEFORE
        self._start: re.Match[str] | None = None
        self._end_line = b""
        self.error: RemoteProtocolError | None = None
        """Why the stream isn't MSRP; there is no way back in step with the peer."""

    @classmethod
    def in_body(cls, transaction_id: str, max_head_size: int = 16 * 1024) -> Parser:
        """Return one that begins in the middle of the body of a request."""
        parser = cls(max_head_size)
        parser._state = _BODY
        parser._end_line = b"\r\n-------" + transaction_id.encode()
        return parser

    @property
    def in_message(self) -> bool:
        """Whether something has begun that has not ended."""
        return self._state != _BEFORE or bool(self._data)

    @property
    def is_between(self) -> bool:
        """Whether what is read next begins a request or a response."""
        return self._state == _BEFORE and not self._data and self.error is None

    def receive_data(self, data: bytes) -> list[FramingEvent]:
        """Take in what the transport has read and return what it completes.

        The events don't depend on how the stream was cut into calls, save for
        how the body is cut into :class:`BodyReceived`.

        Where the stream stops being MSRP the events stop too, :attr:`error` says
        why, and all further octets are ignored: close the connection.
        """
        self.add(data)
        events: list[FramingEvent] = []
        while more := self.next_events():
            events += more
        self.drop_read()
        return events

    # The same in steps, for who deals with each request before the next one is read.

    def add(self, data: bytes) -> None:
        """Take in what the transport has read."""
        if self.error is None:
            # Mostly nothing is left over from last time, and this copies nothing.
            self._data = self._data + data if self._data else data

    def next_events(self) -> list[FramingEvent]:
        """Return what comes next, of one request or response at most.

        It is empty if that isn't here yet.
        """
        events: list[FramingEvent] = []
        if self._at == len(self._data):
            return events
        try:
            while self._read_whole(events) or self._next_event(events):
                if events:
                    break
        except RemoteProtocolError as error:
            self.error = error
            self._data = b""
            self._at = 0
        return events

    def skip(self, take: Callable[[bytes, int, float], int], now: float) -> None:
        """Let somebody take what begins here, if nothing has begun to be read.

        Args:
            take: Is told the octets, where to begin and the time, and tells where
                that begins which it has left.
            now: The time.
        """
        if self._state == _BEFORE and self._data:
            after = take(self._data, self._at, now)
            if after > self._at:
                self._finish(after)

    def drop_read(self) -> None:
        """Let go of what was read.

        Once for all that came in one read, lest many small chunks cost the square of
        their number.
        """
        if self._at:
            self._data = self._data[self._at :]
            self._searched = max(0, self._searched - self._at)
            self._at = 0

    def _read_whole(self, events: list[FramingEvent]) -> bool:
        """Take a request or a response that is in the buffer from start to end.

        Nearly all are, and this finds what the long way would find, in a fifth of
        the time; where anything is out of the ordinary it finds nothing.
        """
        if self._state != _BEFORE:
            return False
        data = self._data
        start = _USUAL_START.match(data, self._at)
        if start is None:
            return False
        transaction_id, method, code, comment = start.groups()
        # The CRLF of the start line may be the one before the end-line.
        at = start.end() - 2
        end_line = b"\r\n-------" + transaction_id
        stop = data.find(end_line, at)
        after = stop + len(end_line) + 3
        end = _ENDS.get(data[after - 3 : after]) if stop >= 0 else None
        if end is None:
            return False
        blank = data.find(b"\r\n\r\n", at, stop + 2)
        head_stop = stop if blank < 0 else blank
        if head_stop - at > self._max_head_size or stop < blank + 4:
            return False
        if method is None:
            if blank >= 0:
                return False
            head = ResponseHead(
                transaction_id.decode(), int(code), (comment or b"").decode()
            )
            events.append(ResponseReceived(head, data[at + 2 : stop]))
        else:
            block = data[at + 2 : head_stop]
            has_body = blank >= 0
            events.append(
                RequestReceived(
                    transaction_id.decode(), method.decode(), block, has_body
                )
            )
            if stop > blank + 4 and has_body:
                events.append(BodyReceived(data[blank + 4 : stop]))
        events.append(end)
        self._finish(after)
        return True

    def _next_event(self, events: list[FramingEvent]) -> bool:
        """Append what comes next and tell whether to look for more."""
        if self._state == _BEFORE:
            return self._read_start_line()
        if self._state == _HEAD:
            return self._read_head(events)
        return self._read_body(events)

    def _read_start_line(self) -> bool:
        data = self._data
        while data.startswith(b"\r\n", self._at):  # Some send these to keep alive.
            self._at += 2
        stop = data.find(b"\r\n", max(self._at, self._searched))
        if stop < 0:
            self._check_unfinished_start_line()
            self._searched = max(self._at, len(data) - 1)
            return False
        line = data[self._at : stop]
        if len(line) > _MAX_START_LINE:
            raise LimitExceeded("the start line is too long")
        try:
            match = _START_LINE.fullmatch(line.decode())
        except UnicodeDecodeError:
            match = None
        if match is None:
            raise RemoteProtocolError("not an MSRP start line", section="4975#9")
        self._start = match
        self._end_line = b"\r\n-------" + match["transaction_id"].encode()
        # The CRLF of the start line may be the one before the end-line.
        self._at = self._searched = stop
        self._state = _HEAD
        return True

    def _check_unfinished_start_line(self) -> None:
        beginning = self._data[self._at : self._at + 5]
        if not b"MSRP ".startswith(beginning) and beginning != b"\r":
            raise RemoteProtocolError("not an MSRP start line", section="4975#9")
        # One more, for it may be the CR of the line's end.
        if len(self._data) - self._at > _MAX_START_LINE + 1:
            raise LimitExceeded("the start line is too long")

    def _read_head(self, events: list[FramingEvent]) -> bool:
        data, end_line = self._data, self._end_line
        # Look no further than a head may reach, and for the empty line not behind
        # the end-line: most heads have none, and the rest of the read is not theirs.
        limit = self._at + self._max_head_size + len(end_line)
        end = data.find(end_line, self._searched, limit)
        blank = data.find(b"\r\n\r\n", self._searched, limit if end < 0 else end + 2)
        if end >= 0 and blank < 0:
            self._check_head_size(end)
            flag = self._flag_at(end + len(end_line))
            if flag is None:
                return self._wait_for_head(end)
            self._emit_head(events, end, has_body=False)
            events.append(EndReceived(flag))
            self._finish(end + len(end_line) + 3)
            return True
        if blank < 0:
            return self._wait_for_head(max(self._at, len(data) - len(end_line)))
        self._check_head_size(blank)
        self._emit_head(events, blank, has_body=True)
        self._state = _BODY
        self._at = blank + 4
        return True

    def _wait_for_head(self, searched: int) -> bool:
        # What comes after that may be the end already, and then doesn't count.
        self._check_head_size(searched)
        self._searched = max(self._searched, searched)
        return False

    def _check_head_size(self, stop: int) -> None:
        if stop - self._at > self._max_head_size:
            raise LimitExceeded("the header section is too long")

    def _emit_head(
        self, events: list[FramingEvent], stop: int, *, has_body: bool
    ) -> None:
        assert self._start is not None
        transaction_id, code, comment, method = self._start.group(
            "transaction_id", "code", "comment", "method"
        )
        block = self._data[self._at + 2 : stop]
        if code is not None:
            head = ResponseHead(transaction_id, int(code), comment or "")
            events.append(ResponseReceived(head, block))
            return
        events.append(RequestReceived(transaction_id, method, block, has_body))

    def _read_body(self, events: list[FramingEvent]) -> bool:
        data, end_line, at = self._data, self._end_line, self._at
        search = at
        while True:
            stop = data.find(end_line, search)
            if stop < 0:
                self._pass_on(events, len(data) - self._held_back())
                return False
            flag_at = stop + len(end_line)
            flag = self._flag(flag_at)
            if flag is not None:
                self._pass_on(events, stop)
                events.append(EndReceived(flag))
                self._finish(flag_at + 3)
                return True
            if self._may_become_flag(flag_at):
                self._pass_on(events, stop)
                return False
            search = stop + 2  # It only looked like an end-line.

    def _pass_on(self, events: list[FramingEvent], stop: int) -> None:
        if stop > self._at:
            data = self._data
            whole = self._at == 0 and stop == len(data)
            events.append(BodyReceived(data if whole else data[self._at : stop]))
            self._at = stop

    def _held_back(self) -> int:
        # CR is only ever the first octet of an end-line, so the last CR is the
        # one place where an unfinished end-line can start.
        data, end_line = self._data, self._end_line
        start = data.rfind(b"\r", max(self._at, len(data) - len(end_line)))
        if start >= 0 and end_line.startswith(data[start:]):
            return len(data) - start
        return 0

    def _flag(self, at: int) -> ContinuationFlag | None:
        """Return the flag that stands at an offset, if CRLF follows it."""
        if self._data[at + 1 : at + 3] != b"\r\n":
            return None
        return _FLAGS.get(self._data[at : at + 1])

    def _may_become_flag(self, at: int) -> bool:
        tail = self._data[at : at + 3]
        return len(tail) < 3 and tail[:1] in b"$+#" and b"\r\n".startswith(tail[1:])

    def _flag_at(self, at: int) -> ContinuationFlag | None:
        """Return the flag in a head, where a look-alike has no other meaning."""
        flag = self._flag(at)
        if flag is None and not self._may_become_flag(at):
            raise RemoteProtocolError("malformed end-line", section="4975#7.1")
        return flag

    def _finish(self, at: int) -> None:
        self._at = self._searched = at
        self._state = _BEFORE
        self._start = None
