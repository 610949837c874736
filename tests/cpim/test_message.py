from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import (
    CORE_HEADERS,
    CORE_NAMESPACE,
    Address,
    CpimError,
    CpimMessage,
    DateTime,
    Header,
    Subject,
)
from cpim.grammar import ABSOLUTE_URI
from mime import Part, build_multipart, open_part, parse_multipart

IMDN = "urn:ietf:params:imdn"
NOW = datetime(2026, 5, 15, 15, 2, 31, 0, UTC)

# RFC 3862 section 5.1.
EXAMPLE = (
    b"From: MR SANDERS <im:piglet@100akerwood.com>\r\n"
    b"To: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"
    b"DateTime: 2000-12-13T13:40:00-08:00\r\n"
    b"Subject: the weather will be fine today\r\n"
    b"Subject:;lang=fr beau temps prevu pour aujourd'hui\r\n"
    b"NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\n"
    b"Require: MyFeatures.VitalMessageOption\r\n"
    b"MyFeatures.VitalMessageOption: Confirmation-requested\r\n"
    b"MyFeatures.WackyMessageOption: Use-silly-font\r\n"
    b"\r\n"
    b"Content-type: text/xml; charset=utf-8\r\n"
    b"Content-ID: <1234567890@foo.com>\r\n"
    b"\r\n"
    b"<body>\r\nHere is the text of my message.\r\n</body>"
)

# RFC 4975 section 11.4, which has no blank line before Content-Type.
MSRP_EXAMPLE = (
    b"To: Bob <sip:bob@example.com>\r\n"
    b"From: Alice <sip:alice@example.com>\r\n"
    b"DateTime: 2006-05-15T15:02:31-03:00\r\n"
    b"Content-Type: text/plain\r\n"
    b"\r\n"
    b"ABCD1234567890"
)

# RFC 5438 section 6.4, likewise, and with a Content-length.
IMDN_EXAMPLE = (
    b"From: Alice <im:alice@example.com>\r\n"
    b"To: Bob <im:bob@example.com>\r\n"
    b"NS: imdn <urn:ietf:params:imdn>\r\n"
    b"imdn.Message-ID: 34jk324j\r\n"
    b"DateTime: 2006-04-04T12:16:49-05:00\r\n"
    b"imdn.Disposition-Notification: positive-delivery, negative-delivery\r\n"
    b"Content-type: text/plain\r\n"
    b"Content-length: 12\r\n"
    b"\r\n"
    b"Hello World, and more than that"
)


def simple(headers: bytes = b"", content: bytes = b"hello") -> bytes:
    head = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n" + headers
    return head + b"\r\nContent-Type: text/plain\r\n\r\n" + content


@pytest.mark.rule("CPIM-1", "CPIM-14", "CPIM-15", "CPIM-17", "CPIM-18", "CPIM-23")
def test_the_example_of_rfc_3862() -> None:
    message = CpimMessage.parse(EXAMPLE, strict=True)
    assert message.sender == Address("im:piglet@100akerwood.com", "MR SANDERS")
    assert message.to == (Address("im:eeyore@100akerwood.com", "Depressed Donkey"),)
    assert message.cc == ()
    assert message.date_time is not None
    assert message.date_time.value is not None
    assert message.date_time.value.astimezone(UTC).hour == 21
    assert message.subject == "the weather will be fine today"
    assert message.subjects == (
        Subject("the weather will be fine today", "i-default"),
        Subject("beau temps prevu pour aujourd'hui", "fr"),
    )
    assert message.require == (
        ("mid:MessageFeatures@id.foo.com", "VitalMessageOption"),
    )
    assert message.content_type.essence == "text/xml"
    assert message.part.content_id == "1234567890@foo.com"
    assert message.text.startswith("<body>\r\n")
    assert message.content.endswith(b"</body>")
    assert message.warnings == ()


@pytest.mark.rule("CPIM-30")
def test_the_example_of_rfc_4975() -> None:
    message = CpimMessage.parse(MSRP_EXAMPLE)
    assert [header.name for header in message.headers] == ["To", "From", "DateTime"]
    assert message.sender == Address("sip:alice@example.com", "Alice")
    assert message.content_type.essence == "text/plain"
    assert message.content == b"ABCD1234567890"
    assert message.warnings == ("the blank line after the headers is missing",)
    assert bytes(message) == MSRP_EXAMPLE
    with pytest.raises(CpimError):
        CpimMessage.parse(MSRP_EXAMPLE, strict=True)


