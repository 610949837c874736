"""Which dialog a request belongs to."""

from __future__ import annotations

import pytest

from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.dialog import Dialog
from sip.sansio.dialogs import Dialogs
from sip.sansio.subscriptions.subscriber import ClientSubscription
from sip.uri import parse_uri


class User(ClientSubscription):
    """Whose dialog it is; it does nothing."""

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog


@pytest.fixture
def dialog() -> Dialog:
    return Dialog(
        call_id="1",
        local=NameAddr.parse("<sip:a>;tag=a"),
        remote=NameAddr.parse("<sip:b>;tag=b"),
        remote_target=parse_uri("sip:b"),
        local_cseq=7,
    )


def request(from_tag: str, to_tag: str, call_id: str = "1") -> Request:
    headers = [
        ("From", f"<sip:x>;tag={from_tag}"),
        ("To", f"<sip:y>;tag={to_tag}"),
        ("Call-ID", call_id),
        ("CSeq", "3 X"),
    ]
    return Request.build("X", "sip:y", headers)


@pytest.mark.rule("SIP-42")
def test_a_request_of_the_peer_is_found_by_both_tags(dialog: Dialog) -> None:
    dialogs, user = Dialogs(), User(dialog)
    dialogs.set(dialog, user)
    assert dialogs.user_of(request("b", "a")) is user
    assert dialogs.user_of(request("a", "b")) is None
    assert dialogs.user_of(request("b", "a", "2")) is None
    assert dialogs.get(dialog.key) is user
    assert len(dialogs) == 1


@pytest.mark.rule("SIP-43", "SIP-31")
def test_a_request_that_is_sent_again_takes_the_next_number(dialog: Dialog) -> None:
    dialogs = Dialogs()
    assert dialogs.next_number(request("a", "b")) == 4
    dialogs.set(dialog, User(dialog))
    assert dialogs.next_number(request("a", "b")) == 8
    assert dialog.local_cseq == 8


def test_only_its_user_can_have_a_dialog_forgotten(dialog: Dialog) -> None:
    dialogs, user = Dialogs(), User(dialog)
    dialogs.set(dialog, user)
    dialogs.forget(User(dialog))
    assert len(dialogs) == 1
    dialogs.forget(user)
    dialogs.forget(user)
    assert len(dialogs) == 0
