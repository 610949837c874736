"""Identifiers nobody can guess (:rfc:`3261#section-19.3`).

Each takes a source of random hexadecimal digits, so that a test can have
identifiers that it knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sip.via import BRANCH_COOKIE

__all__ = ["new_branch", "new_call_id", "new_tag"]

RandomHex = Callable[[int], str]

# RFC 3261 asks for 32 bits in a tag; a 9-1-1 dialog shouldn't be guessable.
_TAG_OCTETS = 8
_BRANCH_OCTETS = 12
_CALL_ID_OCTETS = 16


def new_tag(random_hex: RandomHex = secrets.token_hex) -> str:
    """Make a tag for a From or To header field: 64 random bits."""
    return random_hex(_TAG_OCTETS)


def new_branch(random_hex: RandomHex = secrets.token_hex) -> str:
    """Make a branch for a Via header field: the cookie and 96 random bits."""
    return BRANCH_COOKIE + random_hex(_BRANCH_OCTETS)


def new_call_id(random_hex: RandomHex = secrets.token_hex) -> str:
    """Make a Call-ID: 128 random bits, and nothing about this host."""
    return random_hex(_CALL_ID_OCTETS)
