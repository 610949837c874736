from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import InvalidUri
from msrp.uri import (
    MAX_PATH_LENGTH,
    MAX_URI_LENGTH,
    MsrpUri,
    format_path,
    new_session_id,
    parse_path,
)

UNRESERVED = string.ascii_letters + string.digits + "-._~"


@pytest.mark.rule("MSRP-23", "FIELD-14")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "msrp://host.example.com:8493/asfd34;tcp",
            MsrpUri("msrp", "host.example.com", 8493, "asfd34"),
            id="the-example-of-the-rfc",
        ),
        pytest.param(
            "msrp://[2001:db8::1]:2855/a;tcp",
            MsrpUri("msrp", "2001:db8::1", 2855, "a"),
            id="ipv6",
        ),
        pytest.param(
            "msrps://192.0.2.1:9/a/b=+.c~_-;tcp",
            MsrpUri("msrps", "192.0.2.1", 9, "a/b=+.c~_-"),
            id="every-character-of-a-session-id",
        ),
        pytest.param(
            "msrp://h:1//;tcp", MsrpUri("msrp", "h", 1, "/"), id="slash-as-session-id"
        ),
        pytest.param(
            "msrp://relay.example:2855;tcp",
            MsrpUri("msrp", "relay.example", 2855, None),
            id="relay",
        ),
        pytest.param(
            "msrp://relay.example;tcp",
            MsrpUri("msrp", "relay.example", None, None),
            id="no-port",
        ),
        pytest.param(
            "msrp://h:0/a;tcp", MsrpUri("msrp", "h", 0, "a"), id="lowest-port"
        ),
        pytest.param(
            "msrp://h:65535/a;tcp", MsrpUri("msrp", "h", 65535, "a"), id="highest-port"
        ),
    ],
)
def test_parts_are_read(text: str, expected: MsrpUri) -> None:
    assert MsrpUri.parse(text) == expected
    assert str(MsrpUri.parse(text)) == str(expected) == text


@pytest.mark.rule("MSRP-23")
def test_user_and_parameters_are_kept() -> None:
    text = "msrp://bob%40home@h:1/a;tcp;x;relay=yes"
    uri = MsrpUri.parse(text)
    assert uri.userinfo == "bob%40home"
    assert uri.parameters == (("x", None), ("relay", "yes"))
    assert str(uri) == text


@pytest.mark.rule("MSRP-23")
def test_the_spelling_of_the_peer_is_kept() -> None:
    text = "MSRP://Host.EXAMPLE:80/aB;TCP;X=Y"
    assert str(MsrpUri.parse(text)) == text
    assert format_path(parse_path(f"{text} msrp://B:1/c;tcp")) == (
        f"{text} msrp://B:1/c;tcp"
    )


@pytest.mark.rule("MSRP-20", "MSRP-23", "MSRP-24")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "doesn't start with", id="nothing"),
        pytest.param("sip:bob@h", "doesn't start with", id="another-scheme"),
        pytest.param("msrp:h:1/a;tcp", "doesn't start with", id="no-slashes"),
        pytest.param("msrp://h:1/a", "a transport", id="no-transport"),
        pytest.param("msrp://h:1/a;", "malformed", id="empty-transport"),
        pytest.param("msrp://h:1/a;t-cp", "malformed", id="odd-transport"),
        pytest.param("msrp://h:1/;tcp", "malformed", id="empty-session-id"),
        pytest.param("msrp://h:1/a%41;tcp", "malformed", id="escape-in-session-id"),
        pytest.param("msrp://h:1/a?b;tcp", "malformed", id="query"),
        pytest.param("msrp://:1/a;tcp", "malformed", id="no-host"),
        pytest.param("msrp://h:x/a;tcp", "malformed", id="port-in-letters"),
        pytest.param("msrp://h:/a;tcp", "malformed", id="empty-port"),
        pytest.param("msrp://h:123456/a;tcp", "malformed", id="six-digit-port"),
        pytest.param("msrp://h:65536/a;tcp", "above 65535", id="port-too-high"),
        pytest.param("msrp://2001:db8::1:1/a;tcp", "malformed", id="ipv6-bare"),
        pytest.param(
            "msrp://[1.2.3.4]:1/a;tcp", "an IPv6 address", id="ipv4-bracketed"
        ),
        pytest.param("msrp://[::1::]:1/a;tcp", "an IPv6 address", id="no-such-ipv6"),
        pytest.param("msrp://[::1%eth0]:1/a;tcp", "malformed", id="ipv6-zone"),
        pytest.param("msrp://h:1/a;tcp;", "malformed", id="empty-parameter"),
        pytest.param("msrp://h:1/a;tcp;x=", "a parameter", id="empty-value"),
        pytest.param("msrp://h:1/a;tcp;=y", "a parameter", id="no-parameter-name"),
        pytest.param("msrp://h:1/a;tcp;x=[y]", "a parameter", id="no-token"),
        pytest.param("msrp://h:1/ä;tcp", "US-ASCII", id="not-ascii"),
        pytest.param("msrp://h:1/a;tcp\n", "US-ASCII", id="newline-at-the-end"),
        pytest.param("msrp://h:1/a\0;tcp", "US-ASCII", id="nul"),
        pytest.param("msrp://h:1/a ;tcp", "malformed", id="space"),
        pytest.param(
            "msrp://h:1/a;tcp;x=٣", "a parameter", id="another-script's-digit"
        ),
    ],
)
def test_what_the_grammar_forbids_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidUri, match=problem) as caught:
        MsrpUri.parse(text)
    assert isinstance(caught.value, ValueError)


