"""What one side of a session can do of what chat rooms need (:rfc:`7701#section-8`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from msrp.errors import LocalProtocolError

__all__ = ["Chatroom"]

_NICKNAME = "nickname"
_PRIVATE_MESSAGES = "private-messages"

# The text of RFC 7701 section 8 says "nicknames" once, its grammar never.
_KNOWN = {
    _NICKNAME: _NICKNAME,
    "nicknames": _NICKNAME,
    _PRIVATE_MESSAGES: _PRIVATE_MESSAGES,
}

# A token of RFC 3261; those of vendors begin with their reversed domain.
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chatroom:
    """The value of ``a=chatroom``, which each side declares for itself.

    With nothing set it says that messages to and from chat rooms are understood.

    Raises:
        LocalProtocolError: One of the other tokens is none, or is there twice.
    """

    nickname: bool = False
    """Whether nicknames may be asked for."""

    private_messages: bool = False
    """Whether messages to a single participant are known as such, or handed on."""

    others: tuple[str, ...] = ()
    """Further tokens, such as ``com.example.chat.foo``."""

    def __post_init__(self) -> None:
        if not self.others:
            return
        lowered = [token.lower() for token in self.others]
        if any(_TOKEN.fullmatch(token) is None for token in self.others):
            raise LocalProtocolError("a token of a=chatroom is none", section="7701#8")
        if len(set(lowered)) < len(lowered) or not _KNOWN.keys().isdisjoint(lowered):
            raise LocalProtocolError(
                "a token of a=chatroom is there twice", section="7701#8"
            )

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Read the value; nothing that a peer writes makes this raise.

        What isn't a token is passed over, and so is what was said before.

        Args:
            value: What follows the colon; ``None`` where there is no colon.
        """
        tokens: dict[str, str] = {}
        for text in (value or "").split():
            if _TOKEN.fullmatch(text):
                lowered = text.lower()
                tokens.setdefault(_KNOWN.get(lowered, lowered), text)
        return cls(
            nickname=tokens.pop(_NICKNAME, None) is not None,
            private_messages=tokens.pop(_PRIVATE_MESSAGES, None) is not None,
            others=tuple(tokens.values()),
        )

    def __str__(self) -> str:
        """Return the value; empty if it is ``a=chatroom`` alone."""
        known = [(_NICKNAME, self.nickname), (_PRIVATE_MESSAGES, self.private_messages)]
        return " ".join([*(name for name, is_so in known if is_so), *self.others])
