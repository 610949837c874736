"""The messages of RFC 4475 and RFC 5118, octet by octet."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.checks import check_request, check_response
from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.message import Message, Request, Response, response_to
from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri
from sip.wire import KeepAlive, StreamEvent, StreamFramer, parse_message

VECTORS = Path(__file__).parent / "vectors"

VALID = [
    "baddate",
    "bcast",
    "bext01",
    "cparam01",
    "cparam02",
    "dblreq",
    "esc01",
    "esc02",
    "escnull",
    "intmeth",
    "inv2543",
    "invut",
    "longreq",
    "lwsdisp",
    "lwsstart",
    "mpart01",
    "noreason",
    "regaut01",
    "regescrt",
    "sdp01",
    "semiuri",
    "transports",
    "trws",
    "unksm2",
    "unreason",
    "wsinv",
    "zeromf",
]

# How a request is to be answered, and for which header field.
REFUSED = {
    "badaspec": (400, "To"),
    "badbranch": (400, "Via"),
    "baddn": (400, "From"),
    "badinv01": (400, "Via"),
    "badvers": (505, None),
    "clerr": (400, "Content-Length"),
    "escruri": (400, "Request-URI"),
    "insuf": (400, "From"),
    "ltgtruri": (400, "Request-URI"),
    "lwsruri": (400, "Request-URI"),
    "mcl01": (400, "Content-Length"),
    "mismatch01": (400, "CSeq"),
    "mismatch02": (501, "CSeq"),
    "multi01": (400, "From"),
    "ncl": (400, "Content-Length"),
    "novelsc": (416, "Request-URI"),
    "quotbal": (400, "To"),
    "regbadct": (400, "Contact"),
    "scalar02": (400, "CSeq"),
    "unkscm": (416, "Request-URI"),
}

DROPPED = ["bigcode", "scalarlg"]

VALID_IPV6 = [
    "ipv4-mapped-ipv6",
    "ipv6-bug-abnf-3-colons",
    "ipv6-correct-abnf-2-colons",
    "ipv6-good",
    "ipv6-in-sdp",
    "mult-ip-in-header",
    "mult-ip-in-sdp",
    "port-ambiguous",
    "port-unambiguous",
    "via-received-param-no-delim",
    "via-received-param-with-delim",
]


def octets(name: str) -> bytes:
    folder = "rfc5118" if "ip" in name.split("-")[0] or "-" in name else "rfc4475"
    return (VECTORS / folder / f"{name}.dat").read_bytes()


def read(data: bytes) -> Message:
    message = parse_message(data)
    if isinstance(message, Request):
        check_request(message)
    else:
        check_response(message)
    return message


def request(name: str) -> Request:
    message = read(octets(name))
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = read(octets(name))
    assert isinstance(message, Response)
    return message


def sip_uri(address: NameAddr) -> SipUri:
    assert isinstance(address.uri, SipUri)
    return address.uri


def test_no_vector_is_left_out() -> None:
    rfc4475 = {path.stem for path in (VECTORS / "rfc4475").glob("*.dat")}
    assert rfc4475 == {*VALID, *REFUSED, *DROPPED}
    assert len(rfc4475) == 49
    rfc5118 = {path.stem for path in (VECTORS / "rfc5118").glob("*.dat")}
    assert rfc5118 == {*VALID_IPV6, "ipv6-bad"}


@pytest.mark.parametrize("name", VALID + VALID_IPV6)
@pytest.mark.rule("SIP-67")
def test_valid_messages_are_read_and_written(name: str) -> None:
    message = read(octets(name))
    written = bytes(message)
    again = read(written)
    assert bytes(again) == written
    assert again.body == message.body
    assert again.vias == message.vias
    assert again.from_ == message.from_
    assert again.contacts == message.contacts


@pytest.mark.parametrize("name", [*REFUSED, "ipv6-bad"])
@pytest.mark.rule("SIP-67")
def test_invalid_requests_are_refused_with_an_answer(name: str) -> None:
    with pytest.raises(SipParseError) as caught:
        read(octets(name))
    error = caught.value
    expected = REFUSED.get(name, (400, "Request-URI"))
    assert (error.status, error.header) == expected
    assert error.request is not None
    answer = response_to(error.request, error.status, to_tag="t")
    parsed = parse_message(bytes(answer))
    assert isinstance(parsed, Response)
    assert parsed.headers.get("Via") == error.request.headers.get("Via")
    assert parsed.headers.get("Call-ID") == error.request.headers.get("Call-ID")


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.rule("SIP-2", "SIP-67")
def test_invalid_responses_are_refused_without_an_answer(name: str) -> None:
    with pytest.raises(SipParseError) as caught:
        read(octets(name))
    assert caught.value.request is None


@pytest.mark.rule("SIP-3", "SIP-4", "SIP-67")
def test_wsinv_has_white_space_everywhere() -> None:
    invite = request("wsinv")
    assert str(invite.uri) == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert invite.to.tag == "1918181833n"
    assert invite.from_.display_name == 'J Rosenberg \\"'
    assert invite.from_.tag == "98asjd8"
    assert invite.max_forwards == 68
    assert invite.cseq == CSeq(9, "INVITE")
    assert invite.headers.get("Subject") == ""
    assert invite.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert invite.headers.get("NewFangledHeader") == (
        "newfangled value continued newfangled value"
    )
    assert [(via.transport, via.host, via.branch) for via in invite.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    (route,) = invite.routes
    assert sip_uri(route).parameters == (
        ("lr", None),
        ("unknownwith", "value"),
        ("unknown-no-value", None),
    )
    (contact,) = invite.contacts
    assert contact.display_name == 'Quoted string ""'
    assert contact.parameters == (
        ("newparam", "newvalue"),
        ("secondparam", None),
        ("q", "0.33"),
    )
    assert len(invite.body) == 150


@pytest.mark.rule("SIP-1", "SIP-7", "SIP-67")
def test_intmeth_has_a_wide_range_of_characters() -> None:
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert isinstance(message.uri, SipUri)
    assert message.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.uri.host == "example.com"
    assert message.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.parameter("fromParam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


@pytest.mark.rule("SIP-7", "SIP-67")
def test_esc01_has_escapes_where_they_count() -> None:
    invite = request("esc01")
    assert isinstance(invite.uri, SipUri)
    assert invite.uri.user == "sips:user@example.com"
    assert sip_uri(invite.to).user == "user"
    assert sip_uri(invite.from_).user == "I have spaces"
    contact = sip_uri(invite.contacts[0])
    assert contact.user == "caller"
    assert contact.loose_routing
    assert contact.parameter("name") == "value%41"


@pytest.mark.rule("SIP-7", "SIP-67")
def test_escnull_has_two_contacts_that_differ_in_their_nulls() -> None:
    register = request("escnull")
    assert sip_uri(register.to).user == "null-\0-null"
    assert [sip_uri(contact).user for contact in register.contacts] == ["\0", "\0\0"]


@pytest.mark.rule("SIP-67")
def test_esc02_has_percent_signs_that_escape_nothing() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display_name == "%Z%45"
    assert len(message.contacts) == 2
    assert "C%6Fntact" in message.headers


@pytest.mark.rule("SIP-67")
def test_lwsdisp_lacks_a_space_before_the_uri() -> None:
    assert request("lwsdisp").from_.display_name == "caller"


@pytest.mark.rule("SIP-67")
def test_longreq_is_long() -> None:
    invite = request("longreq")
    assert len(invite.vias) == 34
    assert invite.vias[0].host == "sip33.example.com"
    assert invite.from_.tag == "12" + "982" * 50 + "424"
    assert invite.call_id == "longreq.one" + "really" * 20 + "longcallid"
    assert invite.vias[-1].branch == "very" + "long" * 50 + "branchvalue"


@pytest.mark.rule("SIP-6", "SIP-67")
def test_dblreq_is_one_request_in_a_datagram() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b""


@pytest.mark.rule("SIP-7", "SIP-67")
def test_semiuri_has_parameters_in_the_user_part() -> None:
    uri = request("semiuri").uri
    assert isinstance(uri, SipUri)
    assert uri.user == "user;par=u@example.net"
    assert uri.parameters == ()
    assert len(request("semiuri").headers.values("Accept")) == 6


@pytest.mark.rule("SIP-67")
def test_transports_may_be_unknown() -> None:
    assert [via.transport for via in request("transports").vias] == [
        "UDP",
        "SCTP",
        "TLS",
        "UNKNOWN",
        "TCP",
    ]


@pytest.mark.rule("SIP-6", "SIP-67")
def test_mpart01_has_a_body_with_nulls() -> None:
    message = request("mpart01")
    assert len(message.body) == 553
    assert b"\0" in message.body
    assert message.body.endswith(b"--7a9cbec02ceef655--\r\n")


@pytest.mark.rule("SIP-2", "SIP-67")
def test_reason_phrases_may_be_unusual_or_empty() -> None:
    assert response("unreason").reason == (
        "= 2**3 * 5**2 но сто девяносто девять - простое"
    )
    assert response("noreason").reason == ""


@pytest.mark.rule("SIP-67")
def test_values_that_the_application_has_to_judge_are_there() -> None:
    assert response("bcast").vias[1].host == "255.255.255.255"
    assert request("bext01").require == (
        "nothingSupportsThis",
        "nothingSupportsThisEither",
    )
    assert request("invut").content_type == "application/unknownformat"
    assert request("regaut01").headers.get("Authorization") == (
        "NoOneKnowsThisScheme opaque-data=here"
    )
    assert request("zeromf").max_forwards == 0
    assert request("sdp01").headers.values("Accept") == ["text/nobodyKnowsThis"]
    assert request("baddate").headers.get("Date") == "Fri, 01 Jan 2010 16:00:00 EST"


@pytest.mark.rule("SIP-5", "SIP-67")
def test_parameters_of_contacts_belong_where_they_stand() -> None:
    (outside,) = request("cparam01").contacts
    assert outside.parameters == (("unknownparam", None),)
    assert sip_uri(outside).parameters == ()
    (inside,) = request("cparam02").contacts
    assert inside.parameters == ()
    assert sip_uri(inside).parameters == (("unknownparam", None),)
    (escaped,) = request("regescrt").contacts
    assert sip_uri(escaped).header("Route") == "<sip:sip.example.com>"


@pytest.mark.rule("SIP-67")
def test_unksm2_has_uris_of_other_schemes() -> None:
    register = request("unksm2")
    assert register.to.uri == OtherUri("isbn", "2983792873")
    assert register.from_.uri == OtherUri("http", "//www.example.com")
    assert register.contacts[0].uri == OtherUri("name", "John_Smith")


@pytest.mark.rule("SIP-67")
def test_inv2543_lacks_what_later_became_mandatory() -> None:
    invite = request("inv2543")
    assert invite.via.branch is None
    assert invite.from_.tag is None
    assert invite.max_forwards is None
    assert invite.body.startswith(b"v=0")
    assert invite.to.parameters == (("user", "phone"),)
    assert sip_uri(invite.record_routes[0]).parameter("maddr") == "ss1.example.com"


@pytest.mark.rule("SIP-67")
def test_ipv6_addresses_have_no_brackets_once_they_are_read() -> None:
    good = request("ipv6-good")
    assert isinstance(good.uri, SipUri)
    assert (good.uri.host, good.uri.port) == ("2001:db8::10", None)
    assert good.via.host == "2001:db8::9:1"
    ambiguous = request("port-ambiguous").uri
    assert isinstance(ambiguous, SipUri)
    assert (ambiguous.host, ambiguous.port) == ("2001:db8::10:5070", None)
    unambiguous = request("port-unambiguous").uri
    assert isinstance(unambiguous, SipUri)
    assert (unambiguous.host, unambiguous.port) == ("2001:db8::10", 5070)
    for name in ("via-received-param-no-delim", "via-received-param-with-delim"):
        assert request(name).via.received == "2001:db8::9:255"
    assert [(via.host, via.port) for via in request("mult-ip-in-header").vias] == [
        ("2001:db8::9:1", 6050),
        ("192.0.2.1", None),
        ("2001:db8::9:255", None),
    ]
    assert request("ipv4-mapped-ipv6").via.port == 19823


@pytest.mark.rule("SIP-67")
def test_the_extra_colon_of_the_old_grammar_is_not_written_again() -> None:
    buggy = request("ipv6-bug-abnf-3-colons").uri
    assert str(buggy) == "sip:user@[2001:db8::192.0.2.1]"
    assert buggy == request("ipv6-correct-abnf-2-colons").uri


@pytest.mark.parametrize("name", ["clerr"])
@pytest.mark.rule("SIP-6", "SIP-67")
def test_on_a_stream_a_long_length_means_to_wait(name: str) -> None:
    framer = StreamFramer()
    assert framer.receive_data(octets(name)) == []
    assert framer.mid_message
    assert not framer.broken


@pytest.mark.parametrize("name", ["ncl", "mcl01", "inv2543"])
@pytest.mark.rule("SIP-6", "SIP-67")
def test_on_a_stream_a_length_that_is_no_good_is_the_end(name: str) -> None:
    framer = StreamFramer()
    (error,) = framer.receive_data(octets(name))
    assert isinstance(error, SipParseError)
    assert error.request is not None
    assert framer.broken


# --- what may come instead

CORPUS = [path.read_bytes() for path in sorted(VECTORS.glob("*/*.dat"))]


SEPARATORS = [b"\r\n", b"\r\n ", b"\r", b"\n", b'"', b"<", b">", b";", b",", b":", b"@"]
NUISANCES = [b"\0", b"%", b"\\", b"\xff", b"Content-Length: 5\r\n", b"To: a\nX: "]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a message of the RFCs with some octets changed, cut or doubled."""
    data = draw(st.sampled_from(CORPUS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(start + 40, len(data))))
        pieces = [*SEPARATORS, *NUISANCES, data[start:stop] * 2]
        piece = draw(st.binary(max_size=4) | st.sampled_from(pieces))
        data = data[:start] + piece + data[stop:]
    return data


