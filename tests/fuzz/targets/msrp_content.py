"""What a message says, whatever the peer has put into it.

An input is the value of a ``Content-Type``, LF, that of a ``Content-Disposition`` or
nothing, LF, and a body.  Whatever the octets are:

* the message is read, its octets are all there, and nothing is raised;
* it has at least one leaf and no more than the limit, and they make no more of its
  octets than there are;
* what it says as a whole is what its leaves say.
"""

from __future__ import annotations

from mime import MAX_PARTS
from msrp.content import (
    MAX_NESTING,
    AttachmentReceived,
    MessageReceived,
    TextMessageReceived,
    leaves,
    read_message,
)

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"text/plain\n",
    b"message/cpim\n",
    b"multipart/mixed; boundary=x\n",
    b"multipart/alternative;boundary=x\n",
    b"multipart/signed;boundary=x\n",
    b"\n\n",
    b"attachment; filename=a.txt\n",
    b"--x\r\n",
    b"\r\n--x\r\n",
    b"\r\n--x--\r\n",
    b"Content-Type: message/cpim\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=y\r\n\r\n",
    b"Content-Type: text/plain; charset=koi8-r\r\n\r\n",
    b'Content-Disposition: attachment; filename="b.jpg"\r\n',
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Language: fr, en\r\n",
    b"Content-ID: <a@b>\r\n",
    b"From: A <sip:a@b>\r\n",
    b"To: <sip:c@d>\r\n",
    b"NS: x <urn:x>\r\nRequire: x.y\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\xff",
)


def fuzz(data: bytes) -> None:
    content_type, _, rest = data.partition(b"\n")
    disposition, _, contents = rest.partition(b"\n")
    message = read_message(
        "m123",
        content_type.decode("utf-8", "replace"),
        contents,
        disposition.decode("utf-8", "replace") or None,
    )
    assert message.contents == contents
    assert len(message.senders) <= MAX_NESTING
    assert message.problem is None or message.problem.isprintable()
    check_leaves(message)


def check_leaves(message: MessageReceived) -> None:
    found = leaves(message)
    assert 1 <= len(found) == len(message.parts) <= MAX_PARTS
    assert sum(len(part.content) for part in message.parts) <= len(message.contents)
    texts = []
    for leaf in found:
        assert leaf.sender == message.sender
        assert leaf.message_id == message.message_id
        match leaf:
            case TextMessageReceived():
                texts.append(leaf.text)
                leaf.text.encode()
            case AttachmentReceived():
                check_filename(leaf.filename)
    check_filename(message.filename)
    assert message.text == ("\n\n".join(texts) if texts else None)


def check_filename(name: str | None) -> None:
    assert name is None or (name and not set(name) & set("/\\\0"))
