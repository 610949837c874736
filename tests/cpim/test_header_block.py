from __future__ import annotations

import pytest

from cpim import CORE_NAMESPACE, MAX_HEADERS, CpimError, QualifiedName
from cpim.header_block import HeaderBlock

CORE = CORE_NAMESPACE


def parse(data: bytes, *, strict: bool = False, max_size: int = 1000) -> HeaderBlock:
    return HeaderBlock.parse(data, strict=strict, max_size=max_size)


def names_in(data: bytes) -> list[QualifiedName]:
    return [header.qualified_name for header in parse(data).headers]


@pytest.mark.rule("CPIM-1", "CPIM-3", "CPIM-7")
def test_headers_end_at_the_blank_line_and_keep_order_and_duplicates() -> None:
    block = parse(b"To: <im:b@c>\r\nX-Odd: 1\r\nTo: <im:d@e>\r\n\r\nTo: no\r\n\r\n")
    assert [bytes(header) for header in block.headers] == [
        b"To: <im:b@c>",
        b"X-Odd: 1",
        b"To: <im:d@e>",
    ]
    assert block.data[block.size :] == b"To: no\r\n\r\n"
    assert block.problems == []


@pytest.mark.rule("CPIM-4")
@pytest.mark.parametrize("start", [b" ", b"\t"])
def test_a_line_that_begins_with_white_space_is_malformed(start: bytes) -> None:
    with pytest.raises(CpimError) as caught:
        parse(b"From: <im:a@b>\r\n" + start + b"folded\r\n\r\n")
    assert caught.value.line == 2


@pytest.mark.rule("CPIM-5")
def test_strictness_says_which_line_is_wrong() -> None:
    with pytest.raises(CpimError) as caught:
        parse(b"To: <im:a@b>\r\nFrom:<im:a@b>\r\n\r\n", strict=True)
    assert str(caught.value) == "line 2: no space between the name and the value"


@pytest.mark.rule("CPIM-29")
def test_one_thing_wrong_in_many_headers_is_said_once() -> None:
    block = parse(b"From:<im:a@b>\r\nTo:<im:c@d>\r\n\r\n")
    assert block.problems == ["no space between the name and the value"]


@pytest.mark.rule("CPIM-19")
@pytest.mark.parametrize(
    ("data", "names"),
    [
        pytest.param(
            b"NS: p <urn:x>\r\np.a: 1\r\n\r\n",
            [(CORE, "NS"), ("urn:x", "a")],
            id="prefix",
        ),
        pytest.param(
            b"p.a: 1\r\nNS: p <urn:x>\r\n\r\n",
            [(None, "p.a"), (CORE, "NS")],
            id="use-before-declaration",
        ),
        pytest.param(
            b"NS: <urn:x>\r\nFrom: <im:a@b>\r\n\r\n",
            [(CORE, "NS"), ("urn:x", "From")],
            id="default-changed",
        ),
        pytest.param(
            b"NS: <urn:x>\r\nNS: <urn:ietf:params:cpim-headers:>\r\nTo: x\r\n\r\n",
            [(CORE, "NS"), (CORE, "NS"), (CORE, "To")],
            id="default-changed-back",
        ),
        pytest.param(
            b"NS: c <urn:ietf:params:cpim-headers:>\r\nNS: <urn:x>\r\n"
            b"c.NS: p <urn:y>\r\np.a: 1\r\nc.To: x\r\n\r\n",
            [(CORE, "NS"), (CORE, "NS"), (CORE, "NS"), ("urn:y", "a"), (CORE, "To")],
            id="core-by-prefix",
        ),
        pytest.param(
            b"NS: p <urn:x>\r\np.a: 1\r\nNS: p <urn:y>\r\np.a: 1\r\n\r\n",
            [(CORE, "NS"), ("urn:x", "a"), (CORE, "NS"), ("urn:y", "a")],
            id="redeclared",
        ),
    ],
)
def test_a_name_means_what_is_declared_before_it(
    data: bytes, names: list[tuple[str | None, str]]
) -> None:
    assert names_in(data) == names
    assert parse(data, strict=True).problems == []


@pytest.mark.rule("CPIM-19")
def test_a_declaration_that_is_none_is_flagged_and_declares_nothing() -> None:
    data = b"NS: p urn:x\r\np.a: 1\r\n\r\n"
    assert names_in(data) == [(CORE, "NS"), (None, "p.a")]
    assert parse(data).problems == ["the namespace isn't of the form: prefix <URI>"]
    with pytest.raises(CpimError):
        parse(data, strict=True)


