"""Session descriptions (:rfc:`8866`) and offer/answer (:rfc:`3264`).

Two ends agree on streams by exchanging descriptions: one offers, the other
answers.  This package reads, writes and compares such descriptions.  It knows
nothing of SIP, which carries them, nor of what flows in the streams, and it does
no I/O.

A description is read with :meth:`SessionDescription.parse` and written with
``bytes()``.  It is made of frozen values that check themselves when they are made,
wherever they come from, so that what exists can be written, and what is written
(within the bounds of reading) can be read back and is equal.  Everything is kept
as it came, known or not: the lines of a stream that nobody here understands go
through untouched.

Reading is linear in the size of the description and bounded: :mod:`sdp.reader` has
the bounds.  It forgives a few things that real products do, and says so in
:attr:`SessionDescription.warnings`; ``strict=True`` doesn't.

The typed views (:func:`setup_of`, :func:`direction_of`, :func:`languages_of`,
:func:`fingerprints_of`) say what some attributes mean.  They are best asked of
:meth:`SessionDescription.effective_media`, a media section that has what the
session says for it too.

:mod:`sdp.offer_answer` makes answers and later offers that break no rule
(:func:`build_answer`, :func:`next_offer`) and tells what two descriptions amount to
(:func:`check_answer`, :func:`accepted`)::

    offer = SessionDescription.parse(body)
    slots = [mine if m.media == "message" else None for m in offer.media]
    answer = build_answer(offer, slots, address="192.0.2.1")
    for index, offered, answered in accepted(offer, answer):
        ...

The one error is :exc:`SdpError`.
"""

from sdp.attributes import (
    Direction,
    Languages,
    Party,
    Setup,
    answer_languages,
    answer_setup,
    connection_roles,
    direction_of,
    languages_of,
    setup_of,
    with_direction,
)
from sdp.description import MediaDescription, SessionDescription
from sdp.errors import SdpError
from sdp.fingerprint import Fingerprint, certificate_matches, fingerprints_of
from sdp.lines import Attribute, Bandwidth, ConnectionData, Origin, TimeDescription
from sdp.offer_answer import (
    AcceptedMedia,
    accepted,
    answer_direction,
    build_answer,
    capabilities,
    check_answer,
    next_offer,
    reject,
)

__all__ = [
    "AcceptedMedia",
    "Attribute",
    "Bandwidth",
    "ConnectionData",
    "Direction",
    "Fingerprint",
    "Languages",
    "MediaDescription",
    "Origin",
    "Party",
    "SdpError",
    "SessionDescription",
    "Setup",
    "TimeDescription",
    "accepted",
    "answer_direction",
    "answer_languages",
    "answer_setup",
    "build_answer",
    "capabilities",
    "certificate_matches",
    "check_answer",
    "connection_roles",
    "direction_of",
    "fingerprints_of",
    "languages_of",
    "next_offer",
    "reject",
    "setup_of",
    "with_direction",
]
