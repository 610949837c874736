"""Docstrings as Sphinx shall read them: prose, with names that lead somewhere."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from docs.building.reference import PACKAGES, home_of, public_names

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["connect"]


def connect(app: Sphinx) -> None:
    """Have Sphinx ask us."""
    app.connect("autodoc-process-docstring", _read_as_prose, priority=400)
    app.connect("missing-reference", _resolve)


def _read_as_prose(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Keep napoleon from taking what stands before a colon for a type.

    Types are in the signatures, so in ``Returns: None if there is none: see ...`` and
    in the docstring of a property a colon is a colon.
    """
    if what in {"attribute", "data", "property"}:
        lines[:1] = [f": {line}" for line in lines[:1]]
    for index, line in enumerate(lines[:-1]):
        if line in {"Returns:", "Yields:"}:
            first = lines[index + 1]
            indent = len(first) - len(first.lstrip())
            lines[index + 1] = f"{first[:indent]}: {first[indent:]}"


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: TextElement
) -> Element | None:
    """Lead a name to where it is public; one that isn't is left as text."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    module = node.get("py:module")
    names = [target, f"{module}.{target}", f"{module}.{node.get('py:class')}.{target}"]
    for name in names:
        public = _public_name(name)
        if public is not None and public != target:
            found = env.domains.python_domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", public, node, text
            )
            if found is not None:
                return found
    return text if any(_is_there(name) for name in names) else None


def _public_name(name: str) -> str | None:
    """Return the name by which something is exported, given that of its definition."""
    owner, _, rest = name, "", ""
    while owner:
        if owner in _EXPORTED:
            return _EXPORTED[owner] + rest
        owner, _, last = owner.rpartition(".")
        rest = f".{last}{rest}"
    return None


def _is_there(name: str) -> bool:
    module, rest = name, []
    while module:
        try:
            found: object = importlib.import_module(module)
        except (ImportError, ValueError):
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
            continue
        for each in rest:
            if not (
                hasattr(found, each) or each in getattr(found, "__annotations__", ())
            ):
                return False
            found = getattr(found, each, None)
        return True
    return False


_EXPORTED = {
    f"{value.__module__}.{value.__qualname__}": f"{home_of(value)}.{name}"
    for package in PACKAGES
    for name, value in public_names(package).items()
    if hasattr(value, "__qualname__")
}
