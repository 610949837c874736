"""One target under atheris, until its time is up or something is found.

``python -m tests.fuzz.run TARGET SECONDS FOLDER``, as :mod:`tests.fuzz.__main__`
calls it: libFuzzer ends the process itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # And not there for mypy to see.

from tests.fuzz.catalogue import Target, inputs_of, load

__all__ = ["main"]

MAX_LENGTH = 4096
"""Octets of an input: room for some dozen messages."""

SECONDS_PER_INPUT = 20
"""What takes longer isn't linear in its input, even on a machine that is busy."""

MAX_MEMORY = 1024
"""Mebibytes of the whole process."""


def main() -> None:
    """Fuzz; doesn't return."""
    name, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with atheris.instrument_imports(
        include=["cpim", "digest", "mime", "msrp", "sdp", "sip"]
    ):
        target = load(name)
    arguments = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_LENGTH}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MAX_MEMORY}",
        f"-artifact_prefix={folder}/",
        f"-dict={write_dictionary(target, folder)}",
        str(folder / "corpus"),
        *sorted({str(path.parent) for path in inputs_of(name)}),
    ]
    atheris.Setup([sys.argv[0], *arguments], target.fuzz)
    atheris.Fuzz()


def write_dictionary(target: Target, folder: Path) -> Path:
    """Write the words of a target in libFuzzer's form."""
    path = folder / "dictionary"
    lines = ("".join(f"\\x{octet:02x}" for octet in word) for word in target.words)
    path.write_text("".join(f'"{line}"\n' for line in lines))
    return path


if __name__ == "__main__":
    main()
