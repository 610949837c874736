"""The page about errors has an entry for each public one, and says what is true."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from docs.building.reference import PACKAGES, public_names

PAGE = (Path(__file__).parent.parent / "docs" / "errors.md").read_text()
ENTRIES = dict(
    re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
)
ERRORS = {
    name: value
    for package in PACKAGES
    for name, value in public_names(package).items()
    if inspect.isclass(value) and issubclass(value, Exception)
}


def test_each_error_has_an_entry_and_each_entry_an_error() -> None:
    assert set(ENTRIES) == set(ERRORS)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_an_entry_names_is_there(name: str) -> None:
    assert {"*Usual cause*", "*What to do*"} <= set(
        re.findall(r"\*\w[\w ]*\*", ENTRIES[name])
    )
    documented = "\n".join(each.__doc__ or "" for each in ERRORS[name].__mro__)
    for attribute in re.findall(r"`error\.(\w+)`", ENTRIES[name]):
        assert hasattr(ERRORS[name], attribute) or f"{attribute}: " in documented
