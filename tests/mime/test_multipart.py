from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import (
    MAX_DEPTH,
    ContentType,
    MimeError,
    MimeLimitExceeded,
    Multipart,
    Part,
    build_multipart,
    open_part,
    parse_multipart,
)

MIXED = "multipart/mixed; boundary=abc"

# What an INVITE with location carries (RFC 6442 section 4.1, RFC 7852).
EMERGENCY_CALL = b"""\
--outer\r
Content-Type: application/sdp\r
\r
v=0\r
\r
--outer\r
Content-Type: application/pidf+xml\r
Content-ID: <target123@atlanta.example.com>\r
Content-Disposition: by-reference;handling=optional\r
\r
<presence/>\r
--outer\r
Content-Type: multipart/mixed; boundary=outer-inner\r
Content-ID: <inner@example.com>\r
Content-Disposition: by-reference\r
\r
--outer-inner\r
Content-Type: application/EmergencyCallData.ServiceInfo+xml\r
Content-ID: <a+b@example.com>\r
Content-Disposition: render\r
\r
\x00\x01\xff\r
--outer-inner--\r
--outer--\r
"""


def emergency_call() -> Multipart:
    return parse_multipart("multipart/mixed; boundary=outer", EMERGENCY_CALL)


@pytest.mark.rule("MIME-2", "MIME-3")
def test_the_example_of_rfc_2046() -> None:
    body = (
        b"This is the preamble.\r\n"
        b"--simple boundary\r\n"
        b"\r\n"
        b"This is implicitly typed plain US-ASCII text.\r\n"
        b"It does NOT end with a linebreak.\r\n"
        b"--simple boundary\r\n"
        b"Content-type: text/plain; charset=us-ascii\r\n"
        b"\r\n"
        b"This is explicitly typed plain US-ASCII text.\r\n"
        b"It DOES end with a linebreak.\r\n"
        b"\r\n"
        b"--simple boundary--\r\n"
        b"This is the epilogue.  It is also to be ignored.\r\n"
    )
    multipart = parse_multipart('multipart/mixed; boundary="simple boundary"', body)
    first, second = multipart.parts
    assert first.content_type.essence == second.content_type.essence == "text/plain"
    assert first.body.endswith(b"It does NOT end with a linebreak.")
    assert second.body.endswith(b"It DOES end with a linebreak.\r\n")
    assert multipart.warnings == ()
    assert not multipart.truncated


@pytest.mark.rule("MIME-6", "MIME-9", "MIME-12")
def test_an_emergency_call_is_taken_apart_at_all_depths() -> None:
    multipart = emergency_call()
    assert [part.content_type.essence for part in multipart.walk()] == [
        "application/sdp",
        "application/pidf+xml",
        "application/emergencycalldata.serviceinfo+xml",
    ]
    assert [part.body for part in multipart.walk()] == [
        b"v=0\r\n",
        b"<presence/>",
        b"\x00\x01\xff",
    ]
    assert multipart.subtype == "mixed"


@pytest.mark.rule("CD-4")
def test_a_disposition_of_the_whole_is_not_one_of_its_parts() -> None:
    whole = emergency_call().parts[2]
    assert whole.disposition is not None
    assert whole.disposition.kind == "by-reference"
    leaf = whole.parts[0]
    assert leaf.disposition is not None
    assert leaf.disposition.kind == "render"


@pytest.mark.rule("CID-2", "CID-3")
@pytest.mark.parametrize(
    ("url", "essence"),
    [
        ("cid:target123@atlanta.example.com", "application/pidf+xml"),
        ("cid:inner@example.com", "multipart/mixed"),
        (
            "CID:a%2Bb@example.com",
            "application/emergencycalldata.serviceinfo+xml",
        ),
        ("cid:a+b@example.com", "application/emergencycalldata.serviceinfo+xml"),
    ],
)
def test_a_cid_finds_its_part_at_any_depth(url: str, essence: str) -> None:
    part = emergency_call().resolve_cid(url)
    assert part is not None
    assert part.content_type.essence == essence


