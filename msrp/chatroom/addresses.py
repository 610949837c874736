"""Whether two URIs are of the same participant."""

from __future__ import annotations

__all__ = ["is_same_uri", "name_in"]


def is_same_uri(one: str, other: str) -> bool:
    """Tell whether two URIs name the same participant, or the same room.

    They are compared as identities: without parameters and headers, which say how
    somebody is reached and not who it is, and with scheme and host in any case.
    """
    return one == other or _identity(one) == _identity(other)


def name_in(uri: str) -> str | None:
    """Return what a URI calls somebody: the user, or the number of a telephone."""
    scheme, user, host = _identity(uri)
    name = user.partition(":")[0].partition(";")[0]
    if not name and scheme in ("tel", "im", "pres"):
        name = host
    return name or None


def _identity(uri: str) -> tuple[str, str, str]:
    scheme, _, rest = uri.partition(":")
    rest = rest.partition("?")[0]
    # A user may have a semicolon in it, so only what follows the host is looked at.
    user, at, host = rest.rpartition("@")
    if at:
        return scheme.lower(), user, host.partition(";")[0].lower()
    return scheme.lower(), "", rest.partition(";")[0].lower()
