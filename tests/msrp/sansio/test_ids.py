from __future__ import annotations

import os

import pytest

from msrp.headers import is_ident
from msrp.sansio.ids import IdSupply, new_message_id, new_transaction_id


@pytest.mark.rule("MSRP-4")
def test_ids_are_as_the_grammar_wants_them_and_never_the_same() -> None:
    for new_id, digits in ((new_transaction_id, 16), (new_message_id, 24)):
        ids = [new_id() for _ in range(1000)]
        assert len(set(ids)) == 1000
        assert all(is_ident(each) and len(each) == digits for each in ids)
        int("".join(ids), 16)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_of_this_process_makes_other_ids() -> None:
    new_message_id()  # So that some are ready.
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_message_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)
    assert len(of_child) == 24
    assert of_child not in {new_message_id() for _ in range(200)}


def test_where_there_are_no_forks_ids_are_made_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    assert len(IdSupply(8).next()) == 8
