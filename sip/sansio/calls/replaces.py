"""A call that takes the place of another (:rfc:`3891`).

That is how a transfer that was announced ends, and how a colleague's call is picked
up.  Whether the caller may do so is for the application to decide when it answers:
tags are random, so whoever knows them was told by one of the two parties.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from sip.errors import SipParseError
from sip.fields.replaces import Replaces
from sip.message import Request
from sip.sansio.admission import Refusal
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.early import EarlyDialog
from sip.sansio.dialog import Dialog
from sip.sansio.services import DialogUser

__all__ = ["Replacements", "give_way"]

Key: TypeAlias = tuple[str, str, str]

_REMEMBERED = 256
"""Dialogs that are over and can still be named: those of the last minute or so,
which is how long a transfer takes."""


class Replacements:
    """Finds the call that an INVITE is to replace.

    Args:
        user_of: Whose a dialog is: by Call-ID, our tag and the peer's.
    """

    def __init__(self, user_of: Callable[[Key], DialogUser | None]) -> None:
        self._user_of = user_of
        self._over: deque[Key] = deque(maxlen=_REMEMBERED)

    def over(self, dialog: Dialog | None) -> None:
        """Take note that the dialog of a call is over."""
        if dialog is not None:
            self._over.append(dialog.key)

    def find(self, request: Request) -> Call | Refusal | None:
        """Return the call to replace.

        Returns:
            ``None`` if the INVITE replaces none, or how to refuse it.

        Raises:
            SipParseError: The header field can't be read, or is there twice.
        """
        values = request.headers.get_all("Replaces")
        if not values:
            return None
        if len(values) > 1 or "Join" in request.headers:
            raise SipParseError("there must be only one", header="Replaces")
        wanted = Replaces.parse(values[0])
        key = (wanted.call_id, wanted.to_tag, wanted.from_tag)
        user = self._user_of(key)
        if isinstance(user, EarlyDialog):
            # Who rings somebody may give that up for another (§3).
            return user.call
        if not isinstance(user, Call) or user.state is CallState.ENDED:
            return Refusal(603 if key in self._over else 481)
        if user.state is CallState.ENDING:
            return Refusal(603)
        if user.state is CallState.INVITING:
            return Refusal(481)  # It isn't for the caller of somebody else to say.
        return Refusal(486) if wanted.early_only else user


def give_way(call: Call, now: float) -> None:
    """End a call in whose place there is another one now."""
    if isinstance(call, ClientCall) and call.state is CallState.INVITING:
        call.cancel(now)
    elif call.state in (CallState.ANSWERED, CallState.CONFIRMED):
        call.bye(now)
