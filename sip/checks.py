"""Is this message one to work with?

:func:`~sip.wire.parse_message` finds where a message ends and splits its head;
these functions look at the values that every message needs.  They raise the
error that says how to answer, and look at nothing that can be done without:
a 9-1-1 call isn't refused for a Date in the wrong time zone.
"""

from __future__ import annotations

from collections.abc import Collection

from sip.errors import LocalError, SipParseError
from sip.message import Message, Request, Response
from sip.uri import SipUri
from sip.via import BRANCH_COOKIE

__all__ = [
    "KNOWN_METHODS",
    "KNOWN_SCHEMES",
    "check_outgoing_request",
    "check_request",
    "check_response",
]

KNOWN_METHODS = frozenset(
    {
        "ACK",
        "BYE",
        "CANCEL",
        "INFO",
        "INVITE",
        "MESSAGE",
        "NOTIFY",
        "OPTIONS",
        "PRACK",
        "PUBLISH",
        "REFER",
        "REGISTER",
        "SUBSCRIBE",
        "UPDATE",
    }
)
"""The methods that are registered."""

KNOWN_SCHEMES = frozenset({"sip", "sips", "tel", "urn"})
"""The schemes that a Request-URI may have; ``urn`` for ``urn:service:sos``."""

_MANDATORY = ("To", "From", "CSeq", "Call-ID", "Max-Forwards", "Via")

# RFC 3261 §12.1, RFC 6665 §4.1, RFC 3515 §2.2.
_NEEDS_CONTACT = frozenset({"INVITE", "SUBSCRIBE", "REFER"})


def check_request(
    request: Request, *, schemes: Collection[str] | None = KNOWN_SCHEMES
) -> None:
    """Raise if a received request can't be processed.

    The tag of From, the branch of Via and Max-Forwards may be missing, as they
    are from an :rfc:`2543` element.

    Args:
        request: The request.
        schemes: What the Request-URI may start with; ``None`` is anything.

    Raises:
        SipParseError: It has to be answered with ``status``; the ``request``
            is this one.
    """
    try:
        _check_common(request)
        _check_uri(request, schemes)
        _check_method(request)
        # These are looked at when a dialog is made, too late for an answer.
        _ = (request.contacts, request.record_routes, request.content_type)
        _ = request.max_forwards
    except SipParseError as exc:
        raise SipParseError(
            exc.problem, header=exc.header, status=exc.status, request=request
        ) from None


def check_response(response: Response) -> None:
    """Raise if a received response can't be processed.

    Raises:
        SipParseError: It has to be dropped.
    """
    _check_common(response)


def check_outgoing_request(request: Request) -> None:
    """Raise if a request of ours lacks what the RFC demands of it.

    Raises:
        LocalError: A mandatory header field is missing or malformed
            (:rfc:`3261#section-8.1.1`).
    """
    missing = [name for name in _MANDATORY if name not in request.headers]
    if missing:
        raise LocalError(f"a request needs {', '.join(missing)}")
    try:
        check_request(request, schemes=None)
    except SipParseError as exc:
        raise LocalError(f"a request was made that is malformed: {exc}") from exc
    if request.from_.tag is None:
        raise LocalError("the From of a request needs a tag")
    branch = request.via.branch
    if branch is None or not branch.startswith(BRANCH_COOKIE):
        raise LocalError(f"the Via of a request needs a branch with {BRANCH_COOKIE}")
    if request.method in _NEEDS_CONTACT:
        _check_outgoing_contact(request)


def _check_outgoing_contact(request: Request) -> None:
    uris = [contact.uri for contact in request.contacts]
    if len(uris) != 1 or not isinstance(uris[0], SipUri):
        raise LocalError(
            f"a {request.method} needs exactly one Contact that is a SIP URI"
        )
    target = request.routes[0].uri if request.routes else request.uri
    if target.scheme == "sips" and not uris[0].secure:
        raise LocalError("a request to a sips URI needs a Contact that is one")


def _check_common(message: Message) -> None:
    via, _, _ = message.via, message.from_, message.to
    _, _ = message.call_id, message.cseq
    if via.branch == BRANCH_COOKIE:
        # Transactions of different peers would be one (RFC 4475 §3.2.1).
        raise SipParseError("the branch identifies nothing", header="Via")


def _check_uri(request: Request, schemes: Collection[str] | None) -> None:
    uri = request.uri
    if isinstance(uri, SipUri) and uri.headers:
        raise SipParseError("there must be no headers in it", header="Request-URI")
    if schemes is not None and uri.scheme not in schemes:
        raise SipParseError("unsupported scheme", header="Request-URI", status=416)


def _check_method(request: Request) -> None:
    if request.method != request.cseq.method:
        # An unknown method is the better reason to refuse (RFC 4475 §3.1.2.18).
        status = 400 if request.method in KNOWN_METHODS else 501
        raise SipParseError("another method", header="CSeq", status=status)
