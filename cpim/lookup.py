"""What the headers of a message say together: looked up, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cpim.address import Address
from cpim.date_time import DateTime
from cpim.errors import CpimError
from cpim.headers import CORE_NAMESPACE, Header

__all__ = ["CC_SPELLINGS", "addresses", "date_time_in", "named", "problems_in"]

CC_SPELLINGS = ("cc", "CC", "Cc")  # RFC 4975 section 13 writes "CC".

_ADDRESS_HEADERS = frozenset(("From", "To", *CC_SPELLINGS))


def named(
    headers: Iterable[Header], name: str, namespace: str = CORE_NAMESPACE
) -> Iterator[Header]:
    """Yield the headers of a name, in order."""
    for header in headers:
        # The end of a name can be told without splitting it.
        if header.namespace == namespace and header.name.endswith(name):
            if header.qualified_name.name == name:
                yield header


def addresses(headers: Iterable[Header], *names: str) -> Iterator[Address]:
    """Yield what core headers of these names hold, if it is an address."""
    for header in headers:
        if header.namespace == CORE_NAMESPACE and header.local_name in names:
            try:
                yield Address.parse(header.raw_value)
            except CpimError:
                continue  # A warning was given when the message was read.


def date_time_in(headers: Iterable[Header]) -> DateTime | None:
    """Return when the message was sent, as far as it says so."""
    for header in headers:
        if header.namespace == CORE_NAMESPACE and header.local_name == "DateTime":
            return DateTime.parse(header.value)
    return None


def problems_in(headers: Iterable[Header]) -> list[str]:
    """Return what is wrong with the headers that every message has."""
    problems: list[str] = []
    names: list[str] = []
    for header in headers:
        if header.namespace == CORE_NAMESPACE:
            name = header.local_name
            names.append(name)
            if name in _ADDRESS_HEADERS:
                try:
                    Address.parse(header.raw_value, strict=True)
                except CpimError as exc:
                    problems.append(exc.problem)
    for name in ("From", "To"):
        # It is there, and with nothing wrong it needs no closer look.
        if problems or name not in names:
            if next(addresses(headers, name), None) is None:
                problems.append(f"there is no {name} header")
    if names.count("From") > 1 or names.count("DateTime") > 1:
        problems.append("a header is repeated that mustn't be: the first counts")
    return problems
