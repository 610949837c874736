"""The body of a call, and what is in it under which name."""

from __future__ import annotations

import mime
from sip.message import Message
from sip.uri import Uri

__all__ = ["Body"]

_FIELDS = (
    "Content-Type",
    "Content-ID",
    "Content-Disposition",
    "Content-Transfer-Encoding",
)


class Body:
    """The parts of a body that is one, or has them at any depth.

    Args:
        message: Whose body.

    Attributes:
        parts: The parts that have none themselves, in order.
        warnings: What is wrong with it, in words.
    """

    def __init__(self, message: Message) -> None:
        self.parts: tuple[mime.Part, ...] = ()
        self.warnings: list[str] = []
        self._multipart: mime.Multipart | None = None
        self._used: set[int] = set()
        if message.body:
            self._read(message)

    def resolve(self, uri: Uri) -> mime.Part | None:
        """Return what a ``cid:`` URI points at; ``None`` if it points nowhere."""
        part: mime.Part | None = None
        if self._multipart is not None:
            part = self._multipart.resolve_cid(str(uri))
        elif self.parts and uri.scheme == "cid":
            whole = self.parts[0]
            part = whole if whole.content_id in mime.content_ids_of(str(uri)) else None
        if part is not None:
            self._used.update(id(leaf) for leaf in part.walk())
        return part

    def unused(self) -> tuple[mime.Part, ...]:
        """Return the parts that nothing has pointed at."""
        return tuple(part for part in self.parts if id(part) not in self._used)

    def _read(self, message: Message) -> None:
        fields = [
            (name, value)
            for name in _FIELDS
            if (value := message.headers.get(name)) is not None
        ]
        whole = mime.Part(tuple(fields), message.body)
        self.parts = (whole,)
        if whole.content_type.type == "multipart":
            try:
                multipart = mime.parse_multipart(whole.content_type, message.body)
            except mime.MimeError as exc:
                self.warnings.append(f"the body can't be taken apart: {exc}")
                return
            self._multipart = multipart
            self.parts = tuple(multipart.walk())
            self.warnings += (f"the body: {text}" for text in multipart.warnings)
        for part in self.parts:
            self.warnings += (f"a part of the body: {text}" for text in part.warnings)
