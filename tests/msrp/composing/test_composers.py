from __future__ import annotations

from datetime import UTC, datetime

import pytest

from msrp.composing import Composers, ComposingChanged, ComposingState, IsComposing
from msrp.composing.composers import MAX_COMPOSERS, MAX_TIMEOUT

ACTIVE, IDLE = ComposingState
MOMENT = datetime(2026, 5, 15, 15, 2, tzinfo=UTC)
LATER = datetime(2026, 5, 15, 15, 3, tzinfo=UTC)
BEGUN = ComposingChanged(True, None, "text/plain", MOMENT)
OVER = ComposingChanged(False, None, "text/plain", MOMENT)


def active(
    composers: Composers,
    now: float = 0.0,
    *,
    sender: str | None = None,
    refresh: int | None = None,
    content_type: str | None = "text/plain",
    moment: datetime = MOMENT,
) -> list[ComposingChanged]:
    status = IsComposing(ACTIVE, content_type, refresh)
    return composers.status_received(sender, status, now, moment)


@pytest.mark.rule("TYP-4")
def test_somebody_composes_until_idle_is_said() -> None:
    composers = Composers()
    assert not composers
    assert active(composers) == [BEGUN]
    assert composers.senders == (None,)
    idle = composers.status_received(None, IsComposing(IDLE), 1.0, LATER)
    assert idle == [OVER]
    assert not composers
    assert composers.next_timeout() is None


@pytest.mark.rule("TYP-4")
@pytest.mark.parametrize("sender", [None, "im:a@b"])
def test_or_until_a_message_comes(sender: str | None) -> None:
    composers = Composers()
    active(composers)
    assert composers.content_received(sender) == [OVER]
    assert composers.content_received(sender) == []


@pytest.mark.rule("TYP-4", "XT-10")
def test_without_a_refresh_it_holds_for_120_seconds() -> None:
    composers = Composers()
    active(composers, 1000.0)
    assert composers.next_timeout() == 1120.0
    assert composers.handle_timeout(1119.0) == []
    assert composers
    assert composers.handle_timeout(1120.0) == [OVER]
    assert not composers


@pytest.mark.rule("TYP-4", "XT-10")
def test_with_a_refresh_it_holds_that_long() -> None:
    composers = Composers()
    active(composers, 1000.0, refresh=60)
    assert composers.handle_timeout(1059.0) == []
    assert composers.handle_timeout(1060.0) == [OVER]


@pytest.mark.rule("TYP-4")
def test_the_last_status_counts_and_one_that_says_the_same_is_no_news() -> None:
    composers = Composers()
    active(composers, 0.0, refresh=300)
    assert active(composers, 100.0, moment=LATER) == []
    assert composers.next_timeout() == 220.0
    assert composers.handle_timeout(220.0) == [OVER]


def test_another_type_of_content_is_news() -> None:
    composers = Composers()
    active(composers)
    told = active(composers, 1.0, content_type="audio", moment=LATER)
    assert told == [ComposingChanged(True, None, "audio", MOMENT)]


@pytest.mark.rule("XT-10", "TYP-2", "TYP-4")
def test_who_dreams_is_idle() -> None:
    composers = Composers()
    active(composers)
    dreaming = IsComposing.parse(
        b'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">'
        b"<state>dreaming</state></isComposing>"
    )
    assert composers.status_received(None, dreaming, 1.0, LATER) == [OVER]
    assert composers.status_received(None, dreaming, 1.0, LATER) == []


def test_in_a_room_each_composes_alone() -> None:
    composers = Composers()
    active(composers, 0.0, sender="im:a@b")
    active(composers, 30.0, sender="im:c@d")
    assert composers.senders == ("im:a@b", "im:c@d")
    assert [each.sender for each in composers.content_received("im:c@d")] == ["im:c@d"]
    assert composers.next_timeout() == 120.0
    assert [each.sender for each in composers.handle_timeout(500.0)] == ["im:a@b"]


def test_a_message_without_an_envelope_may_be_from_any_of_them() -> None:
    composers = Composers()
    active(composers, sender="im:a@b")
    active(composers, sender="im:c@d")
    assert len(composers.content_received(None)) == 2
    assert not composers


def test_nobody_types_for_days() -> None:
    composers = Composers()
    active(composers, refresh=999_999_999)
    assert composers.next_timeout() == MAX_TIMEOUT


def test_no_more_can_compose_than_could_be_shown() -> None:
    composers = Composers()
    for number in range(10 * MAX_COMPOSERS):
        active(composers, sender=f"im:{number}@example.com")
    assert len(composers.senders) == MAX_COMPOSERS
    composers.handle_timeout(1000.0)
    assert active(composers, 1000.0, sender="im:new@example.com")
