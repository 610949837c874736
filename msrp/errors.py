"""What can go wrong, as a tree to catch from.

* :exc:`MsrpError`
    * :exc:`InvalidUri`
    * :exc:`InvalidNickname`
    * :exc:`NegotiationError`
    * :exc:`ProtocolError`
        * :exc:`LocalProtocolError`
        * :exc:`RemoteProtocolError`
            * :exc:`LimitExceeded`
    * :exc:`DeliveryError`
        * :exc:`RequestRefused`
        * :exc:`ResponseTimeout`
        * :exc:`FailureReported`
        * :exc:`MessageAborted`
        * :exc:`SessionEnded`
    * :exc:`ConnectionFailed`
        * :exc:`CertificateRejected`
        * :exc:`AuthorizationFailed`
    * :exc:`NicknameFailed`
    * :exc:`SessionClosed`
    * :exc:`ConcurrencyError`
    * :exc:`InvalidFileDescription`
    * :exc:`FileTransferFailed`
        * :exc:`FileRefused`
        * :exc:`FileTransferAborted`
        * :exc:`FileMismatch`

Errors carry facts; ``str()`` words them in one sentence that never repeats what
the peer sent, so that it can be shown and logged as it is.
"""

from __future__ import annotations

import enum
from pathlib import Path

__all__ = [
    "AuthorizationFailed",
    "CertificateRejected",
    "CloseReason",
    "ConcurrencyError",
    "ConnectionFailed",
    "DeliveryError",
    "FailureReported",
    "FileMismatch",
    "FileRefused",
    "FileTransferAborted",
    "FileTransferFailed",
    "InvalidFileDescription",
    "InvalidNickname",
    "InvalidUri",
    "LimitExceeded",
    "LocalProtocolError",
    "MessageAborted",
    "MsrpError",
    "NegotiationError",
    "NicknameFailed",
    "ProtocolError",
    "RemoteProtocolError",
    "RequestRefused",
    "ResponseTimeout",
    "SessionClosed",
    "SessionEnded",
]


class MsrpError(Exception):
    """Root of all errors of this package."""


class InvalidUri(MsrpError, ValueError):
    """A text is no MSRP URI (:rfc:`4975#section-6`).

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"not an MSRP URI: {self.problem}"


class InvalidNickname(MsrpError, ValueError):
    """A text can't be a nickname (:rfc:`7700`, :rfc:`7701#section-7.1`).

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"not a nickname: {self.problem}"


