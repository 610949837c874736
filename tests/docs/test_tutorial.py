"""Whoever follows docs/tutorial.md gets what it promises."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
PATHS = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'samples'}"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def free_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


def start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-u", *command],
        cwd=folder,
        env=os.environ | PATHS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def first_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"it never said: {words}")


def end(process: subprocess.Popen[str]) -> str:
    process.kill()
    said, _ = process.communicate(timeout=10)
    return said


def test_the_two_programs_talk(tmp_path: Path) -> None:
    answer, call = blocks("python")
    sip_port, msrp_port = free_port(), free_port()
    for name, text in (("answer.py", answer), ("call.py", call)):
        text = text.replace("5060", sip_port).replace("2855", msrp_port)
        (tmp_path / name).write_text(text)
    picture = os.urandom(300_000)
    (tmp_path / "picture.jpg").write_bytes(picture)
    answering = start(["answer.py"], tmp_path)
    try:
        first_line(answering, "waiting for calls")
        calling = start(["call.py"], tmp_path)
        said, _ = calling.communicate(timeout=30)
    finally:
        heard = end(answering)
    assert said == "they say: You said: I see smoke.\nthe picture is there\n"
    assert "caller: I see smoke.\na file is here: received/picture.jpg\n" in heard
    assert (tmp_path / "received" / "picture.jpg").read_bytes() == picture


def test_the_commands_do_what_they_are_for(tmp_path: Path) -> None:
    demo, listen, call = (block.strip() for block in blocks("sh"))
    assert demo == "make demo"  # What the wheel's own check runs.
    port = free_port()
    listening = start(arguments(listen, port), tmp_path)
    try:
        first_line(listening, port)
        calling = start(arguments(call, port), tmp_path)
        said, _ = calling.communicate(timeout=30)
    finally:
        heard = end(listening)
    assert calling.returncode == 0, said
    assert "Hello" in heard


def arguments(command: str, port: str) -> list[str]:
    program, *rest = command.replace("5060", port).replace('"', "").split(" ")
    assert program == ".venv/demo/bin/msrp-chat"
    return ["-m", "msrp_chat", *rest]
