"""The command line: help, and what is wrong with what people type."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msrp_chat.cli import main
from tests.samples.certificates import write_certificate
from tests.samples.processes import ROOT

NOBODY = "sip:bob@127.0.0.1:9;transport=tcp"
SESSION = [
    "session", "--local-path", "msrp://127.0.0.1:9/a;tcp",
    "--remote-path", "msrp://127.0.0.1:9/b;tcp",
]  # fmt: skip


def assert_one_line(capsys: pytest.CaptureFixture[str], *words: str) -> None:
    stderr = capsys.readouterr().err
    assert stderr.startswith("msrp-chat: ")
    assert stderr.count("\n") == 1
    for word in words:
        assert word in stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["call", "no uri", "--text", "A"], ["'no uri'"], id="uri"),
        pytest.param(
            ["call", "urn:service:sos"], ["urn:service:sos", "--proxy"], id="no-proxy"
        ),
        pytest.param(
            ["call", NOBODY, "--from", "a b c"], ["--from", "not an address"], id="from"
        ),
        pytest.param(
            ["call", NOBODY, "--file", "/no/file.jpg"],
            ["/no/file.jpg: No such file"],
            id="file",
        ),
        pytest.param(
            ["call", NOBODY, "--script", "/no/script"],
            ["/no/script: No such file"],
            id="script",
        ),
        pytest.param(
            ["call", NOBODY, "--ca", "/no/ca.pem"], ["/no/ca.pem: No such file"],
            id="ca",
        ),
        pytest.param(
            ["listen", "--tls", "--cert", "/no/cert.pem"], ["/no/cert.pem: "], id="cert"
        ),
        pytest.param(
            ["call", NOBODY, "--file", "/dev/zero"],
            ["/dev/zero: not an ordinary file"],
            id="endless-file",
        ),
        pytest.param(
            ["call", NOBODY, "--file", ""], ["the name of the file is missing"],
            id="file-without-name",
        ),
        pytest.param(
            ["call", NOBODY, "--text", "\udcff"], ["--text", "encoding"],
            id="text-encoding",
        ),
        pytest.param(
            ["call", NOBODY, "--script", "/dev/zero"], ["too long for a script"],
            id="endless-script",
        ),
        pytest.param(
            ["call", "console@127.0.0.1:1"], ["looks like sip:"], id="no-scheme"
        ),
        pytest.param(
            ["call", "sip:bob@127.0.0.1;transport=ws"], ["none of udp, tcp, tls"],
            id="transport",
        ),
        pytest.param(
            ["call", NOBODY, "--cert", "/no/cert"], ["--tls", "msrp-chat call --help"],
            id="cert-without-tls",
        ),
        pytest.param(["listen", "--cert", "/no/cert"], ["--sips-port"], id="cert-idle"),
        pytest.param(
            [*SESSION, "--active", "--fingerprint", "sha-256 " + ":".join(["5A"] * 32)],
            ["--fingerprint is for TLS"],
            id="fingerprint-without-tls",
        ),
        pytest.param(
            [*SESSION, "--passive", "--cert", "/no/cert"], ["--cert is for TLS"],
            id="session-cert-without-tls",
        ),
        pytest.param(
            [*SESSION, "--active", "--patience", "1"], ["--passive"], id="patience"
        ),
        pytest.param(
            ["demo", "--save", "/dev/null/x"], ["cannot save anything in"],
            id="demo-save",
        ),
        pytest.param(
            ["call", "a\nb"], ["msrp-chat call --help"], id="two-lines"
        ),
        pytest.param(["listen", "--key", "key.pem"], ["--cert"], id="key-alone"),
        pytest.param(["listen", "--sip-port", "65536"], ["65536"], id="port"),
        pytest.param(["listen", "--max-size", "1X"], ["'1X' is no size"], id="size"),
        pytest.param(["demo", "--file", "/no/file"], ["/no/file: No such"], id="demo"),
        pytest.param(
            ["call", NOBODY, "--save", "/dev/null/here"],
            ["cannot save anything in /dev/null/here"],
            id="save",
        ),
        pytest.param(["shout"], ["'shout'"], id="command"),
        pytest.param([], ["COMMAND"], id="nothing"),
        pytest.param(
            ["session", "--active", "--remote-path", "msrp://127.0.0.1:9/b;tcp",
             "--local-path", "msrp://127.0.0.1/a;tcp"],
            ["--local-path", "port"],
            id="path-without-port",
        ),
        pytest.param(
            ["session", "--active", "--remote-path", "msrp://127.0.0.1:9/b;tcp",
             "--local-path", "msrps://127.0.0.1:9/a;tcp"],
            ["both be msrp:"],
            id="paths-disagree",
        ),
        pytest.param(
            ["session", "--active", "--remote-path", "msrps://127.0.0.1:9/b;tcp",
             "--local-path", "msrps://127.0.0.1:9/a;tcp", "--fingerprint", "sha-256 5"],
            ["--fingerprint", "hexadecimal"],
            id="fingerprint",
        ),
    ],
)  # fmt: skip
def test_a_mistake_costs_one_line(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert_one_line(capsys, *words)


@pytest.mark.parametrize("command", ["demo", "listen", "call", "session"])
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr()
    assert f"msrp-chat {command}" in shown.out
    assert "example" in shown.out
    assert max(map(len, shown.out.splitlines())) < 100
    assert shown.err == ""


def test_the_help_needs_nothing_that_takes_long_to_import() -> None:
    code = (
        "import sys, msrp_chat.cli; msrp_chat.cli.main(['--help']);"
        "print({'msrp', 'sip', 'rich', 'prompt_toolkit'} & set(sys.modules))"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "samples")])
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert shown.stdout.endswith("\nset()\n")


def test_a_mistake_in_a_script_is_found_before_anybody_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script"
    script.write_text("# A comment\n\ntext Hello\nshout Hello\n")
    assert main(["call", NOBODY, "--script", str(script)]) == 2
    assert_one_line(capsys, f"{script}: line 4: 'shout'")


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody else listens on, but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["call", NOBODY],
            ["cannot reach 127.0.0.1:9 over TCP: connection refused"],
            id="tcp",
        ),
        pytest.param(
            ["call", "sip:bob@127.0.0.1:9"],
            ["cannot reach 127.0.0.1:9 over UDP: connection refused"],
            id="udp",
        ),
        pytest.param(
            ["call", "sip:bob@nobody.invalid"],
            ["cannot reach sip:bob@nobody.invalid: the DNS"],
            id="no-such-name",
        ),
        pytest.param(
            ["session", "--active", "--remote-path", "msrp://127.0.0.1:9/b;tcp",
             "--local-path", "msrp://127.0.0.1:9/a;tcp"],
            ["no MSRP connection to 127.0.0.1:9", "refused"],
            id="msrp",
        ),
        pytest.param(
            ["session", "--passive", "--remote-path", "msrp://127.0.0.1:9/b;tcp",
             "--local-path", "msrp://127.0.0.1:0/a;tcp", "--timeout", "0.1"],
            ["the peer did not connect within 0.1 s"],
            id="nobody-connects",
        ),
        pytest.param(
            ["listen", "--patience", "0"], ["nobody has called"], id="nobody-calls"
        ),
    ],
)  # fmt: skip
def test_unreachable_is_another_thing(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 3
    assert_one_line(capsys, *words)


def test_somebody_who_does_not_answer_is_named(
    taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = f"sip:bob@127.0.0.1:{taken};transport=tcp"
    assert main(["call", uri, "--timeout", "0.2"]) == 3
    at = f"127.0.0.1:{taken} over TCP"
    assert_one_line(capsys, f"no answer from {at}: nothing came within 0.2 s")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["listen", "--sip-port", "{port}"], id="sip"),
        pytest.param(["listen", "--msrp-port", "{port}"], id="msrp"),
        pytest.param(
            ["session", "--passive", "--remote-path", "msrp://127.0.0.1:9/b;tcp",
             "--local-path", "msrp://127.0.0.1:{port}/a;tcp"],
            id="session",
        ),
    ],
)  # fmt: skip
def test_a_port_in_use_is_named(
    taken: int, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([each.format(port=taken) for each in arguments]) == 3
    assert_one_line(capsys, "cannot listen on", f"127.0.0.1:{taken}", "in use")


def test_a_pipe_is_no_file_to_send_and_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["call", NOBODY, "--file", str(pipe)]) == 2
    assert_one_line(capsys, f"{pipe}: not an ordinary file")


@pytest.mark.parametrize(
    "arguments",
    [["listen", "--tls"], ["listen", "--sips-port", "0"]],
    ids=["msrp", "sip"],
)
def test_a_certificate_with_the_key_of_another_is_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = [tmp_path / "one.pem", tmp_path / "another.pem"]
    for path in pair:
        write_certificate(path)
    options = ["--cert", str(pair[0]), "--key", str(pair[1])]
    assert main([*arguments, *options]) == 2
    assert_one_line(capsys, f"{pair[1]}: the key is not the certificate's")
