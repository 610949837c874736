"""Which header field is read as what.

The attribute is called as the header field, in the snake case of Python, save
``from_``, a reserved word, and lists whose plural is common: ``vias``, ``contacts``,
``routes``, ``record_routes``, and ``reasons``, since a response has a ``reason``.
A field that isn't there gives ``None`` or no elements; only Via, From, To, Call-ID
and CSeq must be there.  One that isn't well formed raises
:exc:`~sip.errors.SipParseError` when it is looked at, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.fields.accept import parse_accepted, parse_media_ranges
from sip.fields.call_info import parse_call_infos
from sip.fields.date import parse_date
from sip.fields.field import Field
from sip.fields.geolocation import GeolocationError, parse_geolocation_routing
from sip.fields.history import parse_history
from sip.fields.privacy import parse_privacy
from sip.fields.rack import RAck
from sip.fields.reason import parse_reasons
from sip.fields.replaces import Replaces
from sip.fields.resource_priority import parse_resource_priorities
from sip.fields.retry_after import RetryAfter
from sip.fields.session_expires import MinSE, SessionExpires
from sip.fields.subscription import Event, SubscriptionState
from sip.fields.warning import parse_warnings
from sip.grammar import WSP, parse_number, split_list
from sip.headers import Headers
from sip.name_addr import (
    NameAddr,
    parse_contacts,
    parse_name_addrs,
    recall_name_addr,
)
from sip.numbers import MAX_SECONDS, parse_counter, parse_seconds
from sip.readers import listed_if_there, optional, required, tokens
from sip.recall import recalling
from sip.via import Via

__all__ = ["ExtensionFields", "HeaderFields"]

T = TypeVar("T")

_MAX_MAX_FORWARDS = 255


def _parse_vias(values: Sequence[str]) -> tuple[Via, ...]:
    # They aren't remembered: each request has a branch of its own.
    if len(values) == 1 and "," not in values[0]:
        return (Via.parse(values[0]),)
    return tuple(
        [Via.parse(part) for value in values for part in split_list(value, ",")]
    )


def _parse_call_id(text: str) -> str:
    if not text or not text.isprintable() or " " in text:
        raise SipParseError("not one word")
    return text


def _parse_max_forwards(text: str) -> int | None:
    # Out of range counts as absent (RFC 4475 §3.1.2.4).
    return parse_number(text, _MAX_MAX_FORWARDS)


def _parse_expires(text: str) -> int | None:
    return parse_number(text, MAX_SECONDS)


def _parse_word(text: str) -> str:
    return text.strip(WSP).lower()


def _required(name: str, parse: Callable[[str], T]) -> Field[T]:
    return Field(required(parse), name)


def _optional(name: str, parse: Callable[[str], T | None]) -> Field[T | None]:
    return Field(optional(parse), name)


def _listed(
    name: str, parse: Callable[[Sequence[str]], tuple[T, ...]]
) -> Field[tuple[T, ...]]:
    return Field(parse, name)


def _listed_if_there(
    name: str, parse: Callable[[Sequence[str]], tuple[T, ...]]
) -> Field[tuple[T, ...] | None]:
    return Field(listed_if_there(parse), name)


def _tokens(name: str) -> Field[tuple[str, ...]]:
    return Field(tokens, name)


class ExtensionFields:
    """The header fields that many messages don't have."""

    __slots__ = ()

    headers: Headers

    accept = _listed_if_there("Accept", parse_media_ranges)
    """What bodies the sender takes; ``None`` if it doesn't say, ``()`` is none."""

    accept_encoding = _listed_if_there("Accept-Encoding", parse_accepted)
    """What codings of bodies the sender takes; ``None`` if it doesn't say."""

    accept_language = _listed_if_there("Accept-Language", parse_accepted)
    """What languages the sender understands; ``None`` if it doesn't say."""

    allow_events = _tokens("Allow-Events")
    """The event packages that the sender has (:rfc:`6665#section-8.2.2`)."""

    call_info = _listed("Call-Info", parse_call_infos)
    """More about the caller (:rfc:`3261#section-20.9`)."""

    date = _optional("Date", parse_date)
    """When the message was first sent."""

    event = _optional("Event", Event.parse)
    """What a subscription is about (:rfc:`6665#section-8.2.1`)."""

    flow_timer = _optional("Flow-Timer", parse_seconds)
    """Seconds between keep-alives (:rfc:`5626#section-10`)."""

    geolocation = _listed("Geolocation", parse_name_addrs)
    """Where the location is to be had, in order (:rfc:`6442#section-4.1`)."""

    geolocation_error = _optional("Geolocation-Error", GeolocationError.parse)
    """What was wrong with the location (:rfc:`6442#section-4.3`)."""

    geolocation_routing = _optional("Geolocation-Routing", parse_geolocation_routing)
    """Whether to route by the location; ``None`` if it doesn't say."""

    history_info = _listed("History-Info", parse_history)
    """How the request came here (:rfc:`7044`)."""

    min_expires = _optional("Min-Expires", parse_seconds)
    """The shortest Expires that is taken (:rfc:`3261#section-20.23`)."""

    min_se = _optional("Min-SE", MinSE.parse)
    """The shortest Session-Expires that is taken (:rfc:`4028#section-5`)."""

    p_asserted_identity = _listed("P-Asserted-Identity", parse_name_addrs)
    """Who a trusted network says it is (:rfc:`3325#section-9.1`)."""

    p_preferred_identity = _listed("P-Preferred-Identity", parse_name_addrs)
    """Who the sender wants to be for others (:rfc:`3325#section-9.2`)."""

    path = _listed("Path", parse_name_addrs)
    """The proxies between a registrar and who registers (:rfc:`3327`)."""

    priority = _optional("Priority", _parse_word)
    """How urgent it is, such as ``"emergency"``, in lower case."""

    privacy = Field(parse_privacy, "Privacy")
    """What is to be hidden, in lower case (:rfc:`3323#section-4.2`)."""

    proxy_require = _tokens("Proxy-Require")
    """The extensions that proxies have to know."""

    rack = _optional("RAck", RAck.parse)
    """Which response a PRACK is about (:rfc:`3262#section-7.2`)."""

    reasons = _listed("Reason", parse_reasons)
    """Why the request is sent (:rfc:`3326`)."""

    refer_to = _optional("Refer-To", NameAddr.parse)
    """What the recipient is to turn to (:rfc:`3515#section-2.1`)."""

    referred_by = _optional("Referred-By", NameAddr.parse)
    """Who wanted that (:rfc:`3892#section-3`)."""

    replaces = _optional("Replaces", Replaces.parse)
    """Which dialog the call takes the place of (:rfc:`3891`)."""

    resource_priority = _listed("Resource-Priority", parse_resource_priorities)
    """How much the request is preferred (:rfc:`4412#section-3.1`)."""

    retry_after = _optional("Retry-After", RetryAfter.parse)
    """When to try again (:rfc:`3261#section-20.33`)."""

    rseq = _optional("RSeq", parse_counter)
    """The number of a reliable provisional response (:rfc:`3262#section-7.1`)."""

    service_route = _listed("Service-Route", parse_name_addrs)
    """The route for requests of who has registered (:rfc:`3608`)."""

    session_expires = _optional("Session-Expires", SessionExpires.parse)
    """How long the session lives unless it is refreshed (:rfc:`4028#section-4`)."""

    subject = _optional("Subject", str)
    """What the call is about, in words."""

    subscription_state = _optional("Subscription-State", SubscriptionState.parse)
    """How the subscription fares (:rfc:`6665#section-8.2.3`)."""

    unsupported = _tokens("Unsupported")
    """The required extensions that the sender doesn't know."""

    warning = _listed("Warning", parse_warnings)
    """What is the matter, in more detail than a status."""


