"""What a certificate says about whom, and what it doesn't."""

from __future__ import annotations

import pytest

from sip.domain_certificates import shows_domain, sip_identities


@pytest.mark.rule("SIP-19")
@pytest.mark.parametrize(
    ("names", "identities"),
    [
        pytest.param([("DNS", "A.example")], {"a.example"}, id="host"),
        pytest.param([("URI", "sip:A.example")], {"a.example"}, id="uri"),
        pytest.param(
            [("DNS", "host.example"), ("URI", "SIP:a.example;x=y")],
            {"a.example"},
            id="uri-before-host",
        ),
        pytest.param(
            [("URI", "sips:a.example"), ("URI", "sip:u@a.example"), ("DNS", "b")],
            {"b"},
            id="uris-that-are-no-domains",
        ),
        pytest.param([("URI", "sip:")], set(), id="empty"),
        pytest.param([("email", "a@b.example")], set(), id="mail"),
        pytest.param(
            [("IP Address", "0:0:0:0:0:0:0:1"), ("IP Address", "127.0.0.1")],
            {"::1", "127.0.0.1"},
            id="addresses",
        ),
        pytest.param([], set(), id="nothing"),
    ],
)
def test_the_identities_are_those_of_the_rfc(
    names: list[tuple[str, str]], identities: set[str]
) -> None:
    assert sip_identities(names) == identities


@pytest.mark.rule("SIP-19")
@pytest.mark.parametrize(
    ("shown", "domain", "expected"),
    [
        ("example.com", "Example.COM", True),
        ("example.com", "example.com.", True),
        ("example.com", "foo.example.com", False),
        ("foo.example.com", "example.com", False),
        ("*.example.com", "foo.example.com", False),
        (".example.com", "foo.example.com", False),
        ("*.example.com", "*.example.com", True),
    ],
)
def test_names_are_compared_whole(shown: str, domain: str, expected: bool) -> None:
    assert shows_domain(sip_identities([("DNS", shown)]), domain) is expected


@pytest.mark.rule("SIP-19")
def test_an_address_may_be_written_in_any_way() -> None:
    shown = sip_identities([("IP Address", "2001:DB8:0:0:0:0:0:1")])
    assert shows_domain(shown, "[2001:db8::1]")
    assert not shows_domain(shown, "2001:db8::2")


@pytest.mark.rule("SIP-68")
def test_a_certificate_with_thousands_of_names_is_not_read_to_its_end() -> None:
    names = [("DNS", f"n{number}.example") for number in range(10_000)]
    assert len(sip_identities(names)) == 100
