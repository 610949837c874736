"""Taps that run beside the event loop, and what they write into files."""
