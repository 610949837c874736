from __future__ import annotations

import re

import pytest

import sip.errors
from sip.errors import (
    CallTimeout,
    LocalError,
    SipError,
    SipParseError,
    TransportError,
)


def test_a_parse_error_words_its_facts() -> None:
    error = SipParseError("not a number", header="CSeq")
    assert str(error) == "CSeq: not a number"
    assert (error.problem, error.header, error.status) == ("not a number", "CSeq", 400)
    assert error.request is None


def test_a_parse_error_without_a_header_is_its_problem() -> None:
    assert str(SipParseError("the head has no end")) == "the head has no end"


def test_a_local_error_is_its_problem() -> None:
    assert str(LocalError("a body needs a content type")) == (
        "a body needs a content type"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TransportError("no"), "no"),
        (TransportError("no", target="x"), "cannot reach x: no"),
        (TransportError("no", target="x", doing="listen on"), "cannot listen on x: no"),
        (CallTimeout(), "nobody answered in time"),
        (CallTimeout("nothing came", target="x"), "no answer from x: nothing came"),
    ],
)
def test_an_error_about_an_address_names_it(error: SipError, words: str) -> None:
    assert str(error) == words


@pytest.mark.parametrize("error", [SipParseError, LocalError])
def test_errors_about_values_are_value_errors(error: type[SipError]) -> None:
    assert issubclass(error, SipError)
    assert issubclass(error, ValueError)


def test_docstring_shows_the_real_hierarchy() -> None:
    tree: list[str] = []

    def walk(cls: type[BaseException], depth: int) -> None:
        tree.append("    " * depth + cls.__name__)
        for sub in cls.__subclasses__():
            if sub.__module__ == sip.errors.__name__:
                walk(sub, depth + 1)

    walk(SipError, 0)
    doc = sip.errors.__doc__ or ""
    shown = [
        m[1] + m[2] for m in re.finditer(r"^( *)\* :exc:`(\w+)`", doc, re.MULTILINE)
    ]
    assert shown == tree
    assert sorted(name.strip() for name in tree) == sorted(sip.errors.__all__)
