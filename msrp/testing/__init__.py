"""A test kit for programs that speak MSRP, in two halves.

:mod:`msrp.testing.cores` has no I/O: two ends of a session, a wire that is a list
and a clock that is a number (:class:`Pair`).  Nothing waits, so a test may let half
an hour pass.

:mod:`msrp.testing.network` is for programs as they are: :class:`FlakyProxy` stands
between two of them on the loopback and is as bad as a network can be, in ways that
a test has chosen (:class:`Plan`), and the same way every time.
"""

from msrp.testing.cores import (
    Directory,
    End,
    FakeWire,
    Pair,
    Segmentation,
    VirtualClock,
    Written,
    read_messages,
)
from msrp.testing.network import FlakyProxy
from msrp.testing.plan import Direction, Ending, Plan, Statistics

__all__ = [
    "Direction",
    "Directory",
    "End",
    "Ending",
    "FakeWire",
    "FlakyProxy",
    "Pair",
    "Plan",
    "Segmentation",
    "Statistics",
    "VirtualClock",
    "Written",
    "read_messages",
]
