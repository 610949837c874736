"""``Content-Transfer-Encoding`` (:rfc:`2045#section-6`).

SIP and MSRP carry any octet, so an encoding is neither needed nor, in MSRP,
allowed at the top level (:rfc:`4975#section-7.1.1`); but parts that come through
a mail gateway have one.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from mime.errors import MimeError

__all__ = ["IDENTITY_ENCODINGS", "Decoded", "decode_transfer", "encode_transfer"]

IDENTITY_ENCODINGS = frozenset({"7bit", "8bit", "binary"})
"""The encodings that leave the octets as they are."""

_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(sorted(set(range(256)) - set(_BASE64_ALPHABET) - {ord("=")}))

# What may follow "=": two hexadecimal digits, or the end of the line.
_BAD_QUOTED_PRINTABLE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Octets, and what had to be overlooked to get them."""

    content: bytes
    """What the sender encoded, as far as it could be told."""

    problem: str | None = None
    """How the encoding was wrong; None if it wasn't."""


def decode_transfer(body: bytes, encoding: str) -> Decoded:
    """Undo a transfer encoding.

    Args:
        body: The octets of a part.
        encoding: The name of the encoding in lower case.  Those of an unknown
            one are returned as they are.
    """
    if encoding == "base64":
        return _decode_base64(body)
    if encoding == "quoted-printable":
        return _decode_quoted_printable(body)
    if encoding in IDENTITY_ENCODINGS:
        return Decoded(body)
    return Decoded(body, "the transfer encoding is unknown")


def encode_transfer(content: bytes, encoding: str) -> bytes:
    """Apply a transfer encoding.

    Raises:
        MimeError: There is no such encoding.
    """
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        # Not as text: each CR and LF is encoded, so that none can be altered.
        encoded = binascii.b2a_qp(content, quotetabs=True, istext=False)
        return encoded.replace(b"=\n", b"=\r\n")
    if encoding in IDENTITY_ENCODINGS:
        return content
    raise MimeError("the transfer encoding is unknown")


def _decode_base64(body: bytes) -> Decoded:
    # Whatever isn't of the alphabet must be ignored (RFC 2045 section 6.8).
    digits = body.translate(None, delete=_NOT_BASE64)
    data, _, after = digits.partition(b"=")
    padding = len(digits) - len(data)
    problem = None
    if after.strip(b"="):
        problem = "the base64 goes on after its end"
    elif len(digits) % 4 or padding > 2:
        problem = "the base64 is cut short or badly padded"
    if len(data) % 4 == 1:
        data = data[:-1]  # Six bits are no octet.
    return Decoded(binascii.a2b_base64(data + b"=" * (-len(data) % 4)), problem)


def _decode_quoted_printable(body: bytes) -> Decoded:
    # White space at the end of a line was added on the way (section 6.7, rule 3).
    text = b"\n".join(_without_padding(line) for line in body.split(b"\n"))
    problem = None
    if _BAD_QUOTED_PRINTABLE.search(text):
        problem = "the quoted-printable has an '=' that encodes nothing"
    return Decoded(binascii.a2b_qp(text), problem)


def _without_padding(line: bytes) -> bytes:
    if line.endswith(b"\r"):
        return line[:-1].rstrip(b" \t") + b"\r"
    return line.rstrip(b" \t")
