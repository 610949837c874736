"""What reading a SIP message costs beside splitting it into a dict.

The message is an INVITE with twelve header fields and a session description.  The
baseline is the least that anybody could do with it: split the head into lines, and
each line at its colon, into a dict.  Every message is different from the others in
what differs between calls (branch, tags, Call-ID, the caller), so that nothing here
is remembered from one message to the next but what would be between calls.

``python -m benchmarks.sip_parse`` prints the ratios; :func:`measure` gives them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from sip.message import Request
from sip.wire import parse_message

BATCHES, BATCH = 80, 20
"""How many different messages are read in one run, and how many of them in a row."""

RUNS = 9
"""Runs of each piece of work, in turn with the others."""

_SDP = b"""\
v=0\r
o=- 3960000001 1 IN IP4 192.0.2.10\r
s=-\r
c=IN IP4 192.0.2.10\r
t=0 0\r
m=message 2855 TCP/TLS/MSRP *\r
a=path:msrps://192.0.2.10:2855/9s7fYk2mPq4wZr8tLx1v;tcp\r
a=accept-types:message/cpim text/plain\r
a=setup:actpass\r
"""


def invite(number: int) -> bytes:
    """Make the INVITE of a caller, with twelve header fields."""
    caller = f"caller{number:04}"
    head = f"""\
INVITE sip:psap@esrp.example.net;transport=tcp SIP/2.0
Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK{number:016x};rport
Max-Forwards: 70
To: <sip:psap@esrp.example.net>
From: "Caller {number}" <sip:{caller}@example.com>;tag={number:08x}
Call-ID: {number:032x}@192.0.2.10
CSeq: {number % 100 + 1} INVITE
Contact: <sip:{caller}@192.0.2.10:5060;transport=tcp>
Route: <sip:esrp.example.net;transport=tcp;lr>
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, UPDATE
Supported: timer, 100rel, replaces
Content-Type: application/sdp
Content-Length: {len(_SDP)}

"""
    return head.replace("\n", "\r\n").encode() + _SDP


def split(data: bytes) -> tuple[dict[str, str], bytes]:
    """Do the least: lines, and what is before and after the colon."""
    head, _, body = data.partition(b"\r\n\r\n")
    fields = {}
    for line in head.decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return fields, body


def parse(data: bytes) -> Request:
    """Read the message."""
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def parse_and_read(data: bytes) -> tuple[object, ...]:
    """Read the message, and ten of its header fields as values."""
    message = parse(data)
    return (
        message.via.branch,
        message.to.uri,
        message.from_.tag,
        message.call_id,
        message.cseq.number,
        message.max_forwards,
        message.contacts[0].uri,
        message.routes[0].uri,
        message.allow,
        message.supported,
    )


Work = Callable[[bytes], object]


def _time(work: Work, messages: list[bytes]) -> float:
    # Of this process, as the others on a machine aren't what is measured.
    began = time.process_time()
    for message in messages:
        work(message)
    return time.process_time() - began


def _run(numbers: Iterator[int]) -> dict[Work, float]:
    """Time each piece of work, in turn with the others, on the same messages."""
    times: dict[Work, float] = {split: 0.0, parse: 0.0, parse_and_read: 0.0}
    for _ in range(BATCHES):
        messages = [invite(next(numbers)) for _ in range(BATCH)]
        for work in times:
            times[work] += _time(work, messages)
    return times


def measure(runs: int = RUNS) -> list[tuple[str, list[float]]]:
    """Measure the rates, as ratios to that of the baseline.

    Returns:
        A name for each ratio, and what each run gave.
    """
    numbers = iter(range(1_000_000))
    _run(numbers)  # To begin with what is imported and compiled on first use.
    times = [_run(numbers) for _ in range(runs)]
    return [
        (name, [run[split] / run[work] for run in times])
        for name, work in (
            ("SIP: read an INVITE", parse),
            ("SIP: read an INVITE and ten header fields", parse_and_read),
        )
    ]


def main() -> None:
    """Print the ratios."""
    for name, ratios in measure():
        low, high = min(ratios), max(ratios)
        median = statistics.median(ratios)
        print(f"{median:.3f}  ({low:.3f} to {high:.3f})  {name}")


if __name__ == "__main__":
    main()
