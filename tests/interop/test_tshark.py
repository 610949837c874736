"""The demo's octets, read by a dissector that isn't ours.

Wireshark's MSRP dissector looks at the first message of a TCP segment only, and we
put as many into one as fit.  So the streams that tshark has captured are cut into
messages here, by a few lines that share nothing with our parser, and each message
is given to tshark again in a segment of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MSRP_PORT = 2855

pytestmark = [
    pytest.mark.skipif(
        shutil.which("tshark") is None,
        reason="tshark is missing (Debian package tshark)",
    ),
    pytest.mark.timeout(120),
]


class Capture:
    """What went over loopback while the demo ran."""

    def __init__(self, file: Path, sip_port: int) -> None:
        self.file = file
        self.sip = ["-d", f"tcp.port=={sip_port},sip"]
        self.ours = f"tcp.port == {sip_port}"  # Others may talk SIP here as well.

    def fields(self, display: str, *names: str, decode: list[str]) -> list[list[str]]:
        wanted = [argument for name in names for argument in ("-e", name)]
        output = tshark(
            "-r", str(self.file), *decode, "-Y", display, "-T", "fields", *wanted
        )
        return [line.split("\t") for line in output.splitlines()]

    def stream(self, number: str) -> tuple[bytes, bytes]:
        """Return the octets of both directions of a TCP stream."""
        output = tshark("-r", str(self.file), "-q", "-z", f"follow,tcp,raw,{number}")
        sides = bytearray(), bytearray()
        for line in output.splitlines():
            text = line.strip()
            if text and all(c in "0123456789abcdef" for c in text):
                sides[line.startswith("\t")].extend(bytes.fromhex(text))
        return bytes(sides[0]), bytes(sides[1])


def tshark(*arguments: str) -> str:
    return subprocess.run(
        ["tshark", *arguments], capture_output=True, text=True, check=True, timeout=60
    ).stdout


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    directory = tmp_path_factory.mktemp("tshark")
    file = directory / "demo.pcapng"
    with subprocess.Popen(
        ["tshark", "-i", "lo", "-f", "tcp", "-B", "64", "-w", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as capturing:
        wait_until_capturing(capturing)
        try:
            demo = subprocess.run(
                [sys.executable, "-m", "msrp_chat", "demo", "--tcp", "--json"],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=directory,
                env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'samples'}"},
            )
            time.sleep(1)  # Till the last packets are in the file.
        finally:
            capturing.send_signal(signal.SIGINT)
            capturing.communicate(timeout=30)
    assert demo.returncode == 0, demo.stderr
    events = [json.loads(line) for line in demo.stdout.splitlines()]
    uri = next(e["uri"] for e in events if e["event"] == "listening")
    sip_port = int(uri.partition(";")[0].rpartition(":")[2])
    return Capture(file, sip_port)


def wait_until_capturing(capturing: subprocess.Popen[str]) -> None:
    assert capturing.stderr is not None
    said: list[str] = []
    for line in capturing.stderr:
        said.append(line)
        if "Capturing on" in line:
            time.sleep(1)  # It says so a little before it does.
            return
    pytest.skip(f"tshark may not capture here: {''.join(said).strip()}")


def cut_into_messages(stream: bytes) -> Iterator[bytes]:
    """Cut a stream where each end-line ends; nothing may be left over."""
    while stream:
        transaction_id = stream.split(b" ", 2)[1]
        end = stream.index(b"\r\n-------" + transaction_id) + 9 + len(transaction_id)
        assert stream[end : end + 1] in (b"$", b"+", b"#")
        assert stream[end + 1 : end + 3] == b"\r\n"
        yield stream[: end + 3]
        stream = stream[end + 3 :]


def without_semicolons_in_body(message: bytes) -> bytes:
    """Work around a defect of Wireshark 4.0.

    It looks for the parameters of a Content-Type beyond the end of that line, and
    calls a message malformed if it finds a semicolon in what is a picture.
    """
    head, blank, rest = message.partition(b"\r\n\r\n")
    return head + blank + rest.replace(b";", b",")


def write_packets(file: Path, messages: list[bytes]) -> None:
    """Write one TCP segment for each message (pcap, raw IP)."""
    packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    sequence = 1
    for number, message in enumerate(messages):
        tcp = struct.pack(
            ">HHIIBBHHH", 40000, MSRP_PORT, sequence, 1, 0x50, 0x18, 65535, 0, 0
        )
        total = 20 + len(tcp) + len(message)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0, 64, 6, 0)
        packet = ip + b"\x7f\0\0\1" * 2 + tcp + message
        packets.append(struct.pack("<IIII", number, 0, len(packet), len(packet)))
        packets.append(packet)
        sequence += len(message)
    file.write_bytes(b"".join(packets))


def test_every_sip_message_dissects(capture: Capture) -> None:
    messages = capture.fields(
        f"sip && {capture.ours}",
        "sip.Method",
        "sip.Status-Code",
        "_ws.malformed",
        decode=capture.sip,
    )
    flow = [method or status for method, status, _ in messages]
    assert flow == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert not [m for m in messages if m[2]]
    errors = capture.fields(
        f"{capture.ours} && (sip || sdp) && _ws.expert.severity >= 0x600000",
        "_ws.expert.message",
        decode=capture.sip,
    )
    assert errors == []


@pytest.mark.rule("MSRP-1", "MSRP-2", "MSRP-5", "MSRP-15", "MSRP-100")
def test_every_msrp_message_dissects(capture: Capture, tmp_path: Path) -> None:
    media = capture.fields(f"sdp && {capture.ours}", "sdp.media", decode=capture.sip)
    ports = {line.split()[1] for (line,) in media}
    [(number,)] = {
        tuple(row)
        for port in ports
        for row in capture.fields(
            f"tcp.port == {port} && tcp.len > 0", "tcp.stream", decode=[]
        )
    }
    messages = [
        message
        for side in capture.stream(number)
        for message in cut_into_messages(side)
    ]
    assert len(messages) > 1000  # Three pictures in chunks of 2,048 octets.
    file = tmp_path / "messages.pcap"
    write_packets(file, [without_semicolons_in_body(m) for m in messages])
    dissected = Capture(file, 5060).fields(
        "frame",
        "msrp.method",
        "msrp.status.code",
        "msrp.to.path",
        "msrp.cnt.flg",
        "_ws.malformed",
        decode=["-d", f"tcp.port=={MSRP_PORT},msrp"],
    )
    assert len(dissected) == len(messages)
    for method, status, to_path, flag, malformed in dissected:
        assert method in ("SEND", "REPORT") or status == "200"
        assert to_path.startswith("msrp://127.0.0.1:")
        assert flag in ("$", "+")
        assert not malformed
