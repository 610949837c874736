"""Calling back whoever called for help (NENA-STA-010, 4.20; :rfc:`7090`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.emergency.call import EmergencyCall
from sip.emergency.caller import telephone_number
from sip.errors import LocalError, SipParseError
from sip.fields import ResourcePriority
from sip.grammar import parse_host
from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri, Uri

__all__ = ["PSAP_CALLBACK", "Callback", "call_back"]

PSAP_CALLBACK = "psap-callback"
"""The Priority that says what it is (:rfc:`7090#section-4`)."""

_ANONYMOUS = NameAddr(
    "Anonymous", SipUri("sip", "anonymous", None, "anonymous.invalid")
)


@dataclass(frozen=True, slots=True)
class Callback:
    """The INVITE that calls somebody back, but for its media.

    ::

        await agent.invite(
            str(callback.uri), sender=str(callback.sender), headers=callback.headers,
            media=media, outbound_proxy="sip:esrp.example;lr",
        )
    """

    uri: Uri
    """Whom to call, for Request-URI and To."""

    sender: NameAddr
    """Who calls, for From."""

    headers: tuple[tuple[str, str], ...]
    """What else the INVITE says."""


def call_back(
    call: EmergencyCall, number: str, domain: str, *, restricted: bool = False
) -> Callback:
    """Make what calls back who has made an emergency call.

    Args:
        call: The emergency call.
        number: The telephone number of the PSAP.
        domain: The domain of the PSAP.
        restricted: Whether the number is to be kept from the other side; the
            network still gets it.

    Raises:
        LocalError: Nobody can be reached by what the call has brought, the number
            isn't one, or the domain isn't one.
    """
    target = call.callback_address
    if target is None:
        raise LocalError("the call has brought no address that can be called")
    identity = NameAddr(None, _phone_uri(number, domain))
    headers = [
        ("P-Asserted-Identity", str(identity)),
        ("Priority", PSAP_CALLBACK),
        ("Resource-Priority", str(ResourcePriority("esnet", "0"))),
    ]
    headers += (("Call-Info", str(found.call_info)) for found in call.identifiers)
    if restricted:
        headers.append(("Privacy", "id"))
    uri = target.uri
    if isinstance(uri, SipUri):
        uri = uri.for_request_line()
    return Callback(uri, _ANONYMOUS if restricted else identity, tuple(headers))


def _phone_uri(number: str, domain: str) -> SipUri:
    plain = telephone_number(OtherUri("tel", number))
    if plain is None:
        raise LocalError("not a telephone number")
    try:
        host = parse_host(domain)
    except SipParseError:
        raise LocalError("not a domain") from None
    return SipUri("sip", plain, None, host).with_parameter("user", "phone")
