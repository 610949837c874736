"""What a section of a session description says of a file, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mime import (
    ContentType,
    MimeError,
    Part,
    cid_url,
    content_ids_of,
    new_content_id,
)
from msrp.errors import InvalidFileDescription, LocalProtocolError
from msrp.file_transfer.attributes import (
    FileDates,
    FileRange,
    check_transfer_id,
)
from msrp.file_transfer.selector import FileSelector
from sdp import (
    Attribute,
    Direction,
    MediaDescription,
    SdpError,
    answer_direction,
    direction_of,
    reject,
    with_direction,
)
from sdp.grammar import is_token

__all__ = [
    "ATTACHMENT",
    "RENDER",
    "FileDescription",
    "describes_file",
    "icon_part",
    "icon_url",
    "pull_answer",
    "pull_offer",
    "push_answer",
    "push_offer",
    "refusal_of",
    "repeated_answer",
    "said_last",
]

RENDER = "render"
"""Show the file; what is meant where nothing is said (:rfc:`5547#section-7`)."""

ATTACHMENT = "attachment"
"""Keep the file until somebody wants to see it."""

WHOLE = FileRange()
"""All octets of a file."""

_ICON_DOMAIN = "icon.invalid"
"""Nobody's domain: what goes before it is unique by itself, and tells nothing of us."""

