"""What an offer and an answer amount to (:rfc:`4975#section-8`, :rfc:`6135`).

Each side describes its message stream in one section of a session description:
the *path* to it, the types of content it takes, and whether it can connect or be
connected to.  :func:`offer_media` and :func:`answer_media` write such sections,
:func:`negotiate` reads two of them and says what both together mean to one side.

Who connects to whom is said by ``a=setup``, or by its absence, and where to by the
leftmost URI of the *path* of the one that waits; ``c=`` and ``m=`` repeat a part of
that for others and are never read.  The scheme of this URI also says whether our
hop is protected by TLS.  What relays do on further hops nobody can know.

``a=msrp-cema`` (:rfc:`6714`) is neither offered nor answered, which is all that a
peer needs to know in order to do without; ``a=connection`` is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msrp.accept_types import AcceptTypes, essence
from msrp.errors import InvalidUri, LocalProtocolError, NegotiationError
from msrp.uri import MsrpUri, parse_path
from sdp import (
    Attribute,
    ConnectionData,
    Direction,
    Fingerprint,
    MediaDescription,
    Party,
    SdpError,
    SessionDescription,
    Setup,
    accepted,
    answer_direction,
    answer_setup,
    certificate_matches,
    connection_roles,
    direction_of,
    fingerprints_of,
    setup_of,
)
from sdp.grammar import is_token

__all__ = [
    "DEFAULT_ACCEPT_TYPES",
    "DEFAULT_ACCEPT_WRAPPED_TYPES",
    "Description",
    "Fingerprint",
    "MediaDescription",
    "Negotiated",
    "answer_media",
    "is_message_line",
    "negotiate",
    "offer_media",
    "uses_tls",
]

Description: TypeAlias = SessionDescription | MediaDescription
"""A whole session description, or the one section of it that is for MSRP."""

DEFAULT_ACCEPT_TYPES = ("message/cpim", "text/plain", "*")
"""CPIM first, so that peers wrap messages in it and say who they are from; then
what every peer can send; and last the leave to try all else, such as pictures."""

DEFAULT_ACCEPT_WRAPPED_TYPES = ("*",)
"""It repeats the ``*`` above, which :rfc:`4975#section-8.6` would rather not see:
some peers look only here for what they may wrap in CPIM."""

_PLAIN_PROTO = "TCP/MSRP"
_TLS_PROTO = "TCP/TLS/MSRP"

_DISCARD_PORT = 9
"""The port of an ``m=`` line whose author connects (:rfc:`4145#section-4.1`)."""

_MAX_SIZE_DIGITS = 18
"""A longer ``a=max-size`` is no limit that a message could ever reach."""

_OFFERED_SETUPS = {"actpass": Setup.ACTPASS, "active": Setup.ACTIVE}
_FORBIDDEN_HASH_FUNCTIONS = ("md5", "md2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What offer and answer mean to one side of a session."""

    local_uri: MsrpUri
    """Ours, by which a peer's requests find the session."""

    local_path: tuple[MsrpUri, ...]
    """The path to us; :attr:`local_uri` is its rightmost URI."""

    remote_path: tuple[MsrpUri, ...]
    """The path to the peer, for the ``To-Path`` of our requests."""

    is_active: bool
    """Whether we connect; if not, we wait until the peer does."""

    connect_to: tuple[str, int]
    """Host and port of the adjacent hop on the way to the peer, for an active
    side.  A passive one must not use it: an active peer may well have given a
    port that nobody listens on."""

    secure: bool
    """Whether our hop runs over TLS.  It says nothing of other hops."""

    remote_fingerprints: tuple[Fingerprint, ...]
    """Of the certificates that the peer may present on our hop.  If there is
    none, the certificate has to be good by itself for the host that we connect
    to: either the peer has announced none, or there is no TLS, or the adjacent
    hop is a relay, whose certificate no description announces
    (:rfc:`6135#section-4.3`)."""

    accept_types: AcceptTypes
    """What we have announced that we take."""

    accept_wrapped_types: AcceptTypes
    """What we take only inside a container; perhaps empty."""

    remote_accept_types: AcceptTypes
    remote_accept_wrapped_types: AcceptTypes

    remote_max_size: int | None
    """Octets of the largest message that the peer wants; None if it didn't say."""

    may_send: bool
    """Whether the directions let us send messages; control content such as
    receipts, and requests without a body, may go out in any case
    (:rfc:`4975#section-8.9`)."""

    may_receive: bool

    def certificate_matches(self, der: bytes) -> bool:
        """Tell whether the peer has announced this certificate.

        Args:
            der: The certificate that came over the connection, in DER.

        Returns:
            False if there is nothing to compare it with, as well
            (:rfc:`8122#section-5.1`).
        """
        return certificate_matches(self.remote_fingerprints, der)

    def continues(self, previous: Negotiated) -> bool:
        """Tell whether a connection made for ``previous`` still serves.

        It does if both paths are as they were, whoever offers this time
        (:rfc:`4975#section-8.4`).  If the peer's certificate has changed it
        doesn't, since nobody has compared the new one (:rfc:`8122#section-7`).
        """
        return (
            self.local_path == previous.local_path
            and self.remote_path == previous.remote_path
            and self.secure == previous.secure
            and set(self.remote_fingerprints) == set(previous.remote_fingerprints)
        )


