"""What reading and writing a value costs, beside splitting its octets once.

A split is the least that anybody can do who looks at all octets; no parser comes
near it, and the figure says by how many times.  Nothing leaves the process here.
"""

from __future__ import annotations

import datetime
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import cpim
import mime
import sdp
from benchmarks.effort import Effort
from benchmarks.figures import Measured, ratios
from benchmarks.rows import row
from benchmarks.sessions import noise

__all__ = ["VALUES", "Value", "timed", "values"]

_SECONDS = 0.1
"""How long each side repeats its work in each run, at least."""

DESCRIPTION = b"""\
v=0
o=psap 2890844526 2890842807 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
m=audio 49170 RTP/AVP 0 8 96
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=sendrecv
a=hlang-send:en
a=hlang-recv:en es
m=video 49172 RTP/AVP 97
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01f;packetization-mode=1
a=sendrecv
m=message 2855 TCP/TLS/MSRP *
a=accept-types:message/cpim text/plain multipart/mixed
a=accept-wrapped-types:*
a=path:msrps://192.0.2.10:2855/kf83jd02mdu3;tcp
a=setup:actpass
a=fingerprint:SHA-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:\
DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
""".replace(b"\n", b"\r\n")
"""An offer of audio, video and messages, as a console sends it."""

_MOMENT = datetime.datetime(2026, 5, 15, 15, 2, 31, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Value:
    """Something to read and to write."""

    size: int
    ours: Callable[[], object]
    split: Callable[[], object]


def _description() -> Value:
    def work() -> bytes:
        return bytes(sdp.SessionDescription.parse(DESCRIPTION))

    assert work() == DESCRIPTION
    return Value(len(DESCRIPTION), work, lambda: DESCRIPTION.split(b"\r\n"))


def _cpim() -> Value:
    def write() -> bytes:
        message = cpim.CpimMessage.build(
            "text/plain; charset=utf-8",
            b"There is smoke in the hall, and the door is hot. Shall we go out?",
            sender=cpim.Address("sip:alice@example.com", "Alice"),
            to=cpim.Address("sip:psap@example.net"),
            date_time=_MOMENT,
            subject="Smoke",
        )
        return bytes(message)

    data = write()

    def work() -> bytes:
        message = cpim.CpimMessage.parse(data)
        assert all((message.sender, message.to, message.date_time, message.text))
        return write()

    return Value(len(data), work, lambda: data.split(b"\r\n"))


def _multipart() -> Value:
    picture = noise(1_000_000)
    text = mime.Part.build("text/plain; charset=utf-8", b"This is what I see.")
    photo = mime.Part.build(
        "image/jpeg", picture, content_id="photo@example.com", disposition="attachment"
    )

    def write() -> tuple[mime.ContentType, bytes]:
        return mime.build_multipart([text, photo])

    content_type, body = write()
    boundary = content_type.parameter("boundary")
    assert boundary is not None
    delimiter = b"\r\n--" + boundary.encode()

    def work() -> object:
        read = mime.parse_multipart(content_type, body)
        assert len(read.parts[1].content) == len(picture)
        return write()

    return Value(len(body), work, lambda: body.split(delimiter))


VALUES: dict[str, Callable[[], Value]] = {
    "sdp": _description,
    "cpim": _cpim,
    "multipart": _multipart,
}


async def values(effort: Effort) -> list[Measured]:
    """Each value in turn, and its split right after it."""
    measured = []
    for name, make in VALUES.items():
        value = make()
        ours, split = [], []
        for _ in range(effort.runs):
            ours.append(timed(value.ours))
            split.append(timed(value.split))
        rates = (
            f"{statistics.median(ours) * 1e6:,.1f} and"
            f" {statistics.median(split) * 1e6:,.2f} µs"
        )
        size = f"{value.size:,} octets"
        measured.append(Measured(row(name), tuple(ratios(ours, split)), size, rates))
    return measured


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a piece of work takes, by doing it often."""
    times = 1
    while True:
        began = time.perf_counter()
        for _ in range(times):
            work()
        took = time.perf_counter() - began
        if took >= _SECONDS:
            return took / times
        times *= 2 if took == 0 else max(2, min(100, round(1.2 * _SECONDS / took)))
