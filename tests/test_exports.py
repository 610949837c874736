"""What a package exports is what it has."""

from __future__ import annotations

import importlib
import inspect

import pytest

PACKAGES = (
    *("sdp", "mime", "cpim", "digest", "markup", "recording", "msrp"),
    *("sip", "sip.fields", "sip.emergency"),
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there_and_documented(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert len(names) == len(set(names))
    for name in names:
        exported = getattr(module, name)
        if inspect.isclass(exported) or inspect.isroutine(exported):
            assert exported.__doc__, f"{package}.{name} has no docstring"


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_exported_in_an_order_one_can_search(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert names == sorted(
        names, key=lambda n: (not n.isupper(), not n[0].isupper(), n)
    )
