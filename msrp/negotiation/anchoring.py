"""Which of a description's two addresses is connected to (:rfc:`6714`).

A path says where its author is; ``c=`` and ``m=`` say where the author, or a
middlebox that has put itself there, would like to be connected to.  The first
counts in :rfc:`4975`, the second in :rfc:`6714`, and both sides must have the same
in mind.  A relay (:rfc:`4976`) stands between: it connects by the path alone.
"""

from __future__ import annotations

import enum

from msrp.negotiation.media_address import Resolver
from msrp.negotiation.sides import Side
from sdp import Setup

__all__ = ["Route", "address_to_dial", "answers_cema", "choose_route"]


class Route(enum.Enum):
    """How the side that connects finds the other."""

    PATH = "path"
    """By the leftmost URI of the path (:rfc:`4975#section-5.4`)."""

    MEDIA_ADDRESS = "media address"
    """By ``c=`` and ``m=`` (:rfc:`6714#section-4.2`)."""

    REOFFER = "re-offer"
    """By the path, but a middlebox expects otherwise: the offerer has to offer
    again, without ``a=msrp-cema``, so that the middlebox takes part in MSRP."""


def answers_cema(offer: Side, setup: Setup, *, by_relay: bool = False) -> bool:
    """Tell whether an answer of ours has ``a=msrp-cema`` (:rfc:`6714#section-4.3`).

    Not if a relay connects, be it the offerer's or ours, as relays go by the path.

    Args:
        offer: What is answered.
        setup: What the answer says.
        by_relay: Whether we have a relay.
    """
    connects = offer.uses_relay if setup is Setup.PASSIVE else by_relay
    return offer.has_cema and not connects and not (by_relay and offer.uses_relay)


def choose_route(
    offer: Side, answer: Side, *, offerer_connects: bool, resolve: Resolver | None
) -> Route:
    """Tell how the side that connects has to find the other.

    Args:
        offer: What the offerer says.
        answer: What the answerer says.
        offerer_connects: Who connects.
        resolve: As for :meth:`MediaAddress.differs_from`.
    """
    if not offer.has_cema:
        return Route.PATH
    if answer.has_cema:
        # An answerer who connects has no relay, or would not have said this.
        by_relay = offerer_connects and offer.uses_relay
        return Route.PATH if by_relay else Route.MEDIA_ADDRESS
    # One who doesn't know of c= and m= connects by the path, and one who has a
    # relay may not have written its address there.
    is_lost = not offerer_connects or offer.uses_relay or answer.uses_relay
    if not is_lost:
        return Route.MEDIA_ADDRESS
    return Route.REOFFER if answer.is_behind_middlebox(resolve) else Route.PATH


def address_to_dial(
    waiting: Side, route: Route, resolve: Resolver | None
) -> tuple[str, int] | None:
    """Give host and port of the side that waits.

    Args:
        waiting: What that side says.
        route: How to find it.
        resolve: As for :meth:`MediaAddress.differs_from`.

    Returns:
        None if it can't be connected to: its transport isn't TCP, or it has no
        port, and no gateway in ``c=`` and ``m=`` makes up for it
        (:rfc:`8873#section-6`).
    """
    address = waiting.media_address
    if (
        route is Route.MEDIA_ADDRESS
        and address is not None
        and address.port is not None
        and (waiting.is_reachable or waiting.is_behind_middlebox(resolve))
    ):
        return address.host, address.port
    uri = waiting.path[0]
    assert uri.port is not None, "a path without ports is refused"
    return (uri.host, uri.port) if waiting.is_reachable else None
