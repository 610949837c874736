"""Challenges and credentials, and the two ends that deal in them.

Whatever the text of a header field is:

* it is a value or a :exc:`DigestError`, and what was read is written and reads back
  equal;
* a client either says why it won't answer or has credentials that can be read, and
  gives up after so many challenges;
* a server lets in nobody whom it hasn't challenged, and remembers nothing of them.
"""

from __future__ import annotations

import contextlib

from digest import (
    Account,
    AuthenticationInfo,
    Challenge,
    Credentials,
    DigestClient,
    DigestError,
    DigestServer,
    Passwords,
    parse_challenges,
)

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b'Digest realm="r"',
    b'nonce="n"',
    b"algorithm=MD5",
    b"algorithm=SHA-256-sess",
    b'qop="auth,auth-int"',
    b"qop=auth",
    b"nc=00000001",
    b'cnonce="c"',
    b'opaque="\\""',
    b"stale=TRUE",
    b"userhash=true",
    b'username="u"',
    b"username*=UTF-8''%C3%A4",
    b'uri="sip:a"',
    b'response="00"',
    b'rspauth="00"',
    b'nextnonce="m"',
    b"Basic YWJj",
    b", ",
    b",",
    b"=",
    b"\n",
    b'"',
    b"\\",
    b"\xff",
)

_FIELD = "Authorization"


def fuzz(data: bytes) -> None:
    # Each line is one header field, as the others are to a protocol.
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for line in lines:
        check_values(line)
    check_client(lines)
    check_server(lines)


def check_values(line: str) -> None:
    with contextlib.suppress(DigestError):
        challenge = Challenge.parse(line)
        assert Challenge.parse(str(challenge)) == challenge
        assert parse_challenges([line]) == (challenge,)
    with contextlib.suppress(DigestError):
        credentials = Credentials.parse(line)
        assert Credentials.parse(str(credentials)) == credentials
    with contextlib.suppress(DigestError):
        info = AuthenticationInfo.parse(line)
        assert AuthenticationInfo.parse(str(info)) == info


def check_client(lines: list[str]) -> None:
    client = DigestClient([Account("u", "p")])
    request = client.request("M", "sip:a", b"body")
    for _ in range(20):
        if request.challenged({_FIELD: lines}) is not None:
            break
        for _, credentials in request.credentials:
            assert Credentials.parse(str(credentials)) == credentials
    else:
        raise AssertionError("it answers challenges without end")
    with contextlib.suppress(DigestError):
        request.confirmed(_FIELD, AuthenticationInfo.parse(lines[0]), b"body")


def check_server(lines: list[str]) -> None:
    server = DigestServer("r", Passwords({"u": "p"}), allow_legacy=True)
    verdict = server.verify(lines, "M", "sip:a", now=1.0)
    assert verdict.username is None
    for challenge in server.challenges(1.0, stale=verdict.is_stale):
        assert Challenge.parse(str(challenge)) == challenge
