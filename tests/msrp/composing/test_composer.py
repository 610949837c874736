from __future__ import annotations

import pytest

from msrp.composing import Composer, ComposingState, IsComposing

ACTIVE, IDLE = ComposingState


class Typist:
    """A composer on a virtual clock, and when what was sent."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.now = 100.0
        self.sent: list[tuple[float, str]] = []

    def type(self) -> None:
        self._note(self.composer.composing(self.now, "text/plain"))

    def wait(self, seconds: float) -> None:
        """Let time pass, with the timer going off whenever it is due."""
        until = self.now + seconds
        while (due := self.composer.next_timeout()) is not None and due <= until:
            self.now = max(self.now, due)
            self._note(self.composer.handle_timeout(self.now))
        self.now = until

    def type_for(self, seconds: int) -> None:
        """Press a key each second."""
        for _ in range(seconds):
            self.type()
            self.wait(1)

    def _note(self, status: IsComposing | None) -> None:
        if status is not None:
            self.sent.append((self.now - 100, status.state.value))


@pytest.mark.rule("TYP-3")
def test_the_first_key_press_is_told() -> None:
    composer = Composer(refresh=60)
    assert composer.next_timeout() is None
    status = composer.composing(0.0, "text/plain")
    assert status == IsComposing(ACTIVE, "text/plain", 60)
    assert composer.next_timeout() == 15.0


@pytest.mark.rule("TYP-3")
def test_further_key_presses_are_not() -> None:
    typist = Typist(Composer())
    for _ in range(1000):
        typist.type()
    assert typist.sent == [(0, "active")]


@pytest.mark.rule("TYP-3")
def test_after_fifteen_seconds_of_nothing_one_is_idle() -> None:
    typist = Typist(Composer())
    typist.type()
    typist.wait(14.5)
    typist.type()
    typist.wait(14.5)
    assert typist.sent == [(0, "active")]
    typist.wait(1)
    assert typist.sent == [(0, "active"), (29.5, "idle")]
    assert typist.composer.next_timeout() is None
    assert typist.composer.state is IDLE


@pytest.mark.rule("TYP-3")
def test_sending_the_message_says_it_all() -> None:
    typist = Typist(Composer())
    typist.type()
    typist.composer.content_sent(typist.now)
    assert typist.composer.state is IDLE
    typist.wait(1000)
    assert typist.sent == [(0, "active")]


def test_a_message_that_nobody_has_typed_says_nothing() -> None:
    composer = Composer()
    composer.content_sent(0.0)
    assert composer.state is IDLE
    assert composer.next_timeout() is None


@pytest.mark.rule("TYP-3")
def test_while_it_goes_on_it_is_said_again_once_in_each_interval() -> None:
    typist = Typist(Composer(refresh=60))
    typist.type_for(130)
    assert typist.sent == [(0, "active"), (60, "active"), (120, "active")]
    typist.wait(100)
    assert typist.sent[3:] == [(144, "idle")]


@pytest.mark.rule("TYP-3")
def test_who_doesnt_refresh_doesnt_say_when() -> None:
    composer = Composer(refresh=None)
    assert composer.composing(0.0) == IsComposing(ACTIVE)
    typist = Typist(Composer(refresh=None))
    typist.type_for(300)
    assert typist.sent == [(0, "active")]


@pytest.mark.rule("TYP-3")
def test_a_late_timer_tells_what_is_so_now() -> None:
    composer = Composer(refresh=60)
    composer.composing(0.0)
    assert composer.handle_timeout(14.9) is None
    assert composer.handle_timeout(70.0) == IsComposing(IDLE)
    assert composer.handle_timeout(71.0) is None


@pytest.mark.rule("XT-10", "TYP-3")
def test_type_pause_type_send() -> None:
    typist = Typist(Composer())
    typist.type_for(3)
    typist.wait(15)
    typist.type_for(2)
    typist.composer.content_sent(typist.now)
    typist.wait(300)
    assert typist.sent == [(0, "active"), (17, "idle"), (18, "active")]
