"""How a user agent answers the messages of RFC 4475 and RFC 5118."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.message import Response
from sip.sansio import Admission, Hop, Transport
from sip.sansio.events import CallReceived, RequestArrived
from sip.testing import Network
from sip.wire import parse_message

VECTORS = Path(__file__).parent / "vectors"

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "MESSAGE")
ADMISSION = Admission(methods=METHODS, content_types=("application/sdp", "multipart/*"))
ALLOW = ("Allow", ", ".join(METHODS))

CALL, REQUEST, NOTHING = "a call", "a request", "nothing"
Treatment = int | str

# What each message comes to: the status it is answered with, or what the
# application is told of.  A REGISTER is none of a user agent's business.
RFC4475: dict[str, Treatment] = {
    "badaspec": 400,
    "badbranch": 400,
    "baddate": CALL,
    "baddn": 400,
    "badinv01": 400,
    "badvers": 505,
    "bcast": NOTHING,
    "bext01": 420,
    "bigcode": NOTHING,
    "clerr": 400,
    "cparam01": 405,
    "cparam02": 405,
    "dblreq": 405,
    "esc01": CALL,
    "esc02": 501,
    "escnull": 405,
    "escruri": 400,
    "insuf": 400,
    "intmeth": 501,
    "inv2543": CALL,
    "invut": 415,
    "longreq": CALL,
    "ltgtruri": 400,
    "lwsdisp": 200,
    "lwsruri": 400,
    "lwsstart": CALL,
    "mcl01": 400,
    "mismatch01": 400,
    "mismatch02": 501,
    "mpart01": REQUEST,
    "multi01": 400,
    "ncl": 400,
    "noreason": NOTHING,
    "novelsc": 416,
    "quotbal": 400,
    "regaut01": 405,
    "regbadct": 400,
    "regescrt": 405,
    "scalar02": 400,
    "scalarlg": NOTHING,
    "sdp01": 406,
    "semiuri": 200,
    "transports": 200,
    "trws": 200,
    "unkscm": 416,
    "unksm2": 405,
    "unreason": NOTHING,
    "wsinv": 481,
    "zeromf": 200,
}
RFC5118: dict[str, Treatment] = {
    "ipv4-mapped-ipv6": CALL,
    "ipv6-bad": 400,
    "ipv6-bug-abnf-3-colons": 200,
    "ipv6-correct-abnf-2-colons": 200,
    "ipv6-good": 405,
    "ipv6-in-sdp": CALL,
    "mult-ip-in-header": 481,
    "mult-ip-in-sdp": CALL,
    "port-ambiguous": 405,
    "port-unambiguous": 405,
    "via-received-param-no-delim": 200,
    "via-received-param-with-delim": 481,
}

# What an answer says besides its status.
SAYS: dict[str, tuple[str, str]] = {
    "bext01": ("Unsupported", "nothingSupportsThis, nothingSupportsThisEither"),
    "esc02": ALLOW,
    "intmeth": ALLOW,
    "invut": ("Accept", "application/sdp, multipart/*"),
    "regaut01": ALLOW,
    "sdp01": ("Warning", '399 - "the answer would be application/sdp"'),
    "semiuri": ALLOW,
}


def octets(name: str) -> bytes:
    (path,) = VECTORS.glob(f"*/{name}.dat")
    return path.read_bytes()


def treat(name: str, transport: Transport) -> tuple[Treatment, list[Response]]:
    """Show a message to a user agent; tell what came of it, and what it sent."""
    network = Network()
    agent = network.node("192.0.2.1", admission=ADMISSION)
    network.peer("192.0.2.9")
    agent.receive(octets(name), Hop(transport, "192.0.2.9", 5060), transport)
    network.run()
    sent = [parse_message(bytes(sent.message)) for sent in network.log]
    answers = [message for message in sent if isinstance(message, Response)]
    assert len(answers) == len(sent), "it asks something of a peer that is broken"
    if agent.of(CallReceived):
        return CALL, answers
    if agent.of(RequestArrived):
        return REQUEST, answers
    assert agent.events == []
    return (answers[-1].status if answers else NOTHING), answers


def test_every_message_of_the_rfcs_is_in_the_tables() -> None:
    assert {path.stem for path in VECTORS.glob("rfc4475/*.dat")} == RFC4475.keys()
    assert {path.stem for path in VECTORS.glob("rfc5118/*.dat")} == RFC5118.keys()
    assert len(RFC4475) == 49


@pytest.mark.parametrize(("name", "treatment"), [*RFC4475.items(), *RFC5118.items()])
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
@pytest.mark.rule("SIP-67", "SIP-33", "SIP-34", "SIP-36", "SIP-37", "SIP-38")
def test_each_message_is_treated_as_it_should_be(
    name: str, treatment: Treatment, transport: Transport
) -> None:
    treated, answers = treat(name, transport)
    assert treated == treatment
    assert len(answers) == (0 if isinstance(treatment, str) else 1)


@pytest.mark.parametrize("name", [n for n, t in RFC4475.items() if isinstance(t, int)])
@pytest.mark.rule("SIP-38", "SIP-67")
def test_an_answer_has_the_headers_of_the_request_it_answers(name: str) -> None:
    request = b" ".join(octets(name).split())  # Unfolded, that is.
    (answer,) = treat(name, Transport.UDP)[1]
    for header in ("Call-ID", "CSeq", "From"):
        value = (answer.headers.get(header) or "").encode("utf-8", "surrogateescape")
        assert b" ".join(value.split()) in request
    assert "Via" in answer.headers
    assert answer.headers.get("Content-Length") == "0"


@pytest.mark.parametrize(("name", "header"), SAYS.items())
@pytest.mark.rule("SIP-34", "SIP-36", "SIP-37", "SIP-67", "ST-7")
def test_an_answer_says_what_would_be_taken(name: str, header: tuple[str, str]) -> None:
    (answer,) = treat(name, Transport.UDP)[1]
    assert answer.headers.get(header[0]) == header[1]


@pytest.mark.rule("SIP-67")
def test_an_answer_goes_to_whoever_asked_if_the_via_says_nothing() -> None:
    network = Network()
    agent = network.node("192.0.2.1", admission=ADMISSION)
    peer = network.peer("192.0.2.9", 5099)
    source = Hop(Transport.UDP, "192.0.2.9", 5099)
    agent.receive(octets("badinv01"), source, Transport.UDP)
    network.run()
    assert peer.statuses() == [400]


@pytest.mark.rule("SIP-67")
def test_nobody_is_answered_who_gives_no_via() -> None:
    network = Network()
    agent = network.node("192.0.2.1", admission=ADMISSION)
    source = Hop(Transport.UDP, "192.0.2.9", 5060)
    agent.receive(b"INVITE sip:a@b SIP/2.0\r\n\r\n", source, Transport.UDP)
    network.run()
    assert network.log == []
