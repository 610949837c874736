"""What a request of ours says about this side: Via and Contact.

Both depend on the hop that it goes to, so they are written when that is known.
"""

from __future__ import annotations

from collections.abc import Callable

from sip.identifiers import new_branch
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.hop import Hop, Transport
from sip.uri import SipUri
from sip.via import Via

__all__ = ["LocalHeaders", "cancel_of"]

# Requests that carry a Contact of ours: they make or refresh a dialog or a binding.
_WITH_CONTACT = frozenset(
    {"INVITE", "NOTIFY", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"}
)


class LocalHeaders:
    """Writes Via and Contact.

    Args:
        user: The user part of our Contact.
        local_point: Tells, for a hop, by which of our addresses the peer there
            can reach us.

    Attributes:
        instance: The URN of this user agent, by which a registrar knows the
            connections that are ours (:rfc:`5626#section-4.1`).
    """

    def __init__(self, user: str | None, local_point: Callable[[Hop], Hop]) -> None:
        self._user = user
        self._local_point = local_point
        self.instance: str | None = None
        self._last_contact: tuple[Hop, bool, bool] | None = None
        self._last_text = ""

    def contact(self, hop: Hop, *, secure: bool, registers: bool = False) -> str:
        """Return the Contact by which the peer at ``hop`` reaches us.

        Args:
            hop: The peer, or a proxy on the way.
            secure: Whether it has to be a ``sips`` URI.
            registers: Whether it is a registrar that is told.
        """
        point = self._local_point(hop)
        flows = self.instance is not None and not registers
        if self._last_contact == (point, secure, flows):
            return self._last_text  # Most have one address, and one Contact with it.
        parameters: tuple[tuple[str, str | None], ...] = ()
        if not secure and point.transport is not Transport.UDP:
            parameters = (("transport", point.transport.value),)
        if flows:
            # A proxy that knows outbound then uses our connection for the whole
            # dialog (RFC 5626 §4.3); others don't care.
            parameters = (*parameters, ("ob", None))
        uri = SipUri(
            scheme="sips" if secure else "sip",
            user=self._user,
            password=None,
            host=point.host,
            port=point.port,
            parameters=parameters,
        )
        self._last_contact = point, secure, flows
        self._last_text = str(NameAddr(None, uri))
        return self._last_text

    def dress(self, request: Request, hop: Hop) -> Request:
        """Copy a request with Via and Contact for ``hop``."""
        point = self._local_point(hop)
        parameters: tuple[tuple[str, str | None], ...]
        parameters = (("branch", new_branch()), ("rport", None))
        if hop.transport is point.transport is Transport.TLS:
            # The peer may use our connection instead of opening one of its own,
            # if it knows by our certificate who we are (RFC 5923).
            parameters = (*parameters, ("alias", None))
        via = Via(hop.transport.name, point.host, point.port, parameters)
        # A copy, not a new request: all that is in it has been checked and read.
        dressed = request.copy()
        dressed.headers.insert_first("Via", str(via))
        if request.method in _WITH_CONTACT and "Contact" not in request.headers:
            secure = isinstance(request.uri, SipUri) and request.uri.scheme == "sips"
            registers = request.method == "REGISTER"
            contact = self.contact(hop, secure=secure, registers=registers)
            if registers and self.instance is not None:
                contact += f';reg-id=1;+sip.instance="<{self.instance}>"'
            dressed.headers.add("Contact", contact)
        Request.vias.remember(dressed, (via,))
        return dressed


def cancel_of(invite: Request) -> Request:
    """Make the CANCEL of an INVITE as it was sent (:rfc:`3261#section-9.1`)."""
    headers = [("Via", invite.headers.values("Via")[0])]
    headers += [("Route", route) for route in invite.headers.get_all("Route")]
    headers += [
        ("From", invite.headers.get("From") or ""),
        ("To", invite.headers.get("To") or ""),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq.number} CANCEL"),
        ("Max-Forwards", "70"),
    ]
    return Request.build("CANCEL", invite.uri, headers=headers)
