"""The first half of a ``message/cpim``: its headers (:rfc:`3862#section-2.2`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cpim.errors import CpimError
from cpim.headers import CORE_NAMESPACE, Header, Namespaces, QualifiedName
from mime.headers import line_end_of

__all__ = ["MAX_HEADERS", "MAX_HEAD_SIZE", "HeaderBlock"]

MAX_HEAD_SIZE = 1_048_576
"""Octets of CPIM headers.  The RFC wants no limit to a line (section 2.2), so this is
far above what anybody sends, but a message of nothing but headers has an end."""

MAX_HEADERS = 1000
"""Headers of one message.  A message to many has a To for each, hence so many; an
object for each takes some hundred octets, which a peer could otherwise multiply."""


@dataclass(slots=True)
class HeaderBlock:
    """Reads the headers of a message, up to where its content begins.

    Attributes:
        headers: The headers, with their namespaces resolved.
        required: What the Require headers name.
        size: Octets read: the content's own headers begin there.
        problems: What was forgiven.
    """

    data: bytes = field(repr=False)
    strict: bool
    max_size: int
    newline: bytes
    required: list[QualifiedName] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    size: int = 0
    problems: list[str] = field(default_factory=list)
    _namespaces: Namespaces = field(default_factory=Namespaces)
    _line: int = 0

    @classmethod
    def parse(cls, data: bytes, *, strict: bool, max_size: int) -> HeaderBlock:
        """Read the headers at the start of ``data``.

        Raises:
            CpimError: They aren't CPIM headers, or there are too many.
        """
        newline = line_end_of(data)
        block = cls(data, strict, max_size, newline)
        if newline != b"\r\n":
            block._forgive("the lines of the headers don't end in CR LF")
        for line in block._lines():
            if len(block.headers) == MAX_HEADERS:
                raise CpimError(f"more than {MAX_HEADERS} headers", block._line)
            block._read(line)
        return block

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines up to the blank one, and set ``size`` behind that."""
        step = len(self.newline)
        if self.data.startswith(self.newline) and not self._is_content_at(step):
            self._forgive("a blank line before the headers")
            self.size = step
        while not self._is_missing_blank_line():
            self._line += 1
            stop = self.data.find(self.newline, self.size, self.max_size)
            if stop < 0:
                yield self._unterminated_line()
                return
            line = self.data[self.size : stop]
            self.size = stop + step
            if not line:
                return
            yield line

    def _unterminated_line(self) -> bytes:
        if len(self.data) > self.max_size:
            raise CpimError(f"more than {self.max_size} octets of headers", self._line)
        self._forgive("the blank line after the headers is missing")
        line, self.size = self.data[self.size :], len(self.data)
        return line

    def _is_missing_blank_line(self) -> bool:
        # Examples in RFC 4975 section 11.4, RFC 5438 and RFC 7701 go on with the
        # content's headers at once, and so do those who learned from them.
        at_content = self._is_content_at(self.size)
        if at_content and self._namespaces.default == CORE_NAMESPACE:
            if self.size:
                self._forgive("the blank line after the headers is missing")
            return True
        at_end = self.size == len(self.data)
        if at_end:
            self._forgive("the blank line after the headers is missing")
        return at_end

    def _is_content_at(self, at: int) -> bool:
        return self.data[at : at + len(b"content-")].lower() == b"content-"

    def _read(self, line: bytes) -> None:
        try:
            header = Header.parse(line, strict=self.strict)
        except CpimError as exc:
            raise CpimError(exc.problem, self._line) from None
        for problem in header.problems:
            self._forgive(problem)
        namespace, _ = self._namespaces.resolve(header.name)
        if header.name == "NS":
            # Also where NS isn't a core header by the letter, after the default
            # namespace was changed: or else there would be no way back.
            namespace = CORE_NAMESPACE
        header = replace(header, namespace=namespace)
        self.headers.append(header)
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
        if self.strict:
            raise CpimError(problem, self._line or None)
        if problem not in self.problems:
            self.problems.append(problem)