@pytest.mark.rule("CPIM-20")
def test_required_names_are_resolved_where_they_are_named() -> None:
    data = (
        b"Require: From,p.early\r\nNS: p <urn:x>\r\nRequire: p.a, p.b,,p.a.b\r\n"
        b"NS: <urn:y>\r\nRequire: c\r\n\r\n"
    )
    assert parse(data).required == [
        (CORE, "From"),
        (None, "p.early"),
        ("urn:x", "a"),
        ("urn:x", "b"),
        (None, "p.a.b"),
    ]


@pytest.mark.rule("CPIM-28")
@pytest.mark.parametrize("blank", [b"\n", b"\nContent-Type: a/b\r\n\r\n"])
def test_bare_line_feeds_are_accepted_where_there_is_no_crlf(blank: bytes) -> None:
    data = b"From: <im:a@b>\nTo: <im:c@d>\n" + blank
    block = parse(data)
    assert [header.name for header in block.headers] == ["From", "To"]
    assert block.problems == ["the lines of the headers don't end in CR LF"]
    with pytest.raises(CpimError):
        parse(data, strict=True)


@pytest.mark.rule("CPIM-28")
@pytest.mark.parametrize(
    "data",
    [
        b"From: <im:a@b>\r\nSubject: x\nTo: <im:evil>\r\n\r\n",
        b"From: <im:a@b>\nTo: <im:c@d>\r\n\r\n",
        b"From: <im:a@b>\rTo: <im:c@d>\r\n\r\n",
    ],
)
def test_mixed_line_ends_are_malformed(data: bytes) -> None:
    with pytest.raises(CpimError, match="line end"):
        parse(data)


@pytest.mark.rule("CPIM-30")
@pytest.mark.parametrize("name", [b"Content-Type", b"content-type", b"Content-length"])
def test_a_content_header_begins_the_content_without_a_blank_line(name: bytes) -> None:
    data = b"From: <im:a@b>\r\n" + name + b": x\r\n\r\nbody"
    block = parse(data)
    assert data[block.size :] == name + b": x\r\n\r\nbody"
    assert block.problems == ["the blank line after the headers is missing"]
    with pytest.raises(CpimError, match="blank line"):
        parse(data, strict=True)


@pytest.mark.rule("CPIM-19", "CPIM-30")
def test_a_content_header_of_another_namespace_is_one_like_others() -> None:
    data = b"NS: <urn:x>\r\nContent-Type: y\r\n\r\n"
    assert names_in(data) == [(CORE, "NS"), ("urn:x", "Content-Type")]


@pytest.mark.rule("CPIM-31")
def test_a_blank_line_before_the_headers_is_forgiven() -> None:
    block = parse(b"\r\nFrom: <im:a@b>\r\n\r\n")
    assert [header.name for header in block.headers] == ["From"]
    assert block.problems == ["a blank line before the headers"]


@pytest.mark.parametrize(
    ("data", "size"),
    [(b"Content-Type: a/b\r\n\r\n", 0), (b"\r\nContent-Type: a/b\r\n\r\n", 2)],
)
def test_there_may_be_no_headers(data: bytes, size: int) -> None:
    block = parse(data, strict=True)
    assert (block.headers, block.size) == ([], size)


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_headers_may_end_with_the_message(end: bytes) -> None:
    block = parse(b"From: <im:a@b>" + end)
    assert [header.name for header in block.headers] == ["From"]
    assert block.size == len(block.data)
    assert block.problems == ["the blank line after the headers is missing"]
    with pytest.raises(CpimError):
        parse(b"From: <im:a@b>" + end, strict=True)


@pytest.mark.rule("CPIM-4")
def test_there_is_no_limit_to_a_line_but_one_to_all() -> None:
    line = b"Subject: " + b"x" * 65_536
    block = parse(line + b"\r\n\r\n", max_size=70_000, strict=True)
    assert len(block.headers[0].value) == 65_536
    with pytest.raises(CpimError, match="70000 octets"):
        parse(line * 2 + b"\r\n\r\n", max_size=70_000)


@pytest.mark.rule("CPIM-4")
def test_there_is_a_limit_to_the_number_of_headers() -> None:
    block = parse(b"A: b\r\n" * MAX_HEADERS + b"\r\n", max_size=100_000)
    assert len(block.headers) == MAX_HEADERS
    with pytest.raises(CpimError) as caught:
        parse(b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", max_size=100_000)
    assert caught.value.line == MAX_HEADERS + 1
