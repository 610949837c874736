"""File names from a peer, made fit for a directory of ours.

A name in a message is a suggestion by a stranger (:rfc:`2183#section-2.3`): it
may name a path, a device, a hidden file, or be dressed up to look like another
kind of file.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MAX_FILENAME_SIZE", "safe_filename"]

MAX_FILENAME_SIZE = 200
"""Octets of UTF-8: file systems allow 255, and some room is left for whoever adds a
number or a suffix to make the name unique."""

_MAX_SUFFIX_SIZE = 20
"""Octets of an extension that survives when a name is cut; real ones have few."""

_DRIVE = re.compile(r"\A[A-Za-z]:")
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?",
    re.IGNORECASE | re.DOTALL,
)


def safe_filename(name: str, fallback: str = "attachment") -> str:
    """Return a name without a path that is harmless on any file system.

    Whether such a file is there already is for the caller to look, who must
    never overwrite one (:rfc:`2183#section-2.3`).

    Args:
        name: What the peer calls the file.
        fallback: What to call it if nothing is left.
    """
    last = [part for part in re.split(r"[/\\]", name) if part.strip(" .")][-1:]
    clean = _without_invisible(_DRIVE.sub("", "".join(last)))
    clean = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", clean))
    clean = _trim(_shorten(_trim(clean)))
    if clean.startswith(("-", "~")):
        clean = f"_{clean[1:]}"  # An option or a home directory to a careless shell.
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    return clean or fallback


def _without_invisible(name: str) -> str:
    # Category C: controls, lone surrogates, and the formatting characters with
    # which "gpj.exe" is made to look like "exe.jpg".  Zl and Zp break lines.
    return "".join(
        c
        for c in name
        if not unicodedata.category(c).startswith("C")
        and unicodedata.category(c) not in {"Zl", "Zp"}
    )


def _trim(name: str) -> str:
    # Leading dots hide a file, trailing dots and spaces vanish on Windows.
    return name.strip().lstrip(". ").rstrip(". ").strip()


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_FILENAME_SIZE:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) >= _MAX_SUFFIX_SIZE:
        stem, dot, suffix = name, "", ""
    room = MAX_FILENAME_SIZE - len((dot + suffix).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + suffix
