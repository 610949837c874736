"""What one kind of peer expects, gathered in one place.

A :class:`Profile` is no more than the arguments that a listener, a relay or a medium
would else be given one by one; whatever argument is given there is what counts.  Both
that are here can be read whole below.  For another one, :func:`dataclasses.replace`::

    ours = replace(msrp.Profile.EMERGENCY, languages=("en", "es", "fr"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self, TypedDict, TypeVar

from msrp.chatroom import Chatroom
from msrp.config import SessionConfig
from msrp.negotiation import (
    CONTROL_TYPES,
    DEFAULT_ACCEPT_TYPES,
    DEFAULT_ACCEPT_WRAPPED_TYPES,
)

__all__ = ["Profile", "Words"]

T = TypeVar("T")


class Words(TypedDict):
    """What a profile says in offers and answers alike."""

    accept_types: tuple[str, ...]
    accept_wrapped_types: tuple[str, ...]
    control_types: tuple[str, ...]
    chatroom: Chatroom | None
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How message sessions are described and run.

    As it is made without arguments, it says what is done where no profile is given.
    """

    EMERGENCY: ClassVar[Profile]
    """For networks of emergency services (NENA i3)."""

    PLAIN: ClassVar[Profile]
    """The least that any peer with :rfc:`4975` accepts."""

    accept_types: tuple[str, ...] = DEFAULT_ACCEPT_TYPES
    """The types of content that are taken, the preferred first."""

    accept_wrapped_types: tuple[str, ...] = DEFAULT_ACCEPT_WRAPPED_TYPES
    """Those that are taken inside of CPIM or multipart."""

    control_types: tuple[str, ...] = CONTROL_TYPES
    """Those that are named there in any case, if CPIM is taken: typing and
    notifications."""

    chatroom: Chatroom | None = None
    """What ``a=chatroom`` says, if it is there at all (:rfc:`7701#section-8`)."""

    offer_nickname: bool = False
    """Whether to ask for a nickname as soon as the session is open, if the peer knows
    of nicknames: the one that was given, or else who we are in the call."""

    languages: tuple[str, ...] = ()
    """The tags of the languages that we use and understand, the best first
    (``a=hlang-send`` and ``a=hlang-recv``, :rfc:`8373`)."""

    cema: bool = True
    """Whether to say ``a=msrp-cema`` (:rfc:`6714`)."""

    chunk_size: int | None = 2048
    """See :attr:`msrp.SessionConfig.chunk_size`."""

    window: int = 32
    """See :attr:`msrp.SessionConfig.window`."""

    composing: bool = True
    """See :attr:`msrp.SessionConfig.composing`."""

    notifications: bool = True
    """See :attr:`msrp.SessionConfig.notifications`."""

    aes_256_only: bool = False
    """Whether TLS is with AES of 256 bits only: :attr:`msrp.TlsPolicy.aes_256_only`,
    where no policy is given.  Whether there is TLS at all is said by the certificate
    of the listener."""

    def but(
        self,
        *,
        accept_types: Sequence[str] | None = None,
        accept_wrapped_types: Sequence[str] | None = None,
        chatroom: Chatroom | None = None,
        languages: Sequence[str] | None = None,
        cema: bool | None = None,
    ) -> Self:
        """Return it with what isn't ``None`` in the place of what it says."""
        other = replace(
            self,
            accept_types=tuple(_or(accept_types, self.accept_types)),
            accept_wrapped_types=tuple(
                _or(accept_wrapped_types, self.accept_wrapped_types)
            ),
            chatroom=_or(chatroom, self.chatroom),
            languages=tuple(_or(languages, self.languages)),
            cema=_or(cema, self.cema),
        )
        return self if other == self else other  # Each medium of a port has one.

    @property
    def words(self) -> Words:
        """What it says in offers and answers, as arguments for :func:`offer_media`."""
        return {
            "accept_types": self.accept_types,
            "accept_wrapped_types": self.accept_wrapped_types,
            "control_types": self.control_types,
            "chatroom": self.chatroom,
            "languages": self.languages,
        }

    @property
    def session_config(self) -> SessionConfig:
        """How sessions send and what they take."""
        return SessionConfig(
            chunk_size=self.chunk_size,
            window=self.window,
            composing=self.composing,
            notifications=self.notifications,
        )


def _or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


Profile.EMERGENCY = Profile(
    # All in such networks understand CPIM, which says who is speaking when a bridge
    # brings several into one session.
    accept_types=("message/cpim", "text/plain", "*"),
    # By name, as some peers send nothing that they don't find here: without the
    # notifications, for one, no display is ever reported.
    accept_wrapped_types=(
        "text/plain",
        "application/im-iscomposing+xml",
        "message/imdn+xml",
        "image/jpeg",
        "image/png",
        "multipart/mixed",
        "*",
    ),
    # Who understands CPIM knows of nicknames too, and offers one.
    chatroom=Chatroom(nickname=True, private_messages=True),
    offer_nickname=True,
    # Of North America; what else is spoken is for each answering point to say.
    languages=("en",),
    # Calls come in through border controllers, which may stand between the media too.
    cema=True,
    aes_256_only=True,
)

Profile.PLAIN = Profile(
    # What every peer can send and take; nobody is led to think of an envelope.
    accept_types=("text/plain",),
    accept_wrapped_types=(),
    control_types=(),
    # Nothing that isn't in RFC 4975, but a=setup, which costs nobody anything.
    cema=False,
    # Chunks of this size are taken by every stack that we have met, ...
    chunk_size=2048,
    # ... and some lose what comes before they have answered the one before.
    window=1,
    # What was not announced would be no use.
    composing=False,
    notifications=False,
)
