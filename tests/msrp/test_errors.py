from __future__ import annotations

import re

import pytest

import msrp.errors
from msrp.errors import (
    CertificateRejected,
    CloseReason,
    ConcurrencyError,
    ConnectionFailed,
    DeliveryError,
    FailureReported,
    InvalidNickname,
    InvalidUri,
    LimitExceeded,
    LocalProtocolError,
    MessageAborted,
    MsrpError,
    NegotiationError,
    NicknameFailed,
    ProtocolError,
    RemoteProtocolError,
    RequestRefused,
    ResponseTimeout,
    SessionClosed,
    SessionEnded,
)


def test_docstring_shows_the_real_hierarchy() -> None:
    tree: list[str] = []

    def walk(cls: type[BaseException], depth: int) -> None:
        tree.append("    " * depth + cls.__name__)
        for sub in cls.__subclasses__():
            if sub.__module__ == msrp.errors.__name__:
                walk(sub, depth + 1)

    walk(MsrpError, 0)
    doc = msrp.errors.__doc__ or ""
    shown = [
        m[1] + m[2] for m in re.finditer(r"^( *)\* :exc:`(\w+)`", doc, re.MULTILINE)
    ]
    assert shown == tree
    names = {each.strip() for each in tree} | {"CloseReason"}
    assert sorted(names) == msrp.errors.__all__


def lost(cause: Exception) -> SessionClosed:
    error = SessionClosed(CloseReason.LOST)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidUri("no port"), "not an MSRP URI: no port"),
        (InvalidNickname("it is empty"), "not a nickname: it is empty"),
        (NicknameFailed("it is gone"), "the nickname can't be used: it is gone"),
        (NicknameFailed("no", 425), "the nickname can't be used: no (425)"),
        (NegotiationError("no path"), "no path"),
        (ProtocolError("odd"), "odd"),
        (LocalProtocolError("odd", section="4975#9"), "odd (RFC 4975#9)"),
        (RemoteProtocolError("odd", status=413), "odd"),
        (LimitExceeded("too long"), "too long"),
        (DeliveryError("m1"), "the message was not delivered"),
        (
            RequestRefused("m1", 413, "Stop"),
            "the peer refused the message with 413 (Stop): "
            "it is larger than the peer takes, or there is no room for it",
        ),
        (RequestRefused("m1", 499), "the peer refused the message with 499"),
        (
            ResponseTimeout("m1"),
            "no response to the message came in time; it probably did not arrive",
        ),
        (
            FailureReported("m1", 408, "Late"),
            "a report says that the message failed with 408 (Late)",
        ),
        (
            FailureReported("m1", 599),
            "a report says that the message failed with 599",
        ),
        (MessageAborted("m1"), "the message was aborted"),
        (MessageAborted("m1", "disk full"), "the message was aborted: disk full"),
        (
            SessionEnded("m1"),
            "the session ended before the message was known to have arrived",
        ),
        (ConnectionFailed("h:1", "refused"), "no MSRP connection to h:1: refused"),
        (ConnectionFailed("", "late"), "no MSRP connection: late"),
        (CertificateRejected("h:1", "hash"), "no MSRP connection to h:1: hash"),
        (SessionClosed(CloseReason.BY_US), "the session was closed here"),
        (SessionClosed(CloseReason.BY_THEM), "the session was closed by the peer"),
        (SessionClosed(CloseReason.LOST), "the session was lost"),
        (lost(LimitExceeded("too long")), "the session was lost: too long"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_words(error: MsrpError, words: str) -> None:
    assert str(error) == words


def test_facts() -> None:
    assert ProtocolError("odd").status == 400
    assert ProtocolError("odd").section is None
    assert RequestRefused("m1", 413).code == 413
    assert RequestRefused("m1", 413).message_id == "m1"
    assert FailureReported("m1", 408, "Late").comment == "Late"
    assert ConnectionFailed("h:1", "refused").target == "h:1"


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        pytest.param(InvalidUri("x"), ValueError, id="InvalidUri"),
        pytest.param(ResponseTimeout("x"), TimeoutError, id="ResponseTimeout"),
        pytest.param(ConcurrencyError("x"), RuntimeError, id="ConcurrencyError"),
    ],
)
def test_also_caught_as_what_python_has_for_it(
    error: MsrpError, builtin: type[Exception]
) -> None:
    assert isinstance(error, builtin)
