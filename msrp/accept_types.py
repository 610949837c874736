"""Which types of content a party takes (:rfc:`4975#section-8.6`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["AcceptTypes", "essence"]

# An entry: words and quoted strings up to white space.  A quote that nobody closes
# lasts to the end, and so every octet is looked at once only.
_ENTRY = re.compile(r'(?:[^ \t"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)


def essence(content_type: str) -> str:
    """Return ``type/subtype`` in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class AcceptTypes:
    """The value of ``a=accept-types`` or ``a=accept-wrapped-types``."""

    entries: tuple[str, ...] = ("*",)
    """``type/subtype``, ``type/*`` or ``*``, in order of preference."""

    @classmethod
    def parse(cls, value: str) -> AcceptTypes:
        """Read an attribute's value.

        Entries are separated by spaces, save for those in a quoted string, which a
        parameter may have (:rfc:`4975#section-9`).
        """
        return cls(tuple(_ENTRY.findall(value)))

    def covers(self, content_type: str) -> bool:
        """Tell whether content of this type may be sent to the party.

        Parameters are ignored on both sides: an entry with one still means that
        the type is understood.
        """
        if "*" in self.entries:
            return True
        wanted = essence(content_type)
        major, slash, _ = wanted.partition("/")
        major += slash + "*"
        return any(essence(entry) in (wanted, major) for entry in self.entries)

    @property
    def first(self) -> str | None:
        """The most preferred entry, in lower case and without parameters."""
        return essence(self.entries[0]) if self.entries else None

    def __str__(self) -> str:
        return " ".join(self.entries)
