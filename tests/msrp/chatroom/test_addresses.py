from __future__ import annotations

import pytest

from msrp.chatroom import is_same_uri


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:room@example.com", "sip:room@example.com", True),
        ("sip:room@example.com", "SIP:room@EXAMPLE.com", True),
        ("sip:room@example.com", "sip:room@example.com;transport=tcp", True),
        ("sip:room@example.com", "sip:room@example.com?Subject=x", True),
        ("sip:room@example.com", "sip:Room@example.com", False),
        ("sip:room@example.com", "sip:room@example.net", False),
        ("sip:room@example.com", "im:room@example.com", False),
        ("sip:a;b@example.com", "sip:a;c@example.com", False),
        ("sip:example.com;lr", "sip:example.com", True),
        ("tel:+1555;ext=2", "tel:+1555", True),
        ("tel:+1555", "tel:+1556", False),
        ("", "sip:x", False),
    ],
)
def test_parameters_don_t_make_another_participant(
    one: str, other: str, same: bool
) -> None:
    assert is_same_uri(one, other) is same