@pytest.mark.rule("CPIM-19", "CPIM-30", "CPIM-32")
def test_the_example_of_rfc_5438() -> None:
    message = CpimMessage.parse(IMDN_EXAMPLE)
    message_id = message.get("Message-ID", IMDN)
    assert message_id is not None
    assert message_id.value == "34jk324j"
    assert message.get("Message-ID") is None
    assert message.content == b"Hello World, and more than that"


@pytest.mark.rule("CPIM-3", "CPIM-6", "CPIM-7", "CPIM-19")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(EXAMPLE, id="example"),
        pytest.param(simple(), id="simple"),
        pytest.param(simple(b"X: 1\r\nx: 2\r\nX: 1\r\n"), id="unknown-and-repeated"),
        pytest.param(simple(b"p.a: undeclared\r\n"), id="undeclared-prefix"),
        pytest.param(simple(rb"Subject: \u00e9\q\u12" + b"\r\n"), id="odd-escapes"),
        pytest.param(simple(content=b""), id="empty-content"),
        pytest.param(simple(content=b"\0\xff\r\n\r\n\n"), id="binary-content"),
        pytest.param(simple(b"DateTime: yesterday\r\n"), id="invalid-date"),
    ],
)
def test_what_is_valid_is_written_as_it_was_read(data: bytes) -> None:
    message = CpimMessage.parse(data, strict=True)
    assert bytes(message) == data
    assert CpimMessage.parse(bytes(message)) == message


@pytest.mark.rule("CPIM-2")
@pytest.mark.parametrize(
    "content", [b"", b"\0", b"a\0b\xff", b"no end", b"end\r\n", b"\r\n\r\n", b"\n"]
)
def test_the_content_is_octets_and_nothing_is_trimmed(content: bytes) -> None:
    assert CpimMessage.parse(simple(content=content), strict=True).content == content
    built = CpimMessage.build("a/b", content, sender="im:a@b", to="im:c@d")
    assert CpimMessage.parse(bytes(built), strict=True).content == content


@pytest.mark.rule("CPIM-2")
def test_the_content_may_be_of_any_type() -> None:
    inner = CpimMessage.build("text/plain", b"x", sender="im:a@b", to="im:c@d")
    parts = [Part.build("message/cpim", bytes(inner)), Part.build("image/png", b"\0")]
    content_type, body = build_multipart(parts)
    outer = CpimMessage.build(content_type, body, sender="im:e@f", to="im:c@d")
    opened = open_part(CpimMessage.parse(bytes(outer)).part)
    first, second = opened.walk()
    assert CpimMessage.parse(first.content) == inner
    assert second.content == b"\0"


@pytest.mark.rule("CPIM-3", "CPIM-24")
def test_whoever_adds_to_a_message_wraps_it_and_both_senders_are_seen() -> None:
    inner = CpimMessage.parse(EXAMPLE)
    outer = CpimMessage.build(
        "message/cpim", bytes(inner), sender="sip:room@example.com", to="im:a@b"
    )
    received = CpimMessage.parse(bytes(outer), strict=True)
    assert received.sender == Address("sip:room@example.com")
    assert received.content == EXAMPLE
    assert CpimMessage.parse(received.content).sender == inner.sender


@pytest.mark.rule("CPIM-25")
def test_a_signed_message_is_the_very_octets_that_were_signed() -> None:
    signed = Part(
        (("Content-Type", "Message/CPIM"),),
        EXAMPLE,
    )
    signature = Part.build("application/pkcs7-signature", b"\x30\x80")
    multipart = parse_multipart(*build_multipart([signed, signature], "signed"))
    first, _ = multipart.parts
    assert bytes(first) == bytes(signed)
    assert first.content_type.essence == "message/cpim"
    assert bytes(CpimMessage.parse(first.body, strict=True)) == EXAMPLE


