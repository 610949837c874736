"""The four state machines of the transaction layer, as data.

Read a row as: in this state, when this happens, go to that state and do these
things.  What isn't in a table is ignored in that state.  The figures are 5 to 8
of :rfc:`3261#section-17` as changed by :rfc:`6026`, which added *Accepted*: a
transaction that was answered with 2xx stays to absorb what comes late.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

__all__ = [
    "INVITE_CLIENT",
    "INVITE_SERVER",
    "NON_INVITE_CLIENT",
    "NON_INVITE_SERVER",
    "Effect",
    "Happening",
    "State",
    "Step",
    "Table",
]


class State(enum.Enum):
    """Where a transaction is; not each of the four has each state."""

    # The default is written in Python, and each step looks up three.
    __hash__ = object.__hash__

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Happening(enum.Enum):
    """What may happen to a transaction."""

    __hash__ = object.__hash__

    PROVISIONAL = "a response from 100 to 199, received or to be sent"
    SUCCESS = "a response from 200 to 299, received or to be sent"
    FAILURE = "a response from 300 to 699, received or to be sent"
    REQUEST = "the request was received again"
    ACK = "an ACK was received"
    REPEAT = "the repeating timer fired"
    EXPIRE = "the expiring timer fired"
    TRANSPORT_ERROR = "the message could not be sent"


class Effect(enum.Enum):
    """What a transaction does when something happens."""

    __hash__ = object.__hash__

    SEND_REQUEST = "send the request (again)"
    SEND_ACK = "acknowledge a refusal"
    SEND_RESPONSE = "send the response, and keep it for repetition"
    SEND_AGAIN = "repeat the last response"
    SEND_TRYING = "send a 100"
    PASS_ON = "give the message to the transaction user"
    REPORT_TIMEOUT = "tell the transaction user that nobody answered"
    REPORT_ERROR = "tell the transaction user that sending failed"


class Step(NamedTuple):
    """What follows from one thing happening in one state."""

    state: State
    """The next state."""

    effects: tuple[Effect, ...]
    """What to do, in this order, after the state has changed."""


Table: TypeAlias = Mapping[tuple[State, Happening], Step]
"""A state machine."""


def _table(*rows: tuple[State, Happening, State, tuple[Effect, ...]]) -> Table:
    return MappingProxyType(
        {(state, what): Step(then, effects) for state, what, then, effects in rows}
    )


_S, _H, _E = State, Happening, Effect

INVITE_CLIENT = _table(
    (_S.CALLING, _H.REPEAT, _S.CALLING, (_E.SEND_REQUEST,)),  # Timer A.
    (_S.CALLING, _H.EXPIRE, _S.TERMINATED, (_E.REPORT_TIMEOUT,)),  # Timer B.
    (_S.CALLING, _H.TRANSPORT_ERROR, _S.TERMINATED, (_E.REPORT_ERROR,)),
    (_S.CALLING, _H.PROVISIONAL, _S.PROCEEDING, (_E.PASS_ON,)),
    (_S.CALLING, _H.SUCCESS, _S.ACCEPTED, (_E.PASS_ON,)),
    (_S.CALLING, _H.FAILURE, _S.COMPLETED, (_E.SEND_ACK, _E.PASS_ON)),
    (_S.PROCEEDING, _H.PROVISIONAL, _S.PROCEEDING, (_E.PASS_ON,)),
    (_S.PROCEEDING, _H.SUCCESS, _S.ACCEPTED, (_E.PASS_ON,)),
    (_S.PROCEEDING, _H.FAILURE, _S.COMPLETED, (_E.SEND_ACK, _E.PASS_ON)),
    (_S.COMPLETED, _H.FAILURE, _S.COMPLETED, (_E.SEND_ACK,)),
    (_S.COMPLETED, _H.TRANSPORT_ERROR, _S.TERMINATED, ()),
    (_S.COMPLETED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer D.
    (_S.ACCEPTED, _H.SUCCESS, _S.ACCEPTED, (_E.PASS_ON,)),
    (_S.ACCEPTED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer M.
)
"""A client that sent an INVITE (:rfc:`3261#section-17.1.1`, :rfc:`6026`, §7.2)."""

NON_INVITE_CLIENT = _table(
    (_S.TRYING, _H.REPEAT, _S.TRYING, (_E.SEND_REQUEST,)),  # Timer E.
    (_S.TRYING, _H.EXPIRE, _S.TERMINATED, (_E.REPORT_TIMEOUT,)),  # Timer F.
    (_S.TRYING, _H.TRANSPORT_ERROR, _S.TERMINATED, (_E.REPORT_ERROR,)),
    (_S.TRYING, _H.PROVISIONAL, _S.PROCEEDING, (_E.PASS_ON,)),
    (_S.TRYING, _H.SUCCESS, _S.COMPLETED, (_E.PASS_ON,)),
    (_S.TRYING, _H.FAILURE, _S.COMPLETED, (_E.PASS_ON,)),
    (_S.PROCEEDING, _H.REPEAT, _S.PROCEEDING, (_E.SEND_REQUEST,)),  # Timer E.
    (_S.PROCEEDING, _H.EXPIRE, _S.TERMINATED, (_E.REPORT_TIMEOUT,)),  # Timer F.
    (_S.PROCEEDING, _H.TRANSPORT_ERROR, _S.TERMINATED, (_E.REPORT_ERROR,)),
    (_S.PROCEEDING, _H.PROVISIONAL, _S.PROCEEDING, (_E.PASS_ON,)),
    (_S.PROCEEDING, _H.SUCCESS, _S.COMPLETED, (_E.PASS_ON,)),
    (_S.PROCEEDING, _H.FAILURE, _S.COMPLETED, (_E.PASS_ON,)),
    (_S.COMPLETED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer K.
)
"""A client that sent any other request (:rfc:`3261#section-17.1.2`)."""

INVITE_SERVER = _table(
    (_S.PROCEEDING, _H.REPEAT, _S.PROCEEDING, (_E.SEND_TRYING,)),
    (_S.PROCEEDING, _H.REQUEST, _S.PROCEEDING, (_E.SEND_AGAIN,)),
    (_S.PROCEEDING, _H.PROVISIONAL, _S.PROCEEDING, (_E.SEND_RESPONSE,)),
    (_S.PROCEEDING, _H.SUCCESS, _S.ACCEPTED, (_E.SEND_RESPONSE,)),
    (_S.PROCEEDING, _H.FAILURE, _S.COMPLETED, (_E.SEND_RESPONSE,)),
    (_S.COMPLETED, _H.REQUEST, _S.COMPLETED, (_E.SEND_AGAIN,)),
    (_S.COMPLETED, _H.REPEAT, _S.COMPLETED, (_E.SEND_AGAIN,)),  # Timer G.
    (_S.COMPLETED, _H.EXPIRE, _S.TERMINATED, (_E.REPORT_TIMEOUT,)),  # Timer H.
    (_S.COMPLETED, _H.ACK, _S.CONFIRMED, ()),
    (_S.CONFIRMED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer I.
    (_S.ACCEPTED, _H.SUCCESS, _S.ACCEPTED, (_E.SEND_RESPONSE,)),
    (_S.ACCEPTED, _H.ACK, _S.ACCEPTED, (_E.PASS_ON,)),
    (_S.ACCEPTED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer L.
)
"""A server that got an INVITE (:rfc:`3261#section-17.2.1`, :rfc:`6026`, §7.1).

