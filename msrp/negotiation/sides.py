"""What one side says of a message stream, read and checked by itself."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from msrp.accept_types import AcceptTypes, essence
from msrp.chatroom import Chatroom
from msrp.errors import InvalidUri, NegotiationError
from msrp.negotiation.media_address import MediaAddress, Resolver
from msrp.uri import MsrpUri, parse_path
from sdp import (
    Direction,
    Fingerprint,
    Languages,
    MediaDescription,
    SdpError,
    Setup,
    direction_of,
    fingerprints_of,
    languages_of,
    setup_of,
)
from sdp.grammar import is_token

__all__ = [
    "CEMA",
    "CHATROOM",
    "NO_LANGUAGES",
    "PLAIN_PROTO",
    "TLS_PROTO",
    "Side",
    "is_format_entry",
    "is_message_line",
    "uses_tls",
]

PLAIN_PROTO = "TCP/MSRP"
TLS_PROTO = "TCP/TLS/MSRP"

CEMA = "msrp-cema"
"""The attribute of those who connect to ``c=`` and ``m=`` (:rfc:`6714#section-5`)."""

CHATROOM = "chatroom"
"""The attribute of those who know of chat rooms (:rfc:`7701#section-8`)."""

_TCP = ("tcp", "tls")
"""Transports that we can connect to; the second, for TLS over TCP, is the invention
of some stacks (:attr:`MsrpUri.secure`)."""

_MAX_SIZE_DIGITS = 18
"""A longer ``a=max-size`` is no limit that a message could ever reach."""


def is_message_line(media: MediaDescription) -> bool:
    """Tell whether this is a stream of MSRP messages over TCP or TLS.

    One that is rejected or removed (port 0) is one too.
    """
    return (
        media.media == "message"
        and media.proto.upper() in (PLAIN_PROTO, TLS_PROTO)
        and media.formats == ("*",)
    )


def uses_tls(media: MediaDescription) -> bool:
    """Tell whether an answer to this needs an ``msrps`` URI and a certificate."""
    return media.proto.upper() == TLS_PROTO


def is_format_entry(entry: str) -> bool:
    """Tell whether this is ``*``, ``type/*`` or ``type/subtype``."""
    if entry == "*":
        return True
    major, _, minor = essence(entry).partition("/")
    return is_token(major) and is_token(minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one description says."""

    path: tuple[MsrpUri, ...]
    media_address: MediaAddress | None
    has_cema: bool
    uses_tls: bool
    setup: Setup | None
    direction: Direction
    accept_types: AcceptTypes
    accept_wrapped_types: AcceptTypes
    max_size: int | None
    chatroom: Chatroom | None
    languages: Languages
    fingerprints: tuple[Fingerprint, ...]
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, media: MediaDescription, whose: str) -> Side:
        """Read a section.

        Args:
            media: The section, complete in itself.
            whose: ``offer`` or ``answer``, for the words of an error.

        Raises:
            NegotiationError: No session can be had with this.
        """
        if media.is_rejected:
            raise NegotiationError(f"the {whose} has port 0: it wants no such stream")
        if not is_message_line(media):
            raise NegotiationError(f"the {whose} is not for MSRP over TCP or TLS")
        path = _read_path(media, whose)
        tls = uses_tls(media)
        if path[0].secure is not tls:
            raise NegotiationError(f"in the {whose}, m= and a=path disagree about TLS")
        accept_types = _read_types(media, "accept-types")
        if not accept_types.entries:
            raise NegotiationError(f"the {whose} has no a=accept-types with a type")
        try:
            fingerprints = fingerprints_of(media) if tls else ()
        except SdpError as error:
            raise NegotiationError(f"in the {whose}, {error.problem}") from error
        return cls(
            path=path,
            media_address=MediaAddress.read(media),
            has_cema=media.has(CEMA),
            uses_tls=tls,
            setup=setup_of(media),
            direction=direction_of(media),
            accept_types=accept_types,
            accept_wrapped_types=_read_types(media, "accept-wrapped-types"),
            max_size=_read_max_size(media),
            chatroom=_read_chatroom(media),
            languages=_read_languages(media),
            fingerprints=fingerprints,
            warnings=_warnings(media, whose),
        )

    @property
    def is_reachable(self) -> bool:
        """Whether the leftmost URI is one that can be connected to."""
        return self.path[0].transport.lower() in _TCP and self.path[0].port != 0

    @property
    def uses_relay(self) -> bool:
        """Whether the leftmost URI isn't the end of the path."""
        return len(self.path) > 1

    @property
    def adjacent_fingerprints(self) -> tuple[Fingerprint, ...]:
        """Those of the hop next to us, which is a relay if the path is longer."""
        return () if self.uses_relay else self.fingerprints

    def is_behind_middlebox(self, resolve: Resolver | None) -> bool:
        """Tell whether ``c=`` and ``m=`` are certainly of nobody on the path.

        That they are of a relay or of the end (which is what those write who
        know nothing of :rfc:`6714`) makes no difference.
        """
        address = self.media_address
        return address is not None and address.differs_from(self.path, resolve)


def _read_path(media: MediaDescription, whose: str) -> tuple[MsrpUri, ...]:
    value = media.first("path")
    if value is None:
        raise NegotiationError(f"the {whose} has no a=path")
    try:
        path = parse_path(value)
    except InvalidUri as error:
        raise NegotiationError(f"in the a=path of the {whose}: {error}") from error
    # There is no default port to fall back on (RFC 4975 §8.2).
    if any(uri.port is None for uri in path):
        raise NegotiationError(f"a URI in the a=path of the {whose} has no port")
    return path


def _read_types(media: MediaDescription, name: str) -> AcceptTypes:
    """Read a list of types; what isn't one is passed over."""
    value = media.first(name) or ""
    return (_known_types if len(value) <= _MAX_KNOWN else _parse_types)(value)


def _parse_types(value: str) -> AcceptTypes:
    types = AcceptTypes.parse(value)
    return AcceptTypes(tuple(filter(is_format_entry, types.entries)))


# A stack says the same in each of its calls, and a console has thousands of them.
_known_types = functools.lru_cache(64)(_parse_types)
_MAX_KNOWN = 1000
"""Characters of a list that is worth remembering."""


def _read_chatroom(media: MediaDescription) -> Chatroom | None:
    if not media.has(CHATROOM):
        return None
    value = media.first(CHATROOM) or ""
    return (_known_rooms if len(value) <= _MAX_KNOWN else Chatroom.parse)(value)


_known_rooms = functools.lru_cache(64)(Chatroom.parse)
NO_LANGUAGES = Languages()
"""What those say who say nothing of languages."""


def _read_languages(media: MediaDescription) -> Languages:
    languages = languages_of(media)
    return NO_LANGUAGES if languages == NO_LANGUAGES else languages


def _read_max_size(media: MediaDescription) -> int | None:
    # It is a hint, and no session is worth losing for one that can't be read.
    digits = (media.first("max-size") or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_SIZE_DIGITS):
        return None
    return int(digits)


def _warnings(media: MediaDescription, whose: str) -> tuple[str, ...]:
    """Say in words what was passed over, for a log."""
    warnings = []
    if len(media.all("path")) > 1:
        warnings.append(f"the {whose} has more than one a=path: the first counts")
    for name in ("accept-types", "accept-wrapped-types"):
        entries = AcceptTypes.parse(media.first(name) or "").entries
        if not all(map(is_format_entry, entries)):
            warnings.append(f"the a={name} of the {whose} lists what is no type")
    if media.has("max-size") and _read_max_size(media) is None:
        warnings.append(f"the a=max-size of the {whose} is no limit")
    return tuple(warnings)