@pytest.mark.rule("CPIM-26")
def test_a_message_that_came_through_seven_bits_is_encoded_as_a_whole() -> None:
    data = simple("Subject: é\r\n".encode(), b"\0\xff")
    part = Part.build("message/cpim", data, transfer_encoding="base64")
    assert bytes(part).isascii()
    assert bytes(CpimMessage.parse(Part.parse(bytes(part)).content)) == data


@pytest.mark.rule("CPIM-6")
def test_the_case_of_header_names_counts_but_not_in_mime() -> None:
    message = CpimMessage.parse(
        b"from: <im:x@y>\r\nFrom: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n"
        b"CONTENT-TYPE: text/html\r\n\r\n"
    )
    assert message.sender == Address("im:a@b")
    assert message.get("from") is not None
    assert message.content_type.essence == "text/html"


@pytest.mark.rule("CPIM-7")
def test_unknown_headers_are_ignored_and_kept() -> None:
    message = CpimMessage.parse(simple(b"X-New: 1\r\nX-New: 2\r\n"), strict=True)
    assert [header.value for header in message.get_all("X-New")] == ["1", "2"]
    assert message.unsupported_requirements() == ()


@pytest.mark.rule("CPIM-9", "CPIM-18")
def test_subjects_in_several_languages_are_kept() -> None:
    message = CpimMessage.parse(
        simple(b"Subject:;lang=fr texte\r\nSubject:;lang=de Text\r\n"), strict=True
    )
    assert message.subjects == (Subject("texte", "fr"), Subject("Text", "de"))
    assert message.subject == "texte"
    assert CpimMessage.parse(simple()).subject is None


@pytest.mark.rule("CPIM-16")
@pytest.mark.parametrize("name", [b"cc", b"CC", b"Cc"])
def test_copies_are_read_in_any_spelling_and_written_in_the_right_one(
    name: bytes,
) -> None:
    message = CpimMessage.parse(simple(name + b": <im:e@f>\r\n"), strict=True)
    assert message.cc == (Address("im:e@f"),)
    built = CpimMessage.build("a/b", b"", sender="im:a@b", to="im:c@d", cc=message.cc)
    assert b"\r\ncc: <im:e@f>\r\n" in bytes(built)


@pytest.mark.rule("CPIM-17")
def test_an_invalid_date_is_flagged_and_not_fatal() -> None:
    message = CpimMessage.parse(simple(b"DateTime: yesterday\r\n"), strict=True)
    assert message.date_time is not None
    assert message.date_time.value is None
    assert message.date_time.raw == "yesterday"
    assert message.warnings == ("the date and time can't be read",)
    assert CpimMessage.parse(simple()).date_time is None


@pytest.mark.rule("CPIM-19")
def test_one_header_under_two_prefixes_is_the_same() -> None:
    messages = [
        CpimMessage.parse(simple(b"NS: %b <urn:x>\r\n%b.a: 1\r\n" % (prefix, prefix)))
        for prefix in (b"p", b"q")
    ]
    found = [message.get("a", "urn:x") for message in messages]
    assert [header and header.value for header in found] == ["1", "1"]


@pytest.mark.rule("CPIM-19")
def test_from_in_another_namespace_is_not_the_sender() -> None:
    message = CpimMessage.parse(
        b"To: <im:c@d>\r\nNS: <urn:x>\r\nFrom: <im:a@b>\r\n\r\n"
        b"Content-Type: text/plain\r\n\r\n"
    )
    assert message.sender is None
    assert message.warnings == ("there is no From header",)
    assert message.get("From", "urn:x") is not None


@pytest.mark.rule("CPIM-20")
@pytest.mark.parametrize(
    ("headers", "unsupported"),
    [
        (b"Require: From\r\n", []),
        (b"Require: From,cc,Subject,NS,Require\r\n", []),
        (b"Require: \r\n", []),
        (b"Require: Unheard-Of\r\n", [(CORE_NAMESPACE, "Unheard-Of")]),
        (b"NS: p <urn:x>\r\nRequire: p.a,To\r\n", [("urn:x", "a")]),
        (b"Require: p.a\r\n", [(None, "p.a")]),
        (b"Require: p.a\r\nNS: p <urn:known>\r\n", [(None, "p.a")]),
        (b"NS: p <urn:known>\r\nRequire: p.a\r\n", []),
        (b"NS: p <urn:known>\r\nRequire: p.a.b\r\n", [(None, "p.a.b")]),
        (b"Require: From\r\nRequire: Odd, Odd\r\n", [(CORE_NAMESPACE, "Odd")]),
    ],
)
def test_what_is_required_and_not_understood_is_told(
    headers: bytes, unsupported: list[tuple[str | None, str]]
) -> None:
    message = CpimMessage.parse(simple(headers))
    understood = {("urn:known", "a")}
    assert list(message.unsupported_requirements(understood)) == unsupported