def is_message_line(media: MediaDescription) -> bool:
    """Tell whether this is a stream of MSRP messages over TCP or TLS.

    One that is rejected or removed (port 0) is one too.
    """
    return (
        media.media == "message"
        and media.proto.upper() in (_PLAIN_PROTO, _TLS_PROTO)
        and media.formats == ("*",)
    )


def uses_tls(media: MediaDescription) -> bool:
    """Tell whether an answer to this needs an ``msrps`` URI and a certificate."""
    return media.proto.upper() == _TLS_PROTO


def negotiate(
    offered: Description, answered: Description, *, is_incoming: bool
) -> Negotiated:
    """Work out the session that an offer and its answer describe.

    Args:
        offered: The offer: either the whole, of which the first message stream
            counts that neither side rejects, or its section for this stream, as
            :meth:`sdp.SessionDescription.effective_media` gives it.
        answered: The answer, in the same form.
        is_incoming: Whether the offer came from the peer, and the answer is ours.

    Raises:
        NegotiationError: There is no such session, since one side has refused it,
            lacks something, or contradicts itself or the other.
        LocalProtocolError: One is a whole description, the other only a section.
    """
    offered, answered = _message_sections(offered, answered)
    offer = _Side.read(offered, "offer")
    answer = _Side.read(answered, "answer")
    offerer_connects = _offerer_connects(offer, answer)
    waiting = answer if offerer_connects else offer
    if offer.uses_tls and not waiting.uses_tls:
        raise NegotiationError("the answer gives up the TLS that was offered")
    if offer.path[-1] == answer.path[-1]:
        raise NegotiationError("offer and answer give the same URI")
    local, remote = (answer, offer) if is_incoming else (offer, answer)
    return Negotiated(
        local_uri=local.path[-1],
        local_path=local.path,
        remote_path=remote.path,
        is_active=offerer_connects is not is_incoming,
        connect_to=_address(remote.path[0]),
        secure=waiting.uses_tls,
        remote_fingerprints=remote.adjacent_fingerprints if waiting.uses_tls else (),
        accept_types=local.accept_types,
        accept_wrapped_types=local.accept_wrapped_types,
        remote_accept_types=remote.accept_types,
        remote_accept_wrapped_types=remote.accept_wrapped_types,
        remote_max_size=remote.max_size,
        may_send=local.direction.sends and remote.direction.receives,
        may_receive=local.direction.receives and remote.direction.sends,
    )


def offer_media(
    uri: MsrpUri,
    *,
    setup: str = "actpass",
    accept_types: Sequence[str] = DEFAULT_ACCEPT_TYPES,
    accept_wrapped_types: Sequence[str] = DEFAULT_ACCEPT_WRAPPED_TYPES,
    max_size: int | None = None,
    fingerprints: Sequence[Fingerprint] = (),
    direction: str | None = None,
) -> MediaDescription:
    """Make the section that offers a session.

    Args:
        uri: Ours, made for this session alone (:func:`msrp.uri.new_session_id`).
            Its scheme says whether the session is to use TLS.
        setup: ``actpass`` if we can be connected to at the URI's host and port
            and are listening there; ``active`` if we can only connect.
        accept_types: The types of content that we take, the preferred first.
        accept_wrapped_types: Those that we take inside of a container only.
        max_size: Octets of the largest message that we want.
        fingerprints: Of our certificate; for a session without TLS not used.
        direction: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``; says
            nothing, and so means the first, if None.

    Raises:
        LocalProtocolError: An argument is none that a peer could work with, or
            is forbidden, such as to offer ``passive`` (:rfc:`6135#section-4.2.2`).
        InvalidUri: ``uri``, made from parts, is none.
    """
    if setup not in _OFFERED_SETUPS:
        raise LocalProtocolError(
            "an offer is either actpass or active", section="6135#4.2.2"
        )
    return _write(
        uri,
        proto=_TLS_PROTO if uri.secure else _PLAIN_PROTO,
        setup=_OFFERED_SETUPS[setup],
        accept_types=accept_types,
        accept_wrapped_types=accept_wrapped_types,
        max_size=max_size,
        fingerprints=fingerprints,
        direction=None if direction is None else _parse_direction(direction),
    )


