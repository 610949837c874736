from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import Algorithm, AuthenticationInfo, Credentials, DigestError, Qop

FULL = Credentials(
    username='bob "b"',
    realm="biloxi.com",
    nonce="dcd98b",
    response="6629fae4",
    uri="sip:bob@biloxi.com",
    algorithm=Algorithm.SHA_256_SESS,
    qop=Qop.AUTH,
    cnonce="0a4f113b",
    count=0x1F,
    opaque="5ccc",
)
WRITTEN = (
    'Digest username="bob \\"b\\"", realm="biloxi.com", nonce="dcd98b", '
    'uri="sip:bob@biloxi.com", response="6629fae4", algorithm=SHA-256-sess, '
    'cnonce="0a4f113b", opaque="5ccc", qop=auth, nc=0000001f'
)
MINIMAL = 'Digest username="u", realm="r", nonce="n", response="1"'

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('"\\,= \tä'),
    max_size=20,
)
counts = st.integers(0, 0xFFFFFFFF)
algorithms = st.none() | st.sampled_from([a for a in Algorithm if a.is_available])
any_credentials = st.builds(
    Credentials,
    username=texts,
    realm=texts,
    nonce=texts,
    response=texts,
    uri=st.none() | texts,
    algorithm=algorithms,
    qop=st.none() | st.sampled_from(Qop),
    cnonce=texts,
    count=counts,
    opaque=st.none() | texts,
    userhash=st.booleans(),
)
infos = st.builds(
    AuthenticationInfo,
    rspauth=st.none() | texts,
    qop=st.none() | st.sampled_from(Qop),
    cnonce=st.none() | texts,
    count=st.none() | counts,
    nextnonce=st.none() | texts,
)


@pytest.mark.rule("SIP-62", "RLY-4", "RLY-5")
def test_what_is_quoted_and_what_is_not_is_as_the_rfc_has_it() -> None:
    assert str(FULL) == WRITTEN
    assert Credentials.parse(WRITTEN) == FULL


def test_names_and_values_may_be_spelled_differently() -> None:
    text = (
        'digest USERNAME=bob, Realm=biloxi.com, nonce=dcd98b==, RESPONSE="6629",'
        'algorithm="md5", qop="auth", nc="1F", cnonce=0a, userhash=TRUE, new=x'
    )
    assert Credentials.parse(text) == Credentials(
        "bob",
        "biloxi.com",
        "dcd98b==",
        "6629",
        algorithm=Algorithm.MD5,
        qop=Qop.AUTH,
        cnonce="0a",
        count=31,
        userhash=True,
    )


@pytest.mark.rule("RLY-5")
def test_the_uri_may_be_left_out() -> None:
    credentials = Credentials.parse(MINIMAL)
    assert credentials.uri is None
    assert str(replace(FULL, uri=None)) == WRITTEN.replace(
        'uri="sip:bob@biloxi.com", ', ""
    )


def test_a_client_without_a_challenge_may_send_empty_values() -> None:
    text = 'Digest username="u", realm="r", nonce="", uri="sip:r", response=""'
    assert str(Credentials.parse(text)) == text


def test_a_name_may_come_in_extended_notation() -> None:
    text = "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=r, nonce=n, response=1"
    assert Credentials.parse(text).username == "Jäsøn Doe"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Basic YWJjOmRlZg==", id="basic"),
        pytest.param('Digest realm="r", nonce="n", response="1"', id="no-name"),
        pytest.param('Digest username="u", nonce="n", response="1"', id="no-realm"),
        pytest.param('Digest username="u", realm="r", response="1"', id="no-nonce"),
        pytest.param('Digest username="u", realm="r", nonce="n"', id="no-response"),
        pytest.param(f"{MINIMAL}, username*=UTF-8''u", id="two-names"),
        pytest.param(MINIMAL.replace('e="u"', "e*=ISO-8859-1''u"), id="charset"),
        pytest.param(MINIMAL.replace('e="u"', "e*=UTF-8''%FF"), id="octets"),
        pytest.param(MINIMAL.replace('e="u"', "e*=UTF-8''%0D"), id="control"),
        pytest.param(f"{MINIMAL}, qop=auth, nc=00000001", id="no-cnonce"),
        pytest.param(f"{MINIMAL}, qop=auth, cnonce=c", id="no-count"),
        pytest.param(f"{MINIMAL}, qop=x, cnonce=c, nc=1", id="qop"),
        pytest.param(f"{MINIMAL}, nc=000000001", id="nine-digits"),
        pytest.param(f"{MINIMAL}, nc=0x1", id="not-digits"),
        pytest.param(f"{MINIMAL}, nc=-1", id="negative"),
        pytest.param(f"{MINIMAL}, nc=", id="no-digits"),
        pytest.param(f"{MINIMAL}, algorithm=SHA3", id="algorithm"),
        pytest.param(f"{MINIMAL}, {MINIMAL}", id="two"),
        pytest.param(f'{MINIMAL}, uri="a', id="unclosed"),
    ],
)
def test_what_is_not_credentials_is_refused(text: str) -> None:
    with pytest.raises(DigestError):
        Credentials.parse(text)


def test_no_credentials_can_be_made_that_can_not_be_written() -> None:
    for wrong in (
        {"username": "a\nb"},
        {"uri": "\r"},
        {"opaque": "\0"},
        {"cnonce": None},
        {"count": None},
    ):
        with pytest.raises(DigestError):
            replace(FULL, **wrong)
    for count in (-1, 1 << 32):
        with pytest.raises(DigestError):
            replace(FULL, count=count)
        with pytest.raises(DigestError):
            AuthenticationInfo(count=count)


@pytest.mark.rule("RLY-6")
@pytest.mark.parametrize("comma", [",", ", ", " , "])
def test_authentication_info_is_read_with_any_commas(comma: str) -> None:
    parameters = ("qop=auth", 'rspauth="a9"', 'cnonce="c"', "nc=0000000a")
    info = AuthenticationInfo.parse(comma.join(parameters))
    assert info == AuthenticationInfo("a9", Qop.AUTH, "c", 10)
    assert str(info) == ", ".join(parameters)


@pytest.mark.parametrize("text", ["x", "nc=x", "qop=x", 'rspauth="', "a=1, a=2"])
def test_what_is_not_authentication_info_is_refused(text: str) -> None:
    with pytest.raises(DigestError):
        AuthenticationInfo.parse(text)


@given(any_credentials)
@settings(deadline=None)
def test_credentials_read_back_equal(credentials: Credentials) -> None:
    assert Credentials.parse(str(credentials)) == credentials


@given(infos)
@settings(deadline=None)
def test_authentication_info_reads_back_equal(info: AuthenticationInfo) -> None:
    assert AuthenticationInfo.parse(str(info)) == info


@given(st.integers(0, len(WRITTEN)), st.text(max_size=3), st.integers(0, 3))
@settings(deadline=None)
def test_whatever_comes_is_credentials_or_an_error(
    at: int, instead: str, taken: int
) -> None:
    text = WRITTEN[:at] + instead + WRITTEN[at + taken :]
    for candidate in (text, instead, "Digest " + instead):
        try:
            credentials = Credentials.parse(candidate)
        except DigestError:
            continue
        assert Credentials.parse(str(credentials)) == credentials


@given(st.text())
@settings(deadline=None)
def test_whatever_comes_is_authentication_info_or_an_error(text: str) -> None:
    try:
        info = AuthenticationInfo.parse(text)
    except DigestError:
        return
    assert AuthenticationInfo.parse(str(info)) == info
