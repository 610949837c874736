"""The header fields of a message, in order (:rfc:`3261#section-7.3`).

A field is kept as its name and its raw value; nothing is looked into before it
is asked for.  The names that RFC 3261 and its extensions define are known in
any case and in their compact form, and are written in their usual spelling;
any other name keeps its own.  Reading a value as more than text is done by a
:class:`~sip.fields.field.Field`, which keeps what it has read in
:attr:`Headers.views` until a field of its name changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from sip.errors import LocalError, SipParseError
from sip.grammar import WSP, is_one_line, is_token, list_elements

__all__ = ["MAX_FIELDS", "Headers"]

T = TypeVar("T")

MAX_FIELDS = 512
"""How many fields a received message may have.

A message through the longest permitted path, 70 hops, has two for each hop
(Via, Record-Route); no more than a few dozen others are defined.
"""

_NAMES = """
    Accept Accept-Contact Accept-Encoding Accept-Language Accept-Resource-Priority
    Alert-Info Allow Allow-Events Authentication-Info Authorization
    Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-ID
    Content-Language Content-Length Content-Type CSeq Date Error-Info Event Expires
    Flow-Timer From Geolocation Geolocation-Error Geolocation-Routing
    History-Info Identity In-Reply-To Join Max-Forwards MIME-Version Min-Expires
    Min-SE Organization P-Access-Network-Info P-Asserted-Identity
    P-Preferred-Identity Path Priority Privacy Proxy-Authenticate
    Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info Refer-Sub
    Refer-To Referred-By Reject-Contact Replaces Reply-To Request-Disposition
    Require Resource-Priority Retry-After Route RSeq Server Service-Route
    Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State Supported
    Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate
