"""The first half of a ``message/cpim``: its headers (:rfc:`3862#section-2.2`)."""

from __future__ import annotations

import re

from cpim.errors import CpimError
from cpim.headers import (
    CORE_NAMESPACE,
    Header,
    Namespaces,
    QualifiedName,
    read_header,
)
from mime.headers import line_end_of

__all__ = ["MAX_HEADERS", "MAX_HEAD_SIZE", "HeaderBlock"]

MAX_HEAD_SIZE = 1_048_576
"""Octets of CPIM headers.  The RFC wants no limit to a line (section 2.2), so this is
far above what anybody sends, but a message of nothing but headers has an end."""

MAX_HEADERS = 1000
"""Headers of one message.  A message to many has a To for each, hence so many; an
object for each takes some hundred octets, which a peer could otherwise multiply."""


_CONTENT = re.compile(rb"content-", re.IGNORECASE)
_CONTENT_STARTS = b"Cc"


class HeaderBlock:
    """Reads the headers of a message, up to where its content begins.

    Attributes:
        data: The message.
        headers: The headers, with their namespaces resolved.
        required: What the Require headers name.
        size: Octets read: the content's own headers begin there.
        problems: What was forgiven.
    """

    __slots__ = (
        "_line",
        "_max_size",
        "_namespaces",
        "_newline",
        "_strict",
        "data",
        "headers",
        "problems",
        "required",
        "size",
    )

    def __init__(self, data: bytes, *, strict: bool, max_size: int) -> None:
        self.data = data
        self.headers: list[Header] = []
        self.required: list[QualifiedName] = []
        self.size = 0
        self.problems: list[str] = []
        self._strict = strict
        self._max_size = max_size
        self._newline = line_end_of(data)
        self._namespaces = Namespaces()
        self._line = 0

    @classmethod
    def parse(cls, data: bytes, *, strict: bool, max_size: int) -> HeaderBlock:
        """Read the headers at the start of ``data``.

        Raises:
            CpimError: They aren't CPIM headers, or there are too many.
        """
        block = cls(data, strict=strict, max_size=max_size)
        if block._newline != b"\r\n":
            block._forgive("the lines of the headers don't end in CR LF")
        block._read_lines()
        return block

    def _read_lines(self) -> None:
        """Read the lines up to the blank one, and set ``size`` behind that."""
        data, newline, end = self.data, self._newline, len(self.data)
        step = len(newline)
        if data.startswith(newline) and not _CONTENT.match(data, step):
            self._forgive("a blank line before the headers")
            self.size = step
        stop = 0
        while stop >= 0:
            at = self.size
            if at == end or data[at] in _CONTENT_STARTS:
                if self._is_blank_line_missing():
                    return
            self._line += 1
            stop = data.find(newline, at, self._max_size)
            if stop == at:
                self.size += step
                return
            if stop > at:
                self.size = stop + step
            self._read(data[at:stop] if stop > at else self._unterminated_line())

    def _unterminated_line(self) -> bytes:
        if len(self.data) > self._max_size:
            raise CpimError(f"more than {self._max_size} octets of headers", self._line)
        self._forgive("the blank line after the headers is missing")
        line, self.size = self.data[self.size :], len(self.data)
        return line

    def _is_blank_line_missing(self) -> bool:
        """Tell whether the headers end here, with all or with a content header."""
        at_end = self.size == len(self.data)
        if not at_end:
            at_content = _CONTENT.match(self.data, self.size)
            if not at_content or self._namespaces.default != CORE_NAMESPACE:
                return False
        # Examples in RFC 4975 section 11.4, RFC 5438 and RFC 7701 go on with the
        # content's headers at once, and so do those who learned from them.
        if at_end or self.size:
            self._forgive("the blank line after the headers is missing")
        return True

    def _read(self, line: bytes) -> None:
        if len(self.headers) == MAX_HEADERS:
            raise CpimError(f"more than {MAX_HEADERS} headers", self._line)
        try:
            header = read_header(line, self._namespaces)
        except CpimError as exc:
            raise CpimError(exc.problem, self._line) from None
        for problem in header.problems:
            self._forgive(problem)
        self.headers.append(header)
        # Few names end so: the others aren't worth a closer look.
        if header.name.endswith(("NS", "Require")):
            self._obey(header)

    def _obey(self, header: Header) -> None:
        """Do what a header says of others, if it does."""
        if header.qualified_name == (CORE_NAMESPACE, "NS"):
            self._declare(header)
        elif header.qualified_name == (CORE_NAMESPACE, "Require"):
            names = (name.strip(" \t") for name in header.value.split(","))
            self.required += (self._namespaces.resolve(name) for name in names if name)

    def _declare(self, header: Header) -> None:
        try:
            self._namespaces.declare(header.raw_value)
        except CpimError as exc:
            self._forgive(exc.problem)

    def _forgive(self, problem: str) -> None:
        if self._strict:
            raise CpimError(problem, self._line or None)
        if problem not in self.problems:
            self.problems.append(problem)
