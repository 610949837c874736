from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import CpimError
from cpim.header_line import header_line, split_line, split_plain

PIECES = ["From", "p.", "X", ":", ": ", " ", "\t", ";", ";a=b", '"', "\\", "<im:a@b>"]
# With what text.strip() and splitlines() take for white space, and we don't.
ODD = ["\r", "\n", "\0", "\x7f", "\x85", "\xa0", "\u2028", "é", ".", "{", "="]

lines = st.tuples(
    st.sampled_from(["", "X:", "X: ", "p.X: "]),
    st.lists(st.sampled_from(PIECES + ODD), max_size=5),
).map(lambda drawn: (drawn[0] + "".join(drawn[1])).encode())


@pytest.mark.rule("CPIM-5")
@settings(deadline=None, max_examples=500)
@given(lines | st.binary(max_size=20))
def test_the_short_way_finds_what_the_long_way_finds(line: bytes) -> None:
    plain = split_plain(line)
    if plain is not None:
        assert plain == split_line(line)


@pytest.mark.parametrize(
    "line",
    [
        b"From: Alice <sip:alice@example.com>",
        b"DateTime: 2026-05-15T15:02:31-03:00",
        b"imdn.Message-ID: 34jk324j",
        "Subject: a: b;c=d \\u00e9 é".encode(),
    ],
)
def test_most_lines_go_the_short_way(line: bytes) -> None:
    assert split_plain(line) == split_line(line)


@pytest.mark.rule("CPIM-5", "CPIM-29")
@pytest.mark.parametrize(
    "line",
    [b"X:value", b"X:  value", b"X: value ", b"X: a\tb", b"X: a\xff", b"X:;a=b c"],
)
def test_what_has_to_be_forgiven_or_has_parameters_goes_the_long_way(
    line: bytes,
) -> None:
    assert split_plain(line) is None
    _, _, parameters, problems = split_line(line)
    assert parameters or problems


@pytest.mark.rule("CPIM-9", "CPIM-27")
def test_a_line_is_written_with_its_parameters() -> None:
    line = header_line("X", "v", (("a", "b"), ("c", 'd "e"')))
    assert line == rb'X:;a=b;c="d \"e\"" v'
    with pytest.raises(CpimError):
        header_line("X", "\ud800")


@pytest.mark.parametrize("end", [b"", b" "])
def test_a_long_line_is_read_to_its_end(end: bytes) -> None:
    # Any quadratic step would run into the timeout of the test.
    line = b"X: " + b" y" * 500_000 + end
    assert split_plain(line) is None
    assert split_plain(line.replace(b":  ", b": ")) is None or not end
