from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime.extended_parameters import decoded_parameter, encoded_parameter
from mime.parameters import format_parameters, split_parameters


@pytest.mark.rule("CD-2")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("x; name=a", "a", id="plain"),
        pytest.param("x", None, id="absent"),
        pytest.param("x; name*=UTF-8''na%C3%AFve", "naïve", id="utf-8"),
        pytest.param("x; name*=iso-8859-1'fr'na%EFve", "naïve", id="latin-1-and-tag"),
        pytest.param("x; name*=''a%20b", "a b", id="no-charset"),
        pytest.param("x; name*=a%20b", "a b", id="no-quotes"),
        pytest.param("x; name*=UTF-8'a%20b", "UTF-8'a b", id="one-quote"),
        pytest.param("x; name=\"b\"; name*=utf-8''a", "a", id="extended-wins"),
        pytest.param("x; name*=utf-8''%E9", "é", id="not-the-charset"),
        pytest.param("x; name*=utf-8''%zz", "%zz", id="not-hexadecimal"),
        pytest.param('x; name*0="a;"; name*1=b', "a;b", id="pieces"),
        pytest.param("x; name*1=b; name*0=a", "ab", id="pieces-out-of-order"),
        pytest.param("x; name*0=a; name*2=c", "a", id="piece-missing"),
        pytest.param("x; name*1=b; name=c", "c", id="first-piece-missing"),
        pytest.param("x; name*0=a; name*0=b", "a", id="piece-twice"),
        pytest.param(
            "x; name*0*=utf-8''%C3; name*1*=%A9; name*2=%41", "é%41", id="mixed-pieces"
        ),
        pytest.param("x; name*0=a; name*99999=b", "a", id="absurd-number"),
        pytest.param("x; name*0=a; name*²=b", "a", id="not-a-number"),
    ],
)
def test_extended_parameters_are_decoded(field: str, value: str | None) -> None:
    assert decoded_parameter(split_parameters(field)[1], "name") == value


@pytest.mark.rule("CD-2")
def test_a_value_that_is_not_ascii_is_written_twice() -> None:
    assert encoded_parameter("name", "a b") == (("name", "a b"),)
    assert encoded_parameter("name", "ñ'%") == (
        ("name", "_'%"),
        ("name*", "UTF-8''%C3%B1%27%25"),
    )


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_survives(value: str) -> None:
    field = "x" + format_parameters(encoded_parameter("name", value))
    assert decoded_parameter(split_parameters(field)[1], "name") == value


@settings(deadline=None)
@given(st.text("*012'%aAzé;=\"\ud800", max_size=30))
def test_anything_can_be_decoded(text: str) -> None:
    _, parameters = split_parameters(f"x; name{text}; name*0*={text}")
    decoded_parameter(parameters, "name")