def answer_media(
    offered: MediaDescription,
    uri: MsrpUri,
    *,
    prefer_active: bool = False,
    accept_types: Sequence[str] = DEFAULT_ACCEPT_TYPES,
    accept_wrapped_types: Sequence[str] = DEFAULT_ACCEPT_WRAPPED_TYPES,
    max_size: int | None = None,
    fingerprints: Sequence[Fingerprint] = (),
    direction: str = "sendrecv",
) -> MediaDescription | None:
    """Make the section that accepts an offered session.

    It keeps the protocol of the offer and takes as much of ``direction`` as the
    offer allows.  The other arguments are as for :func:`offer_media`; types and
    size are ours and need not be those of the offer (:rfc:`4975#section-8.6`).

    Args:
        offered: The section that offers it, as
            :meth:`sdp.SessionDescription.effective_media` gives it.
        uri: Ours: for a new session a new one, for one that goes on the same.
            Its scheme is what :func:`uses_tls` of the offer says.
        prefer_active: Connect ourselves if the offer leaves the choice to us, as
            behind a NAT; else we have to be listening.
        accept_types: As for :func:`offer_media`.
        accept_wrapped_types: As for :func:`offer_media`.
        max_size: As for :func:`offer_media`.
        fingerprints: As for :func:`offer_media`.
        direction: What we want: ``sendrecv``, or less to hold the stream.

    Returns:
        None if the offer can't be accepted, so that the answer has to reject the
        stream with port 0: it isn't for MSRP, is removed, lacks something, has no
        type of content that we know, or no place that we can connect to.

    Raises:
        LocalProtocolError: An argument other than the offer is at fault.
        InvalidUri: ``uri``, made from parts, is none.
    """
    try:
        offer = _Side.read(offered, "offer")
    except NegotiationError:
        return None
    if offer.uses_tls is not uri.secure:
        raise LocalProtocolError("the scheme of our URI doesn't fit the offer's proto")
    setup = answer_setup(
        offer.setup, prefer_active=prefer_active and offer.is_reachable
    )
    answered = _write(
        uri,
        proto=offered.proto,
        setup=setup,
        accept_types=accept_types,
        accept_wrapped_types=accept_wrapped_types,
        max_size=max_size,
        fingerprints=fingerprints,
        direction=_answer_direction(offered, _parse_direction(direction)),
    )
    unreachable = setup is Setup.ACTIVE and not offer.is_reachable
    if unreachable or uri == offer.path[-1]:
        return None
    return answered if _have_common(offer.accept_types, accept_types) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What one description says, checked by itself."""

    path: tuple[MsrpUri, ...]
    uses_tls: bool
    setup: Setup | None
    direction: Direction
    accept_types: AcceptTypes
    accept_wrapped_types: AcceptTypes
    max_size: int | None
    fingerprints: tuple[Fingerprint, ...]

    @classmethod
    def read(cls, media: MediaDescription, whose: str) -> _Side:
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
            uses_tls=tls,
            setup=setup_of(media),
            direction=direction_of(media),
            accept_types=accept_types,
            accept_wrapped_types=_read_types(media, "accept-wrapped-types"),
            max_size=_read_max_size(media),
            fingerprints=fingerprints,
        )

    @property
    def is_reachable(self) -> bool:
        """Whether the leftmost URI is one that can be connected to."""
        return self.path[0].transport.lower() == "tcp" and self.path[0].port != 0

    @property
    def adjacent_fingerprints(self) -> tuple[Fingerprint, ...]:
        """Those of the hop next to us, which is a relay if the path is longer."""
        return self.fingerprints if len(self.path) == 1 else ()


def _message_sections(
    offered: Description, answered: Description
) -> tuple[MediaDescription, MediaDescription]:
    if isinstance(offered, MediaDescription) and isinstance(answered, MediaDescription):
        return offered, answered
    if isinstance(offered, MediaDescription) or isinstance(answered, MediaDescription):
        raise LocalProtocolError("a whole description and a section of one don't pair")
    try:
        streams = accepted(offered, answered)
    except SdpError as error:
        raise NegotiationError(error.problem) from error
    for stream in streams:
        if is_message_line(stream.offered):
            return stream.offered, stream.answered
    if any(is_message_line(m) and not m.is_rejected for m in offered.media):
        raise NegotiationError("the answer refuses the message stream")
    raise NegotiationError("the offer has no message stream")


def _offerer_connects(offer: _Side, answer: _Side) -> bool:
    try:
        active = connection_roles(offer.setup, answer.setup)
    except SdpError as error:
        raise NegotiationError(error.problem) from error
    offerer_connects = active is Party.OFFERER
    waiting, whose = (answer, "answer") if offerer_connects else (offer, "offer")
    if not waiting.is_reachable:
        raise NegotiationError(f"the path of the {whose} doesn't start with a TCP port")
    return offerer_connects


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
    types = AcceptTypes.parse(media.first(name) or "")
    return AcceptTypes(tuple(filter(_is_format_entry, types.entries)))


def _is_format_entry(entry: str) -> bool:
    if entry == "*":
        return True
    major, _, minor = essence(entry).partition("/")
    return is_token(major) and is_token(minor)


def _read_max_size(media: MediaDescription) -> int | None:
    # It is a hint, and no session is worth losing for one that can't be read.
    digits = (media.first("max-size") or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_SIZE_DIGITS):
        return None
    return int(digits)


def _address(uri: MsrpUri) -> tuple[str, int]:
    assert uri.port is not None, "a path without ports is refused"
    return uri.host, uri.port


def _have_common(offered: AcceptTypes, ours: Sequence[str]) -> bool:
    """Tell whether a type or pattern of one list meets one of the other."""
    known = AcceptTypes(tuple(ours))
    return any(
        known.covers(entry) or any(AcceptTypes((entry,)).covers(own) for own in ours)
        for entry in offered.entries
    )


def _parse_direction(direction: str) -> Direction:
    try:
        return Direction(direction)
    except ValueError:
        raise LocalProtocolError(
            "a direction is sendrecv, sendonly, recvonly or inactive"
        ) from None


def _answer_direction(offered: MediaDescription, wanted: Direction) -> Direction | None:
    """Give the direction to write, or None where it goes without saying."""
    direction = answer_direction(direction_of(offered), wanted)
    if direction is Direction.SENDRECV and not offered.has(direction.value):
        return None
    return direction


def _write(
    uri: MsrpUri,
    *,
    proto: str,
    setup: Setup,
    accept_types: Sequence[str],
    accept_wrapped_types: Sequence[str],
    max_size: int | None,
    fingerprints: Sequence[Fingerprint],
    direction: Direction | None,
) -> MediaDescription:
    if not accept_types:
        raise LocalProtocolError("no type is accepted", section="4975#8.6")
    port = _own_port(uri)
    if setup is Setup.ACTIVE:
        port = _DISCARD_PORT
    announced = [
        ("path", str(uri)),
        ("accept-types", _format_types(accept_types)),
        ("accept-wrapped-types", _format_types(accept_wrapped_types)),
        ("max-size", _format_max_size(max_size)),
        ("setup", setup.value),
    ]
    if uri.secure:
        announced += [("fingerprint", _format_fingerprint(f)) for f in fingerprints]
    try:
        attributes = [Attribute(name, value) for name, value in announced if value]
        if direction is not None:
            attributes.append(Attribute(direction.value))
        return MediaDescription(
            "message",
            port,
            proto,
            ("*",),
            connections=(_own_connection(uri.host),),
            attributes=tuple(attributes),
        )
    except SdpError as error:
        raise LocalProtocolError(error.problem) from error


def _own_port(uri: MsrpUri) -> int:
    if uri.session_id is None:
        raise LocalProtocolError("our URI names no session", section="4975#8.2")
    # Some stacks don't know it in upper case.
    if uri.transport != "tcp":
        raise LocalProtocolError("the transport of our URI is not tcp")
    if not uri.port:
        raise LocalProtocolError("our URI has no port", section="4975#8.2")
    # One made from parts, and not read, may be none at all.
    if MsrpUri.parse(str(uri)) != uri:
        raise LocalProtocolError("our URI can't be read back", section="4975#9")
    return uri.port


def _own_connection(host: str) -> ConnectionData:
    connection = ConnectionData.for_address(host)
    if connection.is_multicast:
        raise LocalProtocolError("the host of our URI is a multicast address")
    return connection


def _format_types(types: Sequence[str]) -> str:
    # White space, even in a quoted parameter, would make two entries of one.
    if any(entry.split() != [entry] or not _is_format_entry(entry) for entry in types):
        raise LocalProtocolError(
            "a type is neither type/subtype, type/* nor *", section="4975#8.6"
        )
    return " ".join(types)


def _format_max_size(octets: int | None) -> str:
    if octets is None:
        return ""
    if octets < 0:
        raise LocalProtocolError("the largest size of a message is negative")
    return str(octets)


def _format_fingerprint(fingerprint: Fingerprint) -> str:
    if fingerprint.hash_func in _FORBIDDEN_HASH_FUNCTIONS:
        raise LocalProtocolError(
            "a fingerprint is made with a broken hash function", section="8122#5"
        )
    return str(fingerprint)
