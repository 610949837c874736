"""Where messages go that come in."""
