"""Octets to text, whatever the sender says they are.

SIP and MSRP mean UTF-8 when they say nothing (:rfc:`3261#section-7.4.1`),
MIME means US-ASCII (:rfc:`2046#section-4.1.2`), of which UTF-8 is a superset.
A console must show *something*: text that can't be decoded as announced is
decoded as well as may be, and the deviation is said.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DecodedText", "decode_text"]

# The only codecs that a peer may choose.  Python's registry knows others, which
# aren't charsets ("unicode_escape") or take quadratic time ("idna", "punycode").
_CODECS = {
    "ascii": "ascii",
    "us-ascii": "ascii",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "gb2312": "gb2312",
    "gbk": "gbk",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift_jis": "shift_jis",
    "euc-jp": "euc_jp",
    "euc-kr": "euc_kr",
    "iso-2022-jp": "iso2022_jp",
    "latin1": "latin-1",
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in range(1, 17) if n != 12},
    **{f"windows-{n}": f"cp{n}" for n in range(1250, 1259)},
}


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Text, and what had to be overlooked to get it."""

    text: str
    """The text; ``U+FFFD`` stands for what couldn't be decoded."""

    problem: str | None = None
    """How the octets weren't what was announced; None if they were."""


def decode_text(content: bytes, charset: str | None = None) -> DecodedText:
    """Decode text of an announced charset, or of none.

    Args:
        content: The octets.
        charset: The name as in the ``charset`` parameter, in any case.
    """
    codec = "utf-8" if charset is None else _CODECS.get(charset.strip().lower())
    if codec is None:
        text, _ = _guess(content)
        return DecodedText(text, "the charset is unknown")
    try:
        return DecodedText(content.decode(codec))
    except UnicodeDecodeError:
        pass
    if codec in {"ascii", "utf-8"}:
        text, guessed = _guess(content)
        announced = "US-ASCII" if codec == "ascii" else "UTF-8"
        return DecodedText(text, f"the text isn't {announced}, read as {guessed}")
    return DecodedText(
        content.decode(codec, "replace"), "the text isn't of the charset it names"
    )


def _guess(content: bytes) -> tuple[str, str]:
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "ISO-8859-1"
