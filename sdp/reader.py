"""Text in, sections of checked lines out.

A description is one session section and any number of media sections, and the
order of the lines within each is fixed (:rfc:`8866#section-5`).  What a line says
is read by :mod:`sdp.lines`; where it stands is the business of this module, and
so are the bounds.  :mod:`sdp.description` makes its values out of the sections.

Two ways of reading: a *strict* reader refuses everything that the RFC forbids.  A
*tolerant* one, which is what a call wants, forgives what nobody can misunderstand
and notes it, so that an emergency call is not lost to a misplaced line.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from sdp.errors import SdpError
from sdp.grammar import check_text, encode, number
from sdp.lines import Attribute, Bandwidth, ConnectionData, Origin, TimeDescription

__all__ = ["MediaLine", "Section", "read_sections"]

T = TypeVar("T")

MAX_SIZE = 65_536
"""Octets of a description: as many as a UDP datagram that could bring it holds.
The largest seen in the field (ICE candidates for many streams) are a third of it."""

MAX_LINE_LENGTH = 8_192
"""Characters of a line; room for a file selector or a long list of MIME types."""

MAX_LINES = 2_000
"""Lines of a description: each costs an object some ten times its size."""

MAX_MEDIA = 64
"""Media sections, since each may cost the application a socket or a session."""

MAX_ATTRIBUTES = 512
"""Attributes of a section, since every look-up walks through them."""

MAX_WARNINGS = 32
"""Warnings kept; a peer that earns more has made its point."""

_RECALLED = 256
_RECALLED_LENGTH = 128
"""How many lines of a kind to remember, and up to which length: what a peer can make
this hold is some hundred kilobytes of each kind."""


def _recalling(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Let a function remember what it made of the lines that it saw last.

    All descriptions of a program have most of their lines alike.  The values have to
    be frozen, since they are shared.
    """
    remembered = lru_cache(maxsize=_RECALLED)(parse)

    def recall(value: str) -> T:
        if len(value) > _RECALLED_LENGTH:
            return parse(value)
        return remembered(value)

    return recall


_recall_attribute = _recalling(Attribute.parse)
_recall_connection = _recalling(ConnectionData.parse)
_recall_time = _recalling(TimeDescription.parse)

_SESSION_ORDER = {letter: rank for rank, letter in enumerate("vosiuepcbtka")}
# A repetition and its zone belong to the time above them.
_SESSION_ORDER |= {"r": _SESSION_ORDER["t"], "z": _SESSION_ORDER["t"]}
_MEDIA_ORDER = {letter: rank for rank, letter in enumerate("micbka")}
_ATTRIBUTES = max(_SESSION_ORDER.values())
_ONCE_PER_SESSION = frozenset("vosiuck")
_ONCE_PER_MEDIA = frozenset("ik")
_FIXED_PLACE = frozenset("vos")
_FIELDS_BY_SPACE = frozenset("ocbtrzm")
_DIRECTIONS = frozenset(["sendrecv", "sendonly", "recvonly", "inactive"])


@dataclasses.dataclass(frozen=True, slots=True)
class MediaLine:
    """The fields of an ``m=`` line, split but not yet checked."""

    media: str
    port: int
    count: int | None
    proto: str
    formats: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> MediaLine:
        """Split what stands after ``m=``.

        Raises:
            SdpError: There are fewer than four fields, or the port is no number.
        """
        media, *rest = value.split(" ")
        if len(rest) < 3:
            raise SdpError("an m= line has fewer than four fields")
        port, proto, *formats = rest
        port, slash, count = port.partition("/")
        return cls(
            media,
            number(port, "the port"),
            number(count, "the number of ports") if slash else None,
            proto,
            tuple(formats),
        )


