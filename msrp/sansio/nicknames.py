"""Asking for a nickname, and being asked (:rfc:`7701#section-7.1`).

NICKNAME is a request of one transaction: it has no body and no report headers, and is
answered all the way back, through relays too.
"""

from __future__ import annotations

from collections.abc import Callable

from msrp.chatroom import read_use_nickname, write_use_nickname
from msrp.errors import InvalidNickname, LocalProtocolError, NicknameFailed
from msrp.events import NicknameReceived
from msrp.headers import ContinuationFlag, RequestHead
from msrp.sansio.encoder import encode_end, encode_head
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.inquiries import Answer
from msrp.status import StatusCode, reason_phrase

__all__ = ["check_answer", "read_request", "write_request"]

_PROBLEMS: dict[int, str] = {
    StatusCode.FORBIDDEN: "nicknames aren't allowed",
    StatusCode.NICKNAME_MALFORMED: "the room takes it for none",
    StatusCode.NICKNAME_IN_USE: "it is reserved, or somebody else's",
    StatusCode.UNKNOWN_METHOD: "the peer knows nothing of nicknames",
}


def write_request(
    to_path: str,
    from_path: str,
    nickname: str,
    new_id: Callable[[], str] = new_transaction_id,
) -> tuple[str, bytes]:
    """Return the transaction id and the octets of a NICKNAME.

    Args:
        to_path: The way to the peer.
        from_path: Our own URI.
        nickname: What to ask for; empty to have none any more.
        new_id: Makes transaction ids.

    Raises:
        LocalProtocolError: It can't be a nickname.
    """
    try:
        fields = [("Use-Nickname", write_use_nickname(nickname))]
    except InvalidNickname as error:
        raise LocalProtocolError(str(error), section="7701#7.1") from error
    name = new_id()
    head = encode_head(name, "NICKNAME", to_path, from_path, fields)
    return name, head + encode_end(name, ContinuationFlag.END)


def check_answer(answer: Answer | None) -> None:
    """Find out whether a nickname was given.

    Raises:
        NicknameFailed: It wasn't.
    """
    if answer is None:
        raise NicknameFailed("there was no answer")
    code = answer.head.code
    if code != StatusCode.OK:
        phrase = reason_phrase(code) or "the peer refuses"
        raise NicknameFailed(_PROBLEMS.get(code, phrase), code)


def read_request(head: RequestHead) -> NicknameReceived | None:
    """Return what a NICKNAME asks for; ``None`` if that can't be read."""
    try:
        nickname = read_use_nickname(head.others.get("use-nickname", ""))
    except InvalidNickname:
        return None
    return NicknameReceived(nickname)
