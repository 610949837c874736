"""What each value of a header field says, and that it is written as it was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.fields import (
    Accepted,
    CallInfo,
    Event,
    GeolocationError,
    HistoryInfo,
    MediaRange,
    MinSE,
    RAck,
    Reason,
    Refresher,
    Replaces,
    ResourcePriority,
    RetryAfter,
    SessionExpires,
    SubscriptionState,
    WarningValue,
    format_date,
    parse_date,
)
from sip.fields.privacy import parse_privacy
from sip.uri import OtherUri, SipUri, parse_uri

VALUES: list[tuple[Callable[[str], object], str]] = [
    (Accepted.parse, "en-gb;q=0.8"),
    (CallInfo.parse, "<http://wwww.example.com/alice/photo.jpg>;purpose=icon"),
    (Event.parse, "refer;id=93809824"),
    (GeolocationError.parse, '300;code="Permission To Use Location Information"'),
    (HistoryInfo.parse, "<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.1"),
    (MediaRange.parse, "application/*;q=0.2;level=1"),
    (MinSE.parse, "3600;lr"),
    (RAck.parse, "776656 1 INVITE"),
    (Reason.parse, 'Q.850;cause=16;text="Terminated"'),
    (Replaces.parse, "425928@x.example.com;to-tag=7743;from-tag=6472;early-only;x=y"),
    (ResourcePriority.parse, "esnet.1"),
    (RetryAfter.parse, "18000 (a \\(nested\\) one);duration=3600"),
    (SessionExpires.parse, "4000;foo=bar;refresher=uac"),
    (SubscriptionState.parse, "terminated;reason=noresource;retry-after=5"),
    (WarningValue.parse, '307 isi.edu:5060 "Session parameter \\"foo\\" not here"'),
]
IDS = [text for _, text in VALUES]


@pytest.mark.parametrize(("parse", "text"), VALUES, ids=IDS)
@pytest.mark.rule("SIP-5")
def test_what_is_read_is_written_as_it_was(
    parse: Callable[[str], object], text: str
) -> None:
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


NOISE = st.text(st.characters(codec="utf-8"), max_size=40) | st.text(
    '0123456789abz;=<>"()\\,.%/: \t-', max_size=40
)


@given(st.sampled_from(VALUES), NOISE, st.integers(0, 60), st.integers(0, 10))
@settings(deadline=None, max_examples=600)
@pytest.mark.rule("SIP-68")
def test_anything_is_a_value_or_a_parse_error(
    value: tuple[Callable[[str], object], str], noise: str, start: int, cut: int
) -> None:
    parse, text = value
    for changed in (noise, text[:start] + noise + text[start + cut :]):
        try:
            parsed = parse(changed)
        except SipParseError:
            continue
        assert parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (Accepted.parse, "en gb"),
        (Accepted.parse, ""),
        (CallInfo.parse, "<http://example.com"),
        (CallInfo.parse, "no uri"),
        (Event.parse, ";id=1"),
        (Event.parse, "re fer"),
        (GeolocationError.parse, "1000"),
        (GeolocationError.parse, "abc"),
        (HistoryInfo.parse, "bob"),
        (MediaRange.parse, "text"),
        (MediaRange.parse, "text/"),
        (MinSE.parse, "soon"),
        (MinSE.parse, ""),
        (RAck.parse, "1 INVITE"),
        (RAck.parse, "0 1 INVITE"),
        (RAck.parse, "4294967296 1 INVITE"),
        (RAck.parse, "1 1"),
        (RAck.parse, "1"),
        (RAck.parse, "1 1 IN VITE"),
        (Reason.parse, "a b;cause=1"),
        (Replaces.parse, "abc;to-tag=1"),
        (Replaces.parse, "abc;from-tag=1"),
        (Replaces.parse, "abc;from-tag=1;to-tag=2;to-tag=3"),
        (Replaces.parse, ";from-tag=1;to-tag=2"),
        (Replaces.parse, "a b;from-tag=1;to-tag=2"),
        (ResourcePriority.parse, "esnet"),
        (ResourcePriority.parse, "esnet."),
        (ResourcePriority.parse, "esnet.1.2"),
        (RetryAfter.parse, "(soon)"),
        (RetryAfter.parse, "5 (soon"),
        (RetryAfter.parse, "5 (soon\\)"),
        (RetryAfter.parse, "5 soon"),
        (SessionExpires.parse, "4000;refresher=uac;refresher=uas"),
        (SessionExpires.parse, "-1"),
        (SubscriptionState.parse, ""),
        (WarningValue.parse, '30 host "text"'),
        (WarningValue.parse, '301 "text"'),
        (WarningValue.parse, "301 host text"),
        (WarningValue.parse, '301 host "text" more'),
        (WarningValue.parse, '301 host "text'),
        (parse_date, "Fri, 01 Jan 2010 16:00:00 EST"),
        (parse_date, "Fri, 31 Feb 2010 16:00:00 GMT"),
        (parse_date, "Fri, 01 Foo 2010 16:00:00 GMT"),
        (parse_date, "2010-01-01T16:00:00Z"),
    ],
)
def test_what_isnt_a_value_is_refused(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(SipParseError):
        parse(text)


@pytest.mark.rule("SIP-57")
def test_rack_names_a_response_by_two_numbers_and_a_method() -> None:
    rack = RAck.parse("4294967295  1\tINVITE")
    assert rack == RAck(2**32 - 1, CSeq(1, "INVITE"))


@pytest.mark.rule("SIP-58")
@pytest.mark.parametrize(
    ("text", "refresher"),
    [
        ("90", None),
        ("90;refresher=uas", Refresher.UAS),
        ("90 ; Refresher = UAC", Refresher.UAC),
        ("90;refresher=both", None),
    ],
)
def test_session_expires_says_who_refreshes(
    text: str, refresher: Refresher | None
) -> None:
    assert SessionExpires.parse(text) == SessionExpires(90, refresher)


def test_times_longer_than_can_be_told_are_as_long_as_can_be_told() -> None:
    assert SessionExpires.parse("9" * 5000).interval == 2**32 - 1
    assert RetryAfter.parse("9" * 5000).seconds == 2**32 - 1


@pytest.mark.rule("SIP-59")
def test_subscriptions_are_told_apart_by_package_and_id_only() -> None:
    event = Event.parse("refer;id=1;x=y")
    assert event.matches(Event("refer", (("id", "1"),)))
    assert not event.matches(Event("refer"))
    assert not event.matches(Event("Refer", (("id", "1"),)))
    assert not event.matches(Event("refer", (("id", "2"),)))
    assert Event("refer").id is None


@pytest.mark.rule("SIP-55")
def test_subscription_state_tells_how_long_and_why() -> None:
    active = SubscriptionState.parse("Active;expires=60")
    assert (active.state, active.expires, active.terminated) == ("active", 60, False)
    assert (active.reason, active.retry_after) == (None, None)
    over = SubscriptionState.parse("terminated;reason=NoResource;retry-after=x")
    assert (over.terminated, over.reason, over.retry_after) == (
        True,
        "noresource",
        None,
    )


@pytest.mark.rule("SIP-55")
def test_replaces_may_stand_in_the_uri_of_a_refer_to() -> None:
    replaces = Replaces("a@b", "t;1".replace(";", "."), "f")
    uri = SipUri.parse("sip:bob@example.com").with_header("Replaces", str(replaces))
    assert Replaces.from_uri(parse_uri(str(uri))) == replaces
    assert Replaces.from_uri(parse_uri("sip:bob@example.com")) is None
    assert Replaces.from_uri(parse_uri("tel:911")) is None
    with pytest.raises(SipParseError) as caught:
        Replaces.from_uri(parse_uri("sip:bob@example.com?Replaces=abc"))
    assert caught.value.header == "Replaces"


def test_a_reason_has_a_cause_and_words() -> None:
    reason = Reason.parse('SIP ;cause=200 ;text="Call completed elsewhere"')
    assert reason.protocol == "SIP"
    assert (reason.cause, reason.text) == (200, "Call completed elsewhere")
    assert str(Reason.build(487, "no")) == 'SIP;cause=487;text="no"'
    assert str(Reason.build(16, protocol="Q.850")) == "Q.850;cause=16"
    assert Reason.parse("SIP;cause=x").cause is None
    assert Reason.parse("preemption").text is None


@pytest.mark.rule("SIP-37")
def test_a_media_range_covers_types_without_regard_to_parameters() -> None:
    anything, text = MediaRange.parse("*/*"), MediaRange.parse("Text / *;q=.5")
    assert anything.covers("message/cpim")
    assert text.covers("TEXT/plain; charset=utf-8")
    assert not text.covers("image/png")
    assert (anything.q, text.q) == (1.0, 0.5)
    assert MediaRange.parse("a/b;q=2").q == 1.0
    assert MediaRange.parse("a/b;q=0.000").q == 0.0
    assert MediaRange.parse("a/b;q=.").q == 1.0


@pytest.mark.rule("SIP-37")
def test_a_language_range_covers_the_tags_it_begins() -> None:
    english = Accepted.parse("EN;q=0.7")
    assert english.covers("en-GB")
    assert english.covers("en")
    assert not english.covers("eng")
    assert english.q == 0.7
    assert Accepted.parse("*").covers("ase")


@pytest.mark.rule("SIP-41")
def test_retry_after_may_have_a_comment_with_comments() -> None:
    value = RetryAfter.parse("120 (I'm in a (long \\) ) meeting) ;duration=60")
    assert value.comment == "I'm in a (long ) ) meeting"
    assert (value.seconds, value.duration) == (120, 60)
    assert RetryAfter.parse(str(value)) == value
    assert str(RetryAfter(5)) == "5"
    assert RetryAfter.parse("5;duration=soon").duration is None


@pytest.mark.rule("SIP-41")
def test_a_warning_has_a_code_an_agent_and_words() -> None:
    warning = WarningValue.parse('399  isi.edu \t "Say \\"hi\\""')
    assert warning == WarningValue(399, "isi.edu", 'Say "hi"')


def test_dates_are_in_gmt() -> None:
    moment = datetime(2010, 11, 13, 23, 29, 0, tzinfo=UTC)
    assert parse_date("Sat, 13 Nov 2010 23:29:00 GMT") == moment
    there = moment.astimezone(timezone(timedelta(hours=-5)))
    assert format_date(there) == "Sat, 13 Nov 2010 23:29:00 GMT"
    assert parse_date("Sat, 13 Nov 2010 23:59:60 GMT").second == 59


@pytest.mark.rule("NG-8")
def test_resource_priorities_are_compared_without_regard_to_case() -> None:
    assert ResourcePriority.parse("ESNET.1") == ResourcePriority("esnet", "1")
    assert ResourcePriority.parse("esnet.4").esnet == 4
    assert ResourcePriority.parse("esnet.5").esnet is None
    assert ResourcePriority.parse("dsn.flash").esnet is None
    assert ResourcePriority.parse("wps.0").esnet is None


@pytest.mark.rule("NG-3")
def test_a_geolocation_error_has_a_code_and_words() -> None:
    error = GeolocationError.build(100, "Cannot Process Location")
    assert str(error) == '100;code="Cannot Process Location"'
    assert GeolocationError.parse(str(error)).text == "Cannot Process Location"
    assert str(GeolocationError.build(201)) == "201"
    assert GeolocationError.parse("202 ;code=Word;x").text == "Word"


@pytest.mark.rule("NG-5")
@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("<cid:a@b>;purpose=EmergencyCallData.Comment", OtherUri("cid", "a@b")),
        ('cid:a@b; purpose="EmergencyCallData.Comment"', OtherUri("cid", "a@b")),
        (
            "https://x.example/a?b=c;purpose=EmergencyCallData.Comment",
            OtherUri("https", "//x.example/a?b=c"),
        ),
    ],
)
def test_call_info_is_read_without_brackets_too(text: str, uri: OtherUri) -> None:
    info = CallInfo.parse(text)
    assert info.uri == uri
    assert info.purpose == "EmergencyCallData.Comment"
    assert str(info) == f"<{uri}>;purpose=EmergencyCallData.Comment"


def test_history_info_says_why_and_what_to_hide() -> None:
    entry = HistoryInfo.parse(
        "<sip:a@b?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1.2"
    )
    assert entry.index == "1.2"
    assert [reason.cause for reason in entry.reasons] == [302]
    assert entry.privacy == ("history",)
    other = HistoryInfo.parse("<tel:911>")
    assert (other.index, other.reasons, other.privacy) == (None, (), ())


def test_privacy_is_a_list_of_words() -> None:
    assert parse_privacy(["id; Critical", "user,header;"]) == (
        "id",
        "critical",
        "user",
        "header",
    )