@pytest.mark.rule("CID-2", "CID-5")
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("cid:nobody@example.com", id="dangling"),
        pytest.param("cid:Target123@atlanta.example.com", id="other-case"),
        pytest.param("mid:target123@atlanta.example.com", id="other-scheme"),
        pytest.param("cid:", id="nothing"),
        pytest.param("", id="empty"),
    ],
)
def test_a_reference_to_nowhere_is_none_and_not_an_error(url: str) -> None:
    assert emergency_call().resolve_cid(url) is None


@pytest.mark.rule("CID-2")
def test_the_escaped_form_is_tried_after_the_decoded_one() -> None:
    parts = [
        Part.build("text/plain", b"raw", content_id="a%25b@c"),
        Part.build("text/plain", b"decoded", content_id="a%b@c"),
    ]
    both = parse_multipart(*build_multipart(parts)).resolve_cid("cid:a%25b@c")
    assert both is not None
    assert both.body == b"decoded"
    raw = parse_multipart(*build_multipart(parts[:1])).resolve_cid("cid:a%25b@c")
    assert raw is not None
    assert raw.body == b"raw"


@pytest.mark.rule("CID-3")
@pytest.mark.parametrize(
    ("subtype", "body"),
    [("mixed", b"1"), ("related", b"1"), ("alternative", b"2"), ("x-new", b"1")],
)
def test_of_several_parts_with_one_content_id_the_container_says_which(
    subtype: str, body: bytes
) -> None:
    parts = [Part.build("text/plain", body, content_id="a@b") for body in (b"1", b"2")]
    content_type, octets = build_multipart(parts, subtype)
    found = parse_multipart(content_type, octets).find_content_id("<a@b>")
    assert found is not None
    assert found.body == body


@pytest.mark.rule("CID-3")
@pytest.mark.parametrize(
    ("subtype", "essence"),
    [
        ("signed", "application/pidf+xml"),
        ("encrypted", "application/pidf+xml"),
        ("mixed", "multipart/mixed"),
    ],
)
def test_what_is_signed_goes_before_the_wrapper_of_the_same_id(
    subtype: str, essence: str
) -> None:
    inner = Part.build("application/pidf+xml", b"<presence/>", content_id="a@b")
    content_type, octets = build_multipart([inner], subtype)
    wrapper = Part.build(content_type, octets, content_id="a@b")
    found = parse_multipart(*build_multipart([wrapper])).find_content_id("a@b")
    assert found is not None
    assert found.content_type.essence == essence


@pytest.mark.rule("CID-3")
def test_a_wrapper_with_an_id_of_its_own_is_found() -> None:
    inner = Part.build("application/pidf+xml", b"<presence/>", content_id="a@b")
    wrapper = Part.build(*build_multipart([inner], "signed"), content_id="c@d")
    found = parse_multipart(*build_multipart([wrapper])).find_content_id("c@d")
    assert found == wrapper


@pytest.mark.rule("MIME-6")
def test_the_outer_boundary_ends_an_inner_multipart_that_does_not() -> None:
    body = (
        b"--abc\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n"
        b"--xyz\r\n\r\ninner\r\n"
        b"--abc\r\n\r\nouter\r\n--abc--"
    )
    multipart = parse_multipart(MIXED, body)
    assert [part.body for part in multipart.walk()] == [b"inner", b"outer"]
    inner = multipart.parts[0].multipart
    assert inner is not None
    assert inner.truncated
    assert not multipart.truncated


@pytest.mark.rule("MIME-5", "MIME-6")
@pytest.mark.parametrize("inner_boundary", ["abcd", "ab", "abc-", "abc--abc"])
def test_a_nested_boundary_may_begin_like_the_outer_one(inner_boundary: str) -> None:
    inner = f"--{inner_boundary}\r\n\r\nx\r\n--{inner_boundary}--"
    body = (
        "--abc\r\n"
        f'Content-Type: multipart/mixed; boundary="{inner_boundary}"\r\n\r\n'
        f"{inner}\r\n--abc--"
    )
    multipart = parse_multipart(MIXED, body.encode())
    assert [part.body for part in multipart.walk()] == [b"x"]
    assert multipart.parts[0].body == inner.encode()


def nested(depth: int) -> tuple[ContentType, bytes]:
    content_type, body = build_multipart([Part.build("text/plain", b"core")])
    for _ in range(depth - 1):
        content_type, body = build_multipart([Part.build(content_type, body)])
    return content_type, body