class Section:
    """The lines of one section, by their letter and in their order."""

    __slots__ = (
        "attributes",
        "bandwidths",
        "connections",
        "line",
        "media",
        "order",
        "origin",
        "rank",
        "repeats",
        "seen",
        "texts",
        "times",
        "zones",
    )

    def __init__(self, line: int, media: MediaLine | None = None) -> None:
        self.line = line
        self.media = media
        self.order = _SESSION_ORDER if media is None else _MEDIA_ORDER
        self.rank = 0
        self.seen: set[str] = set()
        self.origin: Origin | None = None
        self.texts: dict[str, list[str]] = collections.defaultdict(list)
        self.connections: list[ConnectionData] = []
        self.bandwidths: list[Bandwidth] = []
        self.times: list[TimeDescription] = []
        self.repeats: list[list[str]] = []
        self.zones: list[str | None] = []
        self.attributes: list[Attribute] = []

    def text(self, letter: str) -> str | None:
        """Give the value of a line that there is at most one of."""
        return self.texts[letter][0] if letter in self.texts else None

    def time_descriptions(self) -> tuple[TimeDescription, ...]:
        """Give the times with the repetitions and zones that stand below them."""
        if not any(self.repeats):
            return tuple(self.times)
        return tuple(
            dataclasses.replace(time, repeats=tuple(repeats), zone=zone)
            if repeats
            else time
            for time, repeats, zone in zip(
                self.times, self.repeats, self.zones, strict=True
            )
        )


def read_sections(
    data: bytes | str, *, strict: bool, start: str = "v"
) -> tuple[list[Section], tuple[str, ...]]:
    """Read a description, or with ``start="m"`` media sections alone.

    Returns:
        The sections, that of the session first, and what was forgiven.

    Raises:
        SdpError: A rule is broken, or a bound exceeded.
    """
    reader = _Reader(strict)
    reader.read(_decode(data), start)
    return reader.sections, tuple(reader.warnings)


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_SIZE:
        raise SdpError(f"the description is longer than {MAX_SIZE} octets")
    # Text goes through octets as well, so that equal octets make equal values.
    octets = encode(data) if isinstance(data, str) else data
    if len(octets) > MAX_SIZE:
        raise SdpError(f"the description is longer than {MAX_SIZE} octets")
    return octets.decode("utf-8", "surrogateescape")


