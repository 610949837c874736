"""What it costs, as ratios."""
