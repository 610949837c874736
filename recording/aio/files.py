"""Files that records are written into: what taps are added for.

A file is opened when there is something to write, and what can't be written harms
nobody: it is logged once, in one sentence, and counted as lost by the tap.  Several
taps may write into one file.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO, Self

from recording.aio.tap import CLOSING_TIME, wait_for_taps
from recording.errors import RecordingFailed
from recording.json_lines import LogElement, to_json_line
from recording.pcapng import PcapngEncoder
from recording.records import MessageRecord, WireRecord

__all__ = ["JsonLinesFile", "PcapngFile"]


class _RecordFile:
    """A file to which whole records are added, and nothing less.

    Args:
        path: Which.  What is in it stays.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: BinaryIO | None = None
        self._closed = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Write what taps still have for it, within a bounded time, and close it."""
        if not self._closed:
            wait_for_taps(self, CLOSING_TIME)
        with self._lock:
            self._closed = True
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _head(self) -> bytes:
        """Return what to write before the first record."""
        return b""

    def _write(self, octets: bytes) -> None:
        if self._closed:
            raise RecordingFailed(str(self.path), "it was closed before")
        try:
            if self._file is None:
                file = self.path.open("ab", buffering=0)
                try:
                    _append(file, self._head())
                except BaseException:
                    file.close()
                    raise
                self._file = file
            _append(self._file, octets)
        except OSError as error:
            problem = error.strerror or str(error)
            raise RecordingFailed(str(self.path), problem) from error


class JsonLinesFile(_RecordFile):
    """Writes messages as log events of NG9-1-1, each a JSON object in a line.

    It is a callback for taps::

        with JsonLinesFile("call.jsonl") as log:
            listener.add_tap(log)

    Args:
        path: The file.  What is in it stays.
        element: Who logs.
        with_contents: Whether to have bodies that aren't text in it, in base64.
    """

    def __init__(
        self,
        path: str | Path,
        element: LogElement | None = None,
        *,
        with_contents: bool = False,
    ) -> None:
        super().__init__(path)
        self._element = element
        self._with_contents = with_contents

    def __call__(self, record: MessageRecord) -> None:
        """Write a record.

        Raises:
            RecordingFailed: It can't be written.
        """
        line = to_json_line(record, self._element, with_contents=self._with_contents)
        with self._lock:
            self._write(line)


class PcapngFile(_RecordFile):
    """Writes what goes over the wire as a capture for Wireshark.

    It is a callback for wire taps::

        with PcapngFile("call.pcapng") as capture:
            listener.add_wire_tap(capture)

    Args:
        path: The file.  What is in it stays: the format allows to add to it.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._encoder = PcapngEncoder()

    def __call__(self, record: WireRecord) -> None:
        """Write a record.

        Raises:
            RecordingFailed: It can't be written.
        """
        with self._lock:
            self._write(self._encoder.packets(record))

    def _head(self) -> bytes:
        return self._encoder.head()


def _append(file: BinaryIO, octets: bytes) -> None:
    """Write all of it, or nothing."""
    start = file.seek(0, 2)
    try:
        rest = memoryview(octets)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        file.truncate(start)  # Else half a record would spoil those behind it.
        raise
