"""Run ``msrp-chat`` as ``python -m msrp_chat``."""

from __future__ import annotations

import sys

from msrp_chat.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
