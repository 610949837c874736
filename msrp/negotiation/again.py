"""A session that stays, said again: a later offer need not change it.

The path is what makes the session (:rfc:`4975#section-8.4`): while both sides give
the same, its connection stays, whoever offers, and whatever else is said anew.
"""

from __future__ import annotations

from dataclasses import replace

from msrp.errors import InvalidUri
from msrp.negotiation.outcome import Negotiated
from msrp.uri import parse_path
from sdp import (
    Attribute,
    Direction,
    MediaDescription,
    answer_direction,
    answer_setup,
    direction_of,
    setup_of,
    with_direction,
)

__all__ = ["answer_again", "has_same_path", "with_news_of"]


def has_same_path(offered: MediaDescription, negotiated: Negotiated) -> bool:
    """Tell whether an offer of the peer names the session that there is."""
    value = offered.first("path")
    if value is None:
        return False
    try:
        return parse_path(value) == negotiated.remote_path
    except InvalidUri:
        return False


def answer_again(
    local: MediaDescription, offered: MediaDescription, negotiated: Negotiated
) -> MediaDescription:
    """Answer an offer that names the session that there is.

    Args:
        local: What we said of it last.
        offered: The offer.
        negotiated: The session.

    Returns:
        The same, but for who would connect, which an answer can't leave open, and for
        the directions, of which the offer may have taken something.
    """
    setup = answer_setup(setup_of(offered), prefer_active=negotiated.is_active)
    attributes = tuple(
        Attribute("setup", setup.value) if a.name == "setup" else a
        for a in local.attributes
    )
    direction = answer_direction(direction_of(offered), Direction.SENDRECV)
    again = replace(local, attributes=attributes)
    if direction_of(again) is direction:
        return again
    return with_direction(again, direction)


def with_news_of(later: Negotiated, running: Negotiated) -> Negotiated:
    """Return what holds of a running session after a further offer and answer.

    What concerns its connection stays; all else is as it was said now.
    """
    return replace(
        running,
        may_send=later.may_send,
        may_receive=later.may_receive,
        remote_accept_types=later.remote_accept_types,
        remote_accept_wrapped_types=later.remote_accept_wrapped_types,
        remote_max_size=later.remote_max_size,
        chatroom=later.chatroom,
        remote_chatroom=later.remote_chatroom,
        remote_languages=later.remote_languages,
    )
