"""What a message says, and how it is put for a peer that takes only this or that."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cpim
import mime
from msrp.accept_types import AcceptTypes, essence
from msrp.content import (
    ANONYMOUS,
    MAX_NESTING,
    Address,
    AttachmentReceived,
    Body,
    CpimMessage,
    MessageReceived,
    Part,
    TextMessageReceived,
    body_for,
    cpim_body,
    file_disposition,
    leaves,
    line_body,
    multipart_body,
    read_line,
    read_message,
    text_body,
)
from msrp.errors import LocalProtocolError

NOW = datetime(2026, 5, 15, 15, 2, 31, tzinfo=UTC)
ALICE = Address("sip:alice@example.com", "Alice")
BOB = Address("im:bob@example.net")
ANYTHING = AcceptTypes.parse("*")
NOTHING = AcceptTypes(())
PNG = b"\x89PNG\r\n\x1a\n\x00\xff"

TEXT = Part.build("text/plain", b"hello")
HTML = Part.build("text/html", b"<b>hello</b>")
IMAGE = Part.build("image/png", PNG, content_id="pic@example.com")


def types(value: str) -> AcceptTypes:
    return AcceptTypes.parse(value)


def mixed(*parts: Part, subtype: str = "mixed") -> tuple[str, bytes]:
    content_type, body = mime.build_multipart(parts, subtype)
    return str(content_type), body


def nested(*parts: Part, subtype: str = "mixed") -> Part:
    return Part.build(*mixed(*parts, subtype=subtype))


def envelope(
    part: Part, sender: Address | str = ALICE, to: Address | str = BOB
) -> CpimMessage:
    headers = [h for h in part.headers if h[0] != "Content-Type"]
    return CpimMessage.build(
        part.header("content-type") or "text/plain",
        part.body,
        sender=sender,
        to=to,
        content_headers=headers,
    )


def enclosed(part: Part, sender: Address | str = ALICE) -> Part:
    return Part.build("message/cpim", bytes(envelope(part, sender)))


def read(part: Part, disposition: str | None = None) -> MessageReceived:
    content_type = part.header("content-type") or ""
    return read_message("m1", content_type, part.body, disposition)


def read_body(body: Body) -> MessageReceived:
    return read_message("m1", body.content_type, body.contents, body.disposition)


def summary(message: MessageReceived) -> list[str]:
    """Return the text of texts and the type of attachments."""
    return [
        leaf.text if isinstance(leaf, TextMessageReceived) else leaf.content_type
        for leaf in leaves(message)
    ]


def test_a_plain_text_is_one_part_and_one_event() -> None:
    message = read_message("m1", "text/plain;charset=utf-8", "Grüße".encode())
    assert message.text == "Grüße"
    assert message.contents == "Grüße".encode()
    assert message.content_type == "text/plain;charset=utf-8"
    assert (message.sender, message.cpim, message.problem) == (None, None, None)
    assert len(message.parts) == 1
    assert leaves(message) == [
        TextMessageReceived("Grüße", None, "m1", "text/plain; charset=utf-8", None)
    ]


def test_octets_are_one_attachment() -> None:
    message = read_message(
        "m1", "image/png", PNG, 'attachment; filename="../holiday.png"'
    )
    assert message.text is None
    assert message.filename == "holiday.png"
    assert leaves(message) == [
        AttachmentReceived("image/png", PNG, "holiday.png", None, "m1", None)
    ]


@pytest.mark.rule("MSRP-70", "MSRP-114")
def test_an_envelope_is_taken_off_and_its_headers_are_known() -> None:
    data = (
        b"From: Alice <sip:alice@example.com>\r\n"
        b"To: <im:bob@example.net>\r\n"
        b"cc: <im:carol@example.org>\r\n"
        b"DateTime: 2026-05-15T15:02:31Z\r\n"
        b"Subject: smoke\r\n"
        b"NS: X <urn:example:x>\r\n"
        b"Require: From\r\n"
        b"\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Language: de-AT, en\r\n"
        b"\r\n"
        b"Rauch"
    )
    message = read_message("m1", "message/cpim", data)
    assert message.problem is None
    assert message.sender == "sip:alice@example.com"
    assert message.contents == data
    assert message.cpim is not None
    assert message.cpim.to == (BOB,)
    assert [a.uri for a in message.cpim.cc] == ["im:carol@example.org"]
    assert message.cpim.date_time is not None
    assert message.cpim.date_time.value == NOW
    assert message.cpim.subject == "smoke"
    assert leaves(message) == [
        TextMessageReceived(
            "Rauch",
            "sip:alice@example.com",
            "m1",
            "text/plain; charset=utf-8",
            "de-AT",
            "im:bob@example.net",
        )
    ]


@pytest.mark.rule("MSRP-70")
def test_multipart_mixed_comes_out_in_order() -> None:
    message = read(nested(TEXT, IMAGE, nested(HTML, Part.build("text/plain", b"bye"))))
    assert summary(message) == ["hello", "image/png", "text/html", "bye"]
    assert message.text == "hello\n\nbye"
    assert len(message.parts) == 4
    picture = leaves(message)[1]
    assert isinstance(picture, AttachmentReceived)
    assert picture.contents == PNG
    assert picture.content_id == "pic@example.com"


@pytest.mark.rule("MIME-8", "MSRP-70")
@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        pytest.param([TEXT, HTML], ["hello"], id="the-text-of-both"),
        pytest.param([HTML, TEXT], ["hello"], id="wherever-it-is"),
        pytest.param(
            [TEXT, Part.build("text/plain", b"richer")], ["richer"], id="the-last-text"
        ),
        pytest.param(
            [TEXT, nested(Part.build("text/plain", b"see"), IMAGE)],
            ["see", "image/png"],
            id="the-last-with-text-in-it",
        ),
        pytest.param(
            [TEXT, nested(HTML, IMAGE, subtype="related")],
            ["hello"],
            id="not-the-richer-without-text",
        ),
        pytest.param([HTML, IMAGE], ["image/png"], id="the-last-if-none-has-text"),
        pytest.param([TEXT, enclosed(TEXT)], ["hello"], id="text-in-an-envelope"),
        pytest.param(
            [HTML, Part.build("text/plain", b"x", disposition="attachment")],
            ["text/plain"],
            id="a-text-file-is-no-text",
        ),
    ],
)
def test_of_alternatives_one_is_shown(parts: list[Part], shown: list[str]) -> None:
    assert summary(read(nested(*parts, subtype="alternative"))) == shown


@pytest.mark.rule("MIME-8")
@pytest.mark.parametrize("subtype", ["related", "x-unheard-of", "parallel"])
def test_of_other_multiparts_all_is_shown(subtype: str) -> None:
    assert summary(read(nested(TEXT, IMAGE, subtype=subtype))) == ["hello", "image/png"]


@pytest.mark.rule("MSRP-70")
def test_what_is_signed_is_read_without_its_signature() -> None:
    signature = Part.build("application/pkcs7-signature", b"\x30\x80")
    message = read(nested(enclosed(TEXT), signature, subtype="signed"))
    assert summary(message) == ["hello"]
    assert message.sender == ALICE.uri
    assert message.problem is None


def test_a_signed_body_with_parts_too_many_is_shown_in_full() -> None:
    message = read(nested(TEXT, HTML, IMAGE, subtype="signed"))
    assert summary(message) == ["hello", "text/html", "image/png"]


@pytest.mark.rule("MSRP-116", "CPIM-24")
def test_nested_envelopes_are_a_chain_of_asserted_identities() -> None:
    room = Address("sip:room@example.org")
    message = read(enclosed(enclosed(TEXT, ALICE), room))
    assert message.text == "hello"
    # The peer vouches for the room, and only the room for Alice.
    assert message.sender == room.uri
    assert message.senders == (room, ALICE)
    assert message.cpim is not None
    assert message.cpim.content_type.essence == "message/cpim"
    assert [leaf.sender for leaf in leaves(message)] == [room.uri]


@pytest.mark.rule("MSRP-116")
def test_an_envelope_around_one_part_says_nothing_of_the_others() -> None:
    message = read(nested(enclosed(TEXT, ALICE), Part.build("text/plain", b"mine")))
    assert summary(message) == ["hello", "mine"]
    assert message.sender is None
    assert message.senders == ()
    assert message.cpim is None


@pytest.mark.rule("MSRP-116")
def test_an_envelope_without_a_sender_does_not_borrow_the_inner_one() -> None:
    inner = bytes(envelope(TEXT, ALICE))
    data = b"To: <im:bob@example.net>\r\n\r\nContent-Type: message/cpim\r\n\r\n" + inner
    message = read_message("m1", "message/cpim", data)
    assert message.sender is None
    assert message.senders == (ALICE,)
    assert message.text == "hello"


@pytest.mark.rule("MSRP-115")
def test_of_a_repeated_header_the_first_counts() -> None:
    data = (
        b"From: <sip:alice@example.com>\r\nFrom: <sip:mallory@example.com>\r\n"
        b"To: <im:bob@example.net>\r\n\r\nContent-Type: text/plain\r\n\r\nhello"
    )
    message = read_message("m1", "message/cpim", data)
    assert message.sender == ALICE.uri
    assert message.text == "hello"


REQUIRING = (
    b"From: <sip:alice@example.com>\r\nTo: <im:bob@example.net>\r\n"
    b"NS: X <urn:example:x>\r\nRequire: X.Secret\r\n\r\n"
    b"Content-Type: text/plain\r\n\r\nnot what it seems"
)


@pytest.mark.rule("CPIM-20", "MSRP-114")
def test_what_requires_the_unknown_is_not_shown_as_if_understood() -> None:
    message = read_message("m1", "message/cpim", REQUIRING)
    assert message.text is None
    assert message.problem is not None
    assert "requires" in message.problem
    assert message.cpim is not None
    assert leaves(message) == [
        AttachmentReceived(
            *("message/cpim", REQUIRING, None, ALICE.uri, "m1", None),
            recipient=BOB.uri,
        )
    ]


@pytest.mark.rule("CPIM-20")
def test_what_requires_something_that_the_application_knows_is_shown() -> None:
    understood = {("urn:example:x", "Secret")}
    message = read_message("m1", "message/cpim", REQUIRING, understood=understood)
    assert message.text == "not what it seems"
    assert message.problem is None


@pytest.mark.rule("CPIM-20")
def test_one_part_that_requires_the_unknown_does_not_hide_the_others() -> None:
    message = read(nested(Part.build("message/cpim", REQUIRING), TEXT))
    assert summary(message) == ["message/cpim", "hello"]
    assert message.text == "hello"
    assert message.problem is not None


@pytest.mark.rule("MSRP-72")
@pytest.mark.parametrize(
    ("disposition", "is_text"),
    [
        pytest.param(None, True, id="absent"),
        pytest.param("render", True, id="render"),
        pytest.param("inline; filename=note.txt", True, id="inline"),
        pytest.param("RENDER", True, id="any-case"),
        pytest.param("; nonsense", True, id="unreadable"),
        pytest.param("attachment", False, id="attachment"),
        pytest.param("icon", False, id="icon"),
        pytest.param("x-unheard-of", False, id="unknown-is-attachment"),
    ],
)
def test_a_disposition_other_than_render_makes_a_file_of_text(
    disposition: str | None, is_text: bool
) -> None:
    bare = read_message("m1", "text/plain", b"hello", disposition)
    outside = read(enclosed(TEXT), disposition)
    for message in (bare, outside):
        assert summary(message) == ["hello" if is_text else "text/plain"]
        assert (message.text is not None) == is_text


@pytest.mark.rule("MSRP-72")
def test_the_disposition_next_to_the_content_counts_for_more() -> None:
    inner = Part.build("text/plain", b"hello", disposition="render")
    assert summary(read(enclosed(inner), "attachment; filename=x")) == ["hello"]


@pytest.mark.rule("CD-2")
@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        pytest.param('attachment; filename="/etc/passwd"', "passwd", id="path"),
        pytest.param(r'attachment; filename="C:\\x\\a.exe"', "a.exe", id="windows"),
        pytest.param("attachment; filename=..", "attachment", id="dots"),
        pytest.param("attachment; filename*=UTF-8''%C3%A9.png", "é.png", id="rfc-2231"),
        pytest.param("attachment", "from-the-type.png", id="name-of-the-type"),
        pytest.param(None, "from-the-type.png", id="no-disposition"),
    ],
)
def test_a_file_name_is_never_a_path(disposition: str | None, filename: str) -> None:
    content_type = 'image/png; name="a/from-the-type.png"'
    message = read_message("m1", content_type, PNG, disposition)
    [leaf] = leaves(message)
    assert isinstance(leaf, AttachmentReceived)
    assert leaf.filename == message.filename == filename


def test_a_file_name_of_the_whole_is_kept_when_it_has_parts() -> None:
    message = read(nested(TEXT, IMAGE), "attachment; filename=all.mime")
    assert message.filename == "all.mime"
    assert summary(message) == ["hello", "image/png"]


def test_the_transfer_encoding_of_a_part_is_undone() -> None:
    part = Part.build("image/png", PNG, transfer_encoding="base64")
    message = read(nested(TEXT, part))
    picture = leaves(message)[1]
    assert isinstance(picture, AttachmentReceived)
    assert picture.contents == PNG
    assert message.problem is None


@pytest.mark.rule("MIME-17")
@pytest.mark.parametrize(
    ("charset", "contents", "text", "has_problem"),
    [
        pytest.param("", "é".encode(), "é", False, id="utf-8-by-default"),
        pytest.param(";charset=ISO-8859-1", b"\xe9", "é", False, id="as-announced"),
        pytest.param("", b"\xe9", "é", True, id="not-utf-8"),
        pytest.param(";charset=utf-16", b"\x00\xd8", "\ufffd", True, id="undecodable"),
        pytest.param(";charset=martian", "é".encode(), "é", True, id="unknown"),
        pytest.param(";charset=idna", b"x", "x", True, id="no-charset"),
    ],
)
def test_text_is_decoded_as_well_as_may_be(
    charset: str, contents: bytes, text: str, has_problem: bool
) -> None:
    message = read_message("m1", f"text/plain{charset}", contents)
    assert message.text == text
    assert (message.problem is not None) == has_problem
    assert message.contents == contents


@pytest.mark.parametrize(
    ("content_type", "contents"),
    [
        pytest.param("message/cpim", b"", id="empty-cpim"),
        pytest.param("message/cpim", b"hello", id="cpim-without-headers"),
        pytest.param("multipart/mixed", b"--x\r\n\r\nhi", id="no-boundary"),
        pytest.param("multipart/mixed;boundary=x", b"hello", id="no-parts"),
        pytest.param("multipart/mixed;boundary=" + "x" * 99, b"-", id="long-boundary"),
        pytest.param("nonsense", b"hello", id="no-content-type"),
        pytest.param("", b"hello", id="empty-content-type"),
        pytest.param("text /pl\x00ain", b"hello", id="controls"),
    ],
)
def test_what_cannot_be_taken_apart_is_one_attachment(
    content_type: str, contents: bytes
) -> None:
    message = read_message("m1", content_type, contents)
    assert message.problem
    assert message.contents == contents
    assert message.text is None
    [leaf] = leaves(message)
    assert isinstance(leaf, AttachmentReceived)
    assert leaf.contents == contents


def test_a_part_that_cannot_be_taken_apart_leaves_the_others_readable() -> None:
    broken = Part.build("multipart/mixed; boundary=x", b"nothing in it")
    message = read(nested(TEXT, broken))
    assert summary(message) == ["hello", "multipart/mixed; boundary=x"]
    assert message.text == "hello"
    assert message.problem


def test_a_multipart_that_was_cut_short_says_so() -> None:
    content_type, body = mixed(TEXT, Part.build("text/plain", b"good bye"))
    message = read_message("m1", content_type, body[: body.index(b" bye")])
    assert summary(message) == ["hello", "good"]
    assert message.problem == "the end of a multipart is missing"


def test_what_was_forgiven_is_no_problem() -> None:
    # The example of RFC 4975 section 11.4: no blank line before Content-Type.
    data = (
        b"To: Bob <sip:bob@biloxi.example.com>\r\n"
        b"From: Alice <sip:alice@atlanta.example.com>\r\n"
        b"DateTime: 2006-05-15T15:02:31-03:00\r\n"
        b"Content-Type: text/plain\r\n\r\nABCD"
    )
    message = read_message("m1", "Message/CPIM", data)
    assert message.text == "ABCD"
    assert message.problem is None
    assert message.cpim is not None
    assert message.cpim.warnings


def test_a_part_without_headers_is_text_and_no_problem() -> None:
    body = b"--b\r\nno headers here\r\n--b--"
    message = read_message("m1", "multipart/mixed;boundary=b", body)
    assert message.text == "no headers here"
    assert message.parts[0].warnings
    assert message.problem is None


def test_equal_problems_are_told_once() -> None:
    broken = Part.build("text/plain", b"\xff")
    message = read(nested(broken, broken, Part.build("text/plain;charset=q", b"")))
    assert message.problem is not None
    assert message.problem.count(";") == 1


def alternately(depth: int) -> Part:
    part = TEXT
    for level in range(depth):
        part = enclosed(part) if level % 2 else nested(part)
    return part


def test_containers_are_opened_down_to_the_limit() -> None:
    message = read(alternately(MAX_NESTING))
    assert message.text == "hello"
    assert message.problem is None


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, MAX_NESTING + 2, 40])
def test_what_is_deeper_is_left_whole(depth: int) -> None:
    message = read(alternately(depth))
    assert message.text is None
    assert message.problem is not None
    assert "deep" in message.problem
    [leaf] = leaves(message)
    assert isinstance(leaf, AttachmentReceived)
    assert b"hello" in leaf.contents


@pytest.mark.parametrize("wrap", [enclosed, nested], ids=["envelopes", "multiparts"])
def test_one_kind_of_container_has_the_same_limit(wrap: object) -> None:
    assert callable(wrap)
    part = TEXT
    for _ in range(MAX_NESTING + 1):
        part = wrap(part)
    message = read(part)
    assert message.text is None
    assert message.problem is not None


def test_too_many_parts_are_left_whole() -> None:
    message = read(nested(*[TEXT] * (mime.MAX_PARTS + 1)))
    assert message.problem is not None
    assert len(message.parts) == 1


def test_envelopes_do_not_multiply_the_parts_allowed() -> None:
    many = enclosed(nested(*[TEXT] * 100))
    message = read(nested(*[many] * 20))
    # The twenty are parts too; then nine times a hundred fit, and the rest doesn't.
    assert len(message.parts) == 9 * 100 + 11
    assert message.problem is not None
    assert summary(message)[-1] == "multipart/mixed; boundary=" + str(
        message.parts[-1].content_type.boundary
    )


@pytest.mark.rule("MSRP-57")
def test_text_goes_out_bare_as_utf_8() -> None:
    body = text_body("Grüße\n", accept=ANYTHING)
    assert body == Body("text/plain;charset=utf-8", "Grüße\n".encode(), None)


@pytest.mark.rule("MSRP-57")
@pytest.mark.parametrize("accept", ["*", "message/cpim image/png"])
def test_content_goes_out_in_its_own_octets(accept: str) -> None:
    body = body_for("image/png", PNG, accept=types(accept))
    assert body.contents.endswith(PNG)
    assert b"content-transfer-encoding" not in body.contents.lower()


@pytest.mark.rule("MSRP-112")
@pytest.mark.parametrize(
    ("accept", "is_wrapped"),
    [
        pytest.param("message/cpim text/plain", True, id="cpim-first"),
        pytest.param("Message/CPIM;x=y *", True, id="any-spelling"),
        pytest.param("text/plain message/cpim", False, id="cpim-second"),
        pytest.param("*", False, id="anything"),
        pytest.param("* message/cpim", False, id="anything-first"),
    ],
)
def test_messages_are_wrapped_if_the_peer_lists_cpim_first(
    accept: str, is_wrapped: bool
) -> None:
    body = text_body("hello", accept=types(accept), sender=ALICE, recipient=BOB)
    assert (body.content_type == "message/cpim") == is_wrapped
    assert read_body(body).text == "hello"


def test_who_names_a_type_gets_it_if_the_peer_takes_it_bare() -> None:
    body = body_for("image/png", PNG, accept=types("message/cpim *"))
    assert body.content_type == "image/png"


def test_a_caller_may_prefer_the_envelope_where_the_peer_does_not_mind() -> None:
    body = body_for("image/png", PNG, accept=ANYTHING, prefer_bare=False)
    assert body.content_type == "message/cpim"
    body = body_for("image/png", PNG, accept=types("image/*"), prefer_bare=False)
    assert body.content_type == "image/png"


@pytest.mark.rule("MSRP-105")
@pytest.mark.parametrize(
    ("accept", "wrapped", "outcome"),
    [
        pytest.param("image/png", "", "bare", id="explicit"),
        pytest.param("image/*", "", "bare", id="any-subtype"),
        pytest.param("text/plain *", "", "bare", id="anything"),
        pytest.param("text/plain message/cpim", "image/*", "wrapped", id="wrapped"),
        pytest.param("message/cpim", "*", "wrapped", id="anything-wrapped"),
        pytest.param("message/cpim", "text/plain", None, id="not-in-the-wrapper"),
        pytest.param("text/plain", "image/png", None, id="wrapped-but-no-wrapper"),
        pytest.param("text/plain", "message/cpim *", None, id="wrapper-only-inside"),
        pytest.param("", "", None, id="nothing"),
    ],
)
def test_only_what_the_peer_takes_is_sent(
    accept: str, wrapped: str, outcome: str | None
) -> None:
    def make() -> Body:
        return body_for(
            "image/png", PNG, accept=types(accept), accept_wrapped=types(wrapped)
        )

    if outcome is None:
        with pytest.raises(LocalProtocolError, match="takes no content of this type"):
            make()
    else:
        expected = "image/png" if outcome == "bare" else "message/cpim"
        assert make().content_type == expected


@pytest.mark.rule("MSRP-105")
def test_the_refusal_says_where_the_rule_is_and_what_it_would_have_cost() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        text_body("secret", accept=types("image/png"))
    assert caught.value.section == "4975#8.6"
    assert caught.value.status == 415
    assert "secret" not in str(caught.value)


@pytest.mark.rule("MSRP-113")
def test_the_envelope_is_one_head_in_front_of_all_of_the_content() -> None:
    def wrapped(contents: bytes) -> Body:
        return body_for(
            "image/png",
            contents,
            accept=types("message/cpim"),
            accept_wrapped=types("*"),
            sender=ALICE,
            recipient=BOB,
            now=NOW,
        )

    large = PNG * 10_000
    body = wrapped(large)
    assert body.content_type == "message/cpim"
    # So that a file needn't be in memory: its octets may follow the head.
    assert body.contents == wrapped(b"").contents + large
    assert body.contents.count(b"From:") == 1


@pytest.mark.rule("MSRP-114")
def test_an_envelope_says_from_whom_to_whom_and_when() -> None:
    accept = types("message/cpim")
    body = text_body(
        "hi",
        accept=accept,
        accept_wrapped=ANYTHING,
        sender=ALICE,
        recipient=BOB,
        now=NOW,
    )
    message = CpimMessage.parse(body.contents, strict=True)
    assert message.sender == ALICE
    assert message.to == (BOB,)
    assert message.date_time is not None
    assert message.date_time.value == NOW
    assert message.text == "hi"


@pytest.mark.rule("MSRP-114")
def test_parties_without_an_address_are_anonymous_in_it() -> None:
    body = text_body("hi", accept=types("message/cpim text/plain"))
    message = CpimMessage.parse(body.contents, strict=True)
    assert message.sender == ANONYMOUS
    assert message.to == (ANONYMOUS,)
    assert message.date_time is None


@pytest.mark.parametrize("accept", ["*", "message/cpim"], ids=["bare", "wrapped"])
def test_the_disposition_travels_with_the_content(accept: str) -> None:
    body = body_for(
        "image/png",
        PNG,
        accept=types(accept),
        accept_wrapped=types("*"),
        disposition=file_disposition("/home/alice/Straße 1.png"),
    )
    assert (body.disposition is None) == (accept != "*")
    message = read_body(body)
    assert message.filename == "Straße 1.png"
    [leaf] = leaves(message)
    assert isinstance(leaf, AttachmentReceived)
    assert (leaf.filename, leaf.contents) == ("Straße 1.png", PNG)


@pytest.mark.rule("CD-2")
@pytest.mark.parametrize(
    ("filename", "value"),
    [
        pytest.param("a.png", "attachment; filename=a.png", id="plain"),
        pytest.param("/home/me/a.png", "attachment; filename=a.png", id="path"),
        pytest.param("a b.png", 'attachment; filename="a b.png"', id="quoted"),
        pytest.param("a\r\nX: y", 'attachment; filename="aX_ y"', id="line-break"),
        pytest.param("\udcff.png", "attachment; filename=png", id="no-unicode"),
    ],
)
def test_the_disposition_of_a_file_has_its_bare_name(filename: str, value: str) -> None:
    assert file_disposition(filename) == value


@pytest.mark.rule("FT-9")
def test_the_disposition_of_a_file_may_say_more() -> None:
    modified = datetime(2006, 5, 15, 16, 4, 53, tzinfo=UTC)
    value = file_disposition("a.png", kind="render", size=7, modified=modified)
    assert value == (
        "render; filename=a.png; size=7;"
        ' modification-date="Mon, 15 May 2006 16:04:53 +0000"'
    )
    with pytest.raises(LocalProtocolError):
        file_disposition("a.png", kind="a b")


@pytest.mark.parametrize(
    ("content_type", "written"),
    [
        pytest.param("Text/Plain ; Charset=UTF-8", "text/plain;charset=UTF-8", id="1"),
        pytest.param('a/b; x="y; z"; q=1', 'a/b;x="y; z";q=1', id="quoted"),
    ],
)
def test_a_content_type_is_written_without_spaces(
    content_type: str, written: str
) -> None:
    assert body_for(content_type, b"", accept=ANYTHING).content_type == written


@pytest.mark.parametrize(
    ("content_type", "disposition"),
    [
        pytest.param("nonsense", None, id="no-type"),
        pytest.param("text/plain\r\nX: y", None, id="line-break-in-the-type"),
        pytest.param("text/plain", "a b", id="no-disposition"),
        pytest.param("text/plain", "inline; x=\r\n", id="line-break-in-disposition"),
    ],
)
def test_what_cannot_be_written_is_refused(
    content_type: str, disposition: str | None
) -> None:
    with pytest.raises(LocalProtocolError):
        body_for(content_type, b"", accept=ANYTHING, disposition=disposition)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="surrogate"):
        text_body("\ud83d", accept=ANYTHING)


def test_a_moment_without_an_offset_is_refused() -> None:
    naive = datetime(2026, 5, 15)
    with pytest.raises(LocalProtocolError, match="offset"):
        text_body("x", accept=types("message/cpim *"), now=naive)


def test_an_envelope_goes_out_octet_for_octet() -> None:
    message = envelope(TEXT)
    body = cpim_body(message, accept=types("message/cpim"), accept_wrapped=ANYTHING)
    assert body == Body("message/cpim", bytes(message))


@pytest.mark.rule("MSRP-105")
@pytest.mark.parametrize(
    ("accept", "wrapped"),
    [
        pytest.param("text/plain", "*", id="no-envelope"),
        pytest.param("message/cpim", "image/*", id="not-its-content"),
    ],
)
def test_an_envelope_is_refused_with_what_is_in_it(accept: str, wrapped: str) -> None:
    with pytest.raises(LocalProtocolError, match="takes no content of this type"):
        cpim_body(envelope(TEXT), accept=types(accept), accept_wrapped=types(wrapped))


FROM = b"From: <sip:alice@example.com>\r\n"
TO = b"To: <im:bob@example.net>\r\n"
DATE = b"DateTime: 2026-05-15T15:02:31Z\r\n"
NAMESPACE = b"NS: X <urn:example:x>\r\n"
CONTENT = b"\r\nContent-Type: text/plain\r\n\r\nhello"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(TO, id="no-from", marks=pytest.mark.rule("MSRP-114")),
        pytest.param(FROM, id="no-to", marks=pytest.mark.rule("MSRP-114")),
        *(
            pytest.param(
                FROM + TO + DATE + NAMESPACE + twice,
                id=twice.partition(b":")[0].decode() + "-repeated",
                marks=pytest.mark.rule("MSRP-115"),
            )
            for twice in (
                FROM,
                DATE,
                b"Subject: a\r\nSubject:;lang=fr b\r\n",
                b"Require: From\r\nRequire: To\r\n",
            )
        ),
    ],
)
def test_an_envelope_that_msrp_does_not_allow_is_refused(head: bytes) -> None:
    message = CpimMessage.parse(head + CONTENT)
    with pytest.raises(LocalProtocolError) as caught:
        cpim_body(message, accept=ANYTHING)
    assert caught.value.section == "4975#13"


@pytest.mark.rule("MSRP-115")
@pytest.mark.parametrize(
    "twice",
    [
        pytest.param(TO, id="To"),
        pytest.param(b"cc: <im:carol@example.org>\r\n" * 2, id="cc"),
        pytest.param(NAMESPACE, id="NS"),
        pytest.param(b"X.Tag: 1\r\nX.Tag: 2\r\n", id="extension"),
        pytest.param(b"Require: From,To\r\n", id="Require-with-two-values"),
    ],
)
def test_an_envelope_may_repeat_what_may_be_repeated(twice: bytes) -> None:
    message = CpimMessage.parse(FROM + TO + NAMESPACE + twice + CONTENT)
    assert cpim_body(message, accept=ANYTHING).contents == bytes(message)


@pytest.mark.rule("MSRP-114")
def test_a_signed_envelope_must_have_its_time() -> None:
    signature = Part.build("application/pkcs7-signature", b"\x30\x80")
    undated = enclosed(TEXT)
    for content in (undated, nested(undated)):
        with pytest.raises(LocalProtocolError, match="DateTime"):
            multipart_body([content, signature], subtype="signed", accept=ANYTHING)
    dated = Part.build("message/cpim", FROM + TO + DATE + CONTENT)
    body = multipart_body([dated, signature], subtype="signed", accept=ANYTHING)
    assert read_body(body).text == "hello"


def test_an_envelope_without_octets_is_refused() -> None:
    message = CpimMessage((), (), b"")
    with pytest.raises(LocalProtocolError):
        cpim_body(message, accept=ANYTHING)


def test_a_multipart_goes_out_and_comes_in() -> None:
    body = multipart_body([TEXT, IMAGE], accept=types("multipart/* text/* image/*"))
    assert body.content_type.startswith("multipart/mixed;boundary=")
    assert summary(read_body(body)) == ["hello", "image/png"]


def test_a_related_multipart_has_its_parameters() -> None:
    body = multipart_body(
        [IMAGE, HTML],
        subtype="related",
        parameters=(("start", "<pic@example.com>"),),
        accept=ANYTHING,
        disposition="render",
    )
    content_type = mime.ContentType.parse(body.content_type)
    assert content_type.parameter("start") == "<pic@example.com>"
    assert content_type.parameter("type") == "image/png"
    assert body.disposition == "render"


@pytest.mark.rule("MSRP-105")
@pytest.mark.parametrize(
    ("accept", "wrapped", "expected"),
    [
        pytest.param("multipart/mixed", "text/* image/*", "multipart/mixed", id="bare"),
        pytest.param("message/cpim", "*", "message/cpim", id="wrapped"),
        pytest.param("multipart/mixed text/plain", "", None, id="a-leaf-not-taken"),
        pytest.param("text/* image/*", "multipart/*", None, id="no-container-at-root"),
        pytest.param("message/cpim", "text/* image/*", None, id="no-multipart-in-it"),
    ],
)
def test_every_part_must_be_of_a_type_that_the_peer_takes(
    accept: str, wrapped: str, expected: str | None
) -> None:
    parts = [nested(TEXT), IMAGE]

    def make() -> Body:
        return multipart_body(
            parts, accept=types(accept), accept_wrapped=types(wrapped)
        )

    if expected is None:
        with pytest.raises(LocalProtocolError, match="takes no content of this type"):
            make()
    else:
        assert make().content_type.partition(";")[0] == expected


@pytest.mark.parametrize(
    ("parts", "subtype"),
    [
        pytest.param([], "mixed", id="no-parts"),
        pytest.param([TEXT], "a b", id="no-subtype"),
        pytest.param(
            [Part.build("multipart/mixed", b"")], "mixed", id="a-part-without-boundary"
        ),
        pytest.param([Part.build("message/cpim", b"")], "mixed", id="no-envelope"),
        pytest.param([TEXT] * 1001, "mixed", id="too-many"),
        pytest.param([alternately(MAX_NESTING)], "mixed", id="too-deep"),
    ],
)
def test_a_multipart_that_nobody_could_read_is_refused(
    parts: Sequence[Part], subtype: str
) -> None:
    with pytest.raises(LocalProtocolError):
        multipart_body(parts, subtype=subtype, accept=ANYTHING)


def test_the_deepest_that_can_be_read_can_be_sent() -> None:
    body = multipart_body([alternately(MAX_NESTING - 1)], accept=ANYTHING)
    assert read_body(body).text == "hello"


ENTRIES = ["*", "message/cpim", "multipart/*", "multipart/mixed", "text/plain", "a/b"]
accepts = st.lists(st.sampled_from(ENTRIES), max_size=3).map(
    lambda entries: AcceptTypes(tuple(entries))
)

SEEDS = [
    ("message/cpim", bytes(envelope(TEXT))),
    ("message/cpim", bytes(envelope(nested(TEXT, HTML, subtype="alternative")))),
    mixed(enclosed(enclosed(TEXT)), IMAGE, nested(HTML)),
    mixed(TEXT, Part.build("image/png", PNG, transfer_encoding="base64")),
    ("message/cpim", REQUIRING),
]


def check_reading(content_type: str, contents: bytes, disposition: str | None) -> None:
    message = read_message("m1", content_type, contents, disposition)
    assert message.contents == contents
    found = leaves(message)
    assert len(found) == len(message.parts) >= 1
    texts = [leaf.text for leaf in found if isinstance(leaf, TextMessageReceived)]
    assert message.text == ("\n\n".join(texts) if texts else None)
    assert {leaf.sender for leaf in found} == {message.sender}


@settings(max_examples=80, deadline=None)
@given(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["text/plain", "message/cpim", "multipart/x;boundary=b"]),
    ),
    st.binary(max_size=200),
    st.none() | st.text(max_size=20),
)
def test_any_octets_can_be_read(
    content_type: str, contents: bytes, disposition: str | None
) -> None:
    check_reading(content_type, contents, disposition)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(0, 8), st.binary(max_size=4)),
        max_size=4,
    ),
)
def test_any_mutation_of_a_good_message_can_be_read(
    seed: tuple[str, bytes], edits: list[tuple[int, int, bytes]]
) -> None:
    content_type, contents = seed
    for at, length, octets in edits:
        start = at % (len(contents) + 1)
        contents = contents[:start] + octets + contents[start + length :]
    check_reading(content_type, contents, None)


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), accepts, accepts)
def test_text_comes_out_as_it_went_in(
    text: str, accept: AcceptTypes, accept_wrapped: AcceptTypes
) -> None:
    try:
        body = text_body(text, accept=accept, accept_wrapped=accept_wrapped)
    except LocalProtocolError:
        assert not accept.covers("text/plain")
        return
    assert read_body(body).text == text


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.sampled_from([TEXT, Part.build("a/b", PNG)]),
        lambda parts: st.one_of(
            st.lists(parts, min_size=1, max_size=3).map(lambda each: nested(*each)),
            parts.map(enclosed),
        ),
        max_leaves=4,
    ),
    accepts,
    accepts,
    st.booleans(),
)
@pytest.mark.rule("MSRP-105")
def test_nothing_leaves_that_was_not_announced(
    part: Part, accept: AcceptTypes, accept_wrapped: AcceptTypes, prefer_bare: bool
) -> None:
    bare = part.header("content-type") or ""
    try:
        body = body_for(
            bare,
            part.body,
            accept=accept,
            accept_wrapped=accept_wrapped,
            prefer_bare=prefer_bare,
        )
    except LocalProtocolError:
        body = None
    root, *inner = essences(part)
    inside = [each for each in inner if not accept.covers(each)]
    is_possible = all(map(accept_wrapped.covers, inside)) and (
        accept.covers(root)
        or (
            (root != "message/cpim" and accept.covers("message/cpim"))
            and accept_wrapped.covers(root)
        )
    )
    assert (body is not None) == is_possible
    if body is not None:
        root, *inner = essences(Part.build(body.content_type, body.contents))
        assert accept.covers(root)
        for each in inner:
            assert accept.covers(each) or accept_wrapped.covers(each)


def essences(part: Part) -> list[str]:
    """List the type of a body and of all in it, by another way than the code's."""
    found = [part.content_type.essence]
    if found == ["message/cpim"]:
        return found + essences(CpimMessage.parse(part.body).part)
    inner = mime.open_part(part).parts
    return found + list(itertools.chain.from_iterable(map(essences, inner)))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=60), st.sampled_from(["*", "m"]))
