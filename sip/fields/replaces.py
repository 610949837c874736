"""Which dialog a new call takes the place of (:rfc:`3891#section-6.1`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
    set_parameter,
    unset_parameter,
)
from sip.uri import SipUri, Uri

__all__ = ["Replaces"]


@dataclass(frozen=True, slots=True)
class Replaces:
    """The value of a Replaces header field; the tags are as the recipient has them."""

    call_id: str

    to_tag: str
    """The local tag of the recipient; ``"0"`` stands for none at all too."""

    from_tag: str
    """The remote tag of the recipient."""

    early_only: bool = False
    """Whether a call that was answered must be left alone."""

    parameters: Parameters = ()
    """All others."""

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read the value of a Replaces header field.

        Raises:
            SipParseError: It isn't a Call-ID with exactly one of both tags.
        """
        call_id, semicolon, rest = text.partition(";")
        call_id = call_id.strip(WSP)
        if not call_id or not call_id.isprintable() or " " in call_id:
            raise SipParseError("no Call-ID")
        parameters = parse_parameters(semicolon + rest)
        to_tag = find_parameter(parameters, "to-tag")
        from_tag = find_parameter(parameters, "from-tag")
        if not to_tag or not from_tag:
            raise SipParseError("one of the tags is missing")
        early_only = find_parameter(parameters, "early-only") is not None
        for name in ("to-tag", "from-tag", "early-only"):
            parameters = unset_parameter(parameters, name)
        return cls(call_id, to_tag, from_tag, early_only, parameters)

    @classmethod
    def from_uri(cls, uri: Uri) -> Replaces | None:
        """Read the Replaces that is embedded in the URI of a Refer-To.

        Returns:
            ``None`` if there is none.

        Raises:
            SipParseError: There is one that isn't well formed.
        """
        text = uri.header("Replaces") if isinstance(uri, SipUri) else None
        if text is None:
            return None
        try:
            return cls.parse(text)
        except SipParseError as exc:
            raise exc.within("Replaces") from None

    def __str__(self) -> str:
        parameters = set_parameter((), "to-tag", self.to_tag)
        parameters = set_parameter(parameters, "from-tag", self.from_tag)
        if self.early_only:
            parameters = set_parameter(parameters, "early-only", None)
        return f"{self.call_id}{format_parameters(parameters + self.parameters)}"