@pytest.mark.rule("MIME-6")
def test_multiparts_too_deep_are_left_whole_and_that_is_said() -> None:
    (leaf,) = parse_multipart(*nested(MAX_DEPTH)).walk()
    assert leaf.body == b"core"
    (whole,) = parse_multipart(*nested(MAX_DEPTH + 1)).walk()
    assert whole.content_type.type == "multipart"
    assert whole.warnings == (f"multiparts more than {MAX_DEPTH} deep are left whole",)
    (shallow,) = parse_multipart(*nested(3), max_depth=2).walk()
    assert shallow.content_type.type == "multipart"


@pytest.mark.rule("MIME-6")
def test_the_limit_of_parts_spans_all_depths() -> None:
    inner = build_multipart([Part.build("text/plain", b"")] * 3)
    whole = build_multipart([Part.build(*inner)] * 3)
    assert len(list(parse_multipart(*whole, max_parts=12).walk())) == 9
    with pytest.raises(MimeLimitExceeded):
        parse_multipart(*whole, max_parts=11)
    with pytest.raises(MimeLimitExceeded):
        open_part(Part.build(*whole), max_parts=11)


@pytest.mark.rule("MIME-7")
def test_a_missing_end_is_flagged_and_what_is_there_counts() -> None:
    multipart = parse_multipart(MIXED, b"--abc\r\n\r\nfirst\r\n--abc\r\n\r\nsec")
    assert multipart.truncated
    assert multipart.warnings == ("the closing delimiter of the multipart is missing",)
    assert [part.body for part in multipart.parts] == [b"first", b"sec"]


@pytest.mark.rule("MIME-7")
def test_a_single_part_is_legal() -> None:
    assert len(parse_multipart(MIXED, b"--abc\r\n\r\n\r\n--abc--").parts) == 1


@pytest.mark.rule("MIME-1", "MIME-7")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("multipart/mixed", b"--a\r\n\r\n--a--", id="no-boundary"),
        pytest.param('multipart/mixed;boundary=""', b"--\r\n\r\n----", id="empty"),
        pytest.param("text/plain;boundary=a", b"--a\r\n\r\n--a--", id="no-multipart"),
        pytest.param("multipart", b"", id="no-type"),
        pytest.param(MIXED, b"nothing", id="no-parts"),
    ],
)
def test_what_is_no_multipart_is_an_error(content_type: str, body: bytes) -> None:
    with pytest.raises(MimeError):
        parse_multipart(content_type, body)


@pytest.mark.rule("MIME-1")
def test_the_name_of_the_boundary_parameter_has_no_case() -> None:
    multipart = parse_multipart('multipart/x; BOUNDARY="a:B"', b"--a:B\r\n\r\n--a:B--")
    assert len(multipart.parts) == 1
    with pytest.raises(MimeError):
        parse_multipart('multipart/x; boundary="a:b"', b"--a:B\r\n\r\n--a:B--")


@pytest.mark.rule("MIME-7")
def test_a_part_that_is_no_multipart_after_all_stays_whole() -> None:
    body = b"--abc\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n--abc--"
    (part,) = parse_multipart(MIXED, body).walk()
    assert part.body == b"x"
    assert part.warnings == ("a multipart without a boundary parameter",)
    assert open_part(part).warnings == part.warnings * 2


@pytest.mark.rule("MIME-8")
@pytest.mark.parametrize("subtype", ["mixed", "x-unheard-of", "parallel", "related"])
def test_a_subtype_nobody_knows_is_as_good_as_mixed(subtype: str) -> None:
    content_type, body = build_multipart([Part.build("a/b", b"c")], subtype)
    multipart = parse_multipart(content_type, body)
    assert multipart.subtype == subtype
    assert [part.body for part in multipart.walk()] == [b"c"]


@pytest.mark.rule("MIME-8")
def test_of_alternatives_the_last_that_is_understood_wins() -> None:
    parts = [Part.build(kind, b"") for kind in ("text/plain", "text/html", "a/b")]
    multipart = parse_multipart(*build_multipart(parts, "alternative"))
    chosen = multipart.choose(lambda part: part.content_type.matches("text/*"))
    assert chosen == parts[1]
    assert multipart.choose(lambda part: False) is None


