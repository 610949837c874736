"""The tokens of RFC 3862 section 3.6, as regular expressions.

None of them can match a text in more than one way, so none backtracks further
than it has read.
"""

from __future__ import annotations

import re

__all__ = [
    "ABSOLUTE_URI",
    "HEADER_NAME",
    "NAME",
    "STRING",
    "TOKEN",
    "is_header_name",
    "is_name",
]

NAME = r"[!#-'*+\-0-9A-Z^-z|~]+"
"""``1*NAMECHAR``."""

HEADER_NAME = rf"{NAME}(?:\.{NAME})?"
"""``[ Name-prefix "." ] Name``."""

TOKEN = r'[^\x00-\x20\x7f()<>@,;:\\"/\[\]?={}]+'
"""``1*TOKENCHAR``."""

STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
"""A text in double quotes, escapes and all."""

ABSOLUTE_URI = r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\x7f<>]*"
"""A URI with its scheme.  What follows is for the owner of the scheme to judge."""

_NAME = re.compile(NAME)
_HEADER_NAME = re.compile(HEADER_NAME)


def is_name(text: str) -> bool:
    """Tell whether the text is a ``Name``, such as a prefix."""
    return _NAME.fullmatch(text) is not None


def is_header_name(text: str) -> bool:
    """Tell whether the text is a ``Header-name``, with a prefix or without."""
    return _HEADER_NAME.fullmatch(text) is not None
