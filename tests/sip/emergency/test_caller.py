"""Who can be called back."""

from __future__ import annotations

import pytest

from sip.emergency import is_dialable, telephone_number
from sip.emergency.caller import check_identities
from sip.name_addr import NameAddr
from sip.uri import parse_uri


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("tel:+1-202-555-0123", "+12025550123"),
        ("tel:(202)5550123;phone-context=+1", "2025550123"),
        ("sip:+1.202.555.0123@example.com;user=phone", "+12025550123"),
        ("sip:911;phone-context=x@example.com", "911"),
        ("sip:alice@example.com", None),
        ("sip:example.com", None),
        ("urn:service:sos", None),
        ("tel:", None),
    ],
)
@pytest.mark.rule("NG-9")
def test_telephone_numbers_lose_their_separators(uri: str, number: str | None) -> None:
    parsed = parse_uri(uri if uri != "tel:" else "tel:x")
    assert telephone_number(parsed) == number


@pytest.mark.parametrize(
    ("uri", "dialable"),
    [
        ("tel:+12025550123", True),
        ("tel:9115550123", False),
        ("tel:+19115550123", False),
        ("sip:911-555-0123@example.com;user=phone", False),
        ("sip:alice@example.com", True),
        ("sip:anonymous@anonymous.invalid", False),
        ("sip:Anonymous@example.com", False),
        ("sip:alice@x.invalid.", False),
        ("sip:example.com", False),
        ("urn:service:sos", False),
        ("http://example.com/", False),
    ],
)
@pytest.mark.rule("NG-9")
def test_telephones_without_a_number_cant_be_called(uri: str, dialable: bool) -> None:
    assert is_dialable(parse_uri(uri)) is dialable


@pytest.mark.parametrize(
    ("uris", "good"),
    [
        (["sip:a@b"], True),
        (["tel:+1202"], True),
        (["sip:a@b", "tel:+1202"], True),
        (["tel:+1202", "sips:a@b"], True),
        ([], True),
        (["sip:a@b", "sip:c@d"], False),
        (["tel:+1202", "tel:+1203"], False),
        (["sip:a@b", "tel:+1202", "sip:c@d"], False),
        (["http://a"], False),
    ],
)
@pytest.mark.rule("NG-7")
def test_there_are_one_or_two_asserted_identities(uris: list[str], good: bool) -> None:
    identities = [NameAddr(None, parse_uri(uri)) for uri in uris]
    assert (check_identities(identities) is None) is good