@pytest.mark.rule("CPIM-23")
def test_the_headers_that_msrp_wants_recognised_are() -> None:
    names = {name for _, name in CORE_HEADERS}
    assert names >= {"From", "To", "DateTime", "Require", "NS", "cc", "Subject"}


@pytest.mark.rule("CPIM-14")
def test_who_can_not_be_read_is_not_there() -> None:
    message = CpimMessage.parse(
        b"From: <relative>\r\nTo: nobody\r\n\r\nContent-Type: text/plain\r\n\r\n"
    )
    assert message.warnings == (
        "the address isn't of the form: name <URI>",
        "the address isn't of the form: name <URI>",
        "there is no From header",
        "there is no To header",
    )


@pytest.mark.rule("CPIM-14", "CPIM-21", "CPIM-29")
@pytest.mark.parametrize(
    ("data", "warning"),
    [
        pytest.param(b"To: <im:c@d>\r\n", "there is no From header", id="no-from"),
        pytest.param(b"From: <im:c@d>\r\n", "there is no To header", id="no-to"),
        pytest.param(
            b"From: <im:a@b>\r\nFrom: <im:x@y>\r\nTo: <im:c@d>\r\n",
            "a header is repeated that mustn't be: the first counts",
            id="two-senders",
        ),
        pytest.param(
            b"From: <im:a@b>\r\nTo: <relative>\r\nTo: <im:c@d>\r\n",
            "the address isn't of the form: name <URI>",
            id="relative-uri",
        ),
        pytest.param(
            b"From: im:a@b\r\nTo: <im:c@d>\r\n",
            "the address isn't of the form: name <URI>",
            id="no-brackets",
        ),
        pytest.param(
            b"From:<im:a@b>\r\nTo: <im:c@d>\r\n",
            "no space between the name and the value",
            id="no-space",
        ),
        pytest.param(
            b"From:   <im:a@b>\r\nTo: <im:c@d>\r\n",
            "white space around the value",
            id="many-spaces",
        ),
    ],
)
def test_what_is_forgiven_is_said_and_strictness_refuses_it(
    data: bytes, warning: str
) -> None:
    octets = data + b"\r\nContent-Type: text/plain\r\n\r\nhelp"
    message = CpimMessage.parse(octets)
    assert warning in message.warnings
    assert message.content == b"help"
    assert message.sender in {None, Address("im:a@b"), Address("im:c@d")}
    assert bytes(message) == octets
    with pytest.raises(CpimError):
        CpimMessage.parse(octets, strict=True)


@pytest.mark.rule("CPIM-28")
def test_bare_line_feeds_in_headers_are_mended_in_writing() -> None:
    data = b"From: <im:a@b>\nTo: <im:c@d>\n\nContent-Type: a/b\n\nx\ny"
    message = CpimMessage.parse(data)
    assert message.content == b"x\ny"
    assert bytes(message) == (
        b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\nContent-Type: a/b\r\n\r\nx\ny"
    )
    assert CpimMessage.parse(bytes(message), strict=True) == message


@pytest.mark.rule("CPIM-31")
@pytest.mark.parametrize(
    ("tail", "essence", "content"),
    [
        (b"\r\n\r\nContent-Type: a/b\r\n\r\nx", "a/b", b"x"),
        (b"\r\n\r\nx", "text/plain", b"x"),
        (b"\r\nX: y\r\n\r\nx", "text/plain", b"x"),
        (b"\r\nhello there", "text/plain", b"hello there"),
        (b"\r\n", "text/plain", b""),
    ],
)
def test_content_with_odd_headers_is_read(
    tail: bytes, essence: str, content: bytes
) -> None:
    data = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n" + tail
    message = CpimMessage.parse(data)
    assert message.content_type.essence == essence
    assert message.content == content
    assert message.warnings != ()
    with pytest.raises(CpimError):
        CpimMessage.parse(data, strict=True)


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\nhello", b"\n"])
def test_without_any_header_it_is_no_message(data: bytes) -> None:
    with pytest.raises(CpimError):
        CpimMessage.parse(data)


