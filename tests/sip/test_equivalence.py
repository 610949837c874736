from __future__ import annotations

import pytest

from sip.uri import parse_uri

EQUAL = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
    ("sip:a%40b@h", "SIP:a%40b@h"),
    ("sip:a%3bb@h", "sip:a%3Bb@h"),
    ("urn:service:sos.fire", "URN:SERVICE:SOS.Fire"),
    ("tel:+15551234", "TEL:+15551234"),
]

UNEQUAL = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    (
        "sip:carol@chicago.com;security=on",
        "sip:carol@chicago.com;security=off",
    ),
    ("sip:a@h", "sips:a@h"),
    ("sip:a@h", "sip:h"),
    ("sip:a@h", "sip:a:pw@h"),
    ("sip:a:pw@h", "sip:a:PW@h"),
    ("sip:h", "sip:h;user=ip"),
    ("sip:h", "sip:h;ttl=1"),
    ("sip:h", "sip:h;method=INVITE"),
    ("sip:h", "sip:h;maddr=h"),
    ("sip:a%3Bb@h", "sip:a;b@h"),
    ("sip:a@h;x", "sip:a@h;x=1"),
    ("tel:+1", "sip:+1@h"),
    ("urn:service:sos", "urn:service:sos.fire"),
    ("urn:example:A", "urn:example:a"),
    ("https://h/A", "https://h/a"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
@pytest.mark.rule("SIP-8")
def test_equivalent_uris(one: str, other: str) -> None:
    assert parse_uri(one).equals(parse_uri(other))
    assert parse_uri(other).equals(parse_uri(one))


@pytest.mark.parametrize(("one", "other"), UNEQUAL)
@pytest.mark.rule("SIP-8")
def test_uris_that_are_not_equivalent(one: str, other: str) -> None:
    assert not parse_uri(one).equals(parse_uri(other))
    assert not parse_uri(other).equals(parse_uri(one))


@pytest.mark.rule("SIP-8")
def test_equivalence_is_not_transitive() -> None:
    plain = parse_uri("sip:carol@chicago.com")
    on = parse_uri("sip:carol@chicago.com;security=on")
    off = parse_uri("sip:carol@chicago.com;security=off")
    assert plain.equals(on)
    assert plain.equals(off)
    assert not on.equals(off)
