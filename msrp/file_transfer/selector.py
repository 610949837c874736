"""``a=file-selector``: which file is meant (:rfc:`5547#section-6`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mime import ContentType, MimeError, safe_filename
from mime.parameters import is_token
from msrp.errors import InvalidFileDescription

__all__ = ["FileFacts", "FileHash", "FileSelector"]

SHA_1 = "sha-1"
"""The one algorithm that there is (:rfc:`5547#section-6`)."""

SHA_1_OCTETS = 20

MAX_HASHES = 16
"""Hashes of one file; future algorithms may be added beside SHA-1, and each costs its
reader something."""

MAX_SIZE_DIGITS = 18
"""Digits of a believable size: an exbibyte."""

_ENCODED = {ord(c): f"%{ord(c):02X}" for c in '\0\r\n"%/\\'}
_ENCODED |= {0xDC00 + octet: f"%{octet:02X}" for octet in range(0x80, 0x100)}
"""What may not stand in a text: what the grammar excludes, what separates directories
on any system, and octets that aren't UTF-8."""


@dataclass(frozen=True, slots=True)
class FileHash:
    """The hash of a whole file, also where only a range of it is sent.

    Raises:
        InvalidFileDescription: There can't be such a hash.
    """

    algorithm: str
    """Its name, in lower case; only ``sha-1`` is defined."""

    value: bytes

    def __post_init__(self) -> None:
        if not is_token(self.algorithm) or ":" in self.algorithm:
            raise InvalidFileDescription("the name of a hash function is no token")
        object.__setattr__(self, "algorithm", self.algorithm.lower())
        if not self.value:
            raise InvalidFileDescription("a hash has no octets")
        if self.algorithm == SHA_1 and len(self.value) != SHA_1_OCTETS:
            raise InvalidFileDescription(f"a SHA-1 hash has {SHA_1_OCTETS} octets")

    @classmethod
    def sha1(cls, value: bytes) -> FileHash:
        """Return the hash that SHA-1 has given."""
        return cls(SHA_1, value)

    @classmethod
    def parse(cls, text: str) -> FileHash:
        """Read ``algorithm:AA:BB:…``; lower case is forgiven.

        Raises:
            InvalidFileDescription: It is something else.
        """
        algorithm, _, pairs = text.partition(":")
        octets = pairs.split(":")
        if not all(len(pair) == 2 and pair.isascii() for pair in octets):
            raise InvalidFileDescription("a hash isn't made of pairs of hex digits")
        try:
            value = bytes.fromhex("".join(octets))
        except ValueError:
            problem = "a hash isn't made of pairs of hex digits"
            raise InvalidFileDescription(problem) from None
        return cls(algorithm, value)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value.hex(':').upper()}"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file that a selector may mean; ``None`` is not known."""

    name: str | None = None
    size: int | None = None
    type: ContentType | None = None
    sha1: bytes | None = None


@dataclass(frozen=True, slots=True)
class FileSelector:
    """Which file is meant: all that is said here applies to it.

    ``str()`` gives the value of the attribute.  Without any selector it only says that
    its author knows of file transfers (:rfc:`5547#section-8.5`).

    Raises:
        InvalidFileDescription: There can't be such a file.
    """

    name: str | None = None
    """What it is called, as its author wrote it.  Never use it as a path."""

    size: int | None = None
    """Octets of the bare file; an empty one can't be written, and has none."""

    type: ContentType | None = None
    hashes: tuple[FileHash, ...] = ()

    def __post_init__(self) -> None:
        if self.name is not None:
            object.__setattr__(self, "name", _checked_text(self.name, "the name"))
        if self.size is not None and not 0 < self.size < 10**MAX_SIZE_DIGITS:
            raise InvalidFileDescription("the size is out of range")
        if self.type is not None:
            _check_type(self.type)
        if len(self.hashes) > MAX_HASHES:
            raise InvalidFileDescription(f"there are more than {MAX_HASHES} hashes")

    @classmethod
    def of(cls, facts: FileFacts) -> FileSelector:
        """Return the selector of a file of which this is known."""
        hashes = () if facts.sha1 is None else (FileHash.sha1(facts.sha1),)
        return cls(facts.name or None, facts.size or None, facts.type, hashes)

    @classmethod
    def parse(cls, text: str) -> FileSelector:
        """Read the value of ``a=file-selector``.

        Raises:
            InvalidFileDescription: It can't be understood.
        """
        found: dict[str, str] = {}
        hashes: list[FileHash] = []
        for kind, value in _selectors(text):
            if kind == "hash":
                hashes.append(FileHash.parse(value))
            elif kind not in ("name", "size", "type"):
                raise InvalidFileDescription("a file selector of an unknown kind")
            elif kind in found:
                raise InvalidFileDescription("two file selectors of the same kind")
            else:
                found[kind] = value
        return cls(
            _read_quoted(found["name"]) if "name" in found else None,
            _read_size(found["size"]) if "size" in found else None,
            _read_type(found["type"]) if "type" in found else None,
            tuple(hashes),
        )

    @property
    def sha1(self) -> bytes | None:
        """The SHA-1 of the whole file, if it is said."""
        return next((h.value for h in self.hashes if h.algorithm == SHA_1), None)

    @property
    def filename(self) -> str:
        """A name for the file that is harmless on any disk."""
        return safe_filename(self.name or "", fallback="file")

    @property
    def facts(self) -> FileFacts:
        """What it says of the file."""
        return FileFacts(self.name, self.size, self.type, self.sha1)

    def __bool__(self) -> bool:
        """Tell whether it selects anything."""
        return self != FileSelector()

    def matches(self, file: FileFacts) -> bool:
        """Tell whether a file is what is meant.

        What isn't known of the file it can't match.  Of types their parameters don't
        count, since those of a file on a disk are mostly a guess.
        """
        return (
            (self.name is None or _same_name(self.name, file.name))
            and (self.size is None or self.size == file.size)
            and (self.type is None or _same_type(self.type, file.type))
            and (self.sha1 is None or self.sha1 == file.sha1)
        )

    def choose(self, files: Iterable[FileFacts]) -> list[FileFacts]:
        """Return those of some files that are meant: none, one or several."""
        return [file for file in files if self.matches(file)]

    def contradicts(self, other: FileSelector) -> bool:
        """Tell whether the other certainly means another file.

        That one says more than the other is no contradiction
        (:rfc:`5547#section-8.1`).
        """
        ours = (self.name, self.size, self.type and self.type.essence, self.sha1)
        theirs = (other.name, other.size, other.type and other.type.essence, other.sha1)
        pairs = zip(ours, theirs, strict=True)
        return any(a is not None and b is not None and a != b for a, b in pairs)

    def completed(self, other: FileSelector) -> FileSelector:
        """Return what both say, and what this one says where both do."""
        return FileSelector(
            self.name or other.name,
            self.size or other.size,
            self.type or other.type,
            self.hashes or other.hashes,
        )

    def __str__(self) -> str:
        words = []
        if self.name is not None:
            words.append(f'name:"{_encode(self.name)}"')
        if self.type is not None:
            parameters = (f';{n}="{_encode(v)}"' for n, v in self.type.parameters)
            words.append(f"type:{self.type.essence}{''.join(parameters)}")
        if self.size is not None:
            words.append(f"size:{self.size}")
        words += (f"hash:{each}" for each in self.hashes)
        return " ".join(words)


