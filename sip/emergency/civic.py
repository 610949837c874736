"""Where somebody is, as an address (:rfc:`4119#section-2.2.1`, :rfc:`5139`)."""

from __future__ import annotations

from dataclasses import dataclass

from markup import Element

__all__ = ["CivicAddress"]

# How a street is put together, from the fields that RFC 5139 and RFC 6848 have.
_STREET = ("PRM", "PRD", "RD", "STS", "POD", "POM")
_NUMBER = ("HNP", "HNO", "HNS")
_PLACE = ("A6", "A5", "A4", "A3", "A2", "A1")
_WITHIN = (("BLD", "building"), ("UNIT", "unit"), ("FLR", "floor"), ("ROOM", "room"))


@dataclass(frozen=True, slots=True)
class CivicAddress:
    """The fields of an address in the order of the document."""

    fields: tuple[tuple[str, str], ...]
    """Pairs of the name of an element, such as ``"HNO"``, and its text.

    A field may be there more than once, as ``LMK`` and ``LOC`` may.
    """

    language: str | None = None
    """The language that it is written in."""

    @classmethod
    def read(cls, element: Element) -> CivicAddress:
        """Read an element ``civicAddress``."""
        fields = [(child.name, _spaced(child)) for child in element.children]
        language = element.attributes.get("http://www.w3.org/XML/1998/namespace lang")
        return cls(tuple(pair for pair in fields if pair[1]), language)

    def get(self, name: str) -> str | None:
        """Return the first field of a name; ``None`` if it isn't there."""
        return next((value for known, value in self.fields if known == name), None)

    def __str__(self) -> str:
        """Write it for people to read, in one line."""
        values = dict(reversed(self.fields))  # The first of a name counts.
        number = "".join(values[name] for name in _NUMBER if name in values)
        street = " ".join(values[name] for name in _STREET if name in values)
        within = [f"{word} {values[n]}" for n, word in _WITHIN if n in values]
        place = [values[name] for name in _PLACE if name in values]
        # RFC 4119 had the street in A6 while RFC 5139 has it in RD.
        first = [f"{number} {street}".strip()] if street else []
        if number and not street:
            place[0:1] = [f"{number} {place[0]}" if place else number]
        rest = [values[n] for n in ("LOC", "LMK", "NAM") if n in values]
        last = [values[name] for name in ("PC", "country") if name in values]
        return ", ".join(filter(None, [*first, *within, *rest, *place, *last]))


def _spaced(element: Element) -> str:
    return " ".join(element.text.split())
