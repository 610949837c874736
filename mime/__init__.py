"""Content types and multipart bodies, as octets.

A body is what its ``Content-Type`` says (:class:`ContentType`), to be treated as
its ``Content-Disposition`` says (:class:`ContentDisposition`), and called what its
``Content-ID`` says (:func:`cid_url`).  The three and the octets are a
:class:`Part`.  A body of type ``multipart/…`` is itself made of parts, a
:class:`Multipart`::

    multipart = mime.parse_multipart(content_type, body)
    for part in multipart.walk():  # the leaves, at any depth
        print(part.content_type.essence, len(part.content))
    location = multipart.resolve_cid("cid:target123@atlanta.example.com")

    photo = mime.Part.build("image/jpeg", jpeg, disposition="attachment")
    content_type, body = mime.build_multipart([text, photo])

Octets stay octets: nothing is decoded to be split, so a part may be a JPEG of
megabytes, and what was received can be written again as it was.  Text exists
only where it is asked for, in :attr:`Part.text`.

The receiving side forgives what it can (odd spacing, bare line feeds, a missing
closing delimiter, a charset that is none) and says so in ``warnings``: the body
may be all there is of somebody's call for help.  It doesn't forgive what has no
meaning, :exc:`MimeError`, or what is out of proportion,
:exc:`MimeLimitExceeded`.  The sending side is strict, and refuses whatever can't
be written on one line.

Reading takes time proportional to the size of the body.  Nothing here does I/O.
"""

from __future__ import annotations

from mime.charset import DecodedText, decode_text
from mime.content_id import MidUrl, cid_url, content_ids_of, new_content_id
from mime.content_type import OCTET_STREAM, TEXT_PLAIN, ContentType
from mime.disposition import ContentDisposition, safe_filename
from mime.errors import MimeError, MimeLimitExceeded
from mime.multipart import (
    MAX_DEPTH,
    MAX_PARTS,
    Multipart,
    build_multipart,
    open_part,
    parse_multipart,
)
from mime.part import Part

__all__ = [
    "MAX_DEPTH",
    "MAX_PARTS",
    "OCTET_STREAM",
    "TEXT_PLAIN",
    "ContentDisposition",
    "ContentType",
    "DecodedText",
    "MidUrl",
    "MimeError",
    "MimeLimitExceeded",
    "Multipart",
    "Part",
    "build_multipart",
    "cid_url",
    "content_ids_of",
    "decode_text",
    "new_content_id",
    "open_part",
    "parse_multipart",
    "safe_filename",
]
