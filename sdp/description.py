"""Session descriptions as values (:rfc:`8866`).

:class:`SessionDescription` holds a whole description, :class:`MediaDescription`
one of its ``m=`` sections.  Both are immutable; change one with
:func:`dataclasses.replace`.  Reading loses nothing: attributes, bandwidths and
formats that nobody here has heard of are kept, in their order, and reading and
then writing a well-formed description gives back its octets.  The one exception
is ``k=``, which must be dropped (:rfc:`8866#section-5.12`).
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Sequence
from typing import Self

from sdp.errors import SdpError
from sdp.grammar import check_media, check_text, encode
from sdp.lines import Attribute, Bandwidth, ConnectionData, Origin, TimeDescription
from sdp.reader import Section, read_sections

__all__ = ["MediaDescription", "SessionDescription"]

_SESSION_ID_BITS = 62
"""RFC 3264 §5: the session id is to fit a signed integer of 64 bits."""

_INHERITED = (
    # One of these four says the direction, so they are inherited as one.
    frozenset(["sendrecv", "sendonly", "recvonly", "inactive"]),
    frozenset(["setup"]),
    frozenset(["fingerprint"]),
    frozenset(["tls-id"]),
    frozenset(["ice-ufrag", "ice-pwd"]),
    frozenset(["lang"]),
    frozenset(["sdplang"]),
)
"""Attributes that a session gives to those media sections that have none of
their own: RFC 8866 §6.7, 6.11 and 6.12, RFC 4145 §4, RFC 8122 §5, RFC 8842 §4,
RFC 8839 §5.4."""


def _attribute_lines(attributes: Iterable[Attribute]) -> str:
    return "".join([f"a={attribute}\r\n" for attribute in attributes])


class _Attributes:
    """Look-up of attributes, for whatever has some."""

    __slots__ = ()

    attributes: tuple[Attribute, ...]

    def has(self, name: str) -> bool:
        """Tell whether there is an attribute of this name, with a value or not."""
        return any(attribute.name == name for attribute in self.attributes)

    def first(self, name: str) -> str | None:
        """Give the value of the first attribute of this name.

        Returns:
            None if there is none; ``""`` for a property attribute, which has no
            value, so that only None means that it is absent.
        """
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.value or ""
        return None

    def all(self, name: str) -> tuple[str, ...]:
        """Give the values of all attributes of this name, in their order."""
        return tuple(a.value or "" for a in self.attributes if a.name == name)


@dataclasses.dataclass(frozen=True, slots=True)
class MediaDescription(_Attributes):
    """A media section: an ``m=`` line and what follows it.

    Raises:
        SdpError: The grammar allows no such section.
    """

    media: str
    """The media type, such as ``message``."""

    port: int
    """The transport port; 0 if the stream is rejected or removed."""

    proto: str
    """The transport protocol, such as ``TCP/TLS/MSRP``."""

    formats: tuple[str, ...]
    """At least one, the most preferred first; what they mean depends on
    :attr:`proto`."""

    _: dataclasses.KW_ONLY
    port_count: int | None = None
    """How many ports there are, if the ``m=`` line says so."""

    information: str | None = None
    connections: tuple[ConnectionData, ...] = ()
    """More than one only for multicast in layers."""

    bandwidths: tuple[Bandwidth, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        check_media(self.media, self.port, self.proto, self.formats, self.port_count)
        if self.information is not None:
            check_text(self.information, "the information")

    @classmethod
    def parse(cls, data: bytes | str, *, strict: bool = False) -> Self:
        """Read one media section by itself.

        Args:
            data: The lines of the section.
            strict: As for :meth:`SessionDescription.parse`.

        Raises:
            SdpError: It isn't exactly one well-formed section.
        """
        sections, _ = read_sections(data, strict=strict, start="m")
        if len(sections) > 1:
            raise SdpError("more than one media section", sections[1].line)
        return cls._of(sections[0])

    @classmethod
    def _of(cls, section: Section) -> Self:
        line = section.media
        assert line is not None
        try:
            return cls(
                line.media,
                line.port,
                line.proto,
                line.formats,
                port_count=line.count,
                information=section.text("i"),
                connections=tuple(section.connections),
                bandwidths=tuple(section.bandwidths),
                attributes=tuple(section.attributes),
            )
        except SdpError as error:
            raise SdpError(error.problem, section.line) from None

    def _completed(
        self,
        connections: tuple[ConnectionData, ...],
        attributes: tuple[Attribute, ...],
    ) -> MediaDescription:
        """Give the section with these, and the rest, which need no check, as it is.

        Each offer and each answer of a call is completed several times, and checking
        it again would take longer than all else.
        """
        completed = object.__new__(MediaDescription)
        for name in MediaDescription.__slots__:
            object.__setattr__(completed, name, getattr(self, name))
        object.__setattr__(completed, "connections", connections)
        object.__setattr__(completed, "attributes", attributes)
        return completed

    @property
    def connection(self) -> ConnectionData | None:
        """Where to send to, if the section itself says so.

        If it doesn't, the session does: see
        :meth:`SessionDescription.effective_media`.
        """
        return self.connections[0] if self.connections else None

    @property
    def is_rejected(self) -> bool:
        """Whether there is no stream: the port is 0 (:rfc:`3264#section-6`)."""
        return self.port == 0

    def __str__(self) -> str:
        count = "" if self.port_count is None else f"/{self.port_count}"
        formats = " ".join(self.formats)
        lines = [f"m={self.media} {self.port}{count} {self.proto} {formats}\r\n"]
        if self.information is not None:
            lines.append(f"i={self.information}\r\n")
        lines += [f"c={connection}\r\n" for connection in self.connections]
        lines += [f"b={bandwidth}\r\n" for bandwidth in self.bandwidths]
        lines.append(_attribute_lines(self.attributes))
        return "".join(lines)

    def __bytes__(self) -> bytes:
        return encode(str(self))


@dataclasses.dataclass(frozen=True, slots=True)
class SessionDescription(_Attributes):
    """A session description: an offer, an answer, or what somebody can do.

    ``str()`` and ``bytes()`` write it, in the order of the grammar and with CRLF
    after every line.

    Raises:
        SdpError: The grammar allows no such description.
    """

    origin: Origin
    media: tuple[MediaDescription, ...] = ()
    _: dataclasses.KW_ONLY
    version: int = 0
    """Of the protocol, not of the description; there is but one."""

    name: str = "-"
    """What the session is called; in a call, nothing."""

    information: str | None = None
    uri: str | None = None
    """Where to read more.  Never fetch it: it is what a stranger wrote."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    connection: ConnectionData | None = None
    """Where to send to, for media sections that don't say so themselves."""

    bandwidths: tuple[Bandwidth, ...] = ()
    times: tuple[TimeDescription, ...] = (TimeDescription(),)
    attributes: tuple[Attribute, ...] = ()
    warnings: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    """What :meth:`parse` forgave, for a log."""

    def __post_init__(self) -> None:
        if self.version != 0:
            raise SdpError("this version of SDP is not supported")
        if not self.times:
            raise SdpError("a description has at least one time")
        check_text(self.name, "the session name")
        for text in (self.information, self.uri, *self.emails, *self.phones):
            if text is not None:
                check_text(text, "a text")

    @classmethod
    def parse(cls, data: bytes | str, *, strict: bool = False) -> Self:
        """Read a session description.

        Lines may end in LF alone.  Unless it is strict, reading also forgives,
        with a note in :attr:`warnings`: lines out of order, if they aren't the
        first three; an empty session name (read as ``-``); a last line without
        an end, empty lines after it, and spaces at the end of a line made of
        fields; several directions in a section or several unicast addresses
        (the first counts); a rejected stream without an address; a time of
        fewer than ten digits.

        Args:
            data: The description.  Octets that aren't UTF-8 are kept.
            strict: Refuse all that :rfc:`8866` forbids.

        Raises:
            SdpError: It isn't a session description, or is bigger than any
                real one.  :attr:`SdpError.line` says where.
        """
        (session, *media), warnings = read_sections(data, strict=strict)
        # The reader has seen to it that the required lines are there.
        assert session.origin is not None
        return cls(
            session.origin,
            tuple(map(MediaDescription._of, media)),
            name=session.texts["s"][0],
            information=session.text("i"),
            uri=session.text("u"),
            emails=tuple(session.texts["e"]),
            phones=tuple(session.texts["p"]),
            connection=session.connections[0] if session.connections else None,
            bandwidths=tuple(session.bandwidths),
            times=session.time_descriptions(),
            attributes=tuple(session.attributes),
            warnings=warnings,
        )

    @classmethod
    def build(
        cls,
        media: Sequence[MediaDescription],
        *,
        address: str,
        session_id: int | None = None,
        version: int = 1,
        username: str = "-",
        times: tuple[TimeDescription, ...] = (TimeDescription(),),
    ) -> Self:
        """Make the first description of a session of our own.

        Args:
            media: The streams, all of which are wanted at once.
            address: Our address, a literal one or a host name; for ``o=`` and
                for ``c=``.
            session_id: A number that no other session from this address has;
                a random one if None.
            version: The number of this description within the session; later
                ones come from :func:`sdp.next_offer`.
            username: Who we are to the host we run on; mostly nobody.
            times: When; now, if nothing is said, and for as long as it lasts.

        Raises:
            SdpError: ``address`` isn't one, or is the unspecified one.
        """
        connection = ConnectionData.for_address(address)
        if session_id is None:
            session_id = secrets.randbits(_SESSION_ID_BITS)
        origin = Origin(
            username, session_id, version, "IN", connection.addrtype, address
        )
        return cls(origin, tuple(media), connection=connection, times=times)

    def effective_media(self, index: int) -> MediaDescription:
        """Give a media section that can be understood by itself.

        What it lacks and the session has is put in: the address, the
        direction, ``setup``, the fingerprints and the like.

        Args:
            index: Which section, from 0.

        Raises:
            IndexError: There is no such section.
        """
        media = self.media[index]
        attributes = media.attributes + self._inherited_by(media)
        connections = media.connections
        if not connections and self.connection is not None:
            connections = (self.connection,)
        return media._completed(connections, attributes)

    def _inherited_by(self, media: MediaDescription) -> tuple[Attribute, ...]:
        if not self.attributes:
            return ()
        own = {attribute.name for attribute in media.attributes}
        lacking = frozenset[str]().union(*(g for g in _INHERITED if own.isdisjoint(g)))
        return tuple(a for a in self.attributes if a.name in lacking)

    def __str__(self) -> str:
        lines = [f"v={self.version}\r\no={self.origin}\r\ns={self.name}\r\n"]
        if self.information is not None:
            lines.append(f"i={self.information}\r\n")
        if self.uri is not None:
            lines.append(f"u={self.uri}\r\n")
        lines += [f"e={email}\r\n" for email in self.emails]
        lines += [f"p={phone}\r\n" for phone in self.phones]
        if self.connection is not None:
            lines.append(f"c={self.connection}\r\n")
        lines += [f"b={bandwidth}\r\n" for bandwidth in self.bandwidths]
        lines += [f"t={time}\r\n" for time in self.times]
        lines.append(_attribute_lines(self.attributes))
        lines += map(str, self.media)
        return "".join(lines)

    def __bytes__(self) -> bytes:
        return encode(str(self))
