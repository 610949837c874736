"""``Content-ID`` and the URLs that point at it (:rfc:`2392`)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from mime.errors import MimeError

__all__ = ["MidUrl", "check_content_id", "cid_url", "content_ids_of", "new_content_id"]

# What RFC 1738 allows unescaped in the address of a "cid" or "mid" URL.
_URL_SAFE = "@$-_.+!*'(),"

_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")


def _random_token() -> str:
    # 128 bits: globally unique without asking anybody.
    return secrets.token_hex(16)


def new_content_id(domain: str, token: Callable[[], str] = _random_token) -> str:
    """Return a globally unique ``Content-ID``, without brackets.

    Args:
        domain: A domain that is ours.
        token: Where unique text comes from.

    Raises:
        MimeError: The result wouldn't be a content id.
    """
    return check_content_id(f"{token()}@{domain}")


def check_content_id(content_id: str) -> str:
    """Return the content id without the brackets around it, if any.

    Raises:
        MimeError: It is empty, or has white space, controls or brackets in it.
    """
    bare = content_id.removeprefix("<").removesuffix(">")
    if not bare or _UNFIT.search(bare):
        raise MimeError("a content id must be printable, without spaces and brackets")
    return bare


def cid_url(content_id: str) -> str:
    """Return the ``cid:`` URL of a content id, given with or without brackets.

    Raises:
        MimeError: It isn't a content id.
    """
    return "cid:" + quote(check_content_id(content_id), safe=_URL_SAFE)


def content_ids_of(url: str) -> tuple[str, ...]:
    """Return the content ids that a ``cid:`` URL may mean, likeliest first.

    That is the one with its escapes decoded, and then the one as written: an
    example in :rfc:`2392#section-2` leaves ``%25`` as it is, and so do some.

    Raises:
        MimeError: It isn't a ``cid:`` URL.
    """
    bare = url.strip().removeprefix("<").removesuffix(">")
    scheme, colon, raw = bare.partition(":")
    if scheme.lower() != "cid" or not colon or not raw:
        raise MimeError("it isn't a cid: URL")
    return tuple(dict.fromkeys((_decode(raw), raw)))


@dataclass(frozen=True, slots=True)
class MidUrl:
    """A ``mid:`` URL: a message, or a body part of it."""

    message_id: str
    """The ``Message-ID``, without brackets."""

    content_id: str | None = None
    """The ``Content-ID`` of the part; None for the whole message."""

    @classmethod
    def parse(cls, url: str) -> MidUrl:
        """Read a ``mid:`` URL, short or long.

        Raises:
            MimeError: It isn't one.
        """
        scheme, _, raw = url.strip().partition(":")
        message_id, slash, content_id = raw.partition("/")
        if scheme.lower() != "mid" or not message_id or (slash and not content_id):
            raise MimeError("it isn't a mid: URL")
        return cls(_decode(message_id), _decode(content_id) if slash else None)

    def __str__(self) -> str:
        text = "mid:" + quote(self.message_id, safe=_URL_SAFE)
        if self.content_id is not None:
            text += "/" + quote(self.content_id, safe=_URL_SAFE)
        return text


def _decode(text: str) -> str:
    # A URL from the head of a SIP message may stand for octets that are no UTF-8.
    octets = text.encode("utf-8", "surrogateescape")
    return unquote_to_bytes(octets).decode("utf-8", "replace")
