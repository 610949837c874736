"""Who is who: addresses as people type them, and as SIP and CPIM want them."""

from __future__ import annotations

from dataclasses import dataclass

import msrp
import sip

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A party."""

    sip_address: str
    """For From and To, with the name if there is one."""

    address: msrp.Address
    """For the envelopes of CPIM."""

    @property
    def domain(self) -> str:
        """The host in our address, or one that is nobody's."""
        uri = sip.NameAddr.parse(self.sip_address).uri
        return uri.host if isinstance(uri, sip.SipUri) else "anonymous.invalid"

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Read an address: a SIP URI, a mailbox or the like, perhaps with a name.

        Raises:
            ValueError: It is none.
        """
        address = msrp.parse_address(text)
        uri = address.uri
        if uri.lower().startswith("im:"):
            uri = msrp.ImUri.parse(uri).sip_uri or uri
        try:
            name_addr = sip.NameAddr(address.name, sip.parse_uri(uri))
            # The same in both, as chat rooms compare them (RFC 7701, section 6.1).
            envelope = msrp.Address(str(name_addr.uri), address.name)
            return cls(str(name_addr), envelope)
        except sip.SipError as exc:
            raise ValueError(f"not an address that SIP can use: {exc}") from exc
