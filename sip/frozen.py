"""Frozen values that are quick to make.

The ``__init__`` of a frozen dataclass sets each field with ``object.__setattr__``,
which looks the field up by name every time; for a URI that takes longer than reading
it.  A class with slots has a descriptor for each field whose ``__set__`` doesn't ask,
and calling that takes a third of the time.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

__all__ = ["quick_init"]

T = TypeVar("T")


def quick_init(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a quicker ``__init__`` of the same signature.

    Fields without default, with one, and keyword-only ones are known; default
    factories and ``__post_init__`` are not.
    """
    names: dict[str, object] = {}
    positional: list[str] = []
    keywords: list[str] = []
    body: list[str] = []
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # It is one.
        assert field.init
        assert field.default_factory is dataclasses.MISSING
        parameter = field.name
        if field.default is not dataclasses.MISSING:
            names[f"_default_{field.name}"] = field.default
            parameter += f"=_default_{field.name}"
        (keywords if field.kw_only else positional).append(parameter)
        names[f"_set_{field.name}"] = getattr(cls, field.name).__set__
        body.append(f"    _set_{field.name}(self, {field.name})")
    assert not hasattr(cls, "__post_init__")
    parameters = ["self", *positional, *(["*", *keywords] if keywords else [])]
    # As dataclasses does it: nothing but names of fields is in the text.
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *body]), names)
    setattr(cls, "__init__", names["__init__"])  # noqa: B010  # mypy would object.
    return cls
