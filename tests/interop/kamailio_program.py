"""Kamailio, as a proxy or as a relay, on ports of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.programs import free_port, listening, running
from tests.samples.certificates import write_certificate

__all__ = ["Kamailio", "needs_kamailio", "running_kamailio"]

KAMAILIO = shutil.which("kamailio")
CONFIGURATIONS = Path(__file__).parent / "kamailio"
NEEDED = {
    "msrp.so": "kamailio",
    "htable.so": "kamailio-extra-modules",
    "tls.so": "kamailio-tls-modules",
}


def missing() -> str | None:
    """Return which package is missing, if one is."""
    if KAMAILIO is None:
        return "kamailio"
    for module, package in NEEDED.items():
        if not any(Path("/usr/lib").glob(f"*/kamailio/modules/{module}")):
            return package
    return None


needs_kamailio = pytest.mark.skipif(
    missing() is not None,
    reason=f"kamailio isn't whole: Debian's package {missing()} is missing",
)


@dataclass
class Kamailio:
    """Where it listens, and the certificate that it shows."""

    port: int
    tls_port: int
    certificate: Path


@asynccontextmanager
async def running_kamailio(
    directory: Path,
    configuration: str,
    transport: str,
    *,
    defaults: Sequence[str] = (),
) -> AsyncIterator[Kamailio]:
    """Run it until it listens on its plain port, for this transport, and for TLS.

    Settings that are named in ``defaults`` are left as they are by default.
    """
    assert KAMAILIO is not None
    port, tls_port = free_port(), free_port()
    certificate = directory / "tls.pem"
    write_certificate(certificate)
    text = (CONFIGURATIONS / configuration).read_text()
    for name, value in [
        ("PLAIN_PORT", str(port)),
        ("TLS_PORT", str(tls_port)),
        ("RUN_DIR", str(directory)),
    ]:
        text = text.replace(name, value)
    for name in defaults:
        text, found = re.subn(rf"(?m)^{name}=.*\n", "", text)
        assert found == 1
    (directory / configuration).write_text(text)
    command = [KAMAILIO, "-f", configuration, "-DD", "-E", "-m", "64", "-M", "8"]
    arguments = ["-Y", str(directory), "-P", str(directory / "pid")]
    async with running(directory, *command, *arguments) as program:
        await listening(program, "tcp", tls_port)
        await listening(program, transport, port)
        yield Kamailio(port, tls_port, certificate)