def _selectors(text: str) -> Iterable[tuple[str, str]]:
    """Cut a value at the spaces outside of quotes, and each piece at its colon."""
    at = 0
    while at < len(text):
        if text[at] == " ":  # One separates, more are forgiven.
            at += 1
            continue
        end = _end_of_word(text, at)
        kind, colon, value = text[at:end].partition(":")
        if not colon or not value:
            raise InvalidFileDescription("a file selector has no value")
        yield kind.lower(), value
        at = end


def _end_of_word(text: str, at: int) -> int:
    while True:
        space, quote = text.find(" ", at), text.find('"', at)
        if quote < 0 or -1 < space < quote:
            return len(text) if space < 0 else space
        at = text.find('"', quote + 1) + 1
        if not at:
            raise InvalidFileDescription("a quote in a file selector doesn't end")


def _read_quoted(value: str) -> str:
    if len(value) < 3 or value[0] != '"' or value.find('"', 1) != len(value) - 1:
        raise InvalidFileDescription("a text in a file selector isn't in quotes")
    octets = unquote_to_bytes(value[1:-1].encode("utf-8", "surrogateescape"))
    return octets.decode("utf-8", "surrogateescape")


def _read_size(digits: str) -> int:
    is_number = digits.isascii() and digits.isdigit() and digits[0] != "0"
    if not is_number or len(digits) > MAX_SIZE_DIGITS:
        raise InvalidFileDescription("the size of a file is no number")
    return int(digits)


def _read_type(value: str) -> ContentType:
    essence, *parameters = _split_parameters(value)
    kind, _, subtype = essence.partition("/")
    try:
        return ContentType(kind, subtype, tuple(map(_read_parameter, parameters)))
    except MimeError as error:
        raise InvalidFileDescription(error.problem) from error


def _split_parameters(value: str) -> list[str]:
    """Cut at the semicolons outside of quotes, whose number is even."""
    pieces: list[list[str]] = [[]]
    for index, part in enumerate(value.split('"')):
        if index % 2:
            pieces[-1].append(f'"{part}"')
            continue
        first, *others = part.split(";")
        pieces[-1].append(first)
        pieces += ([other] for other in others)
    return ["".join(piece) for piece in pieces]


def _read_parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise InvalidFileDescription("a parameter of a file's type has no value")
    # The quotes are forgotten by some, where Content-Type needs none.
    return name, _read_quoted(value) if value[0] == '"' else value


def _checked_text(text: str, what: str) -> str:
    """Return a text as it is read back: octets that are UTF-8 are characters."""
    if not text:
        raise InvalidFileDescription(f"{what} of a file is empty")
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidFileDescription(f"{what} of a file has no octets") from None
    return octets.decode("utf-8", "surrogateescape")


def _check_type(content_type: ContentType) -> None:
    for _, value in content_type.parameters:
        if _checked_text(value, "a parameter") != value:
            raise InvalidFileDescription("a parameter of a file's type is no text")


def _encode(text: str) -> str:
    return text.translate(_ENCODED)


def _same_name(one: str, other: str | None) -> bool:
    if other is None:
        return False
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _same_type(one: ContentType, other: ContentType | None) -> bool:
    return other is not None and one.essence == other.essence
