"""Which dialog a request belongs to (:rfc:`3261#section-12.2.2`)."""

from __future__ import annotations

from sip.message import Request
from sip.sansio.dialog import Dialog
from sip.sansio.hop import Hop
from sip.sansio.services import DialogUser

__all__ = ["Dialogs"]


class Dialogs:
    """The dialogs of a user agent.

    Attributes:
        users: Whose they are, by Call-ID, our tag and the peer's.
    """

    def __init__(self) -> None:
        self.users: dict[tuple[str, str, str], DialogUser] = {}

    def __len__(self) -> int:
        """Count the dialogs."""
        return len(self.users)

    def set(self, dialog: Dialog, user: DialogUser) -> None:
        """Let the requests of a dialog find its user."""
        self.users[dialog.key] = user

    def get(self, key: tuple[str, str, str]) -> DialogUser | None:
        """Return whose dialog this is."""
        return self.users.get(key)

    def forget(self, user: DialogUser) -> None:
        """Forget the dialog of a user, if it isn't another's."""
        key = None if user.dialog is None else user.dialog.key
        if key is not None and self.users.get(key) is user:
            del self.users[key]

    def user_of(self, request: Request) -> DialogUser | None:
        """Return whose dialog a request of a peer belongs to."""
        local, remote = request.to.tag or "", request.from_.tag or ""
        return self.users.get((request.call_id, local, remote))

    def flow_of(self, request: Request) -> Hop | None:
        """Tell where the messages of the dialog of a request of ours come from."""
        tags = request.from_.tag or "", request.to.tag or ""
        user = self.users.get((request.call_id, *tags))
        return None if user is None or user.dialog is None else user.dialog.flow

    def next_number(self, request: Request) -> int:
        """Give the sequence number for sending a request of ours again."""
        tags = request.from_.tag or "", request.to.tag or ""
        user = self.users.get((request.call_id, *tags))
        if user is None or user.dialog is None:
            return request.cseq.number + 1
        user.dialog.local_cseq += 1
        return user.dialog.local_cseq
