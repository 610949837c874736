"""The sections that offer a session and accept one."""

from __future__ import annotations

from collections.abc import Sequence

from msrp.accept_types import AcceptTypes, essence
from msrp.chatroom import Chatroom
from msrp.errors import LocalProtocolError, NegotiationError
from msrp.negotiation.anchoring import Route, address_to_dial, answers_cema
from msrp.negotiation.media_address import DISCARD_PORT, Resolver
from msrp.negotiation.sides import (
    CEMA,
    CHATROOM,
    NO_LANGUAGES,
    PLAIN_PROTO,
    TLS_PROTO,
    Side,
    is_format_entry,
)
from msrp.uri import MsrpUri, format_path
from sdp import (
    Attribute,
    ConnectionData,
    Direction,
    Fingerprint,
    Languages,
    MediaDescription,
    SdpError,
    Setup,
    answer_direction,
    answer_languages,
    answer_setup,
    direction_of,
)

__all__ = [
    "CONTROL_TYPES",
    "DEFAULT_ACCEPT_TYPES",
    "DEFAULT_ACCEPT_WRAPPED_TYPES",
    "answer_media",
    "offer_media",
]

DEFAULT_ACCEPT_TYPES = ("message/cpim", "text/plain", "*")
"""CPIM first, so that peers wrap messages in it and say who they are from; then
what every peer can send; and last the leave to try all else, such as pictures."""

DEFAULT_ACCEPT_WRAPPED_TYPES = ("*",)
"""It repeats the ``*`` above, which :rfc:`4975#section-8.6` would rather not see:
some peers look only here for what they may wrap in CPIM."""

CONTROL_TYPES = ("application/im-iscomposing+xml", "message/imdn+xml")
"""What goes along with messages: typing (:rfc:`3994`) and disposition notifications
(:rfc:`5438`).  Many peers send them only if they find them by name among the wrapped
types, whatever a ``*`` says (:rfc:`4975#section-8.6`), so they are listed there even
where somebody has given a list of types and not thought of them."""

_OFFERED_SETUPS = {"actpass": Setup.ACTPASS, "active": Setup.ACTIVE}
_FORBIDDEN_HASH_FUNCTIONS = ("md5", "md2")


def offer_media(
    uri: MsrpUri,
    *,
    setup: str = "actpass",
    accept_types: Sequence[str] = DEFAULT_ACCEPT_TYPES,
    accept_wrapped_types: Sequence[str] = DEFAULT_ACCEPT_WRAPPED_TYPES,
    control_types: Sequence[str] = CONTROL_TYPES,
    max_size: int | None = None,
    fingerprints: Sequence[Fingerprint] = (),
    direction: str | None = None,
    cema: bool = True,
    relays: Sequence[MsrpUri] = (),
    chatroom: Chatroom | None = None,
    languages: Sequence[str] = (),
) -> MediaDescription:
    """Make the section that offers a session.

    Args:
        uri: Ours, made for this session alone (:func:`msrp.uri.new_session_id`).
            Its scheme says whether the session is to use TLS.
        setup: ``actpass`` if we can be connected to at the URI's host and port
            and are listening there; ``active`` if we can only connect.
        accept_types: The types of content that we take, the preferred first.
        accept_wrapped_types: Those that we take inside of a container only.
        control_types: What is to be named among the wrapped types in any case, if
            ``message/cpim`` is taken: by default typing and notifications.
        max_size: Octets of the largest message that we want.
        fingerprints: Of our certificate; for a session without TLS not used.
        direction: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``; says
            nothing, and so means the first, if None.
        cema: Say ``a=msrp-cema`` (:rfc:`6714`).  It is right by default: calls to
            and from emergency services pass middleboxes at the borders of
            networks, and where there is none it changes nothing, since ``c=`` and
            ``m=`` are those of the path.  False is for an offer that follows
            :attr:`Negotiated.needs_plain_offer`.
        relays: What relays have given us for this session (:rfc:`4976#section-5.1`),
            the one next to us first.  Then peers connect to the last of them, whose
            address and security are what the section says.
        chatroom: What we know of chat rooms (:rfc:`7701#section-8`), if that is to be
            said.
        languages: The tags of the languages that we use and understand, the best
            first (:rfc:`8373`).

    Raises:
        LocalProtocolError: An argument is none that a peer could work with, or
            is forbidden, such as to offer ``passive`` (:rfc:`6135#section-4.2.2`).
        InvalidUri: ``uri``, made from parts, is none.
    """
    if setup not in _OFFERED_SETUPS:
        raise LocalProtocolError(
            "an offer is either actpass or active", section="6135#4.2.2"
        )
    path = (*reversed(relays), uri)
    return _write(
        path,
        proto=TLS_PROTO if path[0].secure else PLAIN_PROTO,
        setup=_OFFERED_SETUPS[setup],
        accept_types=accept_types,
        accept_wrapped_types=_with_control_types(
            accept_types, accept_wrapped_types, control_types
        ),
        max_size=max_size,
        fingerprints=fingerprints,
        direction=None if direction is None else _parse_direction(direction),
        cema=cema,
        chatroom=chatroom,
        languages=_languages(languages, languages),
    )


