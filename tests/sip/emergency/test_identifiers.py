"""What calls and incidents are called."""

from __future__ import annotations

import pytest

from sip.emergency import EmergencyIdentifier, IdentifierKind
from sip.errors import LocalError, SipParseError
from sip.fields import CallInfo
from sip.uri import OtherUri, parse_uri

CALL, INCIDENT = IdentifierKind.CALL, IdentifierKind.INCIDENT


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("urn:emergency:uid:callid:a56e556d871:bcf.psap.example", CALL),
        ("urn:emergency:uid:incidentid:a56e556d871:bcf.psap.example", INCIDENT),
        ("urn:nena:uid:callid:a56e556d871:bcf.psap.example", CALL),
        ("urn:nena:callid:a56e556d871:bcf.psap.example", CALL),
        ("URN:Emergency:UID:CallId:a56e556d871:bcf.psap.example", CALL),
    ],
)
@pytest.mark.rule("NG-6")
def test_an_identifier_has_a_unique_part_and_an_element(
    text: str, kind: IdentifierKind
) -> None:
    found = EmergencyIdentifier.parse(parse_uri(text))
    assert found.kind is kind
    assert (found.unique, found.element) == ("a56e556d871", "bcf.psap.example")
    assert found.problem is None
    assert str(found).partition(":")[2] == text.partition(":")[2]


@pytest.mark.parametrize(
    ("unique", "element", "problem"),
    [
        ("a" * 9, "bcf.example", "its unique part isn't 10 to 32 characters long"),
        ("a" * 10, "bcf.example", None),
        ("a" * 32, "bcf.example", None),
        ("a" * 33, "bcf.example", "its unique part isn't 10 to 32 characters long"),
        (
            "a" * 9 + "-",
            "b.example",
            "its unique part isn't made of letters and digits",
        ),
        ("a" * 10, "no:host", "its element isn't a domain name"),
        ("a" * 10, "", "its element isn't a domain name"),
    ],
)
@pytest.mark.rule("NG-6")
def test_an_odd_identifier_is_flagged_and_not_refused(
    unique: str, element: str, problem: str | None
) -> None:
    text = f"urn:emergency:uid:callid:{unique}:{element}"
    found = EmergencyIdentifier.parse(parse_uri(text))
    assert found.problem == problem
    assert found.kind is CALL
    assert str(found) == text


@pytest.mark.rule("NG-5", "NG-6")
def test_call_info_says_what_an_identifier_is_of() -> None:
    info = CallInfo.parse("<urn:x:1>;purpose=NENA-IncidentId")
    found = EmergencyIdentifier.from_call_info(info)
    assert found is not None
    assert found.kind is INCIDENT
    assert found.problem == "it isn't of the form urn:emergency:uid"
    assert str(found.call_info) == "<urn:x:1>;purpose=emergency-IncidentId"
    assert EmergencyIdentifier.from_call_info(CallInfo.parse("<urn:x:1>")) is None
    icon = CallInfo.parse("<urn:emergency:uid:callid:a:b>;purpose=icon")
    assert EmergencyIdentifier.from_call_info(icon) is None
    with pytest.raises(SipParseError):
        EmergencyIdentifier.parse(parse_uri("urn:x:1"))


@pytest.mark.rule("NG-6")
def test_a_new_identifier_is_as_it_should_be() -> None:
    made = EmergencyIdentifier.new(CALL, "bcf.example", lambda octets: "ab" * octets)
    assert made.uri == OtherUri(
        "urn", "emergency:uid:callid:abababababababab:bcf.example"
    )
    assert EmergencyIdentifier.parse(made.uri) == made
    assert EmergencyIdentifier.new(INCIDENT, "bcf.example").problem is None
    with pytest.raises(LocalError):
        EmergencyIdentifier.new(CALL, "two words")
