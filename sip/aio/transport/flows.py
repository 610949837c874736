"""What messages say about the connection that they come on.

A registrar may say that it answers pings (:rfc:`5626#section-4.4`), and a peer that
its connection may be used for requests to it (:rfc:`5923#section-8`).
"""

from __future__ import annotations

from dataclasses import replace

from sip.errors import SipParseError
from sip.message import Request, Response
from sip.sansio.hop import Hop

__all__ = ["alias_keys", "wanted_pings"]


def wanted_pings(response: Response) -> int | None:
    """Tell whether the peer that sent a response answers pings.

    Returns:
        The seconds after which it takes a silent connection for dead; 0 if it
        doesn't say; ``None`` if it isn't known to answer.
    """
    if response.status // 100 != 2:
        return None
    try:
        if response.cseq.method != "REGISTER":
            return None
        if response.flow_timer is not None:
            return response.flow_timer
        return 0 if "outbound" in response.require else None
    except SipParseError:
        return None  # Whoever has to do with the response will say so.


def alias_keys(request: Request, source: Hop, identities: frozenset[str]) -> list[Hop]:
    """Give the hops that may be reached by the connection of a request.

    The peer must have asked for that, and have proved to be the host that it says
    it is: else it could have the requests for others sent to itself.

    Args:
        request: What came on a connection that the peer has opened.
        source: Where it came from.
        identities: What the peer's certificate shows, if it has one.
    """
    if not identities:
        return []
    try:
        via = request.via
    except SipParseError:
        return []
    if via.parameter("alias") is None or via.host.lower() not in identities:
        return []
    port = via.port or source.transport.default_port
    return [replace(source, port=port, server_name=name) for name in identities]