def answer_media(
    offered: MediaDescription,
    uri: MsrpUri,
    *,
    prefer_active: bool = False,
    accept_types: Sequence[str] = DEFAULT_ACCEPT_TYPES,
    accept_wrapped_types: Sequence[str] = DEFAULT_ACCEPT_WRAPPED_TYPES,
    control_types: Sequence[str] = CONTROL_TYPES,
    max_size: int | None = None,
    fingerprints: Sequence[Fingerprint] = (),
    direction: str = "sendrecv",
    resolve: Resolver | None = None,
    relays: Sequence[MsrpUri] = (),
    chatroom: Chatroom | None = None,
    languages: Sequence[str] = (),
) -> MediaDescription | None:
    """Make the section that accepts an offered session.

    It keeps the protocol of the offer, takes as much of ``direction`` as the offer
    allows, and says ``a=msrp-cema`` if the offer does and it can work.  The other
    arguments are as for :func:`offer_media`; types and size are ours and need not
    be those of the offer (:rfc:`4975#section-8.6`).

    Args:
        offered: The section that offers it, as
            :meth:`sdp.SessionDescription.effective_media` gives it.
        uri: Ours: for a new session a new one, for one that goes on the same.
            Its scheme is ``msrps`` if the offer's proto has TLS.
        prefer_active: Connect ourselves if the offer leaves the choice to us, as
            behind a NAT; else we have to be listening.
        accept_types: As for :func:`offer_media`.
        accept_wrapped_types: As for :func:`offer_media`.
        control_types: As for :func:`offer_media`.
        max_size: As for :func:`offer_media`.
        fingerprints: As for :func:`offer_media`.
        direction: What we want: ``sendrecv``, or less to hold the stream.
        resolve: As for :func:`negotiate`.
        relays: As for :func:`offer_media`.  With a relay the answer may bring in TLS
            that was not offered (:rfc:`4976#section-11`), but not do without it.
        chatroom: As for :func:`offer_media`, whether it was offered or not.
        languages: As for :func:`offer_media`.  For each direction that the offer has
            languages for, the answer names one: the best of them that is among ours,
            or else our best (:rfc:`8373#section-5.1`).

    Returns:
        None if the offer can't be accepted, so that the answer has to reject the
        stream with port 0: it isn't for MSRP, is removed, lacks something, has no
        type of content that we know, or no place that we can connect to; or a
        middlebox has changed it that takes no part in MSRP, while the offerer
        hasn't said ``a=msrp-cema`` (:rfc:`6714#section-4.3`).

    Raises:
        LocalProtocolError: An argument other than the offer is at fault.
        InvalidUri: ``uri``, made from parts, is none.
    """
    try:
        offer = Side.read(offered, "offer")
    except NegotiationError:
        return None
    path = (*reversed(relays), uri)
    if not relays and offer.uses_tls is not uri.secure:
        raise LocalProtocolError("the scheme of our URI doesn't fit the offer's proto")
    if offer.uses_tls and not path[0].secure:
        return None
    route = Route.MEDIA_ADDRESS if offer.has_cema else Route.PATH
    is_reachable = address_to_dial(offer, route, resolve) is not None
    setup = answer_setup(offer.setup, prefer_active=prefer_active and is_reachable)
    answered = _write(
        path,
        proto=offered.proto if offer.uses_tls is path[0].secure else TLS_PROTO,
        setup=setup,
        accept_types=accept_types,
        accept_wrapped_types=_with_control_types(
            accept_types, accept_wrapped_types, control_types
        ),
        max_size=max_size,
        fingerprints=fingerprints,
        direction=_answer_direction(offered, _parse_direction(direction)),
        cema=answers_cema(offer, setup, by_relay=bool(relays)),
        chatroom=chatroom,
        languages=_answer_languages(offer.languages, languages),
    )
    unreachable = setup is Setup.ACTIVE and not is_reachable
    if unreachable or uri == offer.path[-1]:
        return None
    if not offer.has_cema and offer.is_behind_middlebox(resolve):
        return None
    return answered if _have_common(offer.accept_types, accept_types) else None


