"""Chat rooms, as one who takes part in them sees them (:rfc:`7701`).

A room is a SIP conference whose media are messages.  Everybody in it has one session
with its *switch*, which hands on what they say.  To the protocol below that is a
session like any other; what is particular about it are four things:

* Either side says what it knows of rooms in ``a=chatroom`` (:class:`Chatroom`).
* All messages are in CPIM envelopes: To is the room, or one participant, which makes
  the message a private one; From says who is speaking (:func:`is_same_uri`).
* A participant may ask for a nickname, in a request of its own, whose only field is
  ``Use-Nickname`` (:func:`write_use_nickname`, :func:`read_use_nickname`).
* Two nicknames can be the same though they are written differently
  (:func:`enforce_nickname`, :func:`is_same_nickname`).

Nothing here waits, or knows a connection.
"""

from msrp.chatroom.addresses import is_same_uri, name_in
from msrp.chatroom.capabilities import Chatroom
from msrp.chatroom.nickname import (
    comparable_nickname,
    enforce_nickname,
    is_same_nickname,
)
from msrp.chatroom.use_nickname import (
    MAX_NICKNAME,
    read_use_nickname,
    write_use_nickname,
)

__all__ = [
    "MAX_NICKNAME",
    "Chatroom",
    "comparable_nickname",
    "enforce_nickname",
    "is_same_nickname",
    "is_same_uri",
    "name_in",
    "read_use_nickname",
    "write_use_nickname",
]
