"""The requests of a user agent, told once each when their fate is known."""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from recording import CallIdentity, Direction, Endpoint, Outcome
from sip.emergency.identifiers import identifiers_in
from sip.errors import SipParseError
from sip.message import Message, Request, Response
from sip.status import reason_phrase
from sip.tap.draft import Draft

__all__ = ["MAX_KNOWN_CALLS", "MAX_OPEN", "MAX_REMEMBERED", "Heard", "Requests"]

MAX_OPEN = 10_000
"""Requests without a final response; above it the oldest are told as they are."""

MAX_REMEMBERED = 16_384
"""Requests that are known when they are repeated, which goes on for half a minute."""

MAX_KNOWN_CALLS = 10_000
"""Calls whose identifiers are known, since not each request of a call has them."""

_Key = tuple[Direction, str, str, str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message that went through a socket of ours."""

    direction: Direction
    message: Message
    octets: bytes
    peer: Endpoint
    began: datetime.datetime
    ended: datetime.datetime


class Requests:
    """Makes records of requests.

    Args:
        tell: Called with each request of which all is known, once.
        timeout: Seconds until a request without any response has failed.
    """

    __slots__ = ("_calls", "_drafts", "_settled", "_tell", "_timeout", "_told")

    def __init__(self, tell: Callable[[Draft], None], timeout: float) -> None:
        self._tell = tell
        # The core is to be first: it repeats and asks others.
        self._timeout = datetime.timedelta(seconds=timeout + 1.0)
        self._drafts: dict[_Key, Draft] = {}
        self._settled: list[_Key] = []
        self._told: dict[_Key, None] = {}
        self._calls: OrderedDict[str, CallIdentity] = OrderedDict()

    def heard(self, heard: Heard) -> None:
        """Take note of a message."""
        message = heard.message
        try:
            if isinstance(message, Request):
                self._request(heard, message)
            else:
                self._response(heard, message)
        except SipParseError:
            pass  # It can't be told what it belongs to; wire taps have it.

    def handed_over(self, request: Request, now: datetime.datetime) -> None:
        """Take note that the application is told of a request of the peer."""
        draft = self._find(Direction.RECEIVED, request)
        if draft is not None and draft.handed_over is None:
            draft.handed_over = now

    def failed(self, request: Request, problem: str) -> None:
        """Take note that a request of ours could not be sent."""
        try:
            key = _key(Direction.SENT, request, request.method)
        except SipParseError:
            return
        draft = self._drafts.get(key)
        if draft is None:
            if key in self._told:
                return
            draft = self._open(key, Draft(Direction.SENT, request))
            draft.call = self._identify(request)
        draft.outcome, draft.problem = Outcome.FAILED, problem
        self._finish(key)

    # The clock, and the end.

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits for :meth:`settle`."""
        return not self._settled

    def settle(self) -> None:
        """Tell of what has its final response.

        A little after that has gone, since the application may hear of a request later
        than its sender.
        """
        settled, self._settled = self._settled, []
        for key in settled:
            self._finish(key)

    def next_timeout(self) -> datetime.datetime | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        times = (draft.gives_up for draft in self._drafts.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: datetime.datetime) -> None:
        """Tell of what nobody has answered."""
        for key, draft in list(self._drafts.items()):
            if draft.gives_up is not None and draft.gives_up <= now:
                draft.outcome, draft.code = Outcome.FAILED, 408
                draft.problem = "nobody answered in time"
                self._finish(key)

    def finish(self) -> None:
        """Tell of all that is left: nothing more will become known."""
        for key in list(self._drafts):
            self._finish(key)
        self._settled.clear()

    # Inside.

    def _request(self, heard: Heard, request: Request) -> None:
        key = _key(heard.direction, request, request.method)
        if key in self._drafts or key in self._told:
            return  # It is repeated.
        draft = Draft(heard.direction, request, heard.octets, heard.peer)
        draft.first_octet, draft.last_octet = heard.began, heard.ended
        draft.call = self._identify(request)
        self._open(key, draft)
        if request.method == "ACK":  # Nobody answers it.
            received = heard.direction is Direction.RECEIVED
            draft.outcome = Outcome.ARRIVED if received else Outcome.UNKNOWN
            self._settled.append(key)
        elif heard.direction is Direction.SENT:
            draft.gives_up = heard.ended + self._timeout

    def _response(self, heard: Heard, response: Response) -> None:
        received = heard.direction is Direction.RECEIVED
        direction = Direction.SENT if received else Direction.RECEIVED
        key = _key(direction, response, response.cseq.method)
        draft = self._drafts.get(key)
        if draft is None:
            return
        draft.code, draft.answered = response.status, heard.ended
        if response.status < 200:
            if draft.request.method == "INVITE":
                draft.gives_up = None  # It may ring for as long as it likes.
        elif draft.outcome is None:
            draft.outcome = Outcome.ARRIVED
            if response.status >= 300:
                phrase = reason_phrase(response.status)
                draft.outcome = Outcome.REFUSED
                draft.problem = f"it was refused with {response.status} ({phrase})"
            self._settled.append(key)

    def _identify(self, request: Request) -> CallIdentity:
        """Return which call a request belongs to, by what was said of that so far."""
        call_id = request.call_id
        known = self._calls.get(call_id) or CallIdentity(sip_call_id=call_id)
        if "Call-Info" in request.headers:
            call, incident = identifiers_in(request)
            known = replace(
                known,
                call_id=str(call) if call else known.call_id,
                incident_id=str(incident) if incident else known.incident_id,
            )
            self._calls[call_id] = known
            if len(self._calls) > MAX_KNOWN_CALLS:
                self._calls.popitem(last=False)
        return known

    def _find(self, direction: Direction, request: Request) -> Draft | None:
        try:
            return self._drafts.get(_key(direction, request, request.method))
        except SipParseError:
            return None

    def _open(self, key: _Key, draft: Draft) -> Draft:
        if len(self._drafts) >= MAX_OPEN:
            self._finish(next(iter(self._drafts)))
        self._drafts[key] = draft
        return draft

    def _finish(self, key: _Key) -> None:
        draft = self._drafts.pop(key, None)
        if draft is None:
            return
        self._told[key] = None
        if len(self._told) > MAX_REMEMBERED:
            del self._told[next(iter(self._told))]
        self._tell(draft)


def _key(direction: Direction, message: Message, method: str) -> _Key:
    """Tell transactions apart (:rfc:`3261#section-17.2.3`), old ones too."""
    via = message.via
    sent_by = f"{via.host.lower()}:{via.port}"
    number = message.cseq.number
    return direction, via.branch or "", sent_by, method, message.call_id, number
