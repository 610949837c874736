"""Who calls for help, and is asked for nothing that stands in the way of that."""

from __future__ import annotations

from sip.errors import SipParseError
from sip.message import Request
from sip.uri import OtherUri, Uri

__all__ = ["is_call_for_help"]

_HELP = ("service:sos", "service:test.sos")


def is_call_for_help(request: Request) -> bool:
    """Tell whether a request is for an emergency service (:rfc:`5031`).

    It is if its URI or its To says so; a test call counts too.
    """
    try:
        uris: list[Uri] = [request.uri, request.to.uri]
    except SipParseError:
        return False
    return any(_is_help(uri) for uri in uris)


def _is_help(uri: Uri) -> bool:
    if not isinstance(uri, OtherUri) or uri.scheme.lower() != "urn":
        return False
    service = uri.rest.lower()
    return any(service == name or service.startswith(f"{name}.") for name in _HELP)
