"""What flows in a call, as far as SIP is concerned (:rfc:`3264`).

SIP doesn't know media; it carries an offer and an answer.  A :class:`Media` is
one stream that can be offered, can answer an offer, and is started and stopped.
The functions here put the media of a call together into session descriptions
and take them apart again.
"""

from __future__ import annotations

from sip.media.agreeing import (
    Agreed,
    ask,
    make_answer,
    make_offer,
    match_answer,
    why_refused,
)
from sip.media.bodies import (
    SDP_TYPE,
    compose_body,
    decline,
    find_session_description,
    resolve_cid,
)
from sip.media.shapes import (
    AccompaniedMedia,
    ConferringMedia,
    DirectedMedia,
    ExplainingMedia,
    FollowingMedia,
    IdentifiedMedia,
    IntroducedMedia,
    LeavingMedia,
    Media,
    MediaT,
    MediaT_co,
    MultipleMedia,
    RenegotiatingMedia,
    direction_wanted,
    is_conferring,
    is_explaining,
    is_following,
    is_identified,
    is_introduced,
    is_leaving,
    is_multiple,
    is_renegotiating,
    offerable,
    parts_of,
)

__all__ = [
    "SDP_TYPE",
    "AccompaniedMedia",
    "Agreed",
    "ConferringMedia",
    "DirectedMedia",
    "ExplainingMedia",
    "FollowingMedia",
    "IdentifiedMedia",
    "IntroducedMedia",
    "LeavingMedia",
    "Media",
    "MediaT",
    "MediaT_co",
    "MultipleMedia",
    "RenegotiatingMedia",
    "ask",
    "compose_body",
    "decline",
    "direction_wanted",
    "find_session_description",
    "is_conferring",
    "is_explaining",
    "is_following",
    "is_identified",
    "is_introduced",
    "is_leaving",
    "is_multiple",
    "is_renegotiating",
    "make_answer",
    "make_offer",
    "match_answer",
    "offerable",
    "parts_of",
    "resolve_cid",
    "why_refused",
]