class _Reader:
    """Take one line after the other."""

    def __init__(self, strict: bool) -> None:
        self.sections: list[Section] = []
        self.warnings: list[str] = []
        self._strict = strict
        self._line = 0
        self._previous = ""

    def read(self, text: str, start: str) -> None:
        lines = self._split(text)
        if not lines or not lines[0].startswith(f"{start}="):
            raise SdpError(f"the first line is not the {start}= line", 1)
        if start == "v":
            self.sections.append(Section(1))
        for self._line, line in enumerate(lines, 1):
            try:
                self._take(line.removesuffix("\r"))
            except SdpError as error:
                raise SdpError(error.problem, self._line) from None
        for section in self.sections:
            self._line = section.line
            try:
                self._check_section(section)
            except SdpError as error:
                raise SdpError(error.problem, self._line) from None

    def _split(self, text: str) -> list[str]:
        lines = text.split("\n")
        self._line = len(lines)
        if lines[-1]:
            self._forgive("the last line has no end")
        else:
            lines.pop()
        if lines and lines[-1] in ("", "\r"):
            self._forgive("empty lines at the end")
            while lines and lines[-1] in ("", "\r"):
                lines.pop()
        if len(lines) > MAX_LINES:
            raise SdpError(f"the description has more than {MAX_LINES} lines")
        return lines

    def _forgive(self, problem: str) -> None:
        if self._strict:
            raise SdpError(problem, self._line)
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(str(SdpError(problem, self._line)))

    def _take(self, line: str) -> None:
        if len(line) > MAX_LINE_LENGTH:
            raise SdpError(f"longer than {MAX_LINE_LENGTH} characters")
        letter, value = line[:1], line[2:]
        if line[1:2] != "=":
            raise SdpError("not a letter, an equals sign and a value")
        if value.endswith(" ") and letter in _FIELDS_BY_SPACE:
            self._forgive("white space at the end")
            value = value.rstrip(" ")
        if letter == "m":
            self._open_media(MediaLine.parse(value))
        else:
            section = self.sections[-1]
            if letter != "a":  # These may stand anywhere, and most lines are.
                self._place(section, letter)
            take = _TAKERS.get(letter)
            if take is not None:
                take(self, section, value)
            else:
                self._take_text(section, letter, value)
        self._previous = letter

    def _open_media(self, media: MediaLine) -> None:
        if len(self.sections) > MAX_MEDIA:
            raise SdpError(f"more than {MAX_MEDIA} media sections")
        self.sections.append(Section(self._line, media))

    def _place(self, section: Section, letter: str) -> None:
        """Check that a line may stand here, and wasn't here before."""
        rank = section.order.get(letter)
        if rank is None:
            if letter in _SESSION_ORDER:
                raise SdpError(f"a {letter}= line in a media section")
            raise SdpError("an unknown type of line")
        if letter in section.seen and letter in (
            _ONCE_PER_SESSION if section.media is None else _ONCE_PER_MEDIA
        ):
            raise SdpError(f"a second {letter}= line")
        if rank < section.rank:
            if letter in _FIXED_PLACE:
                raise SdpError(f"the {letter}= line is out of order")
            self._forgive(f"the {letter}= line is out of order")
        else:
            section.rank = rank
        section.seen.add(letter)

    def _take_version(self, section: Section, value: str) -> None:
        if number(value, "the protocol version") != 0:
            raise SdpError("this version of SDP is not supported")

    def _take_origin(self, section: Section, value: str) -> None:
        section.origin = Origin.parse(value)

    def _take_name(self, section: Section, value: str) -> None:
        if not value:
            # As in the examples of RFC 5547.
            self._forgive("the session name is empty")
            value = "-"
        self._take_text(section, "s", value)

    def _take_text(self, section: Section, letter: str, value: str) -> None:
        check_text(value, "the value")
        section.texts[letter].append(value)

    def _take_connection(self, section: Section, value: str) -> None:
        data = _recall_connection(value)
        if data.count is not None and section.media is None:
            self._forgive("several addresses for the whole session")
        section.connections.append(data)

    def _take_bandwidth(self, section: Section, value: str) -> None:
        section.bandwidths.append(Bandwidth.parse(value))

    def _take_time(self, section: Section, value: str) -> None:
        time = _recall_time(value)
        if not time.is_plausible:
            self._forgive("a time has fewer than ten digits")
        section.times.append(time)
        section.repeats.append([])
        section.zones.append(None)

    def _take_repeat(self, section: Section, value: str) -> None:
        if self._previous not in ("t", "r"):
            raise SdpError("a r= line without a t= line before it")
        TimeDescription(repeats=(value,))  # It raises, here where the line is known.
        section.repeats[-1].append(value)

    def _take_zone(self, section: Section, value: str) -> None:
        if self._previous != "r":
            raise SdpError("a z= line without a r= line before it")
        TimeDescription(repeats=(section.repeats[-1][0],), zone=value)
        section.zones[-1] = value

    def _take_attribute(self, section: Section, value: str) -> None:
        if len(section.attributes) >= MAX_ATTRIBUTES:
            raise SdpError(f"more than {MAX_ATTRIBUTES} attributes in a section")
        section.rank = _ATTRIBUTES  # Only an attribute is in its place after one.
        section.attributes.append(_recall_attribute(value))

    def _drop(self, section: Section, value: str) -> None:
        """Discard a key, as RFC 8866 §5.12 demands."""

    def _check_section(self, section: Section) -> None:
        """Check what only the end of a section can tell."""
        if sum(a.name in _DIRECTIONS for a in section.attributes) > 1:
            self._forgive("more than one direction in a section")
        if section.media is None:
            for letter in "ost":
                if letter not in section.seen:
                    raise SdpError(f"there is no {letter}= line")
            return
        if len(section.connections) > 1 and not all(
            data.is_multicast for data in section.connections
        ):
            self._forgive("several addresses for a unicast stream")
        if not section.connections and not self.sections[0].connections:
            self._check_missing_address(section.media)

    def _check_missing_address(self, media: MediaLine) -> None:
        if self.sections[0].media is not None:
            return  # The session's section isn't here to look at.
        if media.port != 0:
            raise SdpError("a media section without an address")
        self._forgive("a rejected media section without an address")


# Functions, not methods of one reader: those would be a cycle with it.
_TAKERS: dict[str, Callable[[_Reader, Section, str], None]] = {
    "v": _Reader._take_version,
    "o": _Reader._take_origin,
    "s": _Reader._take_name,
    "c": _Reader._take_connection,
    "b": _Reader._take_bandwidth,
    "t": _Reader._take_time,
    "r": _Reader._take_repeat,
    "z": _Reader._take_zone,
    "k": _Reader._drop,
    "a": _Reader._take_attribute,
}
