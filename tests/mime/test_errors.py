from __future__ import annotations

import re

import mime.errors
from mime import MimeError, MimeLimitExceeded


def test_an_error_says_its_problem() -> None:
    error = MimeError("a multipart without a boundary parameter")
    assert str(error) == error.problem == "a multipart without a boundary parameter"
    assert isinstance(error, ValueError)


def test_the_docstring_shows_the_real_hierarchy() -> None:
    doc = mime.errors.__doc__ or ""
    shown = re.findall(r"^ *\* :exc:`(\w+)`", doc, re.MULTILINE)
    assert shown == [MimeError.__name__, MimeLimitExceeded.__name__]
    assert MimeLimitExceeded.__base__ is MimeError
    assert sorted(shown) == mime.errors.__all__
