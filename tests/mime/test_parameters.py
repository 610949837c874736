from __future__ import annotations

import pytest

from mime import MimeError
from mime.parameters import (
    MAX_SPECIALS,
    check_parameters,
    format_parameters,
    parameter,
    split_parameters,
    strip_comments,
)


@pytest.mark.rule("MIME-10")
@pytest.mark.parametrize(
    ("text", "value", "parameters"),
    [
        pytest.param("a", "a", (), id="no-parameters"),
        pytest.param("a;b=c", "a", (("b", "c"),), id="one"),
        pytest.param("a ; B = c ", "a", (("b", "c"),), id="odd-spacing"),
        pytest.param("a;;b=c;", "a", (("b", "c"),), id="semicolons-too-many"),
        pytest.param('a;b="c;d"', "a", (("b", "c;d"),), id="quoted-semicolon"),
        pytest.param(r'a;b="c\"d\\"', "a", (("b", 'c"d\\'),), id="quoted-pairs"),
        pytest.param('a;b="c', "a", (("b", "c"),), id="unclosed-quote"),
        pytest.param('a;b="', "a", (("b", ""),), id="lone-quote"),
        pytest.param('a;b=""', "a", (("b", ""),), id="empty-quotes"),
        pytest.param("a;b=\\", "a", (("b", "\\"),), id="lone-backslash"),
        pytest.param("a;b=c:d/e", "a", (("b", "c:d/e"),), id="should-be-quoted"),
        pytest.param("a;b=my file", "a", (("b", "my file"),), id="unquoted-space"),
        pytest.param("a (x(y)) ;b=c (z)", "a", (("b", "c"),), id="comments"),
        pytest.param(r"a (\) ;) ;b=c", "a", (("b", "c"),), id="escape-in-comment"),
        pytest.param("(x) a (y", "a", (), id="unclosed-comment"),
        pytest.param("a (\\", "a", (), id="backslash-ends-comment"),
        pytest.param("a;b=p(1).jpg", "a", (("b", "p(1).jpg"),), id="inner-parens"),
        pytest.param('a;b="(c)"', "a", (("b", "(c)"),), id="quoted-parens"),
        pytest.param("a;b;c=d;=e;f g=h", "a", (("c", "d"),), id="not-parameters"),
        pytest.param("a;\r\n\tb=c", "a", (("b", "c"),), id="folded"),
        pytest.param("", "", (), id="empty"),
    ],
)
def test_a_field_is_cut_into_value_and_parameters(
    text: str, value: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    assert split_parameters(text) == (value, parameters)


@pytest.mark.parametrize("text", ["a\r\nb", "a;b=\0", 'a;b="\x7f"', "\x1b"])
def test_control_characters_are_refused_in_reading(text: str) -> None:
    with pytest.raises(MimeError, match="control character"):
        split_parameters(text)


def test_comments_are_stripped() -> None:
    assert strip_comments(" base64 (really)") == "base64"


def test_the_first_of_two_parameters_counts() -> None:
    assert parameter((("a", "1"), ("a", "2")), "A") == "1"
    assert parameter((), "a") is None


@pytest.mark.rule("MIME-14")
@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("c", "; a=c", id="token"),
        pytest.param("c'%*", "; a=c'%*", id="odd-token"),
        pytest.param("", '; a=""', id="empty"),
        pytest.param("c d", '; a="c d"', id="space"),
        pytest.param("c:d=", '; a="c:d="', id="tspecials"),
        pytest.param('c"\\', r'; a="c\"\\"', id="escaped"),
        pytest.param("é", '; a="é"', id="not-ascii"),
    ],
)
def test_a_value_is_quoted_if_it_needs_to_be(value: str, written: str) -> None:
    assert format_parameters((("a", value),)) == written
    assert split_parameters(f"x{written}")[1] == (("a", value),)


@pytest.mark.rule("MIME-16")
@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("a b", "c"), id="name-with-space"),
        pytest.param(("", "c"), id="no-name"),
        pytest.param(("a", "c\r\nX: y"), id="line-end-in-value"),
        pytest.param(("a", "\0"), id="nul-in-value"),
    ],
)
def test_what_cannot_be_written_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(MimeError):
        check_parameters((pair,))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"', id="quotes"),
        pytest.param("(", id="open-comments"),
        pytest.param(" ()", id="comments"),
        pytest.param(";", id="semicolons"),
        pytest.param('a;b="\\', id="backslashes"),
    ],
)
def test_a_field_of_special_characters_is_not_looked_at_one_by_one(text: str) -> None:
    with pytest.raises(MimeError, match="special characters"):
        split_parameters("a" + text * (MAX_SPECIALS + 1))
    assert strip_comments(text * 50_000) == text * 50_000


def test_a_field_may_have_as_many_special_characters_as_any_file_name() -> None:
    name = '"(;)\\' * 25
    text = f"attachment{format_parameters((('filename', name),))}"
    assert split_parameters(text) == ("attachment", (("filename", name),))
    split_parameters("a" + ";" * MAX_SPECIALS)
    with pytest.raises(MimeError):
        split_parameters("a" + ";" * (MAX_SPECIALS + 1))


def test_spaces_are_passed_over_in_one_go() -> None:
    text = "a;b=" + " " * 200_000 + "x"
    assert split_parameters(text) == ("a", (("b", "x"),))
