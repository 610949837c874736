"""Offers, answers and what follows from them (:rfc:`3264`).

Each *slot*, the i-th ``m=`` line, is one stream, and keeps its number for as long
as the call lasts.  An answer has the slots of its offer; a later offer has those
of the description before, and perhaps more.  A slot whose port is 0 has no
stream, and may get a new one.

What is sent is made here, and breaks no rule.  What is received is measured with
two rules: where nobody could tell which stream is which, :func:`check_answer`
raises; what can be worked with it merely mentions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from sdp.attributes import Direction, direction_of
from sdp.description import MediaDescription, SessionDescription
from sdp.errors import SdpError
from sdp.lines import Attribute, ConnectionData, TimeDescription

__all__ = [
    "AcceptedMedia",
    "accepted",
    "answer_direction",
    "build_answer",
    "capabilities",
    "check_answer",
    "next_offer",
    "reject",
]

_DYNAMIC_PAYLOAD_TYPES = range(96, 128)
"""RFC 3551 §6: what they mean is said by ``a=rtpmap`` alone."""


class AcceptedMedia(NamedTuple):
    """A slot that has a stream: what each end says of it, complete in itself."""

    slot: int
    """Which slot, from 0."""

    offered: MediaDescription
    answered: MediaDescription


_REPEATED = frozenset({"file-selector", "file-transfer-id"})
"""RFC 5547 §8.1 and §8.3: whoever refuses or ends the transfer of a file says which."""


def reject(media: MediaDescription) -> MediaDescription:
    """Make the answer that refuses a stream, or the offer that ends one.

    The port is 0 (:rfc:`3264#section-6`); protocol and formats are kept, and all
    else is left out, as it may be, but for what names the file of a file transfer.
    """
    return MediaDescription(
        media.media,
        0,
        media.proto,
        media.formats,
        attributes=tuple(a for a in media.attributes if a.name in _REPEATED),
    )


def answer_direction(offered: Direction, wanted: Direction) -> Direction:
    """Give as much of the wanted direction as the offer allows.

    Args:
        offered: As the offerer sees it.
        wanted: As the answerer sees it: ``sendonly`` if we hold the stream,
            else mostly ``sendrecv``, whether or not the offerer holds it.

    Returns:
        The direction of the answer, as the answerer sees it
        (:rfc:`3264#section-6.1`).
    """
    return Direction.of(
        sends=wanted.sends and offered.receives,
        receives=wanted.receives and offered.sends,
    )


def build_answer(
    offer: SessionDescription,
    slots: Sequence[MediaDescription | None],
    *,
    address: str,
    session_id: int | None = None,
    username: str = "-",
    previous: SessionDescription | None = None,
) -> SessionDescription:
    """Make an answer (:rfc:`3264#section-6`).

    If every slot is rejected so is the whole offer, and the call is better
    answered with 488 than with this.

    Args:
        offer: The offer.
        slots: What to answer to each ``m=`` line; None rejects it.
        address: Our address, a literal one or a host name.
        session_id: As for :meth:`SessionDescription.build`.
        username: As for :meth:`SessionDescription.build`.
        previous: The description that we sent last in this call, offer or
            answer.  The answer continues it (:rfc:`3264#section-8`), and
            ``session_id`` and ``username`` aren't used.

    Raises:
        SdpError: There are more or fewer slots than the offer has, or one of
            them is no legal answer; the offer has fewer than the session had;
            or ``address`` isn't one.
    """
    if previous is not None and len(offer.media) < len(previous.media):
        raise SdpError("a later offer has no fewer media sections than before")
    if len(slots) != len(offer.media):
        raise SdpError("an answer has as many media sections as the offer")
    media = tuple(
        _answer_slot(offer, index, slot, previous) for index, slot in enumerate(slots)
    )
    if previous is None:
        return SessionDescription.build(
            media,
            address=address,
            session_id=session_id,
            username=username,
            times=offer.times,
        )
    return _continue(
        previous,
        media=media,
        connection=ConnectionData.for_address(address),
        times=offer.times,
    )


def _answer_slot(
    offer: SessionDescription,
    index: int,
    slot: MediaDescription | None,
    session: SessionDescription | None,
) -> MediaDescription:
    offered = offer.media[index]
    if slot is None:
        return reject(offered)
    where = f"slot {index + 1}"
    if slot.media != offered.media or slot.proto != offered.proto:
        raise SdpError(f"{where}: an answer keeps the media type and protocol")
    if slot.is_rejected:
        return slot
    if offered.is_rejected:
        raise SdpError(f"{where}: a stream that isn't offered can't be accepted")
    if not direction_of(offered, offer).may_be_answered(direction_of(slot, session)):
        raise SdpError(f"{where}: the direction goes beyond what is offered")
    if any(data.is_multicast for data in slot.connections):
        raise SdpError(f"{where}: a multicast answer")
    if slot.has("rtt-mixer") and not offered.has("rtt-mixer"):
        # RFC 9071 §2.3.2.
        raise SdpError(f"{where}: rtt-mixer without its being offered")
    _check_payload_types(slot, where)
    return _with_mid(offer, offered, slot)


def _check_payload_types(slot: MediaDescription, where: str) -> None:
    if "RTP" not in slot.proto.split("/"):
        return
    mapped = {value.partition(" ")[0] for value in slot.all("rtpmap")}
    dynamic = {str(payload_type) for payload_type in _DYNAMIC_PAYLOAD_TYPES}
    if not dynamic.intersection(slot.formats) <= mapped:
        raise SdpError(f"{where}: a dynamic payload type without a rtpmap")


def _with_mid(
    offer: SessionDescription, offered: MediaDescription, slot: MediaDescription
) -> MediaDescription:
    """Name the stream as the offer does, if the offer groups streams by name."""
    mid = offered.first("mid")
    if not mid or slot.has("mid") or not offer.has("group"):
        return slot
    return dataclasses.replace(
        slot, attributes=(*slot.attributes, Attribute("mid", mid))
    )


def check_answer(
    offer: SessionDescription, answer: SessionDescription
) -> tuple[str, ...]:
    """Check the answer of a peer against our offer.

    Returns:
        What is wrong with it but can be worked with, for a log: another
        protocol (:rfc:`4976#section-11` has an example of that), a direction or
        a stream beyond what was offered, other times.

    Raises:
        SdpError: It has other slots than the offer: the negotiation has failed.
    """
    if len(answer.media) != len(offer.media):
        raise SdpError("the answer has not as many media sections as the offer")
    problems = []
    if answer.times != offer.times:
        problems.append("the times are not those of the offer")
    slots = zip(offer.media, answer.media, strict=True)
    for number, (offered, answered) in enumerate(slots, 1):
        if answered.media != offered.media:
            raise SdpError(f"slot {number}: the answer has another media type")
        if answered.is_rejected:
            continue
        if offered.is_rejected:
            problems.append(f"slot {number}: accepted though not offered")
        if answered.proto != offered.proto:
            problems.append(f"slot {number}: another protocol than offered")
        if not direction_of(offered, offer).may_be_answered(
            direction_of(answered, answer)
        ):
            problems.append(f"slot {number}: the direction goes beyond the offer")
    return tuple(problems)


def accepted(
    offer: SessionDescription, answer: SessionDescription
) -> list[AcceptedMedia]:
    """Give the streams that offer and answer have agreed on.

    Returns:
        The slots that neither end has rejected; none if the whole offer is.

    Raises:
        SdpError: As :func:`check_answer`.
    """
    check_answer(offer, answer)
    return [
        AcceptedMedia(
            index, offer.effective_media(index), answer.effective_media(index)
        )
        for index in range(len(offer.media))
        if not (offer.media[index].is_rejected or answer.media[index].is_rejected)
    ]


def next_offer(
    previous: SessionDescription,
    media: Sequence[MediaDescription | None],
    *,
    address: str | None = None,
) -> SessionDescription:
    """Make an offer that changes a session (:rfc:`3264#section-8`).

    Args:
        previous: The description that we sent last in this call, be it an offer
            or an answer.
        media: What is wanted now, slot by slot; None ends the stream in this
            slot.  New streams take a slot whose port was 0, or come at the end.
        address: Our new address, if we have one.  The ``o=`` line keeps the old
            one, since it is a name.

    Returns:
        A description with the next version; or, if nothing changes, ``previous``
        with the version it has.

    Raises:
        SdpError: There are fewer slots than before, or a new one is None.
    """
    if len(media) < len(previous.media):
        raise SdpError("a later offer has no fewer media sections than before")
    if None in media[len(previous.media) :]:
        raise SdpError("only an existing slot can be emptied")
    slots = tuple(
        _emptied(previous.media[index]) if slot is None else slot
        for index, slot in enumerate(media)
    )
    connection = previous.connection
    if address is not None:
        connection = ConnectionData.for_address(address)
    return _continue(previous, media=slots, connection=connection, times=previous.times)


def _emptied(media: MediaDescription) -> MediaDescription:
    # What is empty already stays as it is, lest it count as a change.
    return media if media.is_rejected else reject(media)


def _continue(
    previous: SessionDescription,
    *,
    media: tuple[MediaDescription, ...],
    connection: ConnectionData | None,
    times: tuple[TimeDescription, ...],
) -> SessionDescription:
    """Give the description of ours that follows another."""
    changed = dataclasses.replace(
        previous, media=media, connection=connection, times=times
    )
    if changed == previous:
        return previous
    origin = dataclasses.replace(previous.origin, version=previous.origin.version + 1)
    return dataclasses.replace(changed, origin=origin)


def capabilities(
    media: Sequence[MediaDescription],
    *,
    address: str,
    session_id: int | None = None,
) -> SessionDescription:
    """Describe what we can do, which offers nothing (:rfc:`3264#section-9`).

    For the body of a response to OPTIONS, and of one that refuses an offer (488).

    Args:
        media: One section for each kind of stream; their ports don't matter.
        address: Our address, a literal one or a host name.
        session_id: As for :meth:`SessionDescription.build`; no other
            description may have it.

    Raises:
        SdpError: ``address`` isn't one, or is the unspecified one.
    """
    return SessionDescription.build(
        [dataclasses.replace(section, port=0) for section in media],
        address=address,
        session_id=session_id,
    )
