"""The programs in the project's README do what it says."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import msrp
import sdp

ROOT = Path(__file__).parent.parent.parent


def programs() -> tuple[str, str]:
    """Return the one that answers and the one that calls, as printed."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    answering, calling = (block for block in blocks if "asyncio.run" in block)
    return answering, calling


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_one_program_calls_the_other(tmp_path: Path) -> None:
    answering, calling = programs()
    sip_port, msrp_port = str(free_port()), str(free_port())
    for name, text in (("answering", answering), ("calling", calling)):
        assert len(text.splitlines()) < 50
        text = text.replace("5060", sip_port).replace("2855", msrp_port)
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "picture.jpg").write_bytes(os.urandom(50_000))
    command = [sys.executable, "-W", "error", "-u"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "answering.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as answerer:
        try:
            wait_for_port(int(sip_port), answerer)
            caller = subprocess.run(
                [*command, "calling.py"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert caller.returncode == 0, caller.stderr
            assert answerer.stdout is not None
            heard = [answerer.stdout.readline().strip() for _ in range(2)]
        finally:
            answerer.kill()
            _, complaints = answerer.communicate(timeout=10)
    assert "Help is on its way." in caller.stdout
    assert heard == [
        "caller: There is smoke in the kitchen.",
        "caller sent image/jpeg 50000 octets",
    ]
    assert caller.stderr == complaints == ""


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the answering program has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    raise AssertionError("nobody listens")


async def test_a_stack_of_ones_own_makes_the_connection() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    [fragment] = [block for block in blocks if "asyncio.run" not in block]
    session = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    )
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        offered = listener.offer()
        path = f"msrp://127.0.0.1:{free_port()}/answerer;tcp"
        answered = msrp.answer_media(
            offered, msrp.MsrpUri.parse(path), prefer_active=True
        )
        texts: list[str] = []
        names = {
            "msrp": msrp,
            "sdp": sdp,
            "offer": f"{session}{offered}",
            "answer": f"{session}{answered}",
            "print": texts.append,
        }
        code = compile(fragment, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert answered is not None
        caller = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=False, listener=listener
        )
        async with caller:
            await eval(code, names)
            await (await caller.send_text("hello")).delivered()
            await names["connection"].shutdown()  # type: ignore[attr-defined]
    assert texts == ["hello"]
