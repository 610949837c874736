"""The Message Session Relay Protocol, RFC 4975, for asyncio.

An application holds a :class:`MsrpConnection`, made from the offered and the
answered SDP, sets its hooks, starts it, and sends.  Under it lies a protocol core
without I/O (:mod:`msrp.sansio`), driven by octets and time, which a thin asyncio
shell (:mod:`msrp.aio`) moves in and out.  What both share are values: URIs, header
fields, events, errors.

The values are imported with this package, the rest when one of its names is first
asked for; so to look into a path or a header costs no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.errors import (
    AuthorizationFailed,
    CertificateRejected,
    CloseReason,
    ConcurrencyError,
    ConnectionFailed,
    DeliveryError,
    FailureReported,
    FileMismatch,
    FileRefused,
    FileTransferAborted,
    FileTransferFailed,
    InvalidFileDescription,
    InvalidNickname,
    InvalidUri,
    LimitExceeded,
    LocalProtocolError,
    MessageAborted,
    MsrpError,
    NegotiationError,
    NicknameFailed,
    ProtocolError,
    RemoteProtocolError,
    RequestRefused,
    ResponseTimeout,
    SessionClosed,
    SessionEnded,
)
from msrp.events import (
    ClosedEvent,
    ConnectionEstablished,
    ConnectionFailedEvent,
    ConnectionLost,
    IncompleteMessage,
    MessageDeliveryFailed,
    MessageRefused,
    NicknameReceived,
    RelayExpiring,
    ReportReceived,
)
from msrp.headers import ByteRange, FailureReport, Status
from msrp.policy import (
    Announcement,
    Decision,
    InMemory,
    IntoDirectory,
    IntoWriter,
    Policy,
    Refuse,
    files_into,
)
from msrp.status import StatusCode
from msrp.uri import MsrpUri

if TYPE_CHECKING:
    from msrp.addresses import ImUri, InvalidAddress, parse_address
    from msrp.aio.connection import MsrpConnection
    from msrp.aio.file_transfer import (
        FileAnswerer,
        FileDecision,
        FilePull,
        FilePush,
        FileTransfer,
        FileTransferred,
        RefuseFile,
        SaveFile,
        ServeFile,
        SharedFiles,
    )
    from msrp.aio.listener import MsrpListener
    from msrp.aio.media import MsrpMedia
    from msrp.aio.relays.relay import MsrpRelay
    from msrp.aio.sending.files import FileUnreadable
    from msrp.aio.sending.outgoing_message import OutgoingMessage
    from msrp.aio.streams.sockets import SocketOptions
    from msrp.aio.tls.certificates import CertificateUnusable, LocalCertificate
    from msrp.aio.tls.policy import TlsPolicy, Verification
    from msrp.chatroom import Chatroom
    from msrp.composing import ComposingChanged
    from msrp.content import (
        Address,
        AttachmentReceived,
        ContentType,
        CpimMessage,
        MessageReceived,
        Part,
        TextMessageReceived,
    )
    from msrp.file_transfer import (
        FileDates,
        FileDescription,
        FileHash,
        FileRange,
        FileSelector,
    )
    from msrp.imdn import (
        Consent,
        Disposition,
        DispositionNotification,
        DispositionStatus,
        DispositionType,
        NotificationPolicy,
        NotificationRequest,
    )
    from msrp.negotiation import (
        Negotiated,
        Resolver,
        answer_media,
        negotiate,
        offer_media,
    )
    from msrp.profile import Profile

_LATER = {
    "msrp.addresses": ("ImUri", "InvalidAddress", "parse_address"),
    "msrp.aio.tls.certificates": ("CertificateUnusable", "LocalCertificate"),
    "msrp.aio.connection": ("MsrpConnection",),
    "msrp.aio.file_transfer": (
        "FileAnswerer",
        "FileDecision",
        "FilePull",
        "FilePush",
        "FileTransfer",
        "FileTransferred",
        "RefuseFile",
        "SaveFile",
        "ServeFile",
        "SharedFiles",
    ),
    "msrp.aio.sending.files": ("FileUnreadable",),
    "msrp.aio.listener": ("MsrpListener",),
    "msrp.aio.media": ("MsrpMedia",),
    "msrp.aio.sending.outgoing_message": ("OutgoingMessage",),
    "msrp.aio.relays.relay": ("MsrpRelay",),
    "msrp.aio.streams.sockets": ("SocketOptions",),
    "msrp.aio.tls.policy": ("TlsPolicy", "Verification"),
    "msrp.chatroom": ("Chatroom",),
    "msrp.composing": ("ComposingChanged",),
    "msrp.content": (
        "Address",
        "AttachmentReceived",
        "ContentType",
        "CpimMessage",
        "MessageReceived",
        "Part",
        "TextMessageReceived",
    ),
    "msrp.file_transfer": (
        "FileDates",
        "FileDescription",
        "FileHash",
        "FileRange",
        "FileSelector",
    ),
    "msrp.imdn": (
        "Consent",
        "Disposition",
        "DispositionNotification",
        "DispositionStatus",
        "DispositionType",
        "NotificationPolicy",
        "NotificationRequest",
    ),
    "msrp.negotiation": (
        "Negotiated",
        "Resolver",
        "answer_media",
        "negotiate",
        "offer_media",
    ),
    "msrp.profile": ("Profile",),
}

__all__ = [
    "AcceptTypes",
    "Address",
    "Announcement",
    "AttachmentReceived",
    "AuthorizationFailed",
    "ByteRange",
    "CertificateRejected",
    "CertificateUnusable",
    "Chatroom",
    "CloseReason",
    "ClosedEvent",
    "ComposingChanged",
    "ConcurrencyError",
    "ConnectionEstablished",
    "ConnectionFailed",
    "ConnectionFailedEvent",
    "ConnectionLost",
    "Consent",
    "ContentType",
    "CpimMessage",
    "Decision",
    "DeliveryError",
    "Disposition",
    "DispositionNotification",
    "DispositionStatus",
    "DispositionType",
    "FailureReport",
    "FailureReported",
    "FileAnswerer",
    "FileDates",
    "FileDecision",
    "FileDescription",
    "FileHash",
    "FileMismatch",
    "FilePull",
    "FilePush",
    "FileRange",
    "FileRefused",
    "FileSelector",
    "FileTransfer",
    "FileTransferAborted",
    "FileTransferFailed",
    "FileTransferred",
    "FileUnreadable",
    "ImUri",
    "InMemory",
    "IncompleteMessage",
    "IntoDirectory",
    "IntoWriter",
    "InvalidAddress",
    "InvalidFileDescription",
    "InvalidNickname",
    "InvalidUri",
    "LimitExceeded",
    "Limits",
    "LocalCertificate",
    "LocalProtocolError",
    "MessageAborted",
    "MessageDeliveryFailed",
    "MessageReceived",
    "MessageRefused",
    "MsrpConnection",
    "MsrpError",
    "MsrpListener",
    "MsrpMedia",
    "MsrpRelay",
    "MsrpUri",
    "Negotiated",
    "NegotiationError",
    "NicknameFailed",
    "NicknameReceived",
    "NotificationPolicy",
    "NotificationRequest",
    "OutgoingMessage",
    "Part",
    "Policy",
    "Profile",
    "ProtocolError",
    "Refuse",
    "RefuseFile",
    "RelayExpiring",
    "RemoteProtocolError",
    "ReportReceived",
    "RequestRefused",
    "Resolver",
    "ResponseTimeout",
    "SaveFile",
    "ServeFile",
    "SessionClosed",
    "SessionConfig",
    "SessionEnded",
    "SharedFiles",
    "SocketOptions",
    "Status",
    "StatusCode",
    "TextMessageReceived",
    "TlsPolicy",
    "Verification",
    "answer_media",
    "files_into",
    "negotiate",
    "offer_media",
    "parse_address",
]

_HOMES = {name: module for module, names in _LATER.items() for name in names}

if not TYPE_CHECKING:  # Else a type checker took every name for one of ours.

    def __getattr__(name: str) -> object:
        """Import what wasn't asked for before (:pep:`562`)."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(home), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
