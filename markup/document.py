"""A document: its elements, and how they are read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from markup.errors import MarkupError

__all__ = [
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_OCTETS",
    "Element",
    "parse_markup",
]

MAX_OCTETS = 262_144
"""How long a document may be; a location takes a few kilobytes, and a block of data
about a caller some tens of them."""

MAX_ELEMENTS = 5_000
"""How many elements a document may have; each costs some hundred octets of memory
for as few as four on the wire."""

MAX_DEPTH = 64
"""Elements within elements; a location nests a dozen."""

_BETWEEN = "\x1f"  # Never in XML, so neither in a namespace nor in a name.


@dataclass(slots=True)
class Element:
    """An element of a document."""

    namespace: str
    """The URI; ``""`` if it has none."""

    name: str
    """Without a prefix."""

    attributes: dict[str, str]
    """By name; one with a namespace has it in front, after it a space."""

    children: list[Element] = field(default_factory=list)

    text: str = ""
    """What is in it and in none of its children, white space at the ends aside."""

    def child(self, name: str, namespace: str | None = None) -> Element | None:
        """Return the first child of a name; ``None`` if there is none.

        Args:
            name: Without a prefix.
            namespace: The URI; by default any.
        """
        for child in self.children:
            if child.name == name and namespace in (None, child.namespace):
                return child
        return None

    def find_all(self, name: str) -> Iterator[Element]:
        """Yield the elements of a name at any depth below, in order.

        Those in another of the same name aren't looked for: what is made of the
        elements found can't be more than the document.
        """
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            if element.name == name:
                yield element
            else:
                waiting += reversed(element.children)

    def find(self, name: str) -> Element | None:
        """Return the first element of a name at any depth below."""
        return next(self.find_all(name), None)

    def find_text(self, name: str) -> str | None:
        """Return the text of the first element of a name below; ``None`` if empty."""
        found = self.find(name)
        return None if found is None else found.text or None

    def __bytes__(self) -> bytes:
        """Write the element as a document of its own, in UTF-8."""
        return "".join(_write(self, "")).encode()


def _write(element: Element, inherited: str) -> Iterator[str]:
    # The depth of what was parsed is bounded, so that of the calls is too.
    yield f"<{element.name}"
    if element.namespace != inherited:
        yield f" xmlns={quoteattr(element.namespace)}"
    for number, (name, value) in enumerate(element.attributes.items()):
        namespace, space, local = name.rpartition(" ")
        if not space:
            yield f" {name}={quoteattr(value)}"
        elif namespace == "http://www.w3.org/XML/1998/namespace":
            yield f" xml:{local}={quoteattr(value)}"
        else:
            prefix = f"a{number}"
            yield f" xmlns:{prefix}={quoteattr(namespace)}"
            yield f" {prefix}:{local}={quoteattr(value)}"
    yield ">" + escape(element.text)
    for child in element.children:
        yield from _write(child, element.namespace)
    yield f"</{element.name}>"


class _Reader:
    """Builds the tree while the parser goes through the document."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def read(self, document: bytes) -> Element:
        try:
            self._parser.Parse(document, True)
        except expat.ExpatError as exc:
            problem = expat.ErrorString(exc.code) or "not well-formed"
            raise MarkupError(f"not XML: {problem}", exc.lineno) from None
        except (LookupError, ValueError) as exc:
            if isinstance(exc, MarkupError):
                raise
            raise MarkupError("not XML: an encoding that isn't known") from None
        assert self.root is not None
        return self.root

    def _refuse_doctype(self, *_: object) -> None:
        raise MarkupError("a DOCTYPE isn't wanted", self._parser.CurrentLineNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise MarkupError("there are too many elements")
        if len(self._open) >= MAX_DEPTH:
            raise MarkupError("the elements are nested too deep")
        namespace, _, local = name.rpartition(_BETWEEN)
        named = {key.replace(_BETWEEN, " "): text for key, text in attributes.items()}
        element = Element(namespace, local, named)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)

    def _end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop()).strip()


def parse_markup(document: bytes, *, max_octets: int = MAX_OCTETS) -> Element:
    """Read a document.

    Args:
        document: Its octets; white space before its first element is put up with.
        max_octets: How long it may be, for kinds that are never as long as others.

    Returns:
        Its outermost element.

    Raises:
        MarkupError: It isn't well-formed, has a DOCTYPE, or is out of proportion.
    """
    if len(document) > max_octets:
        raise MarkupError("the document is too long")
    return _Reader().read(document.lstrip(b" \t\r\n"))