def test_a_file_comes_out_as_it_went_in(
    contents: bytes, filename: str, accept: str
) -> None:
    lists = types("*" if accept == "*" else "message/cpim *")
    disposition = file_disposition(filename)
    body = body_for("a/b", contents, accept=lists, disposition=disposition)
    [leaf] = leaves(read_body(body))
    assert isinstance(leaf, AttachmentReceived)
    assert leaf.contents == contents
    assert leaf.filename == mime.safe_filename(filename)


def test_the_re_exported_names_are_the_same_things() -> None:
    assert Address is cpim.Address
    assert CpimMessage is cpim.CpimMessage
    assert Part is mime.Part


@pytest.mark.rule("MT-11", "MSRP-105", "MSRP-112")
@pytest.mark.parametrize(
    ("accept", "text", "html", "image"),
    [
        ("message/cpim", "message/cpim", "message/cpim", "message/cpim"),
        ("text/plain", "text/plain", None, None),
        ("*", "text/plain", "text/html", "image/png"),
        ("text/*", "text/plain", "text/html", None),
        ("message/cpim *", "message/cpim", "text/html", "image/png"),
    ],
)
def test_what_goes_out_is_what_the_peer_takes(
    accept: str, text: str, html: str | None, image: str | None
) -> None:
    types = AcceptTypes.parse(accept)
    # Whatever stands in an envelope is taken by those who take envelopes only.
    wrapped = AcceptTypes(("*",) if accept == "message/cpim" else ())

    def outcome(content_type: str) -> str | None:
        try:
            body = body_for(
                content_type, b"x", accept=types, accept_wrapped=wrapped, now=None
            )
        except LocalProtocolError as error:
            return None if error.status == 415 else str(error)
        return body.content_type

    said = text_body("x", accept=types, accept_wrapped=wrapped, now=None)
    assert essence(said.content_type) == text
    assert outcome("text/html") == html
    assert outcome("image/png") == image


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(
        [
            "text/plain",
            "Text/Plain; charset=UTF-8",
            "text/plain;name=a",
            "text/plain;charset=latin1",
            "text/plain;x=" + "y" * 300,
            "text/html",
            "nonsense",
        ]
    ),
    st.binary(max_size=5) | st.text(max_size=5).map(str.encode),
    st.sampled_from([None, "render", "attachment"]),
)
def test_a_line_is_all_that_there_is_in_its_message(
    content_type: str, contents: bytes, disposition: str | None
) -> None:
    line = read_line("id01", content_type, contents, disposition)
    message = read_message("id01", content_type, contents, disposition)
    assert line is None or leaves(message) == [line]


def test_most_texts_are_lines() -> None:
    line = read_line("id01", "text/plain;charset=utf-8", b"hello")
    assert line is not None
    assert line.text == "hello"


@pytest.mark.parametrize(
    "accept", ["*", "text/plain message/cpim", "message/cpim text/plain", "image/png"]
)
def test_a_line_goes_out_as_any_text(accept: str) -> None:
    accepted = AcceptTypes.parse(accept)
    line = line_body("hello", accepted)
    assert (line is None) is accept.startswith(("message", "image"))
    assert line is None or line == text_body("hello", accept=accepted)


def test_a_line_is_text_that_can_be_written() -> None:
    with pytest.raises(LocalProtocolError):
        line_body("\ud800", AcceptTypes())