VALUES = (
    *("vias", "via", "from_", "to", "call_id", "cseq", "max_forwards", "expires"),
    *("contacts", "contact_is_wildcard", "routes", "record_routes", "content_type"),
    *("require", "supported", "allow"),
)


def examine(message: Message) -> None:
    """Look at everything; only :exc:`SipParseError` may come of it."""
    names = VALUES if isinstance(message, Response) else (*VALUES, "uri")
    problems = [_look(message, name) for name in names]
    assert all(problem is None or problem.header for problem in problems)
    for name, _ in message.headers.items():
        with contextlib.suppress(SipParseError):
            message.headers.values(name)


def _look(message: Message, name: str) -> SipParseError | None:
    try:
        str(getattr(message, name))
    except SipParseError as exc:
        return exc
    return None


def check_error(error: SipParseError) -> None:
    assert 400 <= error.status <= 599
    str(error)
    if error.request is not None:
        examine(error.request)
        answer = bytes(response_to(error.request, error.status, to_tag="t"))
        assert bytes(parse_message(answer)) == answer


@given(st.binary(max_size=200) | mutated())
@settings(deadline=None, max_examples=400)
@pytest.mark.rule("SIP-67", "SIP-68")
def test_any_datagram_is_a_message_or_a_parse_error(data: bytes) -> None:
    try:
        message = parse_message(data)
    except SipParseError as exc:
        check_error(exc)
        return
    examine(message)
    written = bytes(message)
    assert bytes(parse_message(written, datagram=False)) == written
    if isinstance(message, Request):
        try:
            check_request(message)
        except SipParseError as exc:
            check_error(exc)


@given(
    st.lists(st.sampled_from(CORPUS) | mutated() | st.binary(max_size=20), max_size=3)
)
@settings(deadline=None, max_examples=80)
@pytest.mark.rule("SIP-6", "SIP-67", "SIP-68")
def test_any_stream_gives_the_same_events_under_any_cut(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    whole = StreamFramer(max_head_size=2000, max_body_size=600)
    expected = [_summary(event) for event in whole.receive_data(data)]
    for size in (1, 7, 100):
        framer = StreamFramer(max_head_size=2000, max_body_size=600)
        events: list[object] = []
        for start in range(0, len(data), size):
            received = framer.receive_data(data[start : start + size])
            events += map(_summary, received)
        assert events == expected
        assert (framer.broken, framer.mid_message) == (whole.broken, whole.mid_message)


def _summary(event: StreamEvent) -> object:
    if isinstance(event, SipParseError):
        check_error(event)
        return str(event), event.status, event.request
    return event if isinstance(event, KeepAlive) else bytes(event)
