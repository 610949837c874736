"""Handing an emergency call on, with all that is known of it (NENA-STA-010, 4.7)."""

from __future__ import annotations

from sip.emergency.call import EmergencyCall
from sip.fields import Replaces
from sip.name_addr import NameAddr
from sip.uri import SipUri

__all__ = ["transfer_target"]


def transfer_target(
    call: EmergencyCall, uri: SipUri, *, replaces: Replaces | None = None
) -> NameAddr:
    """Make the Refer-To that hands an emergency call on.

    The call that comes of it says which service was asked for (``serviceurn``), and
    what call and incident it is about.

    Args:
        call: The emergency call.
        uri: Who is to take it over: another PSAP, or a bridge.
        replaces: The dialog that the new call takes the place of.
    """
    if call.service is not None:
        uri = uri.with_parameter("serviceurn", str(call.service))
    for identifier in call.identifiers:
        uri = uri.with_header("Call-Info", str(identifier.call_info))
    if replaces is not None:
        uri = uri.with_header("Replaces", str(replaces))
    return NameAddr(None, uri)