@pytest.mark.rule("MIME-8")
@pytest.mark.parametrize(
    ("subtype", "start", "root"),
    [
        pytest.param("related", "<2@x>", 1, id="start"),
        pytest.param("related", "2@x", 1, id="start-without-brackets"),
        pytest.param("related", "<9@x>", 0, id="start-dangling"),
        pytest.param("related", None, 0, id="first"),
        pytest.param("mixed", "<2@x>", 0, id="not-related"),
    ],
)
def test_related_parts_have_a_root(subtype: str, start: str | None, root: int) -> None:
    parts = [Part.build("a/b", b"", content_id=f"{n}@x") for n in (1, 2)]
    parameters = () if start is None else (("start", start),)
    multipart = parse_multipart(*build_multipart(parts, subtype, parameters))
    assert multipart.root == parts[root]


@pytest.mark.rule("MIME-8")
def test_a_related_multipart_says_the_type_of_its_root() -> None:
    parts = [Part.build("a/b", b""), Part.build("c/d", b"", content_id="2@x")]
    assert build_multipart(parts, "related")[0].parameter("type") == "a/b"
    with_start = build_multipart(parts, "related", (("start", "<2@x>"),))[0]
    assert with_start.parameter("type") == "c/d"
    given_type = build_multipart(parts, "related", (("type", "e/f"),))[0]
    assert given_type.parameters[:-1] == (("type", "e/f"),)
    assert build_multipart(parts)[0].parameter("type") is None


@pytest.mark.rule("MIME-4")
def test_the_parts_of_a_digest_are_messages_unless_they_say_otherwise() -> None:
    body = b"--abc\r\n\r\nFrom: a\r\n--abc\r\nContent-Type: a/b\r\n\r\n--abc--"
    first, second = parse_multipart("multipart/digest; boundary=abc", body).parts
    assert first.content_type.essence == "message/rfc822"
    assert second.content_type.essence == "a/b"


@pytest.mark.rule("MIME-13")
def test_a_body_with_bare_line_feeds_is_read_and_flagged() -> None:
    body = b"--abc\nContent-Type: a/b\n\nx\r\ny\n--abc--\n"
    multipart = parse_multipart(MIXED, body)
    (part,) = multipart.parts
    assert part.content_type.essence == "a/b"
    assert part.body == b"x\r\ny"
    assert multipart.warnings == ("the lines of the multipart don't end in CR LF",)


@pytest.mark.rule("MIME-13")
def test_bare_line_feeds_mean_nothing_beside_crlf() -> None:
    body = b"--abc\r\n\r\nx\n--abc\n\ny\r\n--abc--"
    (part,) = parse_multipart(MIXED, body).parts
    assert part.body == b"x\n--abc\n\ny"


@pytest.mark.rule("MIME-9")
def test_a_megabyte_of_noise_is_a_part_as_it_is() -> None:
    noise = random.Random(1).randbytes(1_000_000)
    parts = [Part.build("image/jpeg", noise), Part.build("image/png", noise[::-1])]
    assert parse_multipart(*build_multipart(parts)).parts == tuple(parts)


@pytest.mark.rule("MIME-6", "MIME-9")
def test_the_least_parts_cost_no_more_than_the_limit() -> None:
    with pytest.raises(MimeLimitExceeded):
        parse_multipart(MIXED, b"--abc\r\n" * 500_000)


@pytest.mark.rule("MIME-14", "MIME-15")
def test_parts_are_put_together_octet_for_octet() -> None:
    parts = [Part.build("text/plain", b"a\r\n"), Part.build("text/html", b"")]
    content_type, body = build_multipart(
        parts, "alternative", (("x", "y z"),), token=lambda: "b:1"
    )
    assert str(content_type) == 'multipart/alternative; x="y z"; boundary="b:1"'
    assert body == (
        b"--b:1\r\nContent-Type: text/plain\r\n\r\na\r\n\r\n"
        b"--b:1\r\nContent-Type: text/html\r\n\r\n\r\n"
        b"--b:1--\r\n"
    )


