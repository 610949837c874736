"""Whom to believe over TLS, and with what ciphers.

There are two proofs that somebody is the peer.  Its certificate has the *fingerprint*
that its SDP announced (:rfc:`8122`), which is as good as the way that the SDP came; or
an *authority* that we know has signed it, for the host of its path
(:rfc:`4975#section-14.1`).  A side that waits has a third one without any certificate:
nobody but the peer has been told its URI (:rfc:`4975#section-5.4`).

:class:`TlsPolicy` says which of them are asked for.  The default takes what there is: a
fingerprint if the SDP has one, and else an authority for a host that we connect to.
"""

from __future__ import annotations

import enum
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msrp.aio.tls.certificates import LocalCertificate
from msrp.errors import CertificateRejected
from msrp.negotiation import Negotiated

if TYPE_CHECKING:
    from msrp.aio.tls.context import TlsContext

__all__ = ["TlsPolicy", "Verification"]

logger = logging.getLogger("msrp.tls")


class Verification(enum.Enum):
    """What proves that somebody is the peer."""

    FINGERPRINT = "fingerprint"
    """The fingerprints of its SDP.  If there is none (also that of a relay, which
    no SDP announces), an authority has to vouch for a host that we connect to."""

    AUTHORITY = "authority"
    """The signature of an authority, for the host of the peer's path; and the
    fingerprints of its SDP as well, if there are any."""

    NOTHING_AND_TRUST_ANYBODY = "nothing"
    """Nothing: whoever is on the way can read and change all that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """How the other side of a TLS connection is verified.

    TLS older than version 1.2, and cipher suites that don't encrypt, are refused
    with any of them (:rfc:`8122#section-7`).
    """

    verification: Verification = Verification.FINGERPRINT

    authorities: str | Path | None = None
    """A PEM file with the certificates of those who may sign; ``None`` for the
    authorities that the system knows."""

    mutual: bool = False
    """Whether the verification by authority is asked of a peer that connects to us
    too: it then has to show a certificate, which has to be for the host of its path
    (:rfc:`4975#section-5.4`)."""

    without_sdp_integrity: bool = False
    """Whether nothing protects the SDP on its way, such as SIP over plain UDP or TCP:
    then whoever is on that way can put a fingerprint of his own into it, so that an
    authority has to vouch, whichever side connects, for exactly the host of the
    peer's path, without wildcards (:rfc:`8122#section-6.1`).  It goes with
    :attr:`mutual`."""

    aes_256_only: bool = False
    """Whether to allow only suites with AES of 256 bits in GCM and forward secrecy,
    as networks of emergency services ask for; peers without them are refused."""

    @classmethod
    def by_authority(
        cls,
        authorities: str | Path | None = None,
        *,
        mutual: bool = False,
        without_sdp_integrity: bool = False,
        aes_256_only: bool = False,
    ) -> Self:
        """Return the policy that asks for the signature of an authority.

        Args:
            authorities: A PEM file; ``None`` for those that the system knows.
            mutual: Ask it of a peer that connects to us too.
            without_sdp_integrity: Ask it of both, and for exactly the host in the
                peer's SDP, since nobody vouches for the rest of it.
            aes_256_only: Allow no suites but those with AES of 256 bits.
        """
        return cls(
            verification=Verification.AUTHORITY,
            authorities=authorities,
            mutual=mutual or without_sdp_integrity,
            without_sdp_integrity=without_sdp_integrity,
            aes_256_only=aes_256_only,
        )

    @classmethod
    def verify_nothing_and_trust_anybody(cls) -> Self:
        """Return the policy for a laboratory, and for nothing else.

        Whatever the other side shows is taken, and each use is logged as a warning.
        """
        return cls(verification=Verification.NOTHING_AND_TRUST_ANYBODY)

    def __post_init__(self) -> None:
        # It would otherwise be believed to be asked for, and not be.
        if self.mutual and self.verification is not Verification.AUTHORITY:
            raise ValueError("mutual is for verification by authority")
        if self.without_sdp_integrity and not self.mutual:
            raise ValueError("without integrity of SDP the verification is mutual")

    def client_context(
        self, negotiated: Negotiated, local_cert: LocalCertificate | None
    ) -> TlsContext:
        """Return what a TLS connection is opened with.

        Args:
            negotiated: What the peer's SDP says.
            local_cert: What to show; where fingerprints count, one is made if need be.

        Raises:
            CertificateUnusable: The certificate, or the file of authorities.
        """
        if local_cert is None and negotiated.remote_fingerprints:
            local_cert = LocalCertificate.self_signed()
        return self._context(local_cert, verify=self.needs_authority(negotiated))

    def server_context(self, local_cert: LocalCertificate) -> TlsContext:
        """Return what TLS connections are taken with.

        Raises:
            CertificateUnusable: The certificate, or the file of authorities.
        """
        return self._context(local_cert, verify=self.mutual)

    def _context(
        self, local_cert: LocalCertificate | None, *, verify: bool
    ) -> TlsContext:
        # Not above: who does without TLS needn't wait for OpenSSL.
        from msrp.aio.tls.context import TlsContext

        return TlsContext(
            local_cert,
            verify=verify,
            authorities=self.authorities,
            aes_256_only=self.aes_256_only,
        )

    def check(
        self, negotiated: Negotiated, shown: bytes | None, *, target: str, peer: str
    ) -> None:
        """Judge whether who has shown a certificate is the peer of a session.

        The handshake has seen to its signature already, if that counts.

        Args:
            negotiated: What the peer's SDP says.
            shown: The certificate in DER, if there is one.
            target: Where we have connected to; empty if the peer connects.
            peer: The address of the other side, for a log.

        Raises:
            CertificateRejected: It isn't.
        """
        if not negotiated.secure:
            return
        if self.verification is Verification.NOTHING_AND_TRUST_ANYBODY:
            logger.warning("TLS with %s: nothing is verified, anybody is trusted", peer)
            return
        if negotiated.remote_fingerprints:
            _check_fingerprint(negotiated, shown, target)
        if self.needs_authority(negotiated):
            _check_name(negotiated, shown, target, self.without_sdp_integrity)

    def needs_authority(self, negotiated: Negotiated) -> bool:
        """Tell whether a signature, and the name that it is for, count."""
        if self.verification is Verification.NOTHING_AND_TRUST_ANYBODY:
            return False
        if not negotiated.is_active:
            return self.mutual
        by_fingerprint = self.verification is Verification.FINGERPRINT
        return not (by_fingerprint and negotiated.remote_fingerprints)


def _check_fingerprint(
    negotiated: Negotiated, shown: bytes | None, target: str
) -> None:
    if shown is None:
        raise CertificateRejected(
            target, "the peer shows no certificate, though its SDP announces one"
        )
    if not negotiated.certificate_matches(shown):
        raise CertificateRejected(
            target,
            "the peer's certificate does not match the fingerprint in its SDP",
        )


def _check_name(
    negotiated: Negotiated, shown: bytes | None, target: str, exactly: bool
) -> None:
    # Not above: fingerprints are compared without reading the certificate.
    from msrp.aio.tls.certificate_names import names_host

    host = negotiated.server_name
    if shown is None or not names_host(shown, host, exactly=exactly):
        problem = "the peer's certificate is not for the host of its path"
        raise CertificateRejected(target, problem)
