"""What relays answer to AUTH, in any order.

An input is answers with ``~`` between them: a digit for the code, then a header
section.  Whatever they are:

* each either ends the attempt with :exc:`AuthorizationFailed` or leads on;
* there is an end to it, even if the relay says the same for ever;
* what is asked next is a request that can be read, with credentials that can be;
* what is granted is a path that can be told in a session description.
"""

from __future__ import annotations

from digest import Account, Credentials, DigestClient
from msrp.errors import AuthorizationFailed
from msrp.headers import RequestHead, ResponseHead
from msrp.negotiation import offer_media
from msrp.sansio.authorization import Authorization, Terms
from msrp.sansio.inquiries import Answer
from msrp.sansio.parser import Parser, RequestReceived
from msrp.uri import MsrpUri

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"~",
    b"1Use-Path: msrps://r.example:9000/s;tcp",
    b" msrps://q.example:9000/t;tcp",
    b"\r\nUse-Path: ",
    b"\r\nExpires: 900",
    b"2Min-Expires: 60",
    b"\r\nMax-Expires: 90",
    b'3WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"',
    b"\r\nWWW-Authenticate: ",
    b", stale=true",
    b", algorithm=SHA-256",
    b', opaque="o"',
    b'\r\nAuthentication-Info: rspauth="0", nextnonce="m"',
    b"4",
    b"\r\n",
    b"\xff",
)

_CODES = {49: 200, 50: 423, 51: 401, 52: 403}
_OWN = MsrpUri.parse("msrps://a.example:1/own;tcp")
_RELAYS = (
    MsrpUri.parse("msrps://r.example;tcp"),
    MsrpUri.parse("msrps://u@q.example;tcp"),
)

_MOST = 64
"""Answers after which there must be an end, for two relays."""


def fuzz(data: bytes) -> None:
    answers = data.split(b"~")
    authorization = Authorization(
        _RELAYS,
        _OWN,
        DigestClient([Account("u", "p")], assume_auth=True),
        Terms(expires=30, accept_unproven=True),
    )
    for number in range(_MOST):
        check_request(authorization)
        text = answers[number % len(answers)]
        code = _CODES.get(text[0], 500) if text else 408
        try:
            head = ResponseHead("tid1", code)
            authorization.answered(Answer(head, text[1:]))
        except AuthorizationFailed:
            return
        if authorization.grant is not None:
            check_grant(authorization)
            return
    raise AssertionError("there is no end to it")


def check_request(authorization: Authorization) -> None:
    transaction_id, octets = authorization.next_request()
    parser = Parser()
    [received, _] = parser.receive_data(octets)
    assert parser.error is None
    assert isinstance(received, RequestReceived)
    assert (received.transaction_id, received.method) == (transaction_id, "AUTH")
    head = RequestHead.parse(transaction_id, "AUTH", received.block)
    assert head.from_path == (_OWN,)
    if "authorization" in head.others:
        Credentials.parse(head.others["authorization"])


def check_grant(authorization: Authorization) -> None:
    grant = authorization.grant
    assert grant is not None
    assert grant.lifetime is None or grant.lifetime >= 0
    assert grant.path[-1] == _OWN
    media = offer_media(_OWN, relays=grant.use_path)
    assert media.first("path")