@pytest.mark.rule("MSRP-26")
def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidUri, match="a password") as caught:
        MsrpUri.parse("msrp://bob:secret@h:1/a;tcp")
    assert "secret" not in str(caught.value)


@pytest.mark.rule("MSRP-22")
def test_a_uri_has_a_greatest_length() -> None:
    head, tail = "msrp://h:1/", ";tcp"
    room = MAX_URI_LENGTH - len(head) - len(tail)
    assert MsrpUri.parse(head + "a" * room + tail).session_id == "a" * room
    with pytest.raises(InvalidUri, match=f"{MAX_URI_LENGTH} characters"):
        MsrpUri.parse(head + "a" * (room + 1) + tail)


@pytest.mark.rule("MSRP-29")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            "msrp://Host.example:80/aB;tcp",
            "MSRP://host.EXAMPLE:80/aB;TCP",
            id="case-of-scheme-host-and-transport",
        ),
        pytest.param("msrp://u@h:1/x;tcp", "msrp://h:1/x;tcp", id="user"),
        pytest.param(
            "msrp://h%2Eexample:1/x;tcp", "msrp://h.example:1/x;tcp", id="escaped-host"
        ),
        pytest.param(
            "msrp://h%2eexample%41:1/x;tcp", "msrp://h.examplea:1/x;tcp", id="hex-case"
        ),
        pytest.param(
            "msrp://[2001:db8:0::1]:1/x;tcp",
            "msrp://[2001:DB8::1]:1/x;tcp",
            id="spelling-of-ipv6",
        ),
        pytest.param("msrp://h:1/x;tcp;a=b", "msrp://h:1/x;tcp", id="parameters"),
        pytest.param("msrp://h:01/x;tcp", "msrp://h:1/x;tcp", id="zeros-of-the-port"),
    ],
)
def test_equal_uris(one: str, other: str) -> None:
    a, b = MsrpUri.parse(one), MsrpUri.parse(other)
    assert a == b
    assert hash(a) == hash(b)


@pytest.mark.rule("MSRP-26", "MSRP-29")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("msrp://h:1/x;tcp", "msrp://h:1/X;tcp", id="case-of-session-id"),
        pytest.param("msrp://h:1/x;tcp", "msrps://h:1/x;tcp", id="scheme"),
        pytest.param("msrp://h:1/x;tcp", "msrp://h:2/x;tcp", id="port"),
        pytest.param("msrp://h:1/x;tcp", "msrp://h/x;tcp", id="port-or-none"),
        pytest.param("msrp://h:2855/x;tcp", "msrp://h/x;tcp", id="no-default-port"),
        pytest.param("msrp://h:1/x;tcp", "msrp://h:1;tcp", id="session-id-or-none"),
        pytest.param("msrp://h:1/x;tcp", "msrp://h:1/x;ws", id="transport"),
        pytest.param("msrp://h:1/a/../b;tcp", "msrp://h:1/b;tcp", id="path-steps"),
        pytest.param("msrp://h%21:1/b;tcp", "msrp://h!:1/b;tcp", id="reserved-escape"),
        pytest.param("msrp://192.0.2.1:1/b;tcp", "msrp://h:1/b;tcp", id="host"),
    ],
)
def test_different_uris(one: str, other: str) -> None:
    assert MsrpUri.parse(one) != MsrpUri.parse(other)


def test_a_uri_equals_no_text() -> None:
    assert MsrpUri.parse("msrp://h:1/x;tcp") != "msrp://h:1/x;tcp"


