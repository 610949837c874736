"""XML from strangers, read into a small tree and written again.

Locations and blocks of data come with emergency calls (:rfc:`4119`, :rfc:`7852`),
typing indications (:rfc:`3994`) and disposition notifications (:rfc:`5438`) with
messages.  None of their senders is known, so nothing here can be made to grow: a
document with a DOCTYPE is refused before anything in it is looked at, so that there
are no entities to expand and nothing to fetch, and there are limits to its size, its
depth and the number of its elements.

:func:`parse_markup` gives the outermost :class:`Element`, ``bytes(element)`` writes it.
"""

from __future__ import annotations

from markup.document import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_OCTETS,
    Element,
    parse_markup,
)
from markup.errors import MarkupError

__all__ = [
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_OCTETS",
    "Element",
    "MarkupError",
    "parse_markup",
]
