"""Starts ``msrp-chat`` by forking a process that has imported it already.

To import all of it takes a processor longer than most of what the tests do with it.
What is forked is as much a process of its own as one that was started: it has its own
streams, arguments and environment, and gets its own signals.  That it can be started
as people do is shown by the demo, by the terminal, and by whatever is run in a shell.

Run as a program, this module is the process that is forked, and listens on stdin.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["ForkServer", "Forked", "run_server"]

_LONGEST = 1 << 20
"""Octets of one request: its arguments and environment."""


class Forked:
    """A process that was forked, with what the tests need of :mod:`asyncio`'s.

    Args:
        pid: Its number.
        stdout: What it writes.
        stderr: Likewise.
        connection: Tells how it has ended.
    """

    def __init__(
        self,
        pid: int,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
        connection: socket.socket,
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._watcher = asyncio.create_task(self._watch(connection), name="forked")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until it has ended; return how."""
        await asyncio.wait([self._watcher])
        assert self.returncode is not None
        return self.returncode

    async def _watch(self, connection: socket.socket) -> None:
        with connection:
            loop = asyncio.get_running_loop()
            self.returncode = int(await loop.sock_recv(connection, _LONGEST))


class ForkServer:
    """The process that is forked, seen from the tests of one event loop.

    Args:
        path: Where it listens.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    async def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        constants: Mapping[str, float],
    ) -> Forked:
        """Fork a process that runs ``msrp-chat``.

        Args:
            arguments: Those of the program.
            environment: All of its environment.
            constants: Constants that are otherwise in that process, by module and
                name: times that a test needn't wait for.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        connection.connect(self._path)
        theirs = [os.open(os.devnull, os.O_RDONLY)]
        stdout, theirs_out = os.pipe()
        stderr, theirs_err = os.pipe()
        theirs += [theirs_out, theirs_err]
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "constants": dict(constants),
        }
        socket.send_fds(connection, [json.dumps(request).encode()], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        loop = asyncio.get_running_loop()
        pid = int(await loop.sock_recv(connection, _LONGEST))
        return Forked(
            pid, await _reader_of(stdout), await _reader_of(stderr), connection
        )


@contextlib.contextmanager
def run_server() -> Iterator[ForkServer]:
    """Run the process that is forked, as long as this lasts."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), str(root / "samples")])
    with tempfile.TemporaryDirectory() as directory:
        where = os.path.join(directory, "forks")
        with subprocess.Popen(
            [sys.executable, "-m", "tests.samples.forking", where],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDEVMODE": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                yield ForkServer(where)
            finally:
                process.kill()


async def _reader_of(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    return reader


# What follows runs in the process that is forked.


def _serve(path: str) -> None:
    for module in ("call", "listen", "session"):
        importlib.import_module(f"msrp_chat.commands.{module}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(path)
        server.listen(100)
        os.write(1, b"ready\n")
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                os._exit(_mind(connection))
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _mind(connection: socket.socket) -> int:
    """Run one process, and say its number and how it has ended."""
    with connection:
        data, streams, _, _ = socket.recv_fds(connection, _LONGEST, 3)
        request = json.loads(data)
        pid = os.fork()
        if pid == 0:
            connection.close()
            _run(request, streams)
        connection.send(str(pid).encode())
        for stream in (*streams, 1, 2):
            os.close(stream)  # Lest it seems that somebody may still write.
        _, status = os.waitpid(pid, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    return 0


def _run(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    from msrp_chat.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # Others than those of the process that was forked, which may have been files.
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(request["environment"])
    for path, value in request["constants"].items():
        module, _, name = path.rpartition(".")
        assert hasattr(sys.modules[module], name), path
        setattr(sys.modules[module], name, value)
    code = 1
    try:
        code = main(request["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        # All that an interpreter does in the end but for tidying up.
        atexit._run_exitfuncs()
        for output in (sys.stdout, sys.stderr):
            output.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
