"""Sections of session descriptions, and what they amount to, for the tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sdp
from msrp.negotiation import (
    Fingerprint,
    MediaDescription,
    Negotiated,
    answer_media,
    negotiate,
)
from msrp.uri import MsrpUri

ALICE = MsrpUri.parse("msrp://192.0.2.1:2855/alice2s93i9ek2a;tcp")
BOB = MsrpUri.parse("msrp://198.51.100.2:30100/bob9di4ba0sx1;tcp")
ALICE_TLS = MsrpUri.parse("msrps://192.0.2.1:2855/alice2s93i9ek2a;tcp")
BOB_TLS = MsrpUri.parse("msrps://198.51.100.2:30100/bob9di4ba0sx1;tcp")
RELAY = "msrp://relay.example.com:9000/hjdhfha;tcp"

CERTIFICATE = b"the certificate in DER"
OTHER_CERTIFICATE = b"another one"
SHA_256 = Fingerprint.of_certificate(CERTIFICATE)


def section(
    *attributes: str,
    port: int = 2855,
    proto: str = "TCP/MSRP",
    formats: tuple[str, ...] = ("*",),
    media: str = "message",
    connection: str | None = None,
) -> MediaDescription:
    return MediaDescription(
        media,
        port,
        proto,
        formats,
        connections=()
        if connection is None
        else (sdp.ConnectionData.parse(connection),),
        attributes=tuple(map(sdp.Attribute.parse, attributes)),
    )


def plain(*more: str, path: object = ALICE, types: str = "*") -> MediaDescription:
    return section(f"path:{path}", f"accept-types:{types}", *more)


def tls(*more: str, path: object = ALICE_TLS) -> MediaDescription:
    return section(f"path:{path}", "accept-types:*", *more, proto="TCP/TLS/MSRP")


def whole(
    *media: MediaDescription, lines: Sequence[str] = ()
) -> sdp.SessionDescription:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    body = "".join(line + "\r\n" for line in [*head, *lines])
    return sdp.SessionDescription.parse(body + "".join(map(str, media)))


def as_offerer(
    offered: MediaDescription | sdp.SessionDescription,
    answered: MediaDescription | sdp.SessionDescription,
) -> Negotiated:
    return negotiate(offered, answered, is_incoming=False)


def as_answerer(
    offered: MediaDescription | sdp.SessionDescription,
    answered: MediaDescription | sdp.SessionDescription,
) -> Negotiated:
    return negotiate(offered, answered, is_incoming=True)


def answer_to(
    offered: MediaDescription, uri: MsrpUri = BOB, *, prefer_active: bool = False
) -> MediaDescription:
    answered = answer_media(offered, uri, prefer_active=prefer_active)
    assert answered is not None
    return answered


def moved(
    media: MediaDescription, address: str, port: int | None = None
) -> MediaDescription:
    """Do what a middlebox does: put another address into c= and m=."""
    kind = "IP6" if ":" in address else "IP4"
    return dataclasses.replace(
        media,
        connections=(sdp.ConnectionData("IN", kind, address),),
        port=media.port if port is None else port,
    )


def without(media: MediaDescription, *names: str) -> MediaDescription:
    """Take attributes away, as their author didn't know them."""
    kept = tuple(a for a in media.attributes if a.name not in names)
    return dataclasses.replace(media, attributes=kept)