""".split()

_COMPACT_NAMES = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

_BY_LOWER_CASE = {name.lower(): name for name in _NAMES} | _COMPACT_NAMES

# The spellings that nearly every field comes in, so that reading one takes a
# single look-up and makes no new string.
_BY_SPELLING = {name: name for name in _NAMES} | _BY_LOWER_CASE


def _key(name: str) -> str:
    """Give what all spellings of a name have in common."""
    key = _BY_SPELLING.get(name)
    if key is None:
        lower = name.lower()
        key = _BY_LOWER_CASE.get(lower, lower)
    return key


def _key_and_name(name: str) -> tuple[str, str]:
    """Give also how a name is written: a known one in its usual spelling."""
    known = _BY_SPELLING.get(name)
    if known is not None:
        return known, known
    key = _key(name)
    return key, key if key in _BY_SPELLING else name


class Headers:
    """Header fields in the order of the message.

    Args:
        fields: Pairs of name and value to begin with.

    Raises:
        LocalError: A name isn't a token, or a value would end its line.
    """

    __slots__ = ("_fields", "_index", "views")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        # What all spellings have in common, the name to write, the value.
        self._fields: list[tuple[str, str, str]] = []
        # Tuples of text, unlike lists, cost the garbage collector nothing; and there
        # are hundreds for each call.
        self._index: dict[str, tuple[str, ...]] | None = None
        # What readers made; those with a name look at no other field.
        self.views: dict[object, Any] = {}
        if fields:
            self.add_all(fields)

    @classmethod
    def from_lines(cls, lines: list[str]) -> tuple[Headers, str | None]:
        """Take the lines of a received head, without their CRLF.

        A line that is no header field is left out, so that what remains can be
        used to answer.

        Returns:
            The fields, and what is wrong with them, if anything.
        """
        problem = None
        if len(lines) > MAX_FIELDS:
            lines = _unfold(lines)
            if len(lines) > MAX_FIELDS:
                del lines[MAX_FIELDS:]
                problem = "there are too many header fields"
        headers = cls()
        if not headers._take(lines):
            # By itself a line that continues another is no header field.
            headers = cls()
            if not headers._take(_unfold(lines)):
                problem = "a line is no header field"
        return headers, problem

    def _take(self, lines: list[str]) -> bool:
        """Take the header fields among some lines; tell whether all are some."""
        fields = self._fields
        index: dict[str, tuple[str, ...]] = {}
        self._index = index
        known = _BY_SPELLING.get
        all_are = True
        for line in lines:
            name, colon, value = line.partition(":")
            value = value.strip(WSP)
            key = known(name)
            if key is not None and colon:
                fields.append((key, key, value))
            else:
                name = name.rstrip(WSP)
                if not colon or not is_token(name):
                    all_are = False
                    continue
                key, name = _key_and_name(name)
                fields.append((key, name, value))
            index[key] = (*index[key], value) if key in index else (value,)
        return all_are

    def get(self, name: str) -> str | None:
        """Give the raw value of the first field of this name."""
        values = self.lines(name)
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Give the raw value of every field of this name, in order.

        A value that is a list isn't split.
        """
        return list(self.lines(name))

    def lines(self, name: str) -> tuple[str, ...]:
        """Give what :meth:`get_all` gives, without making a list of it."""
        index = self._index
        if index is None:
            index = self._index = {}
            for key, _, value in self._fields:
                before = index.get(key)
                index[key] = (value,) if before is None else (*before, value)
        values = index.get(name)  # Most ask in the usual spelling.
        return index.get(_key(name), ()) if values is None else values

    def get_only(self, name: str) -> str | None:
        """Give the raw value of the only field of this name, if there is one.

        Raises:
            SipParseError: There are two.
        """
        values = self.lines(name)
        if len(values) == 1:
            return values[0]
        if values:
            raise SipParseError("the header field is there twice", header=name)
        return None

    def values(self, name: str) -> list[str]:
        """Give the elements of every field of this name, in order.

        This is for the header fields whose values are comma-separated lists:
        one line with two elements and two lines with one each are the same.
        Empty elements are left out.

        Raises:
            SipParseError: A quoted string or a ``<`` isn't closed.
        """
        try:
            return list_elements(self.lines(name))
        except SipParseError as exc:
            raise exc.within(name) from None

    def add(self, name: str, value: str) -> None:
        """Add a field after all others.

        Raises:
            LocalError: The name isn't a token, or the value would end its line.
        """
        field = _checked(name, value)
        self._fields.append(field)
        self._changed(field[0])

    def add_all(self, fields: Iterable[tuple[str, str]]) -> None:
        """Add some fields after all others, or none.

        Raises:
            LocalError: As :meth:`add`.
        """
        added = [_checked(name, value) for name, value in fields]
        self._fields += added
        if self._index is not None or self.views:
            for key in {key for key, _, _ in added}:
                self._changed(key)

    def insert_first(self, name: str, value: str) -> None:
        """Add a field before all others.

        Raises:
            LocalError: The name isn't a token, or the value would end its line.
        """
        field = _checked(name, value)
        self._fields.insert(0, field)
        self._changed(field[0])

    def replace_first(self, name: str, value: str) -> None:
        """Put another value in the place of the first field of this name.

        Raises:
            LocalError: The name isn't a token, or the value would end its line.
        """
        field = _checked(name, value)
        for place, (key, _, _) in enumerate(self._fields):
            if key == field[0]:
                self._fields[place] = field
                self._changed(key)
                return

    def set(self, name: str, value: str) -> None:
        """Make this the only field of its name, where the first one was.

        Raises:
            LocalError: The name isn't a token, or the value would end its line.
        """
        field = _checked(name, value)
        places = [n for n, old in enumerate(self._fields) if old[0] == field[0]]
        if not places:
            self._fields.append(field)
            self._changed(field[0])
            return
        self._fields[places[0]] = field
        for place in reversed(places[1:]):
            del self._fields[place]
        self._changed(field[0])

    def remove(self, name: str) -> None:
        """Take out every field of this name, if there are any."""
        key = _key(name)
        self._fields = [field for field in self._fields if field[0] != key]
        self._changed(key)

    def copy(self) -> Headers:
        """Give the same fields to change on their own, with what is known of them."""
        other = Headers()
        other._fields = self._fields.copy()
        if self._index is not None:
            other._index = self._index.copy()
        other.views = self.views.copy()
        return other

    def copy_fields(self, other: Headers, *names: str, first: bool = False) -> None:
        """Add the fields of these names that ``other`` has, as they are.

        Args:
            other: Where to take them from.
            names: The header fields, which are added in this order.
            first: Take one at most of each.
        """
        fields = self._fields
        for name in names:
            values = other.lines(name)
            if not values:
                continue
            key, spelling = _key_and_name(name)
            if first or len(values) == 1:
                fields.append((key, spelling, values[0]))
            else:
                fields += [(key, spelling, value) for value in values]
            if self._index is not None or self.views:
                self._changed(key)

    def append_parameter(self, name: str, parameter: str, value: str) -> None:
        """Put ``;parameter=value`` after the first field of this name.

        The rest of the field stays as it is, octet by octet.

        Raises:
            LocalError: The parameter or its value isn't a token.
        """
        if not is_token(parameter) or not is_token(value):
            raise LocalError("a parameter that is appended must be made of tokens")
        key = _key(name)
        for place, (known, spelling, old) in enumerate(self._fields):
            if known == key:
                self._fields[place] = (key, spelling, f"{old};{parameter}={value}")
                self._changed(key)
                return

    def items(self) -> Iterator[tuple[str, str]]:
        """Go through pairs of name and raw value in order."""
        return ((name, value) for _, name, value in self._fields)

    def view(self, reader: Callable[[Headers], T]) -> T:
        """Give what ``reader`` makes of these fields.

        It is called once and its result remembered until a field changes, so
        the result must not change.  :class:`~sip.fields.field.Field` does the same
        for one field, and remembers when others change.
        """
        views = self.views
        if reader in views:
            result: T = views[reader]
        else:
            result = views[reader] = reader(self)
        return result

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.lines(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return self.items()

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]  # It can change.

    def __repr__(self) -> str:
        return f"<Headers {' '.join(name for name, _ in self.items())}>"

    def _changed(self, key: str) -> None:
        """Forget what was made of the fields of this name."""
        if self._index is not None:
            lines = [field[2] for field in self._fields if field[0] == key]
            self._index[key] = tuple(lines)
        views = self.views
        if views:
            for reader in [r for r in views if getattr(r, "name", key) == key]:
                del views[reader]


def _unfold(lines: list[str]) -> list[str]:
    """Join each continuation line to the line it continues (§7.3.1)."""
    folded: list[list[str]] = []
    for line in lines:
        if line.startswith((" ", "\t")) and folded:
            folded[-1].append(line.strip(WSP))
        else:
            folded.append([line.rstrip(WSP)])
    # The first one counts though nothing is in it: what continues that is no field.
    return [" ".join((first, *filter(None, rest))) for first, *rest in folded]


def _checked(name: str, value: str) -> tuple[str, str, str]:
    known = _BY_SPELLING.get(name)
    if known is not None and value.isascii() and value.isprintable():
        return known, known, value.strip(WSP)
    if not is_token(name):
        raise LocalError("the name of a header field must be a token")
    if not is_one_line(value):
        raise LocalError("the value of a header field must not have CR, LF or NUL")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalError("the value of a header field must be text") from None
    return *_key_and_name(name), value.strip(WSP)
