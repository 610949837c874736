"""Fuzz: ``python -m tests.fuzz [TARGET …]``, in an environment that has atheris.

Each target runs in a process of its own, one after the other, for its share of the
time.  The exit code is 1 if an input was found that makes a property fail; such an
input belongs into ``found``, where the tests replay it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.catalogue import TARGETS

__all__ = ["main"]

_PATIENCE = 60
"""Seconds that a process gets beyond its time, to start and to end."""

_ARTIFACTS = ("crash-*", "timeout-*", "oom-*", "slow-unit-*")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    arguments = _read_arguments()
    directory: Path = arguments.directory or Path(tempfile.mkdtemp(prefix="fuzz-"))
    targets: list[str] = arguments.targets or list(TARGETS)
    seconds = max(1, arguments.seconds // len(targets))
    # No generator: all are to run, whatever the first finds.
    failed = any([_run(target, seconds, directory) for target in targets])
    if arguments.directory is None and not failed:
        shutil.rmtree(directory)
    return int(failed)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    # Checked by hand, since `choices` would refuse to have none.
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument(
        "--seconds", type=int, default=60, help="for all targets together (%(default)s)"
    )
    parser.add_argument(
        "--directory", type=Path, help="for corpora and what is found; to go on from"
    )
    arguments = parser.parse_args()
    for target in arguments.targets:
        if target not in TARGETS:
            parser.error(f"no such target: {target}")
    return arguments


def _run(target: str, seconds: int, directory: Path) -> bool:
    """Fuzz one target; say what came of it, and return whether it failed."""
    folder = directory / target
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    before = set(_artifacts(folder))
    command = [sys.executable, "-m", "tests.fuzz.run", target, str(seconds)]
    log = folder / "log"
    with log.open("wb") as output:
        try:
            code = subprocess.run(
                [*command, str(folder)],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds + _PATIENCE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    found = [path for path in _artifacts(folder) if path not in before]
    for path in found:
        _say(f"{target}: failed on {path}; see {log}")
    if code != 0 and not found:
        _say(f"{target}: failed with exit code {code}; see {log}")
    if code == 0 and not found:
        inputs = len(list((folder / "corpus").iterdir()))
        _say(f"{target}: nothing in {seconds} s, with {inputs} inputs")
    return code != 0 or bool(found)


def _artifacts(folder: Path) -> list[Path]:
    return [path for pattern in _ARTIFACTS for path in sorted(folder.glob(pattern))]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
