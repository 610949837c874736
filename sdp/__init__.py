"""Session descriptions (:rfc:`8866`) and offer/answer (:rfc:`3264`)."""

from .description import MediaDescription, SessionDescription
from .errors import SdpError
from .lines import Attribute, Bandwidth, ConnectionData, Origin, TimeDescription

__all__ = [
    "Attribute",
    "Bandwidth",
    "ConnectionData",
    "MediaDescription",
    "Origin",
    "SdpError",
    "SessionDescription",
    "TimeDescription",
]
