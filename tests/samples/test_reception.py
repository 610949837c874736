"""What has come, and what of it was expected."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from msrp.content import read_message
from msrp_chat.conversation.reception import Reception
from msrp_chat.conversation.save import Saver
from msrp_chat.events import Event
from msrp_chat.outcome import ChatError


class Silence:
    def tell(
        self,
        event: Event,
        when: datetime.datetime | None = None,
        *,
        call: int | None = None,
    ) -> None:
        pass


def refuse(problem: ChatError) -> None:
    raise problem


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    return Reception(Silence(), Saver(tmp_path), refuse, None)


async def hear(reception: Reception, *texts: str) -> None:
    for text in texts:
        disposition = f'attachment; filename="{text}"' if "." in text else None
        kind = "image/jpeg" if disposition else "text/plain"
        await reception._message(read_message("id01", kind, text.encode(), disposition))


async def test_a_text_may_overtake_the_file_that_is_expected_before_it(
    reception: Reception,
) -> None:
    await hear(reception, "I have got it", "picture.jpg")
    await reception.expect("picture.jpg", 1)
    await reception.expect("got it", 1)


async def test_what_has_come_once_is_expected_once(reception: Reception) -> None:
    await hear(reception, "Hello", "something else", "Hello again")
    await reception.expect("Hello", 1)
    await reception.expect("Hello", 1)
    with pytest.raises(ChatError, match="waited 0 s for 'Hello'"):
        await reception.expect("Hello", 0)
    await reception.expect("else", 0)


async def test_of_much_that_nobody_expects_the_oldest_is_forgotten(
    reception: Reception,
) -> None:
    await hear(reception, *(f"text {number}," for number in range(1100)))
    with pytest.raises(ChatError):
        await reception.expect("text 99,", 0)
    await reception.expect("text 100,", 0)