@pytest.mark.rule("MSRP-27")
def test_msrps_means_tls_whatever_its_case() -> None:
    assert MsrpUri.parse("MSRPS://h:1/x;tcp").secure
    assert not MsrpUri.parse("msrp://h:1/x;tcp").secure
    assert MsrpUri.parse("msrp://h:1/x;TLS").secure
    assert not MsrpUri.parse("msrp://h:1/x;tls2").secure


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        pytest.param("msrp://h:1/x;tcp", "h:1", id="name"),
        pytest.param("msrp://h/x;tcp", "h", id="no-port"),
        pytest.param("msrp://[::1]:1/x;tcp", "[::1]:1", id="ipv6"),
    ],
)
def test_the_authority_is_written_as_people_do(text: str, authority: str) -> None:
    assert MsrpUri.parse(text).authority == authority


@pytest.mark.rule("MSRP-28")
def test_session_ids_are_long_and_never_the_same() -> None:
    ids = {new_session_id() for _ in range(1000)}
    assert len(ids) == 1000
    for each in ids:
        assert re.fullmatch("[0-9a-f]{20,}", each)  # 4 bits each: 80 at least.


@pytest.mark.rule("MSRP-9", "MSRP-102", "MT-13")
@pytest.mark.parametrize("count", [1, 2, 6, MAX_PATH_LENGTH])
def test_a_path_keeps_its_order(count: int) -> None:
    texts = [f"msrp://h{n}:1/x;tcp" for n in range(count)]
    path = parse_path(" ".join(texts))
    assert [str(uri) for uri in path] == texts
    assert format_path(path) == " ".join(texts)


@pytest.mark.rule("MSRP-9", "MSRP-20", "MSRP-22")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="spaces"),
        pytest.param("msrp://h:1/a;tcp msrp://h:1/b", id="second-malformed"),
        pytest.param("msrp://h:1/a;tcp, msrp://h:1/b;tcp", id="comma"),
        pytest.param("msrp://h:1/a;tcp\u2003msrp://h:1/b;tcp", id="em-space"),
        pytest.param("msrp://h:1/a;tcp\x0bmsrp://h:1/b;tcp", id="vertical-tab"),
        pytest.param("msrp://h:1/a;tcp\x1cmsrp://h:1/b;tcp", id="file-separator"),
        pytest.param(" ".join(["msrp://h:1/a;tcp"] * (MAX_PATH_LENGTH + 1)), id="long"),
    ],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidUri):
        parse_path(text)


@pytest.mark.rule("MSRP-9")
def test_more_than_one_space_between_uris_is_forgiven() -> None:
    assert len(parse_path(" msrp://h:1/a;tcp  msrp://h:1/b;tcp ")) == 2


uris = st.builds(
    MsrpUri,
    scheme=st.sampled_from(["msrp", "msrps", "MSRP"]),
    host=st.one_of(
        st.text(UNRESERVED + "!$&'()*+,=", min_size=1, max_size=20),
        st.ip_addresses(v=6).map(str),
    ),
    port=st.none() | st.integers(0, 65535),
    session_id=st.none() | st.text(UNRESERVED + "+=/", min_size=1, max_size=20),
    transport=st.text(string.ascii_letters + string.digits, min_size=1, max_size=5),
    userinfo=st.none() | st.text(UNRESERVED + "!$&'()*+,;=%", max_size=9),
    parameters=st.lists(
        st.tuples(
            st.text(UNRESERVED, min_size=1, max_size=5),
            st.none() | st.text(UNRESERVED + "%|", min_size=1, max_size=5),
        ),
        max_size=3,
    ).map(tuple),
)


@pytest.mark.rule("MSRP-23")
@given(uris)
@settings(max_examples=200, deadline=None)
def test_what_can_be_written_reads_back(uri: MsrpUri) -> None:
    again = MsrpUri.parse(str(uri))
    assert again == uri
    assert str(again) == str(uri)
    assert again.parameters == uri.parameters


@given(
    st.text()
    | st.lists(
        st.sampled_from(["msrp://", "h", ":1", "/a", ";tcp", "[", "@", "%"])
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        uri = MsrpUri.parse(text)
    except InvalidUri:
        return
    assert MsrpUri.parse(str(uri)) == uri


@pytest.mark.rule("MSRP-22")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("msrp://" + "a:" * 500, id="user-or-host"),
        pytest.param("msrp://" + "@" * 1000, id="at-signs"),
        pytest.param("msrp://h:1/" + "/" * 900 + "?;tcp", id="slashes"),
        pytest.param("msrp://h:1/a;tcp" + ";a" * 500 + ";", id="parameters"),
    ],
)
def test_long_nonsense_does_not_backtrack_without_end(text: str) -> None:
    assert len(text) <= MAX_URI_LENGTH  # Else no more than its length is looked at.
    with pytest.raises(InvalidUri):
        MsrpUri.parse(text)
