"""Who is composing a message, and how the other one learns of it (:rfc:`3994`).

Whoever composes sends a status message now and then: :class:`IsComposing`, a small XML
document.  When, says a machine for each side, both as in the figures of the RFC.  They
know neither the wire nor the clock:

* :class:`Composer` is told of each key press, of what is sent and of the time, and says
  what status to send;
* :class:`Composers` is told of statuses and of content that have arrived, and of the
  time, and says who has begun or stopped to compose.

A status may be lost, or its sender may be: so "active" holds for a while only, and is
said again while it lasts.  What isn't understood means "idle": nobody shall be shown to
type who isn't known to.
"""

from __future__ import annotations

from msrp.composing.composer import Composer
from msrp.composing.composers import Composers, ComposingChanged
from msrp.composing.document import (
    CONTENT_TYPE,
    MAX_OCTETS,
    NAMESPACE,
    ComposingState,
    IsComposing,
)

__all__ = [
    "CONTENT_TYPE",
    "MAX_OCTETS",
    "NAMESPACE",
    "Composer",
    "Composers",
    "ComposingChanged",
    "ComposingState",
    "IsComposing",
]
