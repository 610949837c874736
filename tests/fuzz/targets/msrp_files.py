"""What a peer says of a file, and the envelope that the file comes in.

An input is the lines of a section, or the octets of an envelope.  Whatever they are:

* what is said of a file is read or an :exc:`InvalidFileDescription`; what was read is
  written and reads back equal, and has a name without a path;
* it can be answered or refused, and both say which transfer it is about;
* an envelope gives the same content however it is cut, or is refused.
"""

from __future__ import annotations

import contextlib

from msrp.content import EnvelopeOpener
from msrp.errors import InvalidFileDescription, RemoteProtocolError
from msrp.file_transfer import (
    FileDescription,
    SeenTransfers,
    describes_file,
    push_answer,
    refusal_of,
)
from sdp import MediaDescription, SdpError

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"m=message 7654 TCP/MSRP *\r\n",
    b"i=x\r\n",
    b"a=sendonly\r\n",
    b"a=recvonly\r\n",
    b'a=file-selector:name:"..%2Fa" type:text/plain;x="%22" size:1 ',
    b"hash:sha-1:" + b":".join([b"4A"] * 20) + b"\r\n",
    b"hash:new:00 ",
    b"a=file-transfer-id:abc\r\n",
    b"a=file-disposition:render\r\n",
    b'a=file-date:creation:"Mon, 15 May 2006 15:01:31 +0300"\r\n',
    b"a=file-icon:cid:a@b\r\n",
    b"a=file-range:1-*\r\n",
    b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n",
    b"Content-Type: text/plain\r\n\r\n",
    b'Content-Disposition: attachment; filename="../a"\r\n',
    b"Content-Transfer-Encoding: base64\r\n",
    b"\r\n\r\n",
    b"\n\n",
)


def fuzz(data: bytes) -> None:
    """Check the properties for some octets."""
    with contextlib.suppress(SdpError):
        media = MediaDescription.parse(data)
        if describes_file(media):
            with contextlib.suppress(InvalidFileDescription):
                _described(media)
    assert _opened([data]) == _opened([data[i : i + 1] for i in range(len(data))])


def _described(media: MediaDescription) -> None:
    file = FileDescription.read(media)
    assert FileDescription.read(file.write(media)) == file
    assert file.filename
    assert not {"/", "\\", "\0"} & set(file.filename)
    assert file.filename not in (".", "..")
    seen = SeenTransfers()
    seen.note(file.transfer_id, file.selector)
    seen.judge(file.transfer_id, file.selector)
    answered = FileDescription.read(push_answer(media, file))
    assert answered.transfer_id == file.transfer_id
    assert answered.selector == file.selector
    assert refusal_of(media).first("file-transfer-id") is not None


def _opened(pieces: list[bytes]) -> tuple[bytes, str | None] | None:
    opener = EnvelopeOpener()
    try:
        content = b"".join([opener.feed(piece) for piece in pieces])
    except RemoteProtocolError:
        return None
    return content, opener.content_type
