"""What an offer and an answer say of a file (:rfc:`5547`).

One ``m=`` line is one message session, in which one file goes one way as one message.
``a=file-selector`` says which file, by name, size, type and SHA-1, as far as its author
knows them; ``a=file-transfer-id`` tells a new transfer from the repetition of an old
one; the rest describes the file.  Who offers to send *pushes* (``sendonly``), who
offers to receive *pulls* (``recvonly``).

Here is what is said, without any I/O: the values of the attributes
(:class:`FileSelector`, :class:`FileRange`, :class:`FileDates`), a section of a session
description as a whole (:class:`FileDescription`, and :func:`push_offer` and the like,
which write it into a section of :mod:`msrp.negotiation`), and whether an offer asks for
another transfer (:class:`SeenTransfers`).  What is done is in
:mod:`msrp.aio.file_transfer`.

What a peer wrote is read if it can be understood, and is else an
:exc:`~msrp.InvalidFileDescription`; what we write keeps to the grammar.  A name that a
peer gives is kept as it is in the selector, since it has to be repeated to him; for
our own disk there is :attr:`FileDescription.filename`.
"""

from __future__ import annotations

from msrp.file_transfer.attributes import FileDates, FileRange, new_transfer_id
from msrp.file_transfer.description import (
    ATTACHMENT,
    RENDER,
    FileDescription,
    describes_file,
    icon_part,
    icon_url,
    pull_answer,
    pull_offer,
    push_answer,
    push_offer,
    refusal_of,
    repeated_answer,
    said_last,
)
from msrp.file_transfer.repetition import MAX_TRANSFERS, Repetition, SeenTransfers
from msrp.file_transfer.selector import FileFacts, FileHash, FileSelector
from sdp import Direction

__all__ = [
    "ATTACHMENT",
    "MAX_TRANSFERS",
    "RENDER",
    "Direction",
    "FileDates",
    "FileDescription",
    "FileFacts",
    "FileHash",
    "FileRange",
    "FileSelector",
    "Repetition",
    "SeenTransfers",
    "describes_file",
    "icon_part",
    "icon_url",
    "new_transfer_id",
    "pull_answer",
    "pull_offer",
    "push_answer",
    "push_offer",
    "refusal_of",
    "repeated_answer",
    "said_last",
]
