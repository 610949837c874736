"""Keeping a record, and showing what goes over the wire."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from msrp_chat.command_line.options import TalkOptions
from msrp_chat.events import Notice, Traced
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError, ExitCode
from recording import (
    Direction,
    JsonLinesFile,
    MessageRecord,
    PcapngFile,
    Tap,
    Tappable,
    WireRecord,
)

__all__ = ["recorded"]

_MOST_SHOWN = 4096
"""Octets of one message that people are shown."""

_Taps = list[Tap[WireRecord] | Tap[MessageRecord]]


@contextlib.asynccontextmanager
async def recorded(
    options: TalkOptions, output: Output, things: Sequence[Tappable]
) -> AsyncIterator[None]:
    """Record what happens as the options say, as long as this lasts.

    Args:
        options: What the command line says.
        output: Who is told of what passes, and of what could not be recorded.
        things: What to listen at.

    Raises:
        ChatError: A file can't be written.
    """
    _check_files(options)
    taps: _Taps = []
    with contextlib.ExitStack() as files:
        if options.log is not None:
            log = files.enter_context(JsonLinesFile(options.log))
            taps += [thing.add_tap(log) for thing in things]
        if options.pcap is not None:
            capture = files.enter_context(PcapngFile(options.pcap))
            taps += [thing.add_wire_tap(capture) for thing in things]
        if options.trace:

            async def show(record: WireRecord) -> None:
                output.tell(_traced(record))

            taps += [thing.add_wire_tap(show) for thing in things]
        try:
            yield
        finally:
            await _end(taps, output)


def _check_files(options: TalkOptions) -> None:
    for path in (options.log, options.pcap):
        if path is not None:
            try:
                path.open("ab").close()
            except OSError as exc:
                problem = f"{path}: {exc.strerror or 'it cannot be written'}"
                raise ChatError(problem, ExitCode.USAGE) from exc


async def _end(taps: _Taps, output: Output) -> None:
    for tap in taps:
        tap.remove()
    for tap in taps:
        await tap.drained()
    lost = sum(tap.lost for tap in taps)
    if lost:
        output.tell(Notice(text=f"{lost} message(s) could not be recorded"))


def _traced(record: WireRecord) -> Traced:
    head, blank, body = record.octets[:_MOST_SHOWN].partition(b"\r\n\r\n")
    shown = head + blank + (body if _is_text(body) else b"...")
    return Traced(
        protocol=record.protocol.value,
        direction="sent" if record.direction is Direction.SENT else "received",
        peer=str(record.peer),
        size=record.size,
        text=shown.decode(errors="replace"),
    )


def _is_text(octets: bytes) -> bool:
    # The last character may have been cut.
    try:
        text = octets.decode()
    except UnicodeDecodeError as exc:
        text = octets[: exc.start].decode() if exc.start > len(octets) - 4 else "\0"
    return "\0" not in text
