"""What shells are given to complete our commands."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from msrp_chat.cli import main
from msrp_chat.command_line.completion import SHELLS


def script_for(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["msrp-chat", "li"], "listen"),
        (["msrp-chat", "--ver"], "--version"),
        (["msrp-chat", "call", "--loc"], "--location"),
        (["msrp-chat", "call", "--profile", "em"], "emergency"),
        (["msrp-chat", "listen", "--script", "/etc/hostn"], "/etc/hostname"),
        (["msrp-chat", "listen", "--wait", ""], ""),
        (["msrp-chat", "completion", "fi"], "fish"),
    ],
)
def test_bash_completes(
    typed: list[str], offered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_for("bash", capsys)
    words = " ".join(f"'{word}'" for word in typed)
    script += (
        f"COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _msrp_chat;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "--norc", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert done.stdout.strip() == offered
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_understands_its_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_for(shell, capsys)
    for word in ("listen", "--relay-unproven" if shell != "fish" else "relay-unproven"):
        assert word in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} isn't installed")
    subprocess.run([program, "-n"], input=script.encode(), timeout=10, check=True)
