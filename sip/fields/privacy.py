"""What is to be hidden from others (:rfc:`3323#section-4.2`)."""

from __future__ import annotations

from collections.abc import Sequence

from sip.grammar import WSP

__all__ = ["parse_privacy"]


def parse_privacy(values: Sequence[str]) -> tuple[str, ...]:
    """Read the values of some Privacy lines, in lower case.

    Semicolons are between them; some write commas.
    """
    parts = ";".join(values).replace(",", ";").split(";")
    return tuple(part.strip(WSP).lower() for part in parts if part.strip(WSP))