class NegotiationError(MsrpError):
    """An offer and an answer don't add up to a session (:rfc:`4975#section-8`).

    Attributes:
        problem: What is missing or contradictory.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class ProtocolError(MsrpError):
    """Somebody broke the protocol; catch a subclass to know who.

    Attributes:
        problem: What was wrong, without the offending octets.
        section: Where the rule is written, as in ``"4975#7.1"``.
        status: The code to answer with, if an answer can still be sent.
    """

    def __init__(
        self, problem: str, *, section: str | None = None, status: int = 400
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.section = section
        self.status = status

    def __str__(self) -> str:
        if self.section is None:
            return self.problem
        return f"{self.problem} (RFC {self.section})"


class LocalProtocolError(ProtocolError):
    """You asked for something that the protocol or the peer doesn't allow."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol doesn't allow."""


class LimitExceeded(RemoteProtocolError):
    """The peer went over a bound of :class:`msrp.Limits`."""


class DeliveryError(MsrpError):
    """A message did not arrive, or it isn't known that it did.

    Attributes:
        message_id: The message in question.
    """

    def __init__(self, message_id: str) -> None:
        super().__init__(message_id)
        self.message_id = message_id

    def __str__(self) -> str:
        return "the message was not delivered"


class RequestRefused(DeliveryError):
    """The next hop answered a chunk with an error (:rfc:`4975#section-10`).

    Attributes:
        code: The status code, such as 413.
        comment: What this code means, in the words of the RFC.
    """

    def __init__(self, message_id: str, code: int, comment: str = "") -> None:
        super().__init__(message_id)
        self.code = code
        self.comment = comment

    def __str__(self) -> str:
        words = f" ({self.comment})" if self.comment else ""
        return f"the peer refused the message with {self.code}{words}{self._why()}"

    def _why(self) -> str:
        """Say what that mostly means, where the RFC's words don't."""
        if self.code == 413:
            return ": it is larger than the peer takes, or there is no room for it"
        return ": the peer takes nothing of this type" if self.code == 415 else ""


class ResponseTimeout(DeliveryError, TimeoutError):
    """No response came in time (:rfc:`4975#section-7.1.1`)."""

    def __str__(self) -> str:
        return "no response to the message came in time; it probably did not arrive"


class FailureReported(DeliveryError):
    """A failure REPORT came back (:rfc:`4975#section-7.1.2`).

    Attributes:
        code: The status code in the report.
        comment: What this code means, in the words of the RFC.
    """

    def __init__(self, message_id: str, code: int, comment: str = "") -> None:
        super().__init__(message_id)
        self.code = code
        self.comment = comment

    def __str__(self) -> str:
        words = f" ({self.comment})" if self.comment else ""
        return f"a report says that the message failed with {self.code}{words}"


class MessageAborted(DeliveryError):
    """The message was given up before all of it was sent.

    Attributes:
        problem: Why, when it wasn't the application's wish.
    """

    def __init__(self, message_id: str, problem: str | None = None) -> None:
        super().__init__(message_id)
        self.problem = problem

    def __str__(self) -> str:
        why = f": {self.problem}" if self.problem else ""
        return f"the message was aborted{why}"


class SessionEnded(DeliveryError):
    """The session ended before it was known what had become of a message.

    Attributes:
        unknown: What isn't known: that it has arrived, or what was waited for besides.
    """

    def __init__(
        self, message_id: str, unknown: str = "the message was known to have arrived"
    ) -> None:
        super().__init__(message_id)
        self.unknown = unknown

    def __str__(self) -> str:
        return f"the session ended before {self.unknown}"


class ConnectionFailed(MsrpError):
    """No session could be set up with the peer.

    Attributes:
        target: Where to, as ``host:port``; empty for a passive side.
        problem: What went wrong.
    """

    def __init__(self, target: str, problem: str) -> None:
        super().__init__(target, problem)
        self.target = target
        self.problem = problem

    def __str__(self) -> str:
        where = f" to {self.target}" if self.target else ""
        return f"no MSRP connection{where}: {self.problem}"


class CertificateRejected(ConnectionFailed):
    """The peer's certificate isn't the one its SDP announced (:rfc:`8122`)."""


class AuthorizationFailed(ConnectionFailed):
    """A relay does nothing for us (:rfc:`4976#section-5.1`).

    Attributes:
        code: The status code, such as 403; ``None`` if it isn't the relay that refuses.
    """

    def __init__(self, target: str, problem: str, code: int | None = None) -> None:
        super().__init__(target, problem)
        self.code = code


class NicknameFailed(MsrpError):
    """A nickname that was asked for isn't ours; the one before it stays.

    Attributes:
        problem: Why.
        code: What the room has answered (:rfc:`7701#section-7.1`): 403 if it allows no
            nicknames, 424 if it takes this for none, 425 if somebody else has it;
            ``None`` if there was no answer.
    """

    def __init__(self, problem: str, code: int | None = None) -> None:
        super().__init__(problem, code)
        self.problem = problem
        self.code = code

    def __str__(self) -> str:
        code = "" if self.code is None else f" ({self.code})"
        return f"the nickname can't be used: {self.problem}{code}"


class CloseReason(enum.Enum):
    """Why a session is no more."""

    BY_US = "by us"
    """The application closed it."""

    BY_THEM = "by them"
    """The peer closed it in good order."""

    LOST = "lost"
    """The connection broke, or the peer broke the protocol."""


class SessionClosed(MsrpError):
    """The session isn't open; ``__cause__`` says why when it was lost.

    Attributes:
        reason: Who ended it.
    """

    def __init__(self, reason: CloseReason) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        words = {
            CloseReason.BY_US: "the session was closed here",
            CloseReason.BY_THEM: "the session was closed by the peer",
            CloseReason.LOST: "the session was lost",
        }[self.reason]
        return f"{words}: {self.__cause__}" if self.__cause__ else words


class ConcurrencyError(MsrpError, RuntimeError):
    """Two tasks did at once what only one may do at a time."""


class InvalidFileDescription(MsrpError, ValueError):
    """What is said of a file can't be understood, or written (:rfc:`5547`).

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class FileTransferFailed(MsrpError):
    """A file did not get to the other side (:rfc:`5547`).

    Attributes:
        problem: What went wrong.
        path: The file that was to be sent, or what there is of the one to receive;
            ``None`` if there is nothing of it.
    """

    def __init__(self, problem: str, path: Path | None = None) -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def __str__(self) -> str:
        return self.problem


class FileRefused(FileTransferFailed):
    """The peer doesn't want the file, or has no such file."""


class FileTransferAborted(FileTransferFailed):
    """One side gave the transfer up, or it broke off.

    Attributes:
        transferred: Octets of the file that are there: those received, which are in
            ``path`` if they are kept, or those sent that the peer has confirmed.  A
            later transfer can go on from there.
    """

    def __init__(
        self, problem: str, path: Path | None = None, transferred: int = 0
    ) -> None:
        super().__init__(problem, path)
        self.transferred = transferred

    def __str__(self) -> str:
        return f"{self.problem} ({self.transferred} octets are there)"


class FileMismatch(FileTransferFailed):
    """What came is not the file that was promised (:rfc:`5547#section-8.3.1`).

    It is kept under a name that says so, ``path``, and not under its own.

    Attributes:
        what: What differs: ``"hash"``, ``"size"``, ``"type"`` or ``"name"``.
    """

    def __init__(self, what: str, path: Path | None = None) -> None:
        super().__init__(f"the {what} of the file isn't what was promised", path)
        self.what = what

    def __str__(self) -> str:
        kept = "" if self.path is None else f"; it is kept as {self.path}"
        return f"{self.problem}{kept}: don't trust it, and have it sent again"
