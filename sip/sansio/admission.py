"""Which requests a user agent server takes at all (:rfc:`3261#section-8.2`).

The checks are those of the RFC in its order: method, Request-URI, required
extensions, body.  They change nothing, so a request is taken whole or refused
whole.  A call for help isn't refused for its body: what can't be understood of that is
as good as absent (NENA-STA-010, 3.1.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sip.checks import KNOWN_METHODS
from sip.message import Request
from sip.sansio.call_for_help import is_call_for_help
from sip.uri import OtherUri, SipUri, Uri

__all__ = ["Admission", "Refusal", "check_content"]

# Whose body is the description of a session.  That of another method is for
# whoever does the method to judge, and one must never be a reason not to hang up.
_SESSION_BODY = frozenset({"INVITE", "OPTIONS", "PRACK", "UPDATE"})

_IDENTITY = frozenset({"", "identity"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """How to refuse a request."""

    status: int
    """The status code."""

    headers: tuple[tuple[str, str], ...] = ()
    """The headers that tell the client what would be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a user agent server takes."""

    methods: Sequence[str] = (
        "INVITE",
        "ACK",
        "CANCEL",
        "BYE",
        "OPTIONS",
        "PRACK",
        "UPDATE",
    )
    """The methods that it does, in the order for ``Allow``."""

    extensions: Sequence[str] = ("100rel", "timer")
    """The option tags that it knows, for ``Supported``."""

    content_types: Sequence[str] = ("application/sdp", "multipart/*")
    """The types of body that it takes, ``*`` standing for any subtype."""

    info_packages: Sequence[str] = ()
    """What INFO may be about, for ``Recv-Info`` (:rfc:`6086`)."""

    accepts_uri: Callable[[Uri], bool] | None = None
    """Whether a Request-URI means this user agent; any does by default."""

    headers: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    """Allow, Supported and Recv-Info, for requests and responses that tell."""

    def __post_init__(self) -> None:
        headers = [("Allow", ", ".join(self.methods))]
        if self.extensions:
            headers.append(("Supported", ", ".join(self.extensions)))
        if self.info_packages:
            headers.append(("Recv-Info", ", ".join(self.info_packages)))
        object.__setattr__(self, "headers", tuple(headers))

    @property
    def accept_headers(self) -> tuple[tuple[str, str], ...]:
        """Accept, Accept-Encoding and Accept-Language."""
        return (
            ("Accept", ", ".join(self.content_types)),
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "*"),
        )

    def including(self, *methods: str) -> Admission:
        """Return an admission that takes these methods too."""
        more = [method for method in methods if method not in self.methods]
        return replace(self, methods=(*self.methods, *more))

    def including_info(self, package: str) -> Admission:
        """Return an admission that takes INFO about this package too."""
        if package in self.info_packages:
            return self
        packages = (*self.info_packages, package)
        return replace(self.including("INFO"), info_packages=packages)

    def check(self, request: Request) -> Refusal | None:
        """Return how to refuse a request, or ``None`` if it is taken.

        Raises:
            SipParseError: A header that matters can't be read.
        """
        return (
            self.check_method(request)
            or self._check_uri(request)
            or self._check_extensions(request)
            or self._check_body(request)
            or self._check_info(request)
        )

    def check_method(self, request: Request) -> Refusal | None:
        """Return how to refuse a method that isn't done here."""
        if request.method in self.methods:
            return None
        status = 405 if request.method in KNOWN_METHODS else 501
        return Refusal(status, (("Allow", ", ".join(self.methods)),))

    def _check_uri(self, request: Request) -> Refusal | None:
        uri = request.uri
        if not isinstance(uri, SipUri) and not _is_service_or_number(uri):
            return Refusal(416)
        if self.accepts_uri is not None and not self.accepts_uri(uri):
            return Refusal(404)
        return None

    def _check_extensions(self, request: Request) -> Refusal | None:
        if request.method in ("ACK", "CANCEL") or not request.require:
            return None
        known = {tag.lower() for tag in self.extensions}
        unknown = [tag for tag in request.require if tag.lower() not in known]
        if unknown:
            return Refusal(420, (("Unsupported", ", ".join(unknown)),))
        return None

    def _check_body(self, request: Request) -> Refusal | None:
        if request.method not in _SESSION_BODY or is_call_for_help(request):
            return None
        if request.body and not _is_optional(request):
            refused = check_content(request, self.content_types)
            if refused is not None:
                return refused
        if request.method == "INVITE" and "Accept" in request.headers:
            # The answer is a session description or there is none.
            accept = request.headers.values("Accept")
            if not any(_matches("application/sdp", pattern) for pattern in accept):
                warning = '399 - "the answer would be application/sdp"'
                return Refusal(406, (("Warning", warning),))
        return None

    def _check_info(self, request: Request) -> Refusal | None:
        package = request.headers.get("Info-Package")
        if request.method != "INFO" or package is None:
            return None
        name = package.partition(";")[0].strip().lower()
        if name in (known.lower() for known in self.info_packages):
            return None
        # "nil" is how to say that there is none.
        known = ", ".join(self.info_packages) or "nil"
        return Refusal(469, (("Recv-Info", known),))


def check_content(request: Request, content_types: Sequence[str]) -> Refusal | None:
    """Return how to refuse a body, or ``None`` if it is taken.

    Args:
        request: The request with the body.
        content_types: The types that are taken, ``*`` standing for anything.
    """
    encodings = request.headers.values("Content-Encoding")
    if any(encoding.lower() not in _IDENTITY for encoding in encodings):
        return Refusal(415, (("Accept-Encoding", "identity"),))
    content_type = request.content_type or ""
    if content_type in content_types:
        return None
    if any(_matches(content_type, pattern) for pattern in content_types):
        return None
    return Refusal(415, (("Accept", ", ".join(content_types)),))


def _is_service_or_number(uri: OtherUri) -> bool:
    """Tell whether it is a telephone number or a service such as ``sos``."""
    if uri.scheme.lower() == "tel":
        return True
    return uri.scheme.lower() == "urn" and uri.rest.lower().startswith("service:")


def _is_optional(request: Request) -> bool:
    """Tell whether the body may be ignored (:rfc:`3261#section-20.11`)."""
    parameters = (request.headers.get("Content-Disposition") or "").split(";")[1:]
    pairs = (parameter.partition("=") for parameter in parameters)
    return any(
        name.strip().lower() == "handling" and value.strip(' \t"').lower() == "optional"
        for name, _, value in pairs
    )


def _matches(content_type: str, pattern: str) -> bool:
    """Match a media type with a range; parameters don't count."""
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    wanted, _, subtypes = pattern.partition(";")[0].strip().lower().partition("/")
    return wanted in ("*", kind.strip()) and subtypes in ("*", subtype.strip())