def test_content_without_a_head_is_read_for_what_it_is() -> None:
    message = CpimMessage.parse(b"Content-Type: text/plain\r\n\r\nhelp")
    assert message.text == "help"
    assert message.sender is None
    assert message.to == ()


@pytest.mark.rule("CPIM-4")
def test_the_size_of_the_head_is_limited_and_the_limit_is_a_choice() -> None:
    data = simple(b"Subject: " + b"x" * 65_536 + b"\r\n")
    assert len(CpimMessage.parse(data, strict=True).subject or "") == 65_536
    with pytest.raises(CpimError):
        CpimMessage.parse(data, max_head_size=1000)


@pytest.mark.rule("CPIM-5", "CPIM-10", "CPIM-22", "CPIM-27")
def test_a_message_is_built_octet_for_octet() -> None:
    message = CpimMessage.build(
        "text/plain; charset=utf-8",
        "naïve\r\n".encode(),
        sender=Address("im:a@b", "x\r\nTo: <im:evil>"),
        to=["Bob <sip:c@d>", Address("tel:911")],
        date_time=NOW,
        subject="line\nbreak",
        namespaces=[("imdn", IMDN)],
        headers=[("imdn.Message-ID", "34jk324j")],
        content_headers=[("Content-Disposition", "notification")],
    )
    assert bytes(message) == (
        b'From: "x\\r\\nTo: <im:evil>" <im:a@b>\r\n'
        b"To: Bob <sip:c@d>\r\n"
        b"To: <tel:911>\r\n"
        b"DateTime: 2026-05-15T15:02:31+00:00\r\n"
        b"Subject: line\\nbreak\r\n"
        b"NS: imdn <urn:ietf:params:imdn>\r\n"
        b"imdn.Message-ID: 34jk324j\r\n"
        b"\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Disposition: notification\r\n"
        b"\r\n" + "naïve\r\n".encode()
    )
    assert message.warnings == ()
    assert message.to == (Address("sip:c@d", "Bob"), Address("tel:911"))
    assert message.sender is not None
    assert message.sender.name == "x\r\nTo: <im:evil>"
    assert message.subject == "line\nbreak"
    assert message.text == "naïve\r\n"


EVIL = "x\r\nTo: <im:evil>"


@pytest.mark.rule("CPIM-20", "CPIM-22", "CPIM-27")
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(("From", "<im:evil>"), id="second-sender"),
        pytest.param(("To", "nobody"), id="not-an-address"),
        pytest.param(("Content-Type", "text/html"), id="content-header"),
        pytest.param(("p.a", "b"), id="undeclared-prefix"),
        pytest.param(("Require", "p.a"), id="undeclared-requirement"),
        pytest.param((EVIL, "b"), id="evil-name"),
        pytest.param(Header("X", "y", raw=EVIL.encode()), id="evil-header"),
        pytest.param(Header("X", "y", raw=b"X: y\r\nX: z"), id="two-headers"),
        pytest.param(Header("X", "y", raw=b""), id="header-of-nothing"),
    ],
)
def test_a_header_that_would_spoil_the_message_is_refused(
    header: Header | tuple[str, str],
) -> None:
    with pytest.raises(CpimError):
        CpimMessage.build(
            "text/plain", b"", sender="im:a@b", to="im:c@d", headers=[header]
        )