_NAMES = (
    "file-selector",
    "file-transfer-id",
    "file-disposition",
    "file-date",
    "file-icon",
    "file-range",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDescription:
    """What one side says of a file, and what is to become of it.

    Raises:
        InvalidFileDescription: It can't be written.
    """

    selector: FileSelector
    transfer_id: str
    """Which transfer; a repeated one is no new transfer."""

    direction: Direction
    """Who sends, as the author of the section sees it."""

    disposition: str = RENDER
    """``render``, ``attachment`` or another, in lower case."""

    dates: FileDates = field(default_factory=FileDates)
    icon: str | None = None
    """The ``cid:`` URL of a small picture in the body of the request, that shows what
    is in the file (:rfc:`5547#section-8.8`)."""

    range: FileRange = WHOLE
    """Which octets of the file are sent; its hash is that of all of them."""

    has_range: bool = False
    """Whether the range is said; an answer repeats one that is."""

    information: str | None = None
    """A description for people."""

    def __post_init__(self) -> None:
        check_transfer_id(self.transfer_id)
        if not is_token(self.disposition):
            raise InvalidFileDescription("a file-disposition is no token")
        object.__setattr__(self, "disposition", self.disposition.lower())
        if self.icon is not None:
            _check_icon(self.icon)
        if not self.range.is_whole:
            object.__setattr__(self, "has_range", True)

    @classmethod
    def read(cls, media: MediaDescription) -> FileDescription:
        """Read a section that describes a file.

        Raises:
            InvalidFileDescription: It can't be understood, or lacks something
                (:rfc:`5547#section-8.1`).
        """
        selector = FileSelector.parse(_one(media, "file-selector") or "")
        transfer_id = _one(media, "file-transfer-id")
        if not selector:
            raise InvalidFileDescription("the file-selector selects nothing")
        if transfer_id is None:
            raise InvalidFileDescription("there is no file-transfer-id")
        dates, range_ = _one(media, "file-date"), _one(media, "file-range")
        return cls(
            selector=selector,
            transfer_id=transfer_id.strip(),
            direction=direction_of(media),
            disposition=(_one(media, "file-disposition") or RENDER).strip(),
            dates=FileDates() if dates is None else FileDates.parse(dates),
            icon=_one(media, "file-icon"),
            range=FileRange() if range_ is None else FileRange.parse(range_),
            has_range=range_ is not None,
            information=media.information,
        )

    @property
    def is_push(self) -> bool:
        """Whether who says this sends the file, and nothing else."""
        return self.direction is Direction.SENDONLY

    @property
    def is_pull(self) -> bool:
        """Whether who says this wants the file, and nothing else."""
        return self.direction is Direction.RECVONLY

    @property
    def filename(self) -> str:
        """A name for the file that is harmless on any disk."""
        return self.selector.filename

    @property
    def size(self) -> int | None:
        """Octets of the whole file, if that is said."""
        return self.selector.size

    @property
    def content_type(self) -> ContentType | None:
        """The type of the file, if that is said."""
        return self.selector.type

    @property
    def sha1(self) -> bytes | None:
        """The SHA-1 of the whole file, if that is said."""
        return self.selector.sha1

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """How all of it but the direction is written."""
        found = [
            Attribute("file-selector", str(self.selector)),
            Attribute("file-transfer-id", self.transfer_id),
        ]
        if self.disposition != RENDER:
            found.append(Attribute("file-disposition", self.disposition))
        if self.dates:
            found.append(Attribute("file-date", str(self.dates)))
        if self.icon is not None:
            found.append(Attribute("file-icon", self.icon))
        if self.has_range:
            found.append(Attribute("file-range", str(self.range)))
        return tuple(found)

    def write(self, media: MediaDescription) -> MediaDescription:
        """Put it into a section, in the place of what that said of a file before.

        Raises:
            InvalidFileDescription: It can't stand there.
        """
        others = tuple(a for a in media.attributes if a.name not in _NAMES)
        try:
            media = replace(
                media,
                attributes=(*others, *self.attributes),
                information=self.information,
            )
        except SdpError as error:
            raise InvalidFileDescription(error.problem) from error
        return with_direction(media, self.direction)


def describes_file(media: MediaDescription) -> bool:
    """Tell whether a section is about the transfer of a file.

    That it isn't may also mean that its author knows nothing of such transfers
    (:rfc:`5547#section-8.3.1`).
    """
    return media.has("file-selector")


def push_offer(
    media: MediaDescription, description: FileDescription
) -> MediaDescription:
    """Make the section that offers to send a file (:rfc:`5547#section-8.2.1`).

    Args:
        media: That of a message session.
        description: The file; it is said to be for sending only.

    Raises:
        LocalProtocolError: Neither type nor size nor hash is known.
        InvalidFileDescription: It can't be written.
    """
    selector = description.selector
    if not (selector.type or selector.size or selector.hashes):
        raise LocalProtocolError(
            "a file is offered with its type, size or hash", section="5547#8.2.1"
        )
    return replace(description, direction=Direction.SENDONLY).write(media)


def pull_offer(
    media: MediaDescription, description: FileDescription
) -> MediaDescription:
    """Make the section that asks for a file (:rfc:`5547#section-8.2.2`).

    Nothing is said but which file, which transfer of it, and which range.

    Args:
        media: That of a message session.
        description: The file; it is said to be for receiving only.

    Raises:
        LocalProtocolError: Nothing selects a file.
        InvalidFileDescription: It can't be written.
    """
    if not description.selector:
        raise LocalProtocolError(
            "a file is asked for by name, type, size or hash", section="5547#8.2.2"
        )
    return _bare(description, Direction.RECVONLY).write(media)


def push_answer(media: MediaDescription, offered: FileDescription) -> MediaDescription:
    """Make the section that takes an offered file (:rfc:`5547#section-8.3.1`).

    It repeats which file, which transfer and which range, and says nothing else.

    Args:
        media: That of a message session, which answers the offered one.
        offered: The file that is offered.
    """
    return _bare(offered, Direction.RECVONLY).write(media)


def pull_answer(
    media: MediaDescription,
    offered: FileDescription,
    selector: FileSelector,
    *,
    disposition: str = RENDER,
) -> MediaDescription:
    """Make the section that gives a file which was asked for (§8.3.2).

    Args:
        media: That of a message session, which answers the offered one.
        offered: What was asked for.
        selector: What is known of the file; its name and size go along with the file
            itself and needn't be here.
        disposition: What the receiver shall do with it.
    """
    answered = replace(_bare(offered, Direction.SENDONLY), selector=selector)
    return replace(answered, disposition=disposition).write(media)


def repeated_answer(
    media: MediaDescription, words: FileDescription, offered: MediaDescription
) -> MediaDescription:
    """Make the section that answers an offer which asks for nothing new (§8.1).

    Args:
        media: That of the message session.
        words: What we say of the file.
        offered: The offer, which may hold the stream.
    """
    direction = answer_direction(direction_of(offered), words.direction)
    return replace(words, direction=direction).write(media)


def refusal_of(media: MediaDescription) -> MediaDescription:
    """Make the section that refuses an offered one (:rfc:`5547#section-8.3`).

    It repeats which file and which transfer were offered.
    """
    return reject(media)


def said_last(media: MediaDescription) -> MediaDescription:
    """Make the section that ends a transfer, over or given up (§8.1, §8.4).

    Args:
        media: What we said of it last.
    """
    return replace(media, port=0)


def _bare(description: FileDescription, direction: Direction) -> FileDescription:
    """Leave out what only describes, and is for who hasn't decided yet."""
    return FileDescription(
        selector=description.selector,
        transfer_id=description.transfer_id,
        direction=direction,
        range=description.range,
        has_range=description.has_range,
    )


def _one(media: MediaDescription, name: str) -> str | None:
    values = media.all(name)
    if len(values) > 1:
        raise InvalidFileDescription(f"there is more than one {name}")
    return values[0] if values else None


def _check_icon(url: str) -> None:
    try:
        content_ids_of(url)
    except MimeError as error:
        raise InvalidFileDescription("a file-icon is no cid: URL") from error
    if not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise InvalidFileDescription("a file-icon is no cid: URL")


def icon_part(picture: Part) -> Part:
    """Make the part of a body in which an icon goes along with an offer (§8.8).

    Args:
        picture: What it shows.

    Raises:
        InvalidFileDescription: It can't be written.
    """
    try:
        return Part.build(
            picture.content_type,
            picture.content,
            content_id=new_content_id(_ICON_DOMAIN),
            disposition="icon",
        )
    except MimeError as error:
        raise InvalidFileDescription(error.problem) from error


def icon_url(icon: Part) -> str:
    """Return the URL that points at an icon which :func:`icon_part` has made."""
    assert icon.content_id is not None
    return cid_url(icon.content_id)
