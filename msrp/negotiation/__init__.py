"""What an offer and an answer amount to (:rfc:`4975#section-8`, :rfc:`6135`).

Each side describes its message stream in one section of a session description:
the *path* to it, the types of content it takes, and whether it can connect or be
connected to.  :func:`offer_media` and :func:`answer_media` write such sections,
:func:`negotiate` reads two of them and says what both together mean to one side.

Who connects to whom is said by ``a=setup``, or by its absence; ``a=connection`` is
ignored.  Where to is said by the leftmost URI of the *path* of the one that waits.
The scheme of this URI also says whether our hop is protected by TLS, and its host
whom a certificate has to name.  What relays do on further hops nobody can know.

``c=`` and ``m=`` repeat a part of that.  If they say something else, a middlebox on
the way of the call has put its own address there, and wants the connection for
itself.  ``a=msrp-cema`` (:rfc:`6714`) says that its author knows of this: then ``c=``
and ``m=`` are what is connected to, and the path only names the session.  It is
offered by default, since where there is no middlebox both places have the same
address, and answered whenever it is offered and can work.  An offerer who knows of
it and connects does so to ``c=`` and ``m=`` even if the answerer knows nothing of it.
If such an answerer connects, or a relay is in play, the middlebox is passed by: see
:attr:`Negotiated.needs_plain_offer`.

Whether ``c=`` and ``m=`` differ from a path is a question for DNS if there is a host
name in only one of them.  Nothing here asks DNS: give a :data:`Resolver` that knows
the addresses already.  Without one, or if it knows none, a name may be any address:
rejecting a call takes proof.  Nor is there proof in what TCP can't connect to, such
as ``0.0.0.0``, multicast, or the port 9 of somebody who connects himself.
"""

from msrp.negotiation.again import answer_again, has_same_path, with_news_of
from msrp.negotiation.media_address import Resolver
from msrp.negotiation.outcome import Description, Negotiated, negotiate
from msrp.negotiation.sides import is_message_line, uses_tls
from msrp.negotiation.writing import (
    CONTROL_TYPES,
    DEFAULT_ACCEPT_TYPES,
    DEFAULT_ACCEPT_WRAPPED_TYPES,
    answer_media,
    offer_media,
)
from sdp import Fingerprint, Languages, MediaDescription

__all__ = [
    "CONTROL_TYPES",
    "DEFAULT_ACCEPT_TYPES",
    "DEFAULT_ACCEPT_WRAPPED_TYPES",
    "Description",
    "Fingerprint",
    "Languages",
    "MediaDescription",
    "Negotiated",
    "Resolver",
    "answer_again",
    "answer_media",
    "has_same_path",
    "is_message_line",
    "negotiate",
    "offer_media",
    "uses_tls",
    "with_news_of",
]
