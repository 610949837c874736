from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cpim import Address, CpimError, DateTime, Header
from cpim.head_builder import build_head

NOW = datetime(2026, 5, 15, 15, 2, 31, 0, UTC)


def build(
    *,
    sender: Address | str = "im:a@b",
    to: Address | str | list[Address | str] = "im:c@d",
    date_time: datetime | DateTime | None = None,
    cc: list[str] | None = None,
    subject: str | None = None,
    language: str | None = None,
    namespaces: list[tuple[str, str]] | None = None,
    require: list[str] | None = None,
    headers: list[Header | tuple[str, str]] | None = None,
) -> list[str]:
    head = build_head(
        sender=sender,
        to=to,
        date_time=date_time,
        cc=cc or (),
        subject=subject,
        language=language,
        namespaces=namespaces or (),
        require=require or (),
        headers=headers or (),
    )
    assert head.endswith(b"\r\n")
    return head.decode().removesuffix("\r\n").split("\r\n")


@pytest.mark.rule("CPIM-22", "CPIM-14", "CPIM-15", "CPIM-16", "CPIM-17", "CPIM-18")
def test_headers_are_written_in_the_order_of_the_rfc() -> None:
    assert build(
        sender=Address("im:a@b", "Al"),
        to=["Bob <im:c@d>", Address("im:e@f")],
        cc=["im:g@h", "im:i@j"],
        date_time=NOW,
        subject="hi",
        language="en",
        namespaces=[("imdn", "urn:ietf:params:imdn")],
        require=["imdn.A", "From"],
        headers=[("imdn.Message-ID", "x\\y"), Header.build("X", "z")],
    ) == [
        "From: Al <im:a@b>",
        "To: Bob <im:c@d>",
        "To: <im:e@f>",
        "cc: <im:g@h>",
        "cc: <im:i@j>",
        "DateTime: 2026-05-15T15:02:31+00:00",
        "Subject:;lang=en hi",
        "NS: imdn <urn:ietf:params:imdn>",
        "Require: imdn.A,From",
        "imdn.Message-ID: x\\\\y",
        "X: z",
    ]


@pytest.mark.rule("CPIM-22")
def test_a_message_has_at_least_a_sender_and_a_recipient() -> None:
    assert build() == ["From: <im:a@b>", "To: <im:c@d>"]
    with pytest.raises(CpimError):
        build(to=[])


@pytest.mark.rule("CPIM-17")
def test_a_date_and_time_that_was_received_is_written_as_it_was() -> None:
    raw = "2001-02-01t12:16:49.50-05:00"
    assert build(date_time=DateTime.parse(raw))[-1] == f"DateTime: {raw}"


@pytest.mark.rule("CPIM-27")
@pytest.mark.parametrize(
    "namespace",
    [
        ("", "urn:x"),
        ("a b", "urn:x"),
        ("a.b", "urn:x"),
        ("p", "x"),
        ("p", "urn:x>\r\nTo: <im:evil"),
        ("p", "urn:x#y"),
    ],
)
def test_a_namespace_that_cannot_be_declared_is_refused(
    namespace: tuple[str, str],
) -> None:
    with pytest.raises(CpimError):
        build(namespaces=[namespace])


@pytest.mark.rule("CPIM-27")
def test_no_text_adds_a_line() -> None:
    evil = "x\r\nTo: <im:evil>"
    lines = build(
        sender=Address("im:a@b", evil),
        subject=evil,
        language=evil,
        headers=[("X", evil)],
        date_time=DateTime(evil, None),
    )
    assert [line.partition(":")[0] for line in lines] == [
        *("From", "To", "DateTime", "Subject", "X")
    ]
