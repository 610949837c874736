"""What people type: commands and options, the help, and what is wrong with it."""

from __future__ import annotations

__all__: list[str] = []
