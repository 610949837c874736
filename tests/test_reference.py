"""The reference has all that is public, and says of which types it is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.building.reference import PACKAGES, home_of, public_names, write_reference


def described(page: str) -> set[str]:
    entries = re.findall(
        r"^\.\. auto(?:class|exception|function|data):: (\w+)$", page, re.M
    )
    links = re.findall(r"\{py:obj\}`[\w.]+\.(\w+)`", page)
    return {*entries, *links}


def test_every_public_name_is_on_the_page_of_its_package(tmp_path: Path) -> None:
    write_reference(tmp_path)
    for package in PACKAGES:
        page = (tmp_path / f"{package.replace('.', '-')}.md").read_text()
        assert described(page) == set(public_names(package)), package


def public_callables(package: str) -> Iterator[tuple[str, object]]:
    for name, value in public_names(package).items():
        if inspect.isroutine(value):
            yield name, value
        elif inspect.isclass(value) and home_of(value) == package:
            for member in vars(value):
                if not member.startswith("_"):
                    found = inspect.getattr_static(value, member)
                    found = getattr(found, "__func__", getattr(found, "fget", found))
                    if inspect.isfunction(found):
                        yield f"{name}.{member}", found


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_public_is_documented_and_typed(package: str) -> None:
    for name, function in public_callables(package):
        where = f"{package}.{name}"
        assert inspect.getdoc(function), f"{where} has no docstring"
        signature = inspect.signature(function)  # type: ignore[arg-type]
        assert signature.return_annotation is not signature.empty, where
        untyped = [
            p.name
            for p in signature.parameters.values()
            if p.annotation is p.empty and p.name not in {"self", "cls"}
        ]
        assert not untyped, f"{where}: {untyped}"