def _languages(send: Sequence[str], recv: Sequence[str]) -> Languages:
    try:
        return Languages(tuple(send), tuple(recv))
    except SdpError as error:
        raise LocalProtocolError(error.problem, section="8373#5.1") from error


def _answer_languages(offered: Languages, ours: Sequence[str]) -> Languages:
    _languages(ours, ours)
    return answer_languages(offered, ours) if ours else NO_LANGUAGES


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
    path: tuple[MsrpUri, ...],
    *,
    proto: str,
    setup: Setup,
    accept_types: Sequence[str],
    accept_wrapped_types: Sequence[str],
    max_size: int | None,
    fingerprints: Sequence[Fingerprint],
    direction: Direction | None,
    cema: bool,
    chatroom: Chatroom | None,
    languages: Languages,
) -> MediaDescription:
    if not accept_types:
        raise LocalProtocolError("no type is accepted", section="4975#8.6")
    _check_own(path[-1])
    first = path[0]
    port = _port(first)
    if setup is Setup.ACTIVE:
        port = DISCARD_PORT
    announced = [
        ("path", format_path(path)),
        ("accept-types", _format_types(accept_types)),
        ("accept-wrapped-types", _format_types(accept_wrapped_types)),
        ("max-size", _format_max_size(max_size)),
        ("setup", setup.value),
    ]
    # A relay shows a certificate of its own, and no description announces that.
    if first.secure and len(path) == 1:
        announced += [("fingerprint", _format_fingerprint(f)) for f in fingerprints]
    try:
        attributes = [Attribute(name, value) for name, value in announced if value]
        if cema:
            attributes.append(Attribute(CEMA))
        if chatroom is not None:
            attributes.append(Attribute(CHATROOM, str(chatroom) or None))
        attributes += languages.attributes
        if direction is not None:
            attributes.append(Attribute(direction.value))
        return MediaDescription(
            "message",
            port,
            proto,
            ("*",),
            connections=(_own_connection(first.host),),
            attributes=tuple(attributes),
        )
    except SdpError as error:
        raise LocalProtocolError(error.problem) from error


def _check_own(uri: MsrpUri) -> None:
    if uri.session_id is None:
        raise LocalProtocolError("our URI names no session", section="4975#8.2")
    # Some stacks don't know it in upper case.
    if uri.transport != "tcp":
        raise LocalProtocolError("the transport of our URI is not tcp")
    _port(uri)
    # One made from parts, and not read, may be none at all.
    if MsrpUri.parse(str(uri)) != uri:
        raise LocalProtocolError("our URI can't be read back", section="4975#9")


def _port(uri: MsrpUri) -> int:
    if not uri.port:
        raise LocalProtocolError("our URI has no port", section="4975#8.2")
    return uri.port


def _own_connection(host: str) -> ConnectionData:
    connection = ConnectionData.for_address(host)
    if connection.is_multicast:
        raise LocalProtocolError("the host of our URI is a multicast address")
    return connection


def _with_control_types(
    accept_types: Sequence[str], wrapped: Sequence[str], control_types: Sequence[str]
) -> Sequence[str]:
    """Return the wrapped types, with those that must not be forgotten."""
    if not AcceptTypes(tuple(accept_types)).covers("message/cpim"):
        return wrapped  # They come in an envelope, or not at all.
    named = {essence(each) for each in wrapped}
    missing = [each for each in control_types if each not in named]
    if "*" in wrapped[-1:]:  # What is left to others is said last.
        return [*wrapped[:-1], *missing, "*"]
    return [*wrapped, *missing]


def _format_types(types: Sequence[str]) -> str:
    if not all(is_format_entry(each) and _stands_alone(each) for each in types):
        raise LocalProtocolError(
            "a type is neither type/subtype, type/* nor *", section="4975#8.6"
        )
    return " ".join(types)


def _stands_alone(entry: str) -> bool:
    """Tell whether this is read as one entry, and what follows as another."""
    return AcceptTypes.parse(f"{entry} *").entries == (entry, "*")


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
