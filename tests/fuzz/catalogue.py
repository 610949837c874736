"""The targets, and what is kept of them in files.

A target is a module of :mod:`tests.fuzz.targets` with a function ``fuzz(data)``,
which raises where a property doesn't hold that its docstring words, and with
``WORDS``, what inputs are made of.  ``corpus`` holds inputs to begin with, and
``found`` those that have once made a property fail.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TARGETS", "Target", "inputs_of", "load"]

TARGETS = (
    "msrp_stream",
    "msrp_session",
    "msrp_headers",
    "msrp_authorization",
    "msrp_content",
    "msrp_files",
    "msrp_notices",
    "sdp",
    "mime",
    "cpim",
    "digest",
    "sip_message",
    "sip_framer",
    "sip_emergency",
)

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Target:
    """What to fuzz."""

    name: str

    fuzz: Callable[[bytes], None]
    """Raises if a property doesn't hold for these octets."""

    words: tuple[bytes, ...]
    """What means something to the code under test."""


def load(name: str) -> Target:
    """Import a target, and with it the code that it is about."""
    module = importlib.import_module(f"tests.fuzz.targets.{name}")
    return Target(name, module.fuzz, module.WORDS)


def inputs_of(name: str) -> list[Path]:
    """Return the files with inputs for a target: seeds, and what was found."""
    folders = (_HERE / "corpus" / name, _HERE / "found" / name)
    return [path for folder in folders for path in sorted(folder.glob("*"))]
