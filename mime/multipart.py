"""Bodies made of parts (:rfc:`2046#section-5.1`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mime.boundary import choose_boundary, random_boundary, split_sections
from mime.content_id import content_ids_of
from mime.content_type import TEXT_PLAIN, ContentType
from mime.errors import MimeError, MimeLimitExceeded
from mime.headers import format_head
from mime.parameters import Parameters
from mime.part import Part

__all__ = [
    "MAX_DEPTH",
    "MAX_PARTS",
    "Multipart",
    "build_multipart",
    "open_part",
    "parse_multipart",
]

MAX_DEPTH = 10
"""Multiparts within multiparts.  Emergency calls nest two or three; each level costs
a copy of all that is in it, so the limit also keeps the work linear."""

MAX_PARTS = 1000
"""Parts at all depths together.  A part may be as small as its delimiter, while an
object for it takes some hundred octets: without a limit a peer multiplies memory."""

_DIGEST_DEFAULT = ContentType("message", "rfc822")

# The wrapper may have the Content-ID of what it wraps (RFC 7852 section 6.1).
_WRAPPERS = frozenset({"signed", "encrypted"})


@dataclass(frozen=True, slots=True)
class Multipart:
    """The parts of a body, and how they belong together.

    A subtype that isn't known is no obstacle: it is as good as ``mixed``
    (:rfc:`2046#section-5.1.7`).
    """

    content_type: ContentType
    """The type of the whole, with its boundary."""

    parts: tuple[Part, ...]
    """The parts in order, at least one."""

    truncated: bool = False
    """The closing delimiter is missing: the last part may be cut short."""

    warnings: tuple[str, ...] = ()
    """What was wrong with the body, in words; its parts have their own."""

    @property
    def subtype(self) -> str:
        """``mixed``, ``alternative``, ``related`` and so on, in lower case."""
        return self.content_type.subtype

    @property
    def root(self) -> Part:
        """The part to start from (:rfc:`2387#section-3.2`).

        In ``multipart/related`` that is the one ``start`` names; else the first.
        """
        start = self.content_type.parameter("start")
        if self.subtype == "related" and start is not None:
            wanted = start.strip().removeprefix("<").removesuffix(">")
            for part in self.parts:
                if part.content_id == wanted:
                    return part
        return self.parts[0]

    def choose(self, accepts: Callable[[Part], bool]) -> Part | None:
        """Return the richest alternative that ``accepts`` says yes to.

        The parts of ``multipart/alternative`` come in increasing order of
        richness, so this is the last of them (:rfc:`2046#section-5.1.4`).
        """
        return next((p for p in reversed(self.parts) if accepts(p)), None)

    def walk(self) -> Iterator[Part]:
        """Yield the parts that aren't multiparts themselves, at any depth."""
        for part in self.parts:
            yield from part.walk()

    def find_content_id(self, content_id: str) -> Part | None:
        """Return the part with this ``Content-ID``, at any depth, or None.

        Of several it is the first; the richest in ``multipart/alternative``; and
        what is signed or encrypted rather than the wrapper around it.

        Args:
            content_id: With or without brackets; its case counts.
        """
        wanted = content_id.removeprefix("<").removesuffix(">")
        return next((p for p in self._candidates() if p.content_id == wanted), None)

    def resolve_cid(self, url: str) -> Part | None:
        """Return the part that a ``cid:`` URL points at (:rfc:`2392#section-2`).

        None if it points nowhere or isn't such a URL: a reference that leads
        nowhere must not spoil an emergency call.
        """
        try:
            content_ids = content_ids_of(url)
        except MimeError:
            return None
        found = (self.find_content_id(content_id) for content_id in content_ids)
        return next((part for part in found if part is not None), None)

    def _candidates(self) -> Iterator[Part]:
        is_alternative = self.subtype == "alternative"
        for part in reversed(self.parts) if is_alternative else self.parts:
            inner = part.multipart
            if inner is None:
                yield part
            elif inner.subtype in _WRAPPERS:
                yield from inner._candidates()
                yield part
            else:
                yield part
                yield from inner._candidates()


def parse_multipart(
    content_type: ContentType | str,
    body: bytes,
    *,
    max_parts: int = MAX_PARTS,
    max_depth: int = MAX_DEPTH,
) -> Multipart:
    """Take a multipart body apart, and the multiparts in it.

    A part that claims to be a multipart and can't be taken apart stays whole,
    with a warning.

    Args:
        content_type: The ``Content-Type`` of the body, with its boundary.
        body: The body; may be binary.
        max_parts: How many parts to allow, at all depths together.
        max_depth: How many levels of multiparts to take apart.

    Raises:
        MimeError: The type isn't multipart, it has no boundary or an illegal one,
            or the body has no part.
        MimeLimitExceeded: There are too many parts, or a part has too many
            header fields.
    """
    if isinstance(content_type, str):
        content_type = ContentType.parse(content_type)
    return _Opener(max_parts, max_depth).take_apart(content_type, body, depth=1)


