"""The transfer of files by offer and answer (:rfc:`5547`), over the network.

A stream of a call (:class:`FileStream`) is an :class:`~msrp.MsrpMedia`, whose sections
of the session description say more, and whose session carries one message: the file.
:class:`FilePush` and :class:`FilePull` are such streams, offered by us;
:class:`FileAnswerer` makes one for each file that the peer offers or asks for, as the
application decides.

What is done with the file is a :class:`FileTransfer`: :mod:`~.sending` reads it from
disk as it goes out, :mod:`~.receiving` writes it into a :mod:`part file <.part_file>`,
with its SHA-1 taken on the way.  Only when all of it is there and is what was promised
it gets its name.  A part file whose transfer broke off stays, under the hash of the
whole file, so that a later transfer can go on from there.

When a transfer is over the stream asks the call to take it out (port 0), the sender at
once and the receiver if the sender doesn't.
"""

from __future__ import annotations

from msrp.aio.file_transfer.answerer import FileAnswerer
from msrp.aio.file_transfer.decisions import (
    Decide,
    FileDecision,
    RefuseFile,
    SaveFile,
    ServeFile,
)
from msrp.aio.file_transfer.hashing import FileDigest, hash_file
from msrp.aio.file_transfer.pull import FilePull
from msrp.aio.file_transfer.push import FilePush
from msrp.aio.file_transfer.shared_files import SharedFiles
from msrp.aio.file_transfer.stream import FileStream
from msrp.aio.file_transfer.transfer import FileTransfer, FileTransferred

__all__ = [
    "Decide",
    "FileAnswerer",
    "FileDecision",
    "FileDigest",
    "FilePull",
    "FilePush",
    "FileStream",
    "FileTransfer",
    "FileTransferred",
    "RefuseFile",
    "SaveFile",
    "ServeFile",
    "SharedFiles",
    "hash_file",
]
