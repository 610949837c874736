"""A quick __init__ is as good as the one of a dataclass."""

from __future__ import annotations

import dataclasses

import pytest

from sip.cseq import CSeq
from sip.frozen import quick_init
from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri
from sip.via import Via


@quick_init
@dataclasses.dataclass(frozen=True, slots=True)
class Quick:
    one: int
    two: str = "2"
    three: tuple[int, ...] = dataclasses.field(default=(3,), kw_only=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Slow:
    one: int
    two: str = "2"
    three: tuple[int, ...] = dataclasses.field(default=(3,), kw_only=True)


def test_arguments_and_defaults_are_those_of_the_fields() -> None:
    assert dataclasses.astuple(Quick(1)) == dataclasses.astuple(Slow(1))
    assert Quick(1, "x", three=()) == Quick(one=1, two="x", three=())
    assert dataclasses.replace(Quick(1), two="b") == Quick(1, "b")
    assert repr(Quick(1)) == "Quick(one=1, two='2', three=(3,))"
    assert len({Quick(1), Quick(1), Quick(2)}) == 2
    with pytest.raises(TypeError):
        Quick()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Quick(1, "2", (3,))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "value",
    [
        Quick(1),
        CSeq(1, "INVITE"),
        NameAddr(None, OtherUri("tel", "911")),
        SipUri("sip", None, None, "host"),
        Via("UDP", "host"),
    ],
)
def test_a_value_cant_be_changed(value: object) -> None:
    assert dataclasses.is_dataclass(value)
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
