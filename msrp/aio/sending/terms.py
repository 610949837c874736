"""What the peer takes of us, by what it has declared and by what it has refused."""

from __future__ import annotations

from msrp.content import Body
from msrp.errors import LocalProtocolError
from msrp.headers import is_ident
from msrp.negotiation import Negotiated
from msrp.sansio.session import Session

__all__ = ["check", "takes"]


def check(
    session: Session,
    negotiated: Negotiated,
    body: Body,
    *,
    size: int,
    message_id: str | None,
) -> None:
    """Make sure that a message of the application may be sent.

    Args:
        session: The session, which knows what the peer has refused.
        negotiated: What the peer has declared.
        body: What is to be sent, or the first octets of it.
        size: How many octets it has, as far as that is known.
        message_id: The id that the application wants it to have.

    Raises:
        LocalProtocolError: It may not.
    """
    if message_id is not None and not is_ident(message_id):
        raise LocalProtocolError(
            "a Message-ID has 4 to 32 letters, digits and .-+%=", section="4975#9"
        )
    if not negotiated.may_send:
        raise LocalProtocolError("the peer doesn't want to receive now")
    limit = negotiated.remote_max_size
    if limit is not None and size > limit:
        raise LocalProtocolError(
            f"the peer takes no message of more than {limit} octets,"
            f" and this one has {size}",
            section="4975#8.6",
        )
    refused = session.refused_types
    if refused and body.kind in refused:
        raise LocalProtocolError(
            f"the peer has refused {body.kind} before in this session",
            section="4975#10.5",
        )


def takes(session: Session, negotiated: Negotiated, body: Body) -> bool:
    """Tell whether the peer takes what we send beside the application's messages.

    It may be sent though the peer wants no messages now: most of it answers some.
    """
    if body.kind in session.refused_types:
        return False
    limit = negotiated.remote_max_size
    return limit is None or len(body.contents) <= limit
