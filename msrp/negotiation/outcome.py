"""What an offer and its answer mean together, seen from one side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from msrp.accept_types import AcceptTypes
from msrp.chatroom import Chatroom
from msrp.errors import LocalProtocolError, NegotiationError
from msrp.negotiation.anchoring import Route, address_to_dial, choose_route
from msrp.negotiation.media_address import Resolver
from msrp.negotiation.sides import NO_LANGUAGES, Side, is_message_line
from msrp.uri import MsrpUri
from sdp import (
    Fingerprint,
    Languages,
    MediaDescription,
    Party,
    SdpError,
    SessionDescription,
    accepted,
    certificate_matches,
    connection_roles,
)

__all__ = ["Description", "Negotiated", "negotiate"]

Description: TypeAlias = SessionDescription | MediaDescription
"""A whole session description, or the one section of it that is for MSRP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What offer and answer mean to one side of a session."""

    local_uri: MsrpUri
    """Ours, by which a peer's requests find the session."""

    local_path: tuple[MsrpUri, ...]
    """The path to us; :attr:`local_uri` is its rightmost URI."""

    remote_path: tuple[MsrpUri, ...]
    """The path to the peer, as it gave it; see :attr:`to_path`."""

    is_active: bool
    """Whether we connect; if not, we wait until the peer does."""

    connect_to: tuple[str, int]
    """Host and port of the adjacent hop on the way to the peer, or of the middlebox
    that stands before it (:rfc:`6714`), for an active side.  A passive one must not
    use it: an active peer may well have given a port that nobody listens on."""

    server_name: str
    """The host of the adjacent hop, which its certificate has to name unless there
    are fingerprints.  It says who is there, :attr:`connect_to` only how to get
    there: through a middlebox TLS goes from end to end (:rfc:`6714#section-7`)."""

    secure: bool
    """Whether our hop runs over TLS.  It says nothing of other hops."""

    remote_fingerprints: tuple[Fingerprint, ...]
    """Of the certificates that the peer may present on our hop.  If there is
    none, the certificate has to be good by itself for :attr:`server_name`:
    either the peer has announced none, or there is no TLS, or the adjacent hop
    is a relay, whose certificate no description announces
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

    chatroom: Chatroom | None = None
    """What we have declared to know of chat rooms; None for nothing."""

    remote_chatroom: Chatroom | None = None
    """What the peer knows of chat rooms, and allows (:rfc:`7701#section-8`)."""

    remote_languages: Languages = field(default=NO_LANGUAGES)
    """What the peer will use, and understands (:rfc:`8373`)."""

    needs_plain_offer: bool = False
    """Whether we, the offerer, have to offer again with ``cema=False``, or else end
    the call (:rfc:`6714#section-4.2`): there is a middlebox that wants the
    connection for itself, and the answerer doesn't know how to bring it about.
    Until then all else here is as if there were no middlebox, and may work."""

    warnings: tuple[str, ...] = ()
    """What the peer said that was passed over, in words for a log."""

    @property
    def relays(self) -> tuple[MsrpUri, ...]:
        """Our own relays, the one next to us first (:rfc:`4976#section-5.1`)."""
        return tuple(reversed(self.local_path[:-1]))

    @property
    def to_path(self) -> tuple[MsrpUri, ...]:
        """Where our requests go: through our relays, and then to the peer."""
        return self.relays + self.remote_path

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
        (:rfc:`4975#section-8.4`) and whatever a middlebox writes.  If the peer's
        certificate has changed it doesn't, since nobody has compared the new one
        (:rfc:`8122#section-7`).
        """
        return (
            self.local_path == previous.local_path
            and self.remote_path == previous.remote_path
            and self.secure == previous.secure
            and set(self.remote_fingerprints) == set(previous.remote_fingerprints)
        )


def negotiate(
    offered: Description,
    answered: Description,
    *,
    is_incoming: bool,
    resolve: Resolver | None = None,
) -> Negotiated:
    """Work out the session that an offer and its answer describe.

    Args:
        offered: The offer: either the whole, of which the first message stream
            counts that neither side rejects, or its section for this stream, as
            :meth:`sdp.SessionDescription.effective_media` gives it.
        answered: The answer, in the same form.
        is_incoming: Whether the offer came from the peer, and the answer is ours.
        resolve: Gives the addresses of a host name, which tells a middlebox from
            a host that is named in one place and numbered in another; without
            one they are taken for the same (:rfc:`6714#section-4.4`).

    Raises:
        NegotiationError: There is no such session, since one side has refused it,
            lacks something, or contradicts itself or the other.
        LocalProtocolError: One is a whole description, the other only a section.
    """
    offered, answered = _message_sections(offered, answered)
    offer = Side.read(offered, "offer")
    answer = Side.read(answered, "answer")
    offerer_connects = _offerer_connects(offer, answer)
    waiting = answer if offerer_connects else offer
    route = choose_route(
        offer, answer, offerer_connects=offerer_connects, resolve=resolve
    )
    address = address_to_dial(waiting, route, resolve)
    if address is None:
        whose = "answer" if offerer_connects else "offer"
        raise NegotiationError(f"the path of the {whose} doesn't start with a TCP port")
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
        connect_to=address if waiting is remote else _address(remote.path[0]),
        server_name=remote.path[0].host,
        secure=waiting.uses_tls,
        remote_fingerprints=remote.adjacent_fingerprints if waiting.uses_tls else (),
        accept_types=local.accept_types,
        accept_wrapped_types=local.accept_wrapped_types,
        remote_accept_types=remote.accept_types,
        remote_accept_wrapped_types=remote.accept_wrapped_types,
        remote_max_size=remote.max_size,
        may_send=local.direction.sends and remote.direction.receives,
        may_receive=local.direction.receives and remote.direction.sends,
        chatroom=local.chatroom,
        remote_chatroom=remote.chatroom,
        remote_languages=remote.languages,
        needs_plain_offer=route is Route.REOFFER and not is_incoming,
        warnings=remote.warnings,
    )


def _message_sections(
    offered: Description, answered: Description
) -> tuple[MediaDescription, MediaDescription]:
    for each in (offered, answered):
        if not isinstance(each, SessionDescription | MediaDescription):
            raise TypeError(
                f"{type(each).__name__} is no description: read one with"
                " sdp.SessionDescription.parse"
            )
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


def _offerer_connects(offer: Side, answer: Side) -> bool:
    try:
        return connection_roles(offer.setup, answer.setup) is Party.OFFERER
    except SdpError as error:
        raise NegotiationError(error.problem) from error


def _address(uri: MsrpUri) -> tuple[str, int]:
    assert uri.port is not None, "a path without ports is refused"
    return uri.host, uri.port
