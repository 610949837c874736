"""Octets in, messages out (:rfc:`3261#section-7.5`, :rfc:`3261#section-18.3`).

A datagram is one message: what follows the body is noise, and a body without a
Content-Length reaches to the end.  On a stream the Content-Length alone says
where the next message starts.  So :func:`parse_message` takes a whole message,
and :class:`StreamFramer` cuts a stream into messages, however it arrives.

Nothing a peer sends raises anything but :exc:`SipParseError`, and the time a
head takes grows with its length and with nothing else.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TypeAlias

from sip.errors import SipParseError
from sip.grammar import is_one_line, is_token, parse_number
from sip.headers import Headers
from sip.message import MAX_URI_LENGTH, Message, Request, Response

__all__ = [
    "MAX_BODY_SIZE",
    "MAX_HEAD_SIZE",
    "KeepAlive",
    "StreamEvent",
    "StreamFramer",
    "parse_message",
]

MAX_HEAD_SIZE = 65_536
"""How many octets a head on a stream may have; no datagram can carry more."""

MAX_BODY_SIZE = 1_048_576
"""How many octets a body on a stream may have.

A call may bring a session description, its location and blocks of additional
data (:rfc:`7852`), some with a photograph, as tens of kilobytes each.  Pictures
people send to each other don't travel in SIP.
"""

_END_OF_HEAD = b"\r\n\r\n"

_HARMLESS = bytes(set(range(256)) - set(b"\r\n\0"))

# What nearly all first lines look like.
_REQUEST_LINE = re.compile(r"([A-Z]++) ([^\x00-\x20\x7f]++) SIP/2\.0")

_MAY_BEGIN = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~\r"
)
"""What a start line may begin with, a method being a token, and an empty line."""


@dataclass(slots=True)  # Not frozen: one is made for every message.
class _Head:
    """What came before the body."""

    message: Message | None
    """``None`` for a response whose status line is no good."""

    length: int | None
    """What Content-Length says, if there is one."""

    error: SipParseError | None
    """The first thing that is wrong, framing excepted."""

    framing_error: SipParseError | None
    """Why there is no telling where the body ends."""


def parse_message(data: bytes, *, datagram: bool = True) -> Message:
    """Read one message.

    Args:
        data: The datagram, or what a stream holds up to the end of the body.
            Empty lines before the start line are let pass.
        datagram: Whether octets after the body are ignored and a body without
            Content-Length reaches to the end (:rfc:`3261#section-18.3`).

    Raises:
        SipParseError: It isn't a message.  Its ``request`` is the request to
            answer with its ``status``; without one there is nothing to answer.
    """
    if data[:1] == b"\r":
        data = data.lstrip(b"\r\n")
    head, start = _find_head(data, datagram)
    error = head.error or head.framing_error
    if error is not None:
        raise error
    available = len(data) - start
    length = head.length
    if length is None:
        if not datagram:
            raise _about(head.message, "there must be one", "Content-Length")
        length = available
    if length > available or (length < available and not datagram):
        raise _about(head.message, "not the length of the body", "Content-Length")
    assert head.message is not None
    head.message.body = data[start : start + length]
    return head.message


def _find_head(data: bytes, datagram: bool) -> tuple[_Head, int]:
    """Read the head of a whole message and give the offset of its body."""
    end = data.find(_END_OF_HEAD)
    if end >= 0:
        return _parse_head(data[:end]), end + len(_END_OF_HEAD)
    if datagram and data.endswith(b"\r\n"):
        # Some leave out the empty line when no body follows.  Where the head
        # says that none does, nothing can have been cut off.
        head = _parse_head(data[:-2])
        if head.length == 0:
            return head, len(data)
    raise _unfinished(data)


def _parse_head(octets: bytes) -> _Head:
    """Read a head up to, but not including, the empty line.

    Raises:
        SipParseError: The first line isn't one of SIP.
    """
    text = octets.decode("utf-8", "surrogateescape")
    start_line, *lines = text.split("\r\n")
    problem: str | None = None
    if octets.translate(None, _HARMLESS) != b"\r\n" * len(lines):
        good = list(filter(is_one_line, lines))
        # What a lone CR or LF means depends on the reader.  A line with one must not
        # get into an answer either.
        if len(good) < len(lines) or not is_one_line(start_line):
            problem = "a line has a lone CR or LF or a NUL"
        lines = good
    headers, bad_line = Headers.from_lines(lines)
    message, error = _parse_start_line(start_line, headers)
    problem = problem or bad_line
    if error is None and problem is not None:
        error = _about(message, problem)
    length, framing_problem = _parse_content_length(headers)
    framing_error = None
    if framing_problem is not None:
        framing_error = _about(message, framing_problem, "Content-Length")
    return _Head(message, length, error, framing_error)


def _parse_start_line(
    line: str, headers: Headers
) -> tuple[Message | None, SipParseError | None]:
    plain = _REQUEST_LINE.fullmatch(line)
    if plain is not None and len(line) <= MAX_URI_LENGTH:
        return Request(plain[1], plain[2], headers), None
    if line[:4].upper() == "SIP/":
        return _parse_status_line(line, headers)
    method, _, rest = line.partition(" ")
    # More than one space between the parts, or some at the end, are let pass.
    uri, _, version = rest.strip(" ").rpartition(" ")
    uri = uri.rstrip(" ")
    if not is_token(method) or not uri or version[:4].upper() != "SIP/":
        raise SipParseError("the first line is no SIP start line")
    request = Request(method, uri, headers)
    error: SipParseError | None = None
    if version.upper() != "SIP/2.0":
        error = SipParseError("not SIP/2.0", status=505, request=request)
    elif len(uri) > MAX_URI_LENGTH:
        error = SipParseError(
            "too long", header="Request-URI", status=414, request=request
        )
    elif " " in uri or "\t" in uri:
        error = _about(request, "white space in it", "Request-URI")
    return request, error


def _parse_status_line(
    line: str, headers: Headers
) -> tuple[Response | None, SipParseError | None]:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        return None, SipParseError("not SIP/2.0")
    if len(code) != 3 or not code.isascii() or not code.isdigit():
        return None, SipParseError("the status code isn't three digits")
    status = int(code)
    if not 100 <= status <= 699:
        return None, SipParseError("the status code isn't between 100 and 699")
    return Response(status, reason, headers), None


def _parse_content_length(headers: Headers) -> tuple[int | None, str | None]:
    """Give the length, and what keeps it from being known."""
    values = headers.lines("Content-Length")
    if len(values) == 1:
        only = values[0]
        if len(only) < _DIGITS and only.isascii() and only.isdecimal():
            return int(only), None
    lengths: set[int] = set()
    for value in values:
        try:
            length = parse_number(value, _MAX_CONTENT_LENGTH)
        except SipParseError as exc:
            return None, exc.problem
        lengths.add(_MAX_CONTENT_LENGTH if length is None else length)
    if len(lengths) > 1:
        return None, "there are different ones"
    return (lengths.pop() if lengths else None), None


# Any number above what a message can have will do.
_MAX_CONTENT_LENGTH = 2**63 - 1
_DIGITS = len(str(_MAX_CONTENT_LENGTH))


def _about(
    message: Message | None, problem: str, header: str | None = None, status: int = 400
) -> SipParseError:
    request = message if isinstance(message, Request) else None
    return SipParseError(problem, header=header, status=status, request=request)


def _unfinished(
    data: bytes, problem: str = "the head has no end", status: int = 400
) -> SipParseError:
    """Make the error for a head without an end, with what can be read of it."""
    whole_lines = data[: max(data.rfind(b"\r\n"), 0)]
    try:
        head = _parse_head(whole_lines)
    except SipParseError as exc:
        return exc
    return _about(head.message, problem, status=status)


class KeepAlive(enum.Enum):
    """Empty lines between messages on a stream (:rfc:`5626#section-4.4.1`)."""

    PONG = b"\r\n"
    """One empty line: the answer to a ping, or nothing much."""

    PING = b"\r\n\r\n"
    """A second one right after it: answer with one empty line.

    Nobody can tell a pong from the first half of a ping, so a ping always
    comes as ``PONG`` and ``PING``.
    """


StreamEvent: TypeAlias = Request | Response | SipParseError | KeepAlive
"""What :meth:`StreamFramer.receive_data` finds on a stream."""


class StreamFramer:
    """Cut a stream into messages.

    A message that is malformed but has an end is reported as a
    :exc:`SipParseError` in its place, and the next message follows.  Where the
    end can't be told the error is the last event, and :attr:`broken` is set:
    answer if there is something to answer, then close the connection.

    What is held back is bounded by ``max_head_size`` and ``max_body_size`` and
    by what one call brings.

    Args:
        max_head_size: How many octets a head may have.
        max_body_size: How many octets a body may have.
    """

    __slots__ = (
        "_after_empty_line",
        "_at",
        "_broken",
        "_buffer",
        "_head",
        "_max_body_size",
        "_max_head_size",
        "_searched",
    )

    def __init__(
        self,
        *,
        max_head_size: int = MAX_HEAD_SIZE,
        max_body_size: int = MAX_BODY_SIZE,
    ) -> None:
        self._max_head_size = max_head_size
        self._max_body_size = max_body_size
        self._buffer = bytearray()
        self._at = 0
        self._searched = 0
        self._head: _Head | None = None
        self._after_empty_line = False
        self._broken = False

    @property
    def broken(self) -> bool:
        """Whether the stream is out of step for good."""
        return self._broken

    @property
    def mid_message(self) -> bool:
        """Whether a message has begun whose end hasn't come yet.

        A peer that stays in this state for long is to be disconnected.
        """
        return self._head is not None or len(self._buffer) > 0

    @property
    def unread(self) -> tuple[bytes, int]:
        """What has come of a message that isn't complete, for who reads along.

        Returns:
            Its octets, if not even its head is complete; or else nothing, and how many
            octets of it are still to come.
        """
        if self._head is None or self._head.length is None:
            return bytes(self._buffer), 0
        return b"", self._head.length - len(self._buffer)

    def receive_data(self, data: bytes) -> list[StreamEvent]:
        """Take in what the transport has read and return what it completes.

        The events don't depend on how the stream was cut into calls.  Nothing
        is read any more once the stream is :attr:`broken`.
        """
        events: list[StreamEvent] = []
        if self._broken:
            return events
        self._buffer += data
        while self._read_next(events):
            pass
        # Once per call and not per message, lest many small messages in one
        # read cost the square of their number.
        del self._buffer[: self._at]
        self._searched = max(self._searched - self._at, 0)
        self._at = 0
        return events

    def _read_next(self, events: list[StreamEvent]) -> bool:
        """Read one thing; tell whether there may be another."""
        if self._head is not None:
            return self._read_body(self._head, events)
        if self._buffer.startswith(b"\r\n", self._at):
            self._at += 2
            events.append(KeepAlive.PING if self._after_empty_line else KeepAlive.PONG)
            self._after_empty_line = not self._after_empty_line
            return True
        if len(self._buffer) > self._at and self._buffer[self._at] not in _MAY_BEGIN:
            # TLS, most likely, whose client would wait for us as long as we for it.
            return self._break(SipParseError("this is no SIP message"), events)
        return self._read_head(events)

    def _read_head(self, events: list[StreamEvent]) -> bool:
        end = self._buffer.find(_END_OF_HEAD, max(self._searched, self._at))
        if (len(self._buffer) if end < 0 else end) - self._at > self._max_head_size:
            start = self._buffer[self._at : self._at + self._max_head_size]
            error = _unfinished(bytes(start), "the head is too long", status=513)
            return self._break(error, events)
        if end < 0:
            # The end may be there but for its last octet.
            self._searched = max(len(self._buffer) - len(_END_OF_HEAD) + 1, 0)
            return False
        try:
            head = _parse_head(bytes(self._buffer[self._at : end]))
        except SipParseError as exc:
            return self._break(exc, events)
        if (error_ := self._framing_error(head)) is not None:
            return self._break(error_, events)
        self._head = head
        self._after_empty_line = False
        self._at = end + len(_END_OF_HEAD)
        return True

    def _framing_error(self, head: _Head) -> SipParseError | None:
        if head.framing_error is not None:
            return head.framing_error
        if head.length is None:
            return _about(head.message, "there must be one", "Content-Length")
        if head.length > self._max_body_size:
            return _about(head.message, "the body is too long", status=413)
        return None

    def _read_body(self, head: _Head, events: list[StreamEvent]) -> bool:
        assert head.length is not None
        end = self._at + head.length
        if len(self._buffer) < end:
            return False
        if head.error is not None:
            events.append(head.error)
        else:
            assert head.message is not None
            head.message.body = bytes(self._buffer[self._at : end])
            events.append(head.message)
        self._head = None
        self._at = end
        return True

    def _break(self, error: SipParseError, events: list[StreamEvent]) -> bool:
        events.append(error)
        self._broken = True
        self._buffer.clear()
        self._at = 0
        return False