class HeaderFields(ExtensionFields):
    """The header fields of a message."""

    __slots__ = ()

    vias = _listed("Via", _parse_vias)
    """The hops so far, the last one first."""

    from_ = _required("From", recall_name_addr)
    """Who sent the request."""

    to = _required("To", recall_name_addr)
    """Whom the request was meant for in the first place."""

    call_id = _required("Call-ID", _parse_call_id)
    """What all messages of a dialog have in common."""

    cseq = _required("CSeq", recalling(CSeq.parse))
    """The number and the method of the request."""

    max_forwards = _optional("Max-Forwards", _parse_max_forwards)
    """How many more hops there may be; ``None`` if it isn't 0 to 255."""

    expires = _optional("Expires", _parse_expires)
    """Seconds; ``None`` if there is no limit or one of more than 32 bits."""

    contacts = _listed("Contact", parse_contacts)
    """Where to reach the sender; none if it is ``*``."""

    routes = _listed("Route", parse_name_addrs)
    """The proxies to go through, the next one first."""

    record_routes = _listed("Record-Route", parse_name_addrs)
    """The proxies that want to stay in the path, the last one first."""

    content_type = _optional("Content-Type", str)
    """The type of the body as it was written."""

    require = _tokens("Require")
    """The extensions that the recipient has to know."""

    supported = _tokens("Supported")
    """The extensions that the sender knows."""

    allow = _tokens("Allow")
    """The methods that the sender takes."""

    @property
    def via(self) -> Via:
        """The last hop."""
        vias = self.vias
        if not vias:
            raise SipParseError("the header field is missing", header="Via")
        return vias[0]

    @property
    def contact_is_wildcard(self) -> bool:
        """Whether the Contact is ``*`` (:rfc:`3261#section-10.2.2`)."""
        return self.headers.get_all("Contact") == ["*"]
