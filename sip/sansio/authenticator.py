"""Whose requests are taken (:rfc:`3261#section-22`, :rfc:`8760`).

A request without credentials, or with wrong ones, is refused with 401 and a
challenge before anything else is looked at.  Some never are: nothing asks the sender
of an ACK or a CANCEL, who couldn't answer, nor somebody who calls for help.  Nor is
anybody asked in a dialog that we have begun: whom we call, or subscribe to, need not
be one of those who may call us, and has to be able to hang up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import digest
from sip.errors import SipParseError
from sip.message import Request
from sip.sansio.admission import Refusal
from sip.sansio.call_for_help import is_call_for_help
from sip.sansio.calls.call import Call
from sip.sansio.calls.early import EarlyDialog
from sip.sansio.services import DialogUser
from sip.sansio.subscriptions.subscriber import ClientSubscription
from sip.sansio.transactions.server import ServerTransaction
from sip.uri import SipUri, Uri, parse_uri

__all__ = ["Authenticator"]

# A NOTIFY answers a request of ours, sometimes before there is a dialog.
_NEVER_CHALLENGED = frozenset({"ACK", "CANCEL", "NOTIFY"})


class Authenticator:
    """Lets in who knows a password.

    Args:
        server: The realm, and who may enter it.  For SIP its ``uris_match`` should be
            :meth:`same_uri`, as :meth:`with_passwords` has it, since proxies may
            write the URI of a request differently.
        challenges: Which requests need credentials; by default all that may need
            any.  Calls for help aren't asked about.
    """

    def __init__(
        self,
        server: digest.DigestServer,
        *,
        challenges: Callable[[Request], bool] | None = None,
    ) -> None:
        self.server = server
        self._challenges = challenges

    @classmethod
    def with_passwords(
        cls,
        realm: str,
        passwords: Mapping[str, str],
        *,
        algorithms: Iterable[digest.Algorithm] = (
            digest.Algorithm.SHA_256,
            digest.Algorithm.MD5,
        ),
        challenges: Callable[[Request], bool] | None = None,
    ) -> Authenticator:
        """Make one for a realm whose user names and passwords are known.

        Args:
            realm: What the passwords are for; shown to users.
            passwords: The password of each user.
            algorithms: What is offered, the best first.
            challenges: Which requests need credentials, as above.

        Raises:
            DigestError: The realm can't be written, or no algorithm is available.
        """
        server = digest.DigestServer(
            realm,
            digest.Passwords(passwords),
            algorithms=algorithms,
            qop=(digest.Qop.AUTH, digest.Qop.AUTH_INT),
            uris_match=cls.same_uri,
        )
        return cls(server, challenges=challenges)

    @staticmethod
    def same_uri(one: str, other: str) -> bool:
        """Tell whether the URI of credentials may be that of a request.

        Between the two there may be a proxy that has written another host, or taken
        parameters away; the user is the same (:rfc:`3261#section-22.4`).
        """
        try:
            ours, theirs = parse_uri(one), parse_uri(other)
        except SipParseError:
            return False
        return _identity(ours) == _identity(theirs)

    def check(
        self, transaction: ServerTransaction, user: DialogUser | None, now: float
    ) -> Refusal | None:
        """Return the challenge for a request, or ``None`` if it is let in.

        Args:
            transaction: The request, whose ``verdict`` this sets.
            user: Whose dialog it is in.
            now: The time, in seconds.
        """
        request = transaction.request
        if not self._is_asked(request, user):
            return None
        verdict = self.server.verify(
            request.headers.get_all("Authorization"),
            request.method,
            request.raw_uri,
            request.body,
            now=now,
        )
        transaction.verdict = verdict
        if verdict.outcome is digest.Outcome.ACCEPTED:
            return None
        challenges = self.server.challenges(now, stale=verdict.is_stale)
        return Refusal(401, tuple(("WWW-Authenticate", str(c)) for c in challenges))

    def confirmation(
        self, transaction: ServerTransaction, body: bytes
    ) -> tuple[tuple[str, str], ...]:
        """Return ``Authentication-Info`` for the 2xx to a request, if one is due.

        Args:
            transaction: The request.
            body: The body of the response.
        """
        verdict = transaction.verdict
        if verdict is None or verdict.username is None:
            return ()
        uri = transaction.request.raw_uri
        info = self.server.confirm(verdict, uri, body)
        return (("Authentication-Info", str(info)),)

    def _is_asked(self, request: Request, user: DialogUser | None) -> bool:
        if request.method in _NEVER_CHALLENGED or is_call_for_help(request):
            return False
        if isinstance(user, EarlyDialog | ClientSubscription):
            return False
        if isinstance(user, Call) and (user.is_ours or is_call_for_help(user.request)):
            return False
        return self._challenges is None or self._challenges(request)


def _identity(uri: Uri) -> str | None:
    return uri.user if isinstance(uri, SipUri) else str(uri).lower()
