"""The demo's octets, read by a dissector that isn't ours.

Wireshark's MSRP dissector looks at the first message of a TCP segment only, and we
put as many into one as fit.  So the streams that tshark has captured are cut into
messages here, by a few lines that share nothing with our parser, and each message
is given to tshark again in a segment of its own.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import captured_demo

MSRP_PORT = 2855
WARNING = 0x600000
"""The least that tshark's experts say of what is wrong."""

pytestmark = [
    pytest.mark.skipif(
        shutil.which("tshark") is None,
        reason="tshark is missing (Debian package tshark)",
    ),
    pytest.mark.timeout(120),
]


def tshark(*arguments: str) -> str:
    return subprocess.run(
        ["tshark", "-n", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def fields(file: Path, display: str, *names: str, decode: str) -> list[list[str]]:
    """Return these fields of each packet that is to be displayed."""
    wanted = [argument for name in names for argument in ("-e", name)]
    output = tshark(
        "-r", str(file), "-d", decode, "-Y", display, "-T", "fields", *wanted
    )
    return [line.split("\t") for line in output.splitlines()]


@dataclass(frozen=True)
class SipMessage:
    """What tshark has to say of a message."""

    method: str
    status: str
    media: str
    malformed: str
    severities: str


class Capture:
    """What went over loopback while the demo ran."""

    def __init__(self, file: Path, sip_port: int) -> None:
        self.file = file
        rows = fields(
            file,
            f"tcp.port == {sip_port} && sip",  # Others may talk SIP here as well.
            *("sip.Method", "sip.Status-Code", "sdp.media"),
            *("_ws.malformed", "_ws.expert.severity"),
            decode=f"tcp.port=={sip_port},sip",
        )
        self.sip = [SipMessage(*row) for row in rows]

    def msrp_stream(self) -> tuple[bytes, bytes]:
        """Return the octets of both directions of the message session."""
        ports = {message.media.split()[1] for message in self.sip if message.media}
        numbers = fields(
            self.file,
            f"tcp.port in {{{', '.join(ports)}}} && tcp.len > 0",
            "tcp.stream",
            decode=f"tcp.port=={MSRP_PORT},msrp",
        )
        [number] = {number for (number,) in numbers}
        follow = f"follow,tcp,raw,{number}"
        sides = bytearray(), bytearray()
        for line in tshark("-r", str(self.file), "-q", "-z", follow).splitlines():
            text = line.strip()
            if text and all(c in "0123456789abcdef" for c in text):
                sides[line.startswith("\t")].extend(bytes.fromhex(text))
        return bytes(sides[0]), bytes(sides[1])


def in_own_network() -> list[str]:
    """Return what runs a program in a network of its own, if that is allowed here.

    Others talk over the loopback, too, and what they say would be captured as well.
    """
    if shutil.which("unshare") is None:
        return []
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    return []


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    directory = tmp_path_factory.mktemp("tshark")
    file = directory / "demo.pcapng"
    demo = subprocess.run(
        [*in_own_network(), sys.executable, captured_demo.__file__, str(file)],
        capture_output=True,
        text=True,
        timeout=90,
    )
    if demo.returncode == captured_demo.REFUSED:
        pytest.skip(f"tshark may not capture here: {demo.stderr.strip()}")
    assert demo.returncode == 0, demo.stderr
    events = [json.loads(line) for line in demo.stdout.splitlines()]
    uri = next(e["uri"] for e in events if e["event"] == "listening")
    return Capture(file, int(uri.partition(";")[0].rpartition(":")[2]))


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
    flow = [message.method or message.status for message in capture.sip]
    assert flow == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert not [message for message in capture.sip if message.malformed]
    severities = ",".join(message.severities for message in capture.sip).split(",")
    assert not [each for each in severities if each and int(each) >= WARNING]


@pytest.mark.rule("MSRP-1", "MSRP-2", "MSRP-5", "MSRP-15", "MSRP-100")
def test_every_msrp_message_dissects(capture: Capture, tmp_path: Path) -> None:
    messages = [
        message for side in capture.msrp_stream() for message in cut_into_messages(side)
    ]
    assert len(messages) > 1000  # Three pictures in chunks of 2,048 octets.
    file = tmp_path / "messages.pcap"
    write_packets(file, [without_semicolons_in_body(m) for m in messages])
    dissected = fields(
        file,
        "frame",
        "msrp.method",
        "msrp.status.code",
        "msrp.to.path",
        "msrp.cnt.flg",
        "_ws.malformed",
        decode=f"tcp.port=={MSRP_PORT},msrp",
    )
    assert len(dissected) == len(messages)
    for method, status, to_path, flag, malformed in dissected:
        assert method in ("SEND", "REPORT") or status == "200"
        assert to_path.startswith("msrp://127.0.0.1:")
        assert flag in ("$", "+")
        assert not malformed