@pytest.mark.rule("CPIM-19", "CPIM-22", "CPIM-30")
@pytest.mark.parametrize(
    ("namespaces", "header"),
    [
        pytest.param([("p", CORE_NAMESPACE)], "p.From", id="second-sender"),
        pytest.param(
            [("p", "urn:x"), ("p", CORE_NAMESPACE)], "p.From", id="redeclared"
        ),
        pytest.param([("p", "urn:x")], "q.a", id="undeclared"),
        pytest.param([("From", "urn:x")], "From", id="no-prefix"),
        pytest.param([("Content-p", "urn:x")], "Content-p.a", id="content-header"),
    ],
)
def test_a_prefix_does_not_help_to_spoil_the_message(
    namespaces: list[tuple[str, str]], header: str
) -> None:
    with pytest.raises(CpimError):
        CpimMessage.build(
            "text/plain",
            b"",
            sender="im:a@b",
            to="im:c@d",
            namespaces=namespaces,
            headers=[(header, "<im:evil>")],
        )


@pytest.mark.rule("CPIM-20", "CPIM-27")
@pytest.mark.parametrize("name", ["p.a", EVIL, "a b", ""])
def test_a_requirement_that_cannot_be_met_is_refused(name: str) -> None:
    with pytest.raises(CpimError):
        CpimMessage.build(
            "text/plain", b"", sender="im:a@b", to="im:c@d", require=["From", name]
        )


@pytest.mark.rule("CPIM-20")
def test_a_requirement_is_written_and_read() -> None:
    message = CpimMessage.build(
        "text/plain",
        b"",
        sender="im:a@b",
        to="im:c@d",
        namespaces=[("p", "urn:x")],
        require=["p.a", "cc"],
    )
    assert CpimMessage.parse(bytes(message)).unsupported_requirements() == (
        ("urn:x", "a"),
    )


@pytest.mark.rule("CPIM-27")
def test_content_headers_that_cannot_be_written_are_refused() -> None:
    for field in [("X", EVIL), (EVIL, "x")]:
        with pytest.raises(CpimError):
            CpimMessage.build(
                "text/plain", b"", sender="im:a@b", to="im:c@d", content_headers=[field]
            )
    with pytest.raises(CpimError):
        CpimMessage.build("nonsense", b"", sender="im:a@b", to="im:c@d")


@pytest.mark.rule("CPIM-21", "CPIM-27")
@pytest.mark.parametrize("sender", ["", "Bob", "Bob <b>", "<im:a@b\r\nTo: <im:evil>"])
def test_a_sender_without_an_absolute_uri_is_refused(sender: str) -> None:
    with pytest.raises(CpimError):
        CpimMessage.build("text/plain", b"", sender=sender, to="im:c@d")


def test_a_message_does_not_show_its_content_in_its_representation() -> None:
    assert "hello" not in repr(CpimMessage.parse(simple()))


@pytest.mark.rule("CPIM-2")
def test_a_content_of_megabytes_is_taken_as_it_is() -> None:
    content = bytes(range(256)) * 16_384
    message = CpimMessage.build("image/jpeg", content, sender="im:a@b", to="im:c@d")
    assert CpimMessage.parse(bytes(message), strict=True).content == content


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=15)
uris = st.sampled_from(["im:a@b", "sip:c@d;transport=tcp", "tel:+1", "urn:service:sos"])
addresses = st.builds(Address, uris, text.map(lambda name: name or None))


@pytest.mark.rule("CPIM-3", "CPIM-10", "CPIM-22", "CPIM-27")
@settings(deadline=None)
@given(
    sender=addresses,
    to=st.lists(addresses, min_size=1, max_size=3),
    cc=st.lists(addresses, max_size=2),
    subject=st.none() | text,
    date_time=st.none() | st.datetimes(timezones=st.just(UTC)),
    content=st.binary(max_size=30),
)
def test_what_is_built_reads_back_equal(
    sender: Address,
    to: list[Address],
    cc: list[Address],
    subject: str | None,
    date_time: datetime | None,
    content: bytes,
) -> None:
    message = CpimMessage.build(
        "text/plain",
        content,
        sender=sender,
        to=to,
        cc=cc,
        subject=subject,
        date_time=date_time,
    )
    received = CpimMessage.parse(bytes(message), strict=True)
    assert received == message
    assert (received.sender, received.to, received.cc) == (sender, (*to,), (*cc,))
    assert received.subject == (None if subject is None else subject.strip(" "))
    moment = received.date_time
    assert (None if moment is None else moment.value) == date_time
    assert received.content == content