A 2xx is repeated by the transaction user, not here, since only an ACK from end
to end stops it.  A transport error changes nothing: the peer repeats its
request, perhaps by another way.
"""

NON_INVITE_SERVER = _table(
    (_S.TRYING, _H.REPEAT, _S.PROCEEDING, (_E.SEND_TRYING,)),
    (_S.TRYING, _H.SUCCESS, _S.COMPLETED, (_E.SEND_RESPONSE,)),
    (_S.TRYING, _H.FAILURE, _S.COMPLETED, (_E.SEND_RESPONSE,)),
    (_S.PROCEEDING, _H.REQUEST, _S.PROCEEDING, (_E.SEND_AGAIN,)),
    (_S.PROCEEDING, _H.SUCCESS, _S.COMPLETED, (_E.SEND_RESPONSE,)),
    (_S.PROCEEDING, _H.FAILURE, _S.COMPLETED, (_E.SEND_RESPONSE,)),
    (_S.COMPLETED, _H.REQUEST, _S.COMPLETED, (_E.SEND_AGAIN,)),
    (_S.COMPLETED, _H.EXPIRE, _S.TERMINATED, ()),  # Timer J.
)
"""A server that got any other request (:rfc:`3261#section-17.2.2`).

The only provisional response it ever sends is a 100, and that only once the
client repeats no faster than each T2 (:rfc:`4320#section-4.1`).
"""
