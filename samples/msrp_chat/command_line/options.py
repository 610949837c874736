"""What the command line says, by command."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from msrp_chat.conversation.steps import Step

__all__ = [
    "CallOptions",
    "DemoOptions",
    "ListenOptions",
    "SessionOptions",
    "SipOptions",
    "TalkOptions",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkOptions:
    """What all commands that talk have."""

    steps: tuple[Step, ...]
    """What to say, in order."""

    save: Path | None
    """Where received files go; a new temporary directory if not given."""

    max_size: int
    """Octets of the largest message that is taken."""

    accept_types: tuple[str, ...] | None
    """What to announce as acceptable, the preferred type first, if not as usual."""

    wait: float
    """Seconds of silence before we hang up, when all is said."""

    echo: bool
    receipts: bool
    """Whether to ask for receipts, and to give them."""

    trace: bool
    """Whether to tell every message on the wire."""

    log: Path | None
    """Where each message is logged, if anywhere."""

    pcap: Path | None
    """Where what goes over the wire is captured, if anywhere."""

    json: bool
    cert: Path | None
    key: Path | None
    """Without them a certificate is made up for the occasion."""

    @property
    def is_scripted(self) -> bool:
        """Whether nobody need sit at the keyboard."""
        return bool(self.steps) or self.echo or self.json


@dataclass(frozen=True, slots=True, kw_only=True)
class SipOptions(TalkOptions):
    """What commands with SIP have."""

    sender: str | None
    """Who we are; made up if not given."""

    address: str | None
    """The address to listen on; if not given, by which we reach the other side."""

    sip_port: int
    msrp_port: int
    tls: bool
    """Whether the message session runs over TLS."""

    user: str | None
    """Who we are for those who ask; :attr:`password` is there, too, then."""

    password: str | None = dataclasses.field(repr=False)
    proxy: str | None
    ca: Path | None
    """Certificates to trust when SIP runs over TLS; else those of the system."""

    relay: str | None
    """The MSRP relay that messages go through, if any."""

    relay_user: str | None
    relay_password: str | None = dataclasses.field(repr=False)
    relay_unproven: bool
    languages: tuple[str, ...] | None
    """Those that we speak, the best first."""

    profile: str | None
    """``emergency`` or ``plain``, if peers of such a kind are to be met."""

    nickname: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions(SipOptions):
    """``msrp-chat call``."""

    uri: str
    location: tuple[float, float, float | None] | None
    """Where we are: degrees north and east, and metres around that."""

    timeout: float
    """Seconds to wait for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions(SipOptions):
    """``msrp-chat listen``."""

    registrar: str | None
    """Where to say that we are here, if anywhere."""

    sips_port: int | None
    """Where to take SIP over TLS, if anywhere."""

    once: bool
    patience: float | None
    """Seconds to wait for the first call; for ever if not given."""

    reject: int | None
    """The status to refuse all calls with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions(TalkOptions):
    """``msrp-chat session``."""

    local_path: str
    remote_path: str
    active: bool
    fingerprint: str | None
    timeout: float
    patience: float | None
    """Seconds to wait for the other side to connect, if not ``timeout``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """``msrp-chat demo``."""

    transports: tuple[str, ...]
    """``tcp``, ``tls`` or both."""

    file: Path
    save: Path | None
    json: bool
