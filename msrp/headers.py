"""Header fields as values, and the head of a request or a response.

The one-based, inclusive octet numbers of the protocol live here only; the rest
of the package counts from zero and leaves the end out.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from msrp.errors import InvalidUri, RemoteProtocolError
from msrp.uri import MsrpUri, parse_path

__all__ = [
    "ByteRange",
    "ContinuationFlag",
    "FailureReport",
    "RequestHead",
    "ResponseHead",
    "Status",
    "is_ident",
    "parse_fields",
    "salvage_path",
    "salvage_value",
]

MAX_RANGE_DIGITS = 19
"""Digits of a number in Byte-Range: 10^19 octets are more than any disk holds."""

_IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9!#$%&'*+\-.^_`|~]*", re.ASCII)
_RANGE = re.compile(r"([0-9]+)-([0-9]+|\*)/([0-9]+|\*)", re.ASCII)
# A SEND as nearly every stack writes it, in one look.
_USUAL_SEND = re.compile(
    r"To-Path: (?P<to>[!-~][ -~]*)\r\nFrom-Path: (?P<from_>[!-~][ -~]*)\r\n"
    r"Message-ID: (?P<id>[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31})"
    r"(?:\r\nSuccess-Report: (?P<success>yes|no))?"
    r"(?:\r\nFailure-Report: (?P<failure>yes|no|partial))?"
    r"(?:\r\nByte-Range: (?P<start>[0-9]{1,19})-(?P<end>[0-9]{1,19}|\*)"
    r"/(?P<total>[0-9]{1,19}|\*))?"
    r"(?:\r\nContent-Type: (?P<type>[!-~](?:[ -~]*[!-~])?))?",
    re.ASCII,
)
_STATUS = re.compile(r"([0-9]{3}) ([0-9]{3})(?: (.*))?", re.ASCII)


def is_ident(text: str) -> bool:
    """Tell whether a text may be a transaction id or a Message-ID."""
    return _IDENT.fullmatch(text) is not None


class ContinuationFlag(enum.Enum):
    """The last character of an end-line (:rfc:`4975#section-7.1`)."""

    __hash__ = object.__hash__  # Enum's own is slow, and each chunk has a flag.

    END = b"$"
    """The chunk holds the last octets of the message."""

    MORE = b"+"
    """The message goes on in another chunk."""

    ABORT = b"#"
    """The sender gives up; no further chunk of this message will come."""


class FailureReport(enum.Enum):
    """What the sender wants to hear of failures (:rfc:`4975#section-7.1.1`)."""

    YES = "yes"
    """A response to every chunk, and reports of later failures."""

    NO = "no"
    """Nothing at all."""

    PARTIAL = "partial"
    """Errors only; silence means success."""


_FAILURE_REPORTS: dict[str | None, FailureReport] = {
    None: FailureReport.YES,
    **{each.value: each for each in FailureReport},
}
"""By what a usual head says, or doesn't say."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Which octets of its message a chunk holds (:rfc:`4975#section-7.1`)."""

    start: int
    """The number of the first octet; the first of a message is 1."""

    end: int | None
    """The number of the last octet, ``None`` for ``*``."""

    total: int | None
    """How many octets the whole message has, ``None`` for ``*``."""

    @classmethod
    def parse(cls, text: str) -> ByteRange:
        """Read the value of a ``Byte-Range``.

        Raises:
            RemoteProtocolError: It isn't a range.
        """
        match = _RANGE.fullmatch(text)
        if match is None or any(len(n) > MAX_RANGE_DIGITS for n in match.groups()):
            raise RemoteProtocolError("malformed Byte-Range", section="4975#9")
        start, end, total = match.groups()
        return cls(
            int(start),
            None if end == "*" else int(end),
            None if total == "*" else int(total),
        )

    def __str__(self) -> str:
        end = "*" if self.end is None else self.end
        total = "*" if self.total is None else self.total
        return f"{self.start}-{end}/{total}"


@dataclass(frozen=True, slots=True)
class Status:
    """The value of a ``Status`` field in a REPORT (:rfc:`4975#section-7.1.3`)."""

    code: int
    """A response code, if the namespace is ``000``."""

    comment: str = ""
    namespace: str = "000"

    @classmethod
    def parse(cls, text: str) -> Status:
        """Read the value of a ``Status`` field.

        Raises:
            RemoteProtocolError: It isn't a status.
        """
        match = _STATUS.fullmatch(text)
        if match is None:
            raise RemoteProtocolError("malformed Status", section="4975#9")
        return cls(int(match[2]), match[3] or "", match[1])

    def __str__(self) -> str:
        comment = f" {self.comment}" if self.comment else ""
        return f"{self.namespace} {self.code:03d}{comment}"


