"""``message/cpim``: an instant message that says who it is from and to.

The octets are headers, a blank line, and a MIME part (:rfc:`3862#section-2`)::

    From: Alice <sip:alice@example.com>
    To: <sip:psap@example.net>
    DateTime: 2026-05-15T15:02:31-03:00

    Content-Type: text/plain; charset=utf-8

    There is smoke in the hall

:meth:`CpimMessage.parse` reads them and :meth:`CpimMessage.build` makes them.  A
message never changes once it is made: whoever wants to add to it wraps it in
another, and ``bytes(message)`` gives back what was read, so that a signature
over it stays valid.

A header is known by the URI of its namespace and its name, for the prefix in
front of a name is local to the message (:class:`Namespaces`); headers that
nobody knows are kept and otherwise ignored.  The exception is what ``Require``
names: see :meth:`CpimMessage.unsupported_requirements`.

Of a message that is still arriving :func:`read_head` reads what comes before its
content.

The reader forgives what peers, and the examples in several RFCs, get wrong, and
says so in :attr:`CpimMessage.warnings`; ``strict=True`` forgives nothing.  What
has no meaning at all is a :exc:`CpimError`.  The writer escapes what it can and
refuses the rest, so that no name or subject can add a header of its own.

What a message says of its sender is an assertion by the peer that sent it.
Nothing here does I/O or reads a clock.
"""

from __future__ import annotations

from cpim.address import Address
from cpim.arriving import read_head
from cpim.date_time import DateTime
from cpim.errors import CpimError
from cpim.escapes import escape, unescape
from cpim.header_block import MAX_HEAD_SIZE, MAX_HEADERS
from cpim.headers import (
    CORE_NAMESPACE,
    DEFAULT_LANGUAGE,
    Header,
    Namespaces,
    QualifiedName,
)
from cpim.message import CORE_HEADERS, CpimMessage, Subject

__all__ = [
    "CORE_HEADERS",
    "CORE_NAMESPACE",
    "DEFAULT_LANGUAGE",
    "MAX_HEADERS",
    "MAX_HEAD_SIZE",
    "Address",
    "CpimError",
    "CpimMessage",
    "DateTime",
    "Header",
    "Namespaces",
    "QualifiedName",
    "Subject",
    "escape",
    "read_head",
    "unescape",
]
