"""``msrp-chat demo``: both parties of a call, and whether all of it has happened."""

from __future__ import annotations

__all__: list[str] = []
