"""A program that runs the demo, and has tshark write what goes over loopback meanwhile.

`python captured_demo.py FILE` captures into a file, and says what the demo says.  It is
for a network of its own, in which nobody else says anything: there it makes the
loopback work first.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

REFUSED = 77
"""What this exits with if nothing may be captured here."""

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS and SIOCSIFFLAGS of Linux.
_UP = 0x1


class Marker:
    """Puts marks on the loopback, to see how far a capture has come.

    Args:
        file: What is captured.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def see(self, mark: bytes) -> bool:
        """Wait until a mark is in the file, and with it all that went before."""
        for _ in range(500):
            self._socket.sendto(mark, ("127.0.0.1", self.port))
            time.sleep(0.02)
            if self._file.exists() and mark in self._file.read_bytes():
                return True
        return False

    def close(self) -> None:
        self._socket.close()


def bring_up_loopback() -> None:
    """Make the loopback work, if it doesn't: that of a new network is down."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(sock, _GET_FLAGS, request), 16)
        if not flags & _UP:
            fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


@contextlib.contextmanager
def capturing(file: Path) -> Iterator[None]:
    """Have tshark write what goes over loopback meanwhile."""
    with contextlib.closing(Marker(file)) as marker:
        what = f"tcp or udp port {marker.port}"
        with subprocess.Popen(
            ["tshark", "-i", "lo", "-f", what, "-B", "64", "-w", str(file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                leave_if_refused(process)
                assert marker.see(b"The capture has begun.")
                yield
                assert marker.see(b"All of it has been captured.")
            finally:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=30)


def leave_if_refused(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if "Capturing on" in line:
            return
    sys.stderr.writelines(said)
    sys.exit(REFUSED)


def main() -> int:
    file = Path(sys.argv[1])
    bring_up_loopback()
    with capturing(file):
        demo = subprocess.run(
            [sys.executable, "-m", "msrp_chat", "demo", "--tcp", "--json"],
            timeout=60,
            cwd=file.parent,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'samples'}"},
        )
    return demo.returncode


if __name__ == "__main__":
    sys.exit(main())
