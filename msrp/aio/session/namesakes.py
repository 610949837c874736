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
        # Hardly ever is there a second one, for which it takes a set.
        self._uris: dict[str | None, MsrpUri | set[MsrpUri]] = {}

    def add(self, uri: MsrpUri) -> None:
        """Add one; twice is no harm."""
        known = self._uris.setdefault(uri.session_id, uri)
        if isinstance(known, set):
            known.add(uri)
        elif known != uri:
            self._uris[uri.session_id] = {known, uri}

    def discard(self, uri: MsrpUri) -> None:
        """Take one out, if it is there."""
        known = self._uris.get(uri.session_id)
        if isinstance(known, set):
            known.discard(uri)
        if not known or known == uri:
            self._uris.pop(uri.session_id, None)

    def only(self, uri: MsrpUri) -> MsrpUri | None:
        """Return the one with the same session id; ``None`` if there are several."""
        known = self._uris.get(uri.session_id)
        if uri.session_id is None or known is None:
            return None
        if isinstance(known, set):
            return next(iter(known)) if len(known) == 1 else None
        return known

    def __len__(self) -> int:
        """Count the session ids."""
        return len(self._uris)
