"""The little of STUN that keeps a way through a NAT open (:rfc:`5626#section-8`).

A Binding request asks from which address it came, and any answer shows that the way
is there; another address than last time shows that it is another way (:rfc:`5389`).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

__all__ = ["StunMessage", "is_stun"]

_COOKIE = 0x2112A442
_HEADER = 20
_ID = 12
_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
_XOR_MAPPED_ADDRESS = 0x0020
_FAMILIES = {4: 1, 16: 2}  # By the length of the address.

_MOST_ATTRIBUTES = 32


def is_stun(data: bytes) -> bool:
    """Tell whether a datagram is STUN: nothing else on the port begins like that."""
    return len(data) >= _HEADER and data[0] < 0x40 and data[4:8] == _cookie_octets()


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A Binding request or the answer to one."""

    transaction_id: bytes
    """Twelve octets that the answer has too."""

    is_request: bool = True
    """Whether it asks."""

    address: tuple[str, int] | None = None
    """In an answer, from where the request came; ``None`` if it was refused."""

    @classmethod
    def parse(cls, data: bytes) -> StunMessage | None:
        """Read a datagram; ``None`` if it is nothing to do with a binding."""
        if not is_stun(data):
            return None
        kind = int.from_bytes(data[:2])
        length = int.from_bytes(data[2:4])
        if length % 4 or _HEADER + length != len(data):
            return None
        transaction_id = data[8:_HEADER]
        if kind == _REQUEST:
            return cls(transaction_id)
        if kind == _SUCCESS:
            return cls(transaction_id, False, _mapped_address(data))
        return cls(transaction_id, False) if kind == _ERROR else None

    def __bytes__(self) -> bytes:
        body = b""
        if self.address is not None:
            value = _xor(self.address, self.transaction_id)
            body = _XOR_MAPPED_ADDRESS.to_bytes(2) + len(value).to_bytes(2) + value
        kind = _REQUEST if self.is_request else _ERROR if not body else _SUCCESS
        head = kind.to_bytes(2) + len(body).to_bytes(2) + _cookie_octets()
        return head + self.transaction_id + body


def _cookie_octets() -> bytes:
    return _COOKIE.to_bytes(4)


def _xor(address: tuple[str, int], transaction_id: bytes) -> bytes:
    """Write an address so that no NAT takes it for one to rewrite."""
    host, port = address
    packed = ipaddress.ip_address(host).packed
    mask = (_cookie_octets() + transaction_id)[: len(packed)]
    hidden = bytes(a ^ b for a, b in zip(packed, mask, strict=True))
    family = _FAMILIES[len(packed)]
    return bytes([0, family]) + (port ^ (_COOKIE >> 16)).to_bytes(2) + hidden


def _mapped_address(data: bytes) -> tuple[str, int] | None:
    at = _HEADER
    for _ in range(_MOST_ATTRIBUTES):
        kind, length = int.from_bytes(data[at : at + 2]), data[at + 2 : at + 4]
        if len(length) < 2:
            break
        end = at + 4 + int.from_bytes(length)
        value = data[at + 4 : end]
        if end > len(data):
            break
        if kind == _XOR_MAPPED_ADDRESS:
            return _un_xor(value, data[8:_HEADER])
        at = end + -end % 4
    return None


def _un_xor(value: bytes, transaction_id: bytes) -> tuple[str, int] | None:
    hidden = value[4:]
    if len(hidden) not in _FAMILIES or _FAMILIES[len(hidden)] != value[1]:
        return None
    mask = (_cookie_octets() + transaction_id)[: len(hidden)]
    packed = bytes(a ^ b for a, b in zip(hidden, mask, strict=True))
    port = int.from_bytes(value[2:4]) ^ (_COOKIE >> 16)
    return str(ipaddress.ip_address(packed)), port
