"""What is said and heard on a connection, whichever command made it."""

from __future__ import annotations

__all__: list[str] = []
