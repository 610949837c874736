"""How much of what a peer can make grow we hold, and why that much.

All bounds of the sans-I/O core and of the asyncio shell stand here; those of
the parser are in :mod:`sip.wire`.  Beyond a bound new requests get a stateless
503 with ``Retry-After`` (:rfc:`3261#section-21.5.4`) and everything else is
dropped: what is going on already is never sacrificed for what is new.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one user agent."""

    server_transactions: int = 32_768
    """Requests being answered or remembered.  On UDP each is remembered for 32 s
    (timer J), so this bears about 1,000 requests a second; a remembered one
    holds its response only, some 1 to 2 KB."""

    client_transactions: int = 32_768
    """Requests of ours being sent or remembered, for the same reason."""

    calls: int = 2_048
    """Calls of any state.  A console has a handful and a call taker position
    server some hundred; each may hold an INVITE of up to 64 KB."""

    ringing_calls: int = 512
    """Of these, calls that nobody has answered yet: what a flood would fill."""

    early_dialogs: int = 32
    """Branches of one INVITE that ring (:rfc:`3261#section-13.2.2.1`).  A proxy
    that rings more telephones than this is not a PSAP's."""

    answered_forks: int = 32
    """Branches of one INVITE that answered; each costs an ACK and a BYE."""

    attempts: int = 12
    """Times that one request is sent with a new sequence number.  Two proxies and
    a server that each want credentials, a redirection and two shortcomings of the
    request make seven; a peer that always finds something new gets no more."""

    redirections: int = 10
    """URIs that one request is redirected to, one after another.  A location
    service names the few telephones of one person."""

    resting_hops: int = 256
    """Servers that asked with ``Retry-After`` to be spared; the oldest is forgotten
    when there are more."""

    longest_rest: float = 300.0
    """Seconds for which such a server is asked last.  What a 503 says is no reason
    to avoid a way to the PSAP for hours."""

    provisional_responses: int = 16
    """Reliable provisional responses that wait for the PRACK of the one before
    (:rfc:`3262#section-3`).  They are for people, who don't read that many."""

    offer_attempts: int = 10
    """How often an offer is made again that has crossed another, or was put off.
    Two sides that do it right need two attempts (:rfc:`3261#section-14.1`)."""

    message_size: int = 1300
    """Octets of a MESSAGE outside any call, headers included, which is what
    :rfc:`3428#section-8` allows where a hop on the way may be one by UDP.  It may be
    more for those who know that none is."""

    handlers: int = 256
    """Requests that handlers of the application are busy with.  A person reads one
    message a second at most; beyond this, peers are asked to come later."""

    handler_time: float = 20.0
    """Seconds for a handler.  After 64*T1 nobody waits for its answer any more, and
    a client that hears nothing takes us for dead."""

    decision_time: float = 60.0
    """Seconds for an application to decide about an INVITE that changes a call;
    without a decision everything stays as it is.  A person needs some; proxies on the
    way, and most peers, wait for some minutes."""

    quick_decision_time: float = 1.0
    """The same for UPDATE and PRACK, which have to be answered at once
    (:rfc:`3311#section-5.2`): enough for a program, which may look something up."""

    ringing_time: float = 1_800.0
    """Seconds after which an unanswered call is refused with 480.  Timer C of a
    proxy is a few minutes and is renewed each minute by our 1xx, so that nobody
    else may end the call of an application that forgot it."""

    subscriptions: int = 2_048
    """Subscriptions of both kinds, those of REFERs included.  A console has a few
    and a bridge one for each participant; each may hold a state of up to 64 KB."""

    waiting_notifies: int = 16
    """States that wait because a NOTIFY before them has no response yet.  Each tells
    the whole state, so that the oldest can be left out."""

    retry_after: int = 5
    """Seconds named in ``Retry-After`` when a bound is reached."""

    connections: int = 1_024
    """Stream connections, both those accepted and those opened."""

    connections_per_host: int = 128
    """Of these, connections that one address may open: so that no peer alone takes
    all.  A proxy with a connection for each of its workers, or telephones behind one
    NAT, need fewer."""

    handshakes: int = 256
    """TLS handshakes of peers that are under way: connections that aren't counted
    above yet.  Each takes two round trips, so this bears some thousand a second;
    beyond it the oldest is given up, which is most likely one of a peer that says
    nothing.  Here alone what is new goes first, else some silent hosts would keep
    all others out."""

    handshakes_per_host: int = 32
    """Of these, handshakes of one address, for the same reason."""

    idle_connection: float = 32.0
    """Seconds without traffic after which a connection may make room for a new
    one when the bound is reached: 64*T1, the least that :rfc:`3261#section-18`
    asks for.  Below the bound connections stay open."""

    connect_time: float = 10.0
    """Seconds to open a connection.  Less than timers B and F, so that there is
    time for another target."""

    handshake_time: float = 5.0
    """Of these, seconds for the TLS handshake, which is two round trips and some
    arithmetic.  A peer that takes longer is most likely one that waits for the
    rest of a message, because it knows no TLS."""

    message_time: float = 32.0
    """Seconds for one message to arrive on a stream, from its first octet to its
    last.  After 64*T1 nobody waits for an answer to it any more."""

    ping_interval: float = 120.0
    """Seconds between pings on a connection, at most; each time it is a fifth less
    or something between (:rfc:`5626#section-4.4.1`)."""

    pong_time: float = 10.0
    """Seconds to wait for the answer to a ping, as :rfc:`5626` has them, and the
    shortest time between pings, whatever a peer asks for."""

    stun_interval: float = 29.0
    """Seconds between pings over UDP, at most: NATs are known that forget after 30
    (:rfc:`5626#section-4.4.2`).  The least is 24, or in that proportion."""

    stun_rto: float = 0.5
    """Seconds after which a ping over UDP is sent again, twice as long each time."""

    unsent_octets: int = 4 << 20
    """Octets waiting for a peer that doesn't read.  More than 60 messages of the
    largest size, so only a peer that hangs gets there; then its connection is
    closed."""

    waiting_messages: int = 64
    """Messages waiting for one connection to open."""

    closing_time: float = 5.0
    """Seconds for calls to end in good order when the agent is closed, and for a peer
    to read what was sent before its connection is closed."""

    cancelling_time: float = 1.0
    """Of these, seconds to wait for the final response to an INVITE that was
    cancelled.  By then the CANCEL has arrived, or been sent again."""
