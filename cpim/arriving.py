"""The head of a message of which more is to come."""

from __future__ import annotations

import re

from cpim.content import begins_content, may_begin_content
from cpim.header_block import MAX_HEAD_SIZE, HeaderBlock
from cpim.message import CpimMessage

__all__ = ["read_head"]

# With either end of line, for some senders mix them; and two may overlap.
_BLANK_LINE = re.compile(rb"\n(?=(\r?\n))")


def read_head(data: bytes) -> CpimMessage | None:
    """Read the headers of a message and of its content, as soon as they are here.

    They are what :meth:`CpimMessage.parse` finds in the whole, whatever is to come.
    A head has four blank lines at most, so this takes linear time.

    Args:
        data: The octets of a message from its first one on.

    Returns:
        A message, and as its content the octets of it that are here; ``None`` if not
        all of the head is.

    Raises:
        CpimError: It isn't ``message/cpim``, or it has too many headers.
    """
    block: HeaderBlock | None = None
    for blank in _BLANK_LINE.finditer(data):
        stop = blank.end(1)
        start = data[:stop]
        if block is None:
            block = HeaderBlock.parse(start, strict=False, max_size=MAX_HEAD_SIZE)
        rest = start[block.size :]
        if not rest:
            continue  # The headers of the content follow.
        if rest in (b"\r\n", b"\n"):
            # It has none, or there is a blank line too many in front of them.
            if begins_content(data, stop):
                continue
            if may_begin_content(data, stop):
                return None
        message = CpimMessage.of_block(block, start)
        if not message.content_headers and begins_content(rest.lstrip(b"\r\n"), 0):
            continue  # The line ends of its headers are others: it isn't their end.
        return message.with_content(data[stop - len(message.content) :])
    return None