@pytest.mark.rule("MIME-14")
def test_a_boundary_that_is_in_a_part_is_not_used() -> None:
    tokens = itertools.chain(["in-body", "in-head", "nested", "nested-2"], ["good"])
    inner = build_multipart([Part.build("a/b", b"")], token=lambda: "nested")
    parts = [
        Part.build("text/plain", b"--in-body\r\n"),
        Part.build("text/plain", b"", headers=[("X", "in-head")]),
        Part.build(*inner),
    ]
    content_type, body = build_multipart(parts, token=lambda: next(tokens))
    assert content_type.boundary == "good"
    assert parse_multipart(content_type, body).parts == tuple(parts)


@pytest.mark.rule("MIME-14")
def test_random_boundaries_differ() -> None:
    parts = [Part.build("a/b", b"")]
    assert build_multipart(parts)[0].boundary != build_multipart(parts)[0].boundary


def test_no_parts_make_no_multipart() -> None:
    with pytest.raises(MimeError):
        build_multipart([])


@pytest.mark.rule("MIME-16")
def test_parameters_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(MimeError):
        build_multipart([Part.build("a/b", b"")], "mixed\r\nX: y")
    with pytest.raises(MimeError):
        build_multipart([Part.build("a/b", b"")], parameters=(("x", "\r\nX: y"),))


@pytest.mark.rule("MIME-15")
def test_a_received_part_is_written_as_it_was() -> None:
    body = b"--abc\r\ncontent-TYPE:  a/b ;x=y\r\n\r\nsigned\r\n--abc--"
    (part,) = parse_multipart(MIXED, body).parts
    assert (
        b"\r\ncontent-TYPE:  a/b ;x=y\r\n\r\nsigned\r\n" in build_multipart([part])[1]
    )


parts = st.one_of(
    st.builds(
        Part.build,
        st.sampled_from(["text/plain", "image/png", "a/b;c=d", "multipart/mixed"]),
        st.binary(max_size=30) | st.text("-ab\r\n", max_size=30).map(str.encode),
        content_id=st.none() | st.sampled_from(["a@b", "c@d"]),
        transfer_encoding=st.none() | st.sampled_from(["base64", "8bit"]),
    ),
    st.builds(
        Part.parse,
        st.text("Content-Type: a/b\r\n;-", max_size=40).map(str.encode)
        | st.sampled_from([b"", b"\r\n", b"\n", b"A: b\n\nc", b"\r\n\r\n"])
        | st.binary(max_size=30),
    ),
)


@pytest.mark.rule("MIME-2", "MIME-15")
@settings(deadline=None)
@given(st.lists(parts, min_size=1, max_size=4))
def test_what_is_put_together_comes_apart_equal(many: list[Part]) -> None:
    content_type, body = build_multipart(many)
    multipart = parse_multipart(content_type, body)
    assert multipart.parts == tuple(many)
    assert not multipart.truncated
    assert multipart.warnings == ()


WORDS = [
    *(b"--abc", b"--", b"abc", b"--xyz", b"\r\n", b"\n", b"\r", b" ", b"x", b"\0\xff"),
    *(b"Content-Type: multipart/mixed; boundary=xyz\r\n\r\n", b"Content-ID: <a@b>\r\n"),
    b"Content-Transfer-Encoding: base64\r\n\r\n",
]
hostile_bodies = st.lists(st.sampled_from(WORDS), max_size=25).map(b"".join)


@settings(deadline=None)
@given(hostile_bodies | st.binary(max_size=60))
def test_any_body_comes_apart_or_is_a_mime_error(body: bytes) -> None:
    try:
        multipart = parse_multipart(MIXED, body, max_parts=20, max_depth=3)
    except MimeError:
        return
    assert parse_multipart(*build_multipart(multipart.parts)).parts == multipart.parts
    multipart.resolve_cid("cid:a@b")
    for part in multipart.walk():
        assert isinstance(part.content, bytes)
        assert bytes(part) in body


@settings(deadline=None)
@given(st.integers(0, len(EMERGENCY_CALL)), st.integers(0, 60), st.binary(max_size=6))
def test_a_damaged_call_comes_apart_or_is_a_mime_error(
    at: int, cut: int, patch: bytes
) -> None:
    body = EMERGENCY_CALL[:at] + patch + EMERGENCY_CALL[at + cut :]
    try:
        multipart = parse_multipart("multipart/mixed; boundary=outer", body)
    except MimeError:
        return
    assert all(bytes(part) in body for part in multipart.walk())
