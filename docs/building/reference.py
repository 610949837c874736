"""The reference: one page for each package, from its public names and their docstrings.

A page has a section for each module that defines some of them, under the first line of
the module's docstring; so it can't be out of date, and nothing public is left out.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

__all__ = ["PACKAGES", "home_of", "public_names", "write_reference"]

PACKAGES = {
    "msrp": "message sessions",
    "sip": "the user agent",
    "sip.fields": "header fields as values",
    "sip.emergency": "calls for help",
    "sdp": "session descriptions",
    "cpim": "message/cpim",
    "mime": "content types and multiparts",
    "digest": "authentication",
    "markup": "XML from strangers",
    "recording": "records of what was said",
    "msrp.testing": "message sessions in tests",
    "sip.testing": "user agents in tests",
}

_NOT_OURS = "BaseException, Enum, Generic, Protocol, int, object, str, tuple"
"""Classes whose members nobody looks for here."""

_CONSTANTS = "Constants and types"
_ELSEWHERE = "Exported here, described there"
_ROLE = re.compile(r":(\w+):`~?([^`#]+?)(?:#section-([\w.]+))?`")


def public_names(package: str) -> dict[str, object]:
    """Return what a package exports, by name."""
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    return {name: getattr(module, name) for name in names}


def home_of(value: object) -> str | None:
    """Return the package that a public class or function is described with.

    Some are exported by two: a session takes the addresses of CPIM, for example.
    """
    module = getattr(value, "__module__", None) or ""
    homes = [each for each in PACKAGES if f"{module}.".startswith(f"{each}.")]
    return max(homes, key=len, default=None)


def write_reference(folder: Path) -> None:
    """Write all pages, and one that lists them."""
    folder.mkdir(exist_ok=True)
    for package, subject in PACKAGES.items():
        text = "\n".join(_page(package, subject))
        _write(folder / f"{_file_of(package)}.md", text)
    entries = "\n".join(_file_of(package) for package in PACKAGES)
    _write(
        folder / "index.md",
        "# Reference\n\nWhat each package exports, from its docstrings.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n",
    )


def _file_of(package: str) -> str:
    return package.replace(".", "-")


def _write(path: Path, text: str) -> None:
    # What has not changed keeps its date, and so isn't read again.
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _page(package: str, subject: str) -> Iterator[str]:
    yield f"# {package}: {subject}\n"
    yield from _directives(package, [f".. automodule:: {package}"])
    names = public_names(package)
    sections: dict[str, list[str]] = {}
    for name, value in names.items():
        title = _section_of(value)
        if title != _CONSTANTS and home_of(value) != package:
            title = _ELSEWHERE
        sections.setdefault(title, []).append(name)
    # What is only a name for something else comes last.
    for title in sorted(
        sections, key=lambda each: _rank(each, names[sections[each][0]])
    ):
        yield f"## {title}\n"
        if title == _ELSEWHERE:
            links = (f"{{py:obj}}`{home_of(names[n])}.{n}`" for n in sections[title])
            yield f"{', '.join(links)}\n"
            continue
        for name in sections[title]:
            yield from _directives(package, _entry(name, names[name]))


def _rank(title: str, value: object) -> tuple[bool, bool]:
    """Put what applications hold first, and what is said elsewhere last."""
    home = getattr(value, "__module__", None) or ""
    return title in (_CONSTANTS, _ELSEWHERE), ".aio." not in home


def _directives(package: str, lines: list[str]) -> Iterator[str]:
    yield "```{eval-rst}"
    yield f".. currentmodule:: {package}\n"
    yield from lines
    yield "```\n"


def _section_of(value: object) -> str:
    home = getattr(value, "__module__", None)
    if not (inspect.isclass(value) or inspect.isroutine(value)) or home is None:
        return _CONSTANTS
    return _first_line(importlib.import_module(home))


def _first_line(module: ModuleType) -> str:
    line = (module.__doc__ or module.__name__).strip().splitlines()[0].rstrip(".")
    return _ROLE.sub(_plain, line)


def _plain(role: re.Match[str]) -> str:
    kind, what, section = role.groups()
    if kind != "rfc":
        return f"`{what}`"
    return f"RFC {what}" + (f", {section}" if section else "")


def _entry(name: str, value: object) -> list[str]:
    if not inspect.isclass(value):
        kind = "autofunction" if inspect.isroutine(value) else "autodata"
        return [f".. {kind}:: {name}"]
    kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
    options = [":members:", f":inherited-members: {_NOT_OURS}"]
    if value.__bases__ != (object,):
        options.append(":show-inheritance:")
    return [f".. {kind}:: {name}", *(f"   {option}" for option in options)]