# What nobody else writes, but the grammar allows.
odd_uris = st.from_regex(f"\\A{ABSOLUTE_URI}\\Z").filter(lambda uri: uri.isascii())
zones = st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n)))


@pytest.mark.rule("CPIM-3", "CPIM-22", "CPIM-27")
@settings(deadline=None)
@given(
    sender=addresses | st.builds(Address, odd_uris, text),
    to=st.lists(addresses, min_size=1, max_size=3),
    subject=st.none() | text,
    language=st.none() | text,
    date_time=st.none()
    | st.datetimes(timezones=zones)
    | st.just(DateTime("yesterday", None)),
    fields=st.lists(
        st.tuples(st.sampled_from(["X", "Content-ID", "content-type"]), text),
        max_size=2,
    ),
    namespaces=st.lists(
        st.tuples(
            st.sampled_from(["p", "content-q"]),
            st.sampled_from(["urn:x", CORE_NAMESPACE]),
        ),
        max_size=2,
    ),
    headers=st.lists(
        st.tuples(st.sampled_from(["p.a", "p.From", "content-q.a", "X", "NS"]), text),
        max_size=2,
    ),
)
def test_what_is_written_here_is_what_would_be_read(
    sender: Address,
    to: list[Address],
    subject: str | None,
    language: str | None,
    date_time: datetime | DateTime | None,
    fields: list[tuple[str, str]],
    namespaces: list[tuple[str, str]],
    headers: list[tuple[str, str]],
) -> None:
    try:
        message = CpimMessage.build(
            "text/plain;charset=utf-8",
            b"hello",
            sender=sender,
            to=to,
            subject=subject,
            language=language,
            date_time=date_time,
            namespaces=namespaces,
            headers=headers,
            content_headers=fields,
        )
    except CpimError:
        return
    received = CpimMessage.parse(bytes(message), strict=True)
    assert received == message
    assert received.raw_head == message.raw_head
    assert received.require == message.require
    assert received.warnings == message.warnings
    for read, written in zip(received.headers, message.headers, strict=True):
        assert (read.raw, read.problems) == (written.raw, written.problems)


def test_a_head_that_could_not_be_read_is_not_sent() -> None:
    with pytest.raises(CpimError, match="more than 1000 headers"):
        CpimMessage.build("a/b", b"", sender="im:a@b", to=["im:c@d"] * 1000)


WORDS = [
    *(b"From: <im:a@b>", b"To: Bob <im:c@d>", b"NS: p <urn:x>", b"NS: <urn:y>"),
    *(b"Require: p.a,From", b"p.a: 1", b"Content-Type: a/b", b"Subject:;lang=fr x"),
    *(b"DateTime: 2001-02-01T12:16:49Z", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"),
    *(b" ", b":", b"\\u00e9\\", b'"', b"<", b"\xff\0", b"x"),
]


@pytest.mark.rule("CPIM-3", "CPIM-28", "CPIM-33")
@settings(deadline=None)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(WORDS), max_size=20).map(b"".join)
    | st.lists(st.sampled_from(WORDS), max_size=20).map(b"\n".join)
)
def test_any_octets_are_a_message_or_a_cpim_error(data: bytes) -> None:
    check_message(data)


@pytest.mark.rule("CPIM-3", "CPIM-33")
@settings(deadline=None)
@given(
    st.sampled_from([EXAMPLE, MSRP_EXAMPLE, IMDN_EXAMPLE]),
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 40),
    st.binary(max_size=4) | st.sampled_from(WORDS),
)
def test_a_damaged_message_is_a_message_or_a_cpim_error(
    data: bytes, at: int, cut: int, patch: bytes
) -> None:
    check_message(data[:at] + patch + data[at + cut :])


def check_message(data: bytes) -> None:
    try:
        message = CpimMessage.parse(data)
    except CpimError:
        with pytest.raises(CpimError):
            CpimMessage.parse(data, strict=True)
        return
    assert data.endswith(message.content)
    assert CpimMessage.parse(bytes(message)) == message
    if b"\n" not in data.replace(b"\r\n", b""):
        assert bytes(message) == data
    str((message.sender, message.to, message.cc, message.date_time, message.subjects))
    str((message.content_type, message.text, message.unsupported_requirements()))
