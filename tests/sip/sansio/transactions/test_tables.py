"""The four state machines as data."""

from __future__ import annotations

import pytest

from sip.sansio.transactions.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Effect,
    Happening,
    State,
    Table,
)

TABLES = {
    "invite-client": (INVITE_CLIENT, State.CALLING),
    "non-invite-client": (NON_INVITE_CLIENT, State.TRYING),
    "invite-server": (INVITE_SERVER, State.PROCEEDING),
    "non-invite-server": (NON_INVITE_SERVER, State.TRYING),
}
EACH = pytest.mark.parametrize(
    ("table", "first"), [pytest.param(*value, id=key) for key, value in TABLES.items()]
)


@EACH
def test_every_state_is_reached_and_can_end(table: Table, first: State) -> None:
    reached = {first}
    while True:
        more = {step.state for (state, _), step in table.items() if state in reached}
        if more <= reached:
            break
        reached |= more
    assert reached == {state for state, _ in table} | {State.TERMINATED}
    # From everywhere there is a way to the end that only time is needed for, or
    # a final response.
    ending = {State.TERMINATED}
    while True:
        more = {state for (state, _), step in table.items() if step.state in ending}
        if more <= ending:
            break
        ending |= more
    assert ending == reached


@EACH
def test_nothing_follows_the_end(table: Table, first: State) -> None:
    assert all(state is not State.TERMINATED for state, _ in table)


@pytest.mark.rule("SIP-20")
def test_the_client_never_acknowledges_success_itself() -> None:
    for (_, what), step in INVITE_CLIENT.items():
        assert (Effect.SEND_ACK in step.effects) == (what is Happening.FAILURE)


@pytest.mark.rule("SIP-23")
def test_a_transport_error_does_not_end_a_server_transaction() -> None:
    for table in (INVITE_SERVER, NON_INVITE_SERVER):
        assert all(what is not Happening.TRANSPORT_ERROR for _, what in table)


@pytest.mark.rule("SIP-26")
def test_a_non_invite_server_sends_no_provisional_response_of_the_user() -> None:
    assert all(what is not Happening.PROVISIONAL for _, what in NON_INVITE_SERVER)
