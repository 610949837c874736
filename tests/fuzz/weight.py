"""How much memory hangs on an object, so that it can be seen to stay bounded."""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterable

__all__ = ["weigh"]

# What belongs to the program and not to the data.  An error that is kept holds on to
# the frames it went through, which are this test's.
_CODE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
)


def weigh(*roots: object, without: Iterable[object] = ()) -> int:
    """Return the octets of memory of some objects and of all they refer to.

    Args:
        roots: Where to begin.
        without: Objects that don't count, nor what only they refer to.
    """
    seen = {id(each) for each in without}
    total = 0
    waiting: list[object] = list(roots)
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, _CODE):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        waiting += gc.get_referents(each)
    return total