def open_part(
    part: Part, *, max_parts: int = MAX_PARTS, max_depth: int = MAX_DEPTH
) -> Part:
    """Return the same part taken apart if it is a multipart, else as it is.

    One that can't be taken apart is returned whole, with a warning.

    Raises:
        MimeLimitExceeded: See :func:`parse_multipart`.
    """
    return _Opener(max_parts, max_depth).open(part, depth=1)


def build_multipart(
    parts: Sequence[Part],
    subtype: str = "mixed",
    parameters: Parameters = (),
    *,
    token: Callable[[], str] = random_boundary,
) -> tuple[ContentType, bytes]:
    """Put parts together.

    Args:
        parts: At least one.  Parts that were received are written as they were,
            so that signatures over them stay valid.
        subtype: How they belong together.
        parameters: More parameters of the content type, such as ``start``.  The
            ``type`` that ``related`` must have is added (:rfc:`2387#section-3`).
        token: Where boundaries come from; called again while one is found in
            the parts.

    Returns:
        The content type, and the body to send under it.

    Raises:
        MimeError: There is no part, or something can't be written.
    """
    if not parts:
        raise MimeError("a multipart has at least one part")
    contents = [_to_octets(part) for part in parts]
    nested = {name for part in parts for name in _boundaries(part)}
    boundary = choose_boundary(contents, nested, token)
    unbounded = ContentType("multipart", subtype, parameters)
    if unbounded.subtype == "related" and unbounded.parameter("type") is None:
        root = Multipart(unbounded, tuple(parts)).root
        parameters = (*parameters, ("type", root.content_type.essence))
    content_type = ContentType(
        "multipart", subtype, (*parameters, ("boundary", boundary))
    )
    delimiter = f"--{boundary}\r\n".encode()
    pieces = [piece for content in contents for piece in (delimiter, content, b"\r\n")]
    return content_type, b"".join((*pieces, f"--{boundary}--\r\n".encode()))


@dataclass(slots=True)
class _Opener:
    """Takes a tree of multiparts apart, within limits that span all of it."""

    parts_left: int
    max_depth: int

    def take_apart(
        self, content_type: ContentType, body: bytes, depth: int
    ) -> Multipart:
        if content_type.type != "multipart":
            raise MimeError("the content type isn't a multipart")
        boundary = content_type.boundary
        if boundary is None:
            raise MimeError("a multipart without a boundary parameter")
        sections = split_sections(body, boundary, max_parts=self.parts_left)
        self.parts_left -= len(sections.spans)
        is_digest = content_type.subtype == "digest"
        parts: list[Part] = []
        for start, stop in sections.spans:
            part = Part.parse(
                body[start:stop],
                newline=sections.newline,
                default_type=_DIGEST_DEFAULT if is_digest else TEXT_PLAIN,
            )
            parts.append(self.open(part, depth + 1))
        warnings: list[str] = []
        if not sections.is_closed:
            warnings.append("the closing delimiter of the multipart is missing")
        if sections.newline == b"\n":
            warnings.append("the lines of the multipart don't end in CR LF")
        truncated = not sections.is_closed
        return Multipart(content_type, tuple(parts), truncated, tuple(warnings))

    def open(self, part: Part, depth: int) -> Part:
        if part.content_type.type != "multipart":
            return part
        if depth > self.max_depth:
            problem = f"multiparts more than {self.max_depth} deep are left whole"
            return replace(part, problems=(*part.problems, problem))
        try:
            inner = self.take_apart(part.content_type, part.body, depth)
        except MimeLimitExceeded:
            raise
        except MimeError as exc:
            return replace(part, problems=(*part.problems, exc.problem))
        return replace(part, multipart=inner)


def _to_octets(part: Part) -> bytes:
    # The head as received, unless it would be read differently among CR LFs.
    raw = part.raw_head
    if raw is not None and (raw == b"\r\n" or raw.endswith(b"\r\n\r\n")):
        return bytes(part)
    return format_head(part.headers) + part.body


def _boundaries(part: Part) -> Iterator[str]:
    if part.content_type.type == "multipart":
        if boundary := part.content_type.boundary:
            yield boundary
        for inner in open_part(part).parts:
            yield from _boundaries(inner)
