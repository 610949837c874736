"""The rows that other modules measure, each with a ``measure()`` of its own."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.channel import BenchmarkFailed, Json
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.rows import row

__all__ = ["sip_calls", "sip_messages"]


async def sip_messages(effort: Effort) -> list[Measured]:
    """Reading a SIP message."""
    return await _measure("sip_parse", ("sip-read", "sip-read-headers"))


async def sip_calls(effort: Effort) -> list[Measured]:
    """Calls with SIPp."""
    return await _measure("sip_calls", ("sip-answering", "sip-calling"))


async def _measure(module: str, names: tuple[str, ...]) -> list[Measured]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.others", module,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise BenchmarkFailed(f"{module} has failed")
    said: Json = json.loads(output.splitlines()[-1])
    if isinstance(said, str):
        return [Measured(row(name), (), note=said) for name in names]
    assert isinstance(said, list)
    return [
        Measured(row(name), _numbers(values))
        for name, values in zip(names, said, strict=True)
    ]


def _numbers(values: Json) -> tuple[float, ...]:
    assert isinstance(values, list)
    return tuple(float(one) for one in values if isinstance(one, int | float))


def main() -> None:
    """Measure in a process that has done nothing else; say what came out."""
    measure: Callable[[], list[tuple[str, list[float]]]]
    measure = importlib.import_module(f"benchmarks.{sys.argv[1]}").measure
    try:
        said: Json = [[float(value) for value in values] for _, values in measure()]
    except RuntimeError as error:  # A program is missing, or didn't do its work.
        said = f"not measured: {error}"
    print(json.dumps(said))


if __name__ == "__main__":
    main()
