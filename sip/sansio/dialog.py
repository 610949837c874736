"""Dialogs: two user agents, and the way between them (:rfc:`3261#section-12`).

A dialog remembers what each later request of it needs: the two tags, the
sequence numbers, the peer's Contact (its *remote target*) and the proxies that
asked to stay on the way (the *route set*).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from sip.errors import SipParseError
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.hop import Hop
from sip.sansio.requests.route import route_request
from sip.uri import SipUri, Uri
from sip.via import BRANCH_COOKIE

__all__ = ["Dialog", "DialogState"]

# Dialogs that began without a CSeq of ours start here (RFC 3261 §12.2.1.1 wants
# less than 2**31); a small number leaves room for a very long call.
_FIRST_CSEQ = 1


class DialogState(enum.Enum):
    """How far a dialog has come (:rfc:`3261#section-12`)."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Dialog:
    """One dialog, seen from our side.

    Attributes:
        call_id: The Call-ID of all its requests.
        local: Our address with our tag, as From of what we send.
        remote: The peer's address with its tag; a peer of :rfc:`2543` has none.
        local_cseq: The number of our last request.
        remote_cseq: The number of the peer's last request, if there was one.
        route_set: The proxies on the way, the next one first.
        remote_target: Where the peer wants requests to go: its Contact.
        is_conference: Whether that is the focus of a conference, for now.
        secure: Whether it was made by a ``sips`` URI over TLS.
        flow: Where its messages have come from: our INVITE's hop, or the source of
            the peer's last request.  Whoever is there has been identified, and is the
            peer if its Contact has the same address.
        state: Early, confirmed or terminated.
    """

    __slots__ = (
        "_parties",
        "call_id",
        "flow",
        "is_conference",
        "local",
        "local_cseq",
        "remote",
        "remote_cseq",
        "remote_target",
        "route_set",
        "secure",
        "state",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        remote_target: Uri,
        route_set: Sequence[NameAddr] = (),
        local_cseq: int = _FIRST_CSEQ,
        remote_cseq: int | None = None,
        secure: bool = False,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.remote_target = remote_target
        self.is_conference = False
        self.route_set = tuple(route_set)
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.secure = secure
        self.flow: Hop | None = None
        self.state = DialogState.EARLY
        self._parties: tuple[str, str] | None = None

    @classmethod
    def from_response(
        cls, request: Request, response: Response, hop: Hop | None = None
    ) -> Dialog:
        """Make the dialog that a response to our request begins.

        A response without the Contact it should have is answered by the way
        that the request went.

        Args:
            request: Our request.
            response: The response.
            hop: Where the request went.

        Raises:
            SipParseError: A header can't be read.
        """
        dialog = cls(
            call_id=request.call_id,
            local=request.from_,
            remote=response.to,
            remote_target=_target_of(response) or request.uri,
            # The proxies put themselves on top of the list one after another.
            route_set=response.record_routes[::-1],
            local_cseq=request.cseq.number,
            secure=_is_secure(request.uri),
        )
        dialog.is_conference = _is_focus(response)
        dialog.flow = hop
        if response.status >= 200:
            dialog.state = DialogState.CONFIRMED
        return dialog

    @classmethod
    def from_request(cls, request: Request, local_tag: str, source: Hop) -> Dialog:
        """Make the dialog that a peer's request begins.

        Args:
            request: The request.
            local_tag: Our tag, which goes into the To of each response.
            source: Where the request came from.

        Raises:
            SipParseError: The request lacks a Contact, or has one that can't be
                read.
        """
        target = _target_of(request)
        if target is None and not (request.via.branch or "").startswith(BRANCH_COOKIE):
            target = request.from_.uri  # RFC 2543 did with that.
        if target is None:
            raise SipParseError("A dialog needs a Contact", header="Contact")
        dialog = cls(
            call_id=request.call_id,
            local=request.to.with_tag(local_tag),
            remote=request.from_,
            remote_target=target,
            route_set=request.record_routes,
            remote_cseq=request.cseq.number,
            local_cseq=0,
            secure=source.transport.secure and _is_secure(request.uri),
        )
        dialog.flow = source
        dialog.is_conference = _is_focus(request)
        return dialog

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of the dialog: Call-ID, local tag, remote tag."""
        return self.call_id, self.local.tag or "", self.remote.tag or ""

    def confirm(self, response: Response) -> None:
        """Take note that the INVITE of an early dialog was answered with 2xx.

        The route set is computed anew, once, since the proxies of the 1xx may
        have followed :rfc:`2543` (:rfc:`3261#section-13.2.2.4`).
        """
        self.route_set = tuple(response.record_routes[::-1])
        self.refresh_target(response)
        self.state = DialogState.CONFIRMED

    def refresh_target(self, message: Request | Response) -> None:
        """Take over the Contact of a target refresh request or its 2xx."""
        target = _target_of(message)
        if target is not None:
            self.remote_target = target
            self.is_conference = _is_focus(message)

    def heard_from(self, source: Hop) -> None:
        """Take note where a request of the peer came from."""
        flow = self.flow
        # A hop of ours says more: whose certificate it must show.
        if flow is None or flow.flow is not None or not flow.is_same_end(source):
            self.flow = source

    def terminate(self) -> None:
        """Take note that the dialog is over."""
        self.state = DialogState.TERMINATED

    def accepts(self, request: Request) -> bool:
        """Take in the sequence number of a peer's request.

        Returns:
            False if it is lower than one before: the request is out of order
            and must be refused with 500 (:rfc:`3261#section-12.2.2`).
        """
        number = request.cseq.number
        if self.remote_cseq is not None and number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def request(
        self,
        method: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> tuple[Request, Uri]:
        """Make a request in this dialog with the next sequence number.

        Returns:
            The request, without Via and Contact, and the URI to look up for
            the address to send it to.
        """
        self.local_cseq += 1
        return self._request(method, self.local_cseq, headers, body, content_type)

    def ack(
        self,
        cseq: int,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> tuple[Request, Uri]:
        """Make the ACK to the 2xx of the INVITE with sequence number ``cseq``.

        Returns:
            As :meth:`request`.
        """
        return self._request("ACK", cseq, headers, body, content_type)

    def _request(
        self,
        method: str,
        cseq: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        content_type: str | None,
    ) -> tuple[Request, Uri]:
        routed = route_request(self.remote_target, self.route_set)
        if self._parties is None:
            # Both stay who they are, and are written into each request.
            self._parties = str(self.local), str(self.remote)
        from_, to = self._parties
        all_headers = [("Route", str(route)) for route in routed.routes]
        all_headers += [
            ("From", from_),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Max-Forwards", "70"),
            *headers,
        ]
        request = Request.build(
            method,
            routed.uri,
            headers=all_headers,
            body=body,
            content_type=content_type,
        )
        return request, routed.next_hop


def _target_of(message: Request | Response) -> Uri | None:
    contacts = message.contacts
    return contacts[0].uri if contacts else None


def _is_focus(message: Request | Response) -> bool:
    """Tell whether a Contact is the focus of a conference (:rfc:`4579#section-2`)."""
    contacts = message.contacts
    return bool(contacts) and contacts[0].parameter("isfocus") is not None


def _is_secure(uri: Uri) -> bool:
    return isinstance(uri, SipUri) and uri.scheme == "sips"
