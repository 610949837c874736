"""What the figures were taken on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path

from OpenSSL import SSL

__all__ = ["describe"]


def describe() -> dict[str, str]:
    """Return the machine, the versions, and how busy it was before we began."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "load before": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "Python": platform.python_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        "OpenSSL of pyOpenSSL": SSL.SSLeay_version(SSL.SSLEAY_VERSION)
        .split()[1]
        .decode(),
        "cryptography": _version("cryptography"),
        "pyOpenSSL": _version("pyOpenSSL"),
        "uvloop": _version("uvloop"),
        "SIPp": _sipp(),
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = re.findall(r"^model name\s*:\s*(.*)$", info, re.MULTILINE)
    return names[0] if names else platform.machine()


def _memory() -> str:
    try:
        octets = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "unknown"
    return f"{octets / 1024**3:.0f} GiB"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _sipp() -> str:
    if shutil.which("sipp") is None:
        return "not installed"
    said = _output("sipp", "-v")
    found = re.search(r"SIPp v?(\S+?)[.,]?\s", said)
    return found[1] if found else "unknown"


def _commit() -> str:
    here = str(Path(__file__).parent)
    return _output("git", "-C", here, "rev-parse", "--short=10", "HEAD") or "unknown"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
