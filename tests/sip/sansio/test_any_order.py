"""Peers and applications that do anything at any time in a call."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import LocalError
from sip.message import Request, response_to
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import CallProgressed, OfferReceived
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import CallReceived
from sip.sansio.hop import Hop, Transport
from sip.sansio.timers import Timers
from sip.testing import Network, Node, Peer
from sip.uri import parse_uri
from tests.sip.sansio.pairs import ALICE, BOB, SDP

TO_ALICE = Hop(Transport.UDP, ALICE, 5060)
METHODS = ["INVITE", "UPDATE", "PRACK", "ACK", "CANCEL", "BYE"]
HEADERS = [
    ("RAck", "1 1 INVITE"),
    ("RAck", "2 7 INVITE"),
    ("RAck", "nonsense"),
    ("Session-Expires", "90"),
    ("Session-Expires", "1;refresher=uac"),
    ("Session-Expires", ";;"),
    ("Supported", "timer, 100rel"),
    ("Min-SE", "4294967296"),
    ("Require", "100rel"),
    ("RSeq", "1"),
    ("RSeq", "2"),
    ("RSeq", "no number"),
    ("Retry-After", "1"),
    ("Retry-After", "soon"),
    ("Supported", '"'),
    ("Allow", '"'),
    ("Allow", "INVITE, UPDATE"),
    ("Contact", "<sip:bob@192.0.2.2>"),
    ("Contact", "<<>>"),
]
BODIES = [b"", b"a description"]
STATUSES = [180, 183, 200, 401, 422, 481, 488, 491, 500]

NO_HEADERS: list[tuple[str, str]] = []

fields = st.lists(st.sampled_from(HEADERS), max_size=4)
request = st.tuples(
    st.just("request"),
    st.sampled_from(METHODS),
    st.integers(0, 4),
    fields,
    st.sampled_from(BODIES),
)
response = st.tuples(
    st.just("response"),
    st.sampled_from(STATUSES),
    st.integers(0, 4),
    fields,
    st.sampled_from(BODIES),
)
deed = st.tuples(
    st.just("deed"),
    st.sampled_from(
        [
            "want", "offer", "withdraw", "refresh", "bye", "answer", "refuse",
            "provisional", "reliable", "early", "accept", "reject",
            "acknowledge", "prack", "cancel",
        ]
    ),
    st.just(0),
    st.just(NO_HEADERS),
    st.sampled_from(BODIES),
)  # fmt: skip
steps = st.lists(st.one_of(request, response, deed), max_size=25)


class Scene:
    """Our side of a call with a peer that has no manners."""

    def __init__(self) -> None:
        self.network = Network()
        timers = Timers(session_expires=90, randbelow=lambda n: 0)
        self.alice: Node = self.network.node(ALICE, timers=timers)
        self.bob: Peer = self.network.peer(BOB)
        self.call: Call
        self.cseq = 1
        self.branch = 0

    def begin(self, *, is_ours: bool, body: bytes) -> None:
        kind = SDP if body else None
        if is_ours:
            self.call = self.alice.core.invite(
                parse_uri(f"sip:bob@{BOB}"), 0.0, body=body, content_type=kind
            )
            self.network.run()
            return
        headers = [("Contact", f"<sip:bob@{BOB}>"), ("Supported", "100rel, timer")]
        self.send("INVITE", 0, headers, body, tag="")
        self.call = self.alice.of(CallReceived)[0].call

    @property
    def tag(self) -> str:
        if isinstance(self.call, ClientCall):
            return self.call.request.from_.tag or ""
        assert self.call.dialog is not None
        return self.call.dialog.local.tag or ""

    def send(
        self,
        method: str,
        ahead: int,
        headers: list[tuple[str, str]],
        body: bytes,
        tag: str,
    ) -> None:
        if method not in ("ACK", "CANCEL"):
            self.cseq += ahead
            self.branch += 1
        to = f"<sip:alice@{ALICE}>" + (f";tag={tag}" if tag else "")
        call_id = self.call.request.call_id if tag else "call-1"
        all_headers = [
            ("Via", f"SIP/2.0/UDP {BOB};branch=z9hG4bK{self.branch}"),
            ("From", f"<sip:bob@{BOB}>;tag=b"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{self.cseq} {method}"),
            *headers,
        ]
        kind = SDP if body else None
        built = Request.build(method, f"sip:{ALICE}", all_headers, body, kind)
        self.bob.send(built, TO_ALICE)
        self.network.run(0.3)

    def respond(
        self, status: int, back: int, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        requests = [m for m in self.bob.received if isinstance(m, Request)]
        if not requests:
            return
        to = requests[max(0, len(requests) - 1 - back)]
        if to.method == "ACK":
            return
        kind = SDP if body else None
        answer = response_to(
            to, status, to_tag="b", headers=headers, body=body, content_type=kind
        )
        self.bob.send(answer, TO_ALICE)
        self.network.run(0.3)

    def do(self, deed: str, body: bytes) -> None:
        call, now = self.call, self.network.now
        kind = SDP if body else None
        offers = self.alice.of(OfferReceived)
        match deed:
            case "want":
                call.want_offer(now)
            case "offer":
                call.offer(b"ours", now)
            case "withdraw":
                call.withdraw_offer(now)
            case "refresh":
                call.refresh(now)
            case "bye":
                call.bye(now)
            case "answer" if offers:
                last = offers[-1].transaction
                call.answer_offer(last, 200, now, body=body, content_type=kind)
            case "refuse" if offers:
                call.answer_offer(offers[-1].transaction, 488, now)
            case _ if isinstance(call, ClientCall):
                self.pursue(call, deed, body)
            case _ if isinstance(call, ServerCall):
                self.serve(call, deed, body)
        self.network.run(0.3)

    def pursue(self, call: ClientCall, deed: str, body: bytes) -> None:
        now, kind = self.network.now, SDP if body else None
        progress = self.alice.of(CallProgressed)
        match deed:
            case "prack" if progress:
                call.acknowledge_progress(progress[-1].response, b"answer", SDP)
            case "acknowledge":
                call.acknowledge(now, body=body, content_type=kind)
            case "cancel":
                call.cancel(now)

    def serve(self, call: ServerCall, deed: str, body: bytes) -> None:
        now, kind = self.network.now, SDP if body else None
        match deed:
            case "provisional":
                call.provisional(180, now)
            case "reliable":
                call.provisional(183, now, reliable=True)
            case "early":
                call.provisional(183, now, body=b"early", content_type=SDP)
            case "accept":
                call.accept(now, body=body, content_type=kind)
            case "reject":
                call.reject(486, now)


@settings(max_examples=250, deadline=None)
@given(st.booleans(), st.sampled_from(BODIES), steps)
def test_nothing_that_anybody_does_breaks_a_call(
    is_ours: bool,
    body: bytes,
    script: list[tuple[str, str | int, int, list, bytes]],  # type: ignore[type-arg]
) -> None:
    scene = Scene()
    scene.begin(is_ours=is_ours, body=body)
    for kind, what, number, headers, content in script:
        if kind == "request":
            scene.send(str(what), number, headers, content, scene.tag)
        elif kind == "response":
            scene.respond(int(what), number, headers, content)
        else:
            with suppress(LocalError):
                scene.do(str(what), content)
    # Whatever has happened, it can be brought to an end, and nothing is left.
    call = scene.call
    if isinstance(call, ClientCall):
        call.cancel(scene.network.now)
        if call.state is CallState.ANSWERED:
            call.acknowledge(scene.network.now)
    elif isinstance(call, ServerCall) and call.state is CallState.INVITING:
        call.reject(486, scene.network.now)
    with suppress(LocalError):
        call.bye(scene.network.now)
    scene.network.run(300.0)
    assert call.state is CallState.ENDED
    assert scene.alice.core.calls == frozenset()
    assert scene.alice.core.next_timeout() is None
