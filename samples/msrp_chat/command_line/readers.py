"""What people type as arguments, read and checked before anything is opened.

Each function raises :exc:`argparse.ArgumentTypeError` with what is wrong.  The
packages that know are imported when there is something to check, so that
``--help`` needn't wait for them.
"""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path

from msrp_chat.conversation.script import parse_script
from msrp_chat.conversation.steps import Step

__all__ = [
    "read_address",
    "read_fingerprint",
    "read_languages",
    "read_location",
    "read_msrp_uri",
    "read_path",
    "read_port",
    "read_relay_uri",
    "read_script",
    "read_seconds",
    "read_sip_uri",
    "read_size",
    "read_status",
    "read_text",
    "read_types",
]

_SIP_EXAMPLE = "sip:console@127.0.0.1:5060;transport=tcp"
_TRANSPORTS = ("udp", "tcp", "tls")

_LONGEST_SCRIPT = 1 << 20
"""Characters of a script; a name may stand for something without end."""

_EARTH = 20_037_508.0
"""Metres from anywhere to the other side of the earth."""

_SIZE = re.compile(r"([0-9]{1,15})([KMG]?)", re.IGNORECASE)
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read_sip_uri(text: str) -> str:
    """Check a URI that an INVITE may be sent to."""
    import sip

    try:
        uri = sip.parse_uri(text)
    except sip.SipError as exc:
        problem = f"{text!r}: {exc}; a URI looks like {_SIP_EXAMPLE}"
        raise argparse.ArgumentTypeError(problem) from exc
    if not isinstance(uri, sip.SipUri):
        # A host with a port in front may look like a scheme.
        if "@" in text:
            problem = f"{text!r} is no SIP URI; one looks like {_SIP_EXAMPLE}"
            raise argparse.ArgumentTypeError(problem)
        return text
    named = uri.parameter("transport")
    if named is not None and named.lower() not in _TRANSPORTS:
        known = ", ".join(_TRANSPORTS)
        problem = f"{text!r}: the transport is none of {known}"
        raise argparse.ArgumentTypeError(problem)
    return text


def read_text(text: str) -> str:
    """Check what is to be said."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        problem = "the text isn't in the encoding of the terminal"
        raise argparse.ArgumentTypeError(problem) from exc
    return text


def read_path(text: str) -> Path:
    """Read the name of a file."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is missing")
    return Path(text)


def read_msrp_uri(text: str) -> str:
    """Check a URI of a message session."""
    import msrp

    try:
        uri = msrp.MsrpUri.parse(text)
    except msrp.InvalidUri as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is {exc}") from exc
    if uri.port is None or uri.session_id is None:
        problem = f"{text!r} needs a port and a session id: msrp://HOST:PORT/ID;tcp"
        raise argparse.ArgumentTypeError(problem)
    return text


def read_relay_uri(text: str) -> str:
    """Check the URI of a relay: one without a session id."""
    import msrp

    try:
        msrp.MsrpUri.parse(text)
    except msrp.InvalidUri as exc:
        problem = f"{text!r} is {exc}; a relay looks like msrps://relay.example;tcp"
        raise argparse.ArgumentTypeError(problem) from exc
    return text


def read_location(text: str) -> tuple[float, float, float | None]:
    """Read a place: degrees north and east, and metres around it."""
    try:
        latitude, longitude, *more = map(float, text.split(","))
        radius = more[0] if more else None
    except ValueError:
        latitude, longitude, radius, more = math.nan, math.nan, None, []
    fits = abs(latitude) <= 90 and abs(longitude) <= 180 and len(more) <= 1
    if not fits or (radius is not None and not 0 < radius < _EARTH):
        problem = f"{text!r} is no place such as 42.5463,-73.2512 or 42.5,-73.2,30"
        raise argparse.ArgumentTypeError(problem)
    return latitude, longitude, radius


def read_languages(text: str) -> tuple[str, ...]:
    """Read language tags with spaces or commas between them."""
    import sdp

    tags = tuple(text.replace(",", " ").split())
    try:
        sdp.Languages(send=tags)
    except sdp.SdpError as exc:
        problem = f"{text!r} is no list of languages such as en,es-MX"
        raise argparse.ArgumentTypeError(problem) from exc
    return tags


def read_address(text: str) -> str:
    """Check who somebody says he is."""
    from msrp_chat.commands.identity import Identity

    try:
        Identity.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is {exc}") from exc
    return text


def read_fingerprint(text: str) -> str:
    """Check the fingerprint of a certificate, as SDP has it."""
    import sdp

    try:
        sdp.Fingerprint.parse(text)
    except sdp.SdpError as exc:
        problem = f"{exc}; it looks like: sha-256 4A:AD:B9:…"
        raise argparse.ArgumentTypeError(problem) from exc
    return text


def read_types(text: str) -> tuple[str, ...]:
    """Read media types with spaces or commas between them."""
    types = tuple(text.replace(",", " ").split())
    if not types or not all(t == "*" or t.count("/") == 1 for t in types):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of media types")
    return types


def read_script(path: str) -> list[Step]:
    """Read a script."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            script = file.read(_LONGEST_SCRIPT + 1)
        if len(script) > _LONGEST_SCRIPT:
            raise argparse.ArgumentTypeError(f"{path}: too long for a script")
        return parse_script(script.split("\n"), path)
    except OSError as exc:
        raise argparse.ArgumentTypeError(
            f"{path}: {os.strerror(exc.errno or 0)}"
        ) from exc
    except UnicodeDecodeError as exc:
        raise argparse.ArgumentTypeError(f"{path}: it isn't UTF-8") from exc
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{path}: {exc}") from exc


def read_size(text: str) -> int:
    """Read a number of octets, such as ``64M``."""
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _FACTORS[match[2].upper()] if match else 0
    if size == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 20000000 or 64M")
    return size


def read_seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (math.isfinite(seconds) and seconds >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def read_port(text: str) -> int:
    """Read a port; 0 lets the system choose."""
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def read_status(text: str) -> int:
    """Read the status of a refusal."""
    if not (text.isascii() and text.isdigit() and 400 <= int(text[:4]) <= 699):
        raise argparse.ArgumentTypeError(f"{text!r} is no status from 400 to 699")
    return int(text)
