"""One session from its start to its end, over all its connections."""
