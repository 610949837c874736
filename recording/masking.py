"""Keeping credentials out of what is recorded."""

from __future__ import annotations

import re

__all__ = ["MASK", "without_credentials"]

MASK = b"*"
"""What stands for each octet of a credential: nothing moves, so sizes stay true."""

_FIELD = re.compile(
    rb"^((?:proxy-)?authorization|(?:proxy-)?authentication-info)[ \t]*+:"
    rb"[ \t]*+([^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+)",
    re.IGNORECASE | re.MULTILINE,
)
_VISIBLE = re.compile(rb"[^\r\n\t ]")


def without_credentials(octets: bytes) -> bytes:
    """Return a request or response whose credentials can't be read.

    Who has heard an answer to a challenge can try passwords on it for as long as he
    likes, and records are kept for years.

    Args:
        octets: All of it, or its beginning.
    """
    # Bodies have no such fields, and are most of what there is.
    head, blank, body = octets.partition(b"\r\n\r\n")
    if b"uth" not in head.lower():
        return octets
    return _FIELD.sub(_masked, head) + blank + body


def _masked(found: re.Match[bytes]) -> bytes:
    start = found.start(2) - found.start()
    return found[0][:start] + _VISIBLE.sub(MASK, found[2])
