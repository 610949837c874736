"""Lines, colours, bars and a prompt, for people; and streams that may break."""

from __future__ import annotations

__all__: list[str] = []
