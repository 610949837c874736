"""Finding a URI by its session id alone.

A proxy between the peer and us may write a host of its own into the paths, in SDP as
in requests.  What it leaves is the session id, which is as hard to guess as the whole.
"""

from __future__ import annotations

from msrp.uri import MsrpUri

__all__ = ["Namesakes"]


class Namesakes:
    """URIs of ours, by their session ids."""

    __slots__ = ("_uris",)

    def __init__(self) -> None:
        self._uris: dict[str | None, set[MsrpUri]] = {}

    def add(self, uri: MsrpUri) -> None:
        """Add one; twice is no harm."""
        self._uris.setdefault(uri.session_id, set()).add(uri)

    def discard(self, uri: MsrpUri) -> None:
        """Take one out, if it is there."""
        uris = self._uris.get(uri.session_id, set())
        uris.discard(uri)
        if not uris:
            self._uris.pop(uri.session_id, None)

    def only(self, uri: MsrpUri) -> MsrpUri | None:
        """Return the one with the same session id; ``None`` if there are several."""
        uris = self._uris.get(uri.session_id, set())
        if uri.session_id is None or len(uris) != 1:
            return None
        return next(iter(uris))

    def __len__(self) -> int:
        """Count the session ids."""
        return len(self._uris)