@dataclass(slots=True)
class RequestHead:
    """The start line and the header section of a request."""

    transaction_id: str
    method: str
    to_path: tuple[MsrpUri, ...]
    from_path: tuple[MsrpUri, ...]
    message_id: str | None = None
    byte_range: ByteRange | None = None
    content_type: str | None = None
    success_report: bool = False
    failure_report: FailureReport = FailureReport.YES
    status: Status | None = None
    others: dict[str, str] = field(default_factory=dict)
    """Further fields by lower-case name."""

    @classmethod
    def parse(cls, transaction_id: str, method: str, block: bytes) -> RequestHead:
        """Read the header section of a request.

        Raises:
            RemoteProtocolError: It is malformed or lacks a path; ``status`` is 400.
        """
        if method == "SEND" and (head := cls._parse_usual(transaction_id, block)):
            return head
        fields = parse_fields(block)
        to_path, from_path = _take_paths(fields)
        head = cls(transaction_id, method, to_path, from_path)
        for name, value in fields.items():
            reader = _READERS.get(name)
            if reader is None:
                head.others[name] = value
            else:
                reader(head, value)
        return head

    @classmethod
    def _parse_usual(cls, transaction_id: str, block: bytes) -> RequestHead | None:
        """Read the usual header section of a SEND; ``None`` if it is another.

        Field by field takes five times as long, for each chunk of each message.
        """
        match = _USUAL_SEND.fullmatch(block.decode("latin-1"))
        if match is None:
            return None
        to, from_, message_id, success, failure, start, end, total, type_ = (
            match.groups()
        )
        try:
            to_path, from_path = parse_path(to), parse_path(from_)
        except InvalidUri:
            return None  # The long way has the words for it.
        byte_range = None
        if start is not None:
            byte_range = ByteRange(
                int(start),
                None if end == "*" else int(end),
                None if total == "*" else int(total),
            )
        return cls(
            transaction_id,
            "SEND",
            to_path,
            from_path,
            message_id,
            byte_range,
            type_,
            success == "yes",
            _FAILURE_REPORTS[failure],
        )


@dataclass(slots=True)
class ResponseHead:
    """The start line and the header section of a response.

    Its paths are not read: a response is matched by its transaction id alone, and
    stacks in the field put all manner of things into the rest.
    """

    transaction_id: str
    code: int
    comment: str = ""


def _read_message_id(head: RequestHead, value: str) -> None:
    if not is_ident(value):
        raise RemoteProtocolError("malformed Message-ID", section="4975#9")
    head.message_id = value


def _read_byte_range(head: RequestHead, value: str) -> None:
    head.byte_range = ByteRange.parse(value)


def _read_content_type(head: RequestHead, value: str) -> None:
    head.content_type = value


def _read_success_report(head: RequestHead, value: str) -> None:
    choice = value.lower()
    if choice not in ("yes", "no"):
        raise RemoteProtocolError("malformed Success-Report", section="4975#9")
    head.success_report = choice == "yes"


def _read_failure_report(head: RequestHead, value: str) -> None:
    try:
        head.failure_report = FailureReport(value.lower())
    except ValueError:
        raise RemoteProtocolError(
            "malformed Failure-Report", section="4975#9"
        ) from None


def _read_status(head: RequestHead, value: str) -> None:
    head.status = Status.parse(value)


_READERS = {
    "message-id": _read_message_id,
    "byte-range": _read_byte_range,
    "content-type": _read_content_type,
    "success-report": _read_success_report,
    "failure-report": _read_failure_report,
    "status": _read_status,
}


def parse_fields(block: bytes) -> dict[str, str]:
    """Split a header section into values by lower-case name, in their order.

    ``block`` is what stands between the CRLF of the start line and that of the
    last header line, both left out.  Names are compared without regard to case
    and white space around a value is dropped, as peers differ in both; a repeated
    field is refused, because two stacks may believe two different ones.

    Raises:
        RemoteProtocolError: A line isn't a header field.
    """
    try:
        text = block.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("a header is not UTF-8", section="4975#9") from None
    fields: dict[str, str] = {}
    if not text:
        return fields
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or "\n" in value or "\r" in value or "\0" in value:
            raise RemoteProtocolError("malformed header line", section="4975#9")
        lower = _KNOWN.get(name)
        if lower is None:
            if _NAME.fullmatch(name) is None:
                raise RemoteProtocolError("malformed header name", section="4975#9")
            lower = name.lower()
        if lower in fields:
            raise RemoteProtocolError("a header field is repeated", section="4975#9")
        fields[lower] = value.strip(" \t")
    return fields


# Most requests hold no other names, in this spelling.
_KNOWN = {
    name: name.lower()
    for name in (
        "To-Path",
        "From-Path",
        "Message-ID",
        "Byte-Range",
        "Content-Type",
        "Success-Report",
        "Failure-Report",
        "Status",
    )
}


def _take_paths(
    fields: dict[str, str],
) -> tuple[tuple[MsrpUri, ...], tuple[MsrpUri, ...]]:
    try:
        to_path = parse_path(fields.pop("to-path"))
        from_path = parse_path(fields.pop("from-path"))
    except KeyError:
        raise RemoteProtocolError("a path is missing", section="4975#7.1") from None
    except InvalidUri as error:
        raise RemoteProtocolError(
            "a path holds no valid MSRP URI", section="4975#9"
        ) from error
    return to_path, from_path


def salvage_path(block: bytes, field_name: bytes) -> tuple[MsrpUri, ...]:
    """Find a path in a malformed header section, so that it can be answered.

    Args:
        block: The header section.
        field_name: ``b"from-path"`` or ``b"to-path"``.

    Returns:
        The path; empty if there is none that can be read.
    """
    value = salvage_value(block, field_name)
    if value is None:
        return ()
    try:
        return parse_path(value.decode("ascii"))
    except (InvalidUri, UnicodeDecodeError):
        return ()


def salvage_value(block: bytes, field_name: bytes) -> bytes | None:
    """Return the first value of a field in a malformed header section.

    Args:
        block: The header section.
        field_name: The name in lower case.
    """
    for line in block.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.lower() == field_name:
            return value.strip(b" \t")
    return None
