"""A relay that answers AUTH, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from digest import (
    Algorithm,
    Credentials,
    DigestServer,
    Passwords,
    ServerLimits,
)
from msrp.headers import ResponseHead
from msrp.sansio.inquiries import Answer
from msrp.testing.cores import Written, read_messages

__all__ = ["ScriptedRelay", "answer"]


def answer(code: int, *fields: str) -> Answer:
    return Answer(ResponseHead("tid0", code), "\r\n".join(fields).encode())


@dataclass
class ScriptedRelay:
    """It knows Alice, and answers as :rfc:`4976#section-5.1` has it."""

    gives: str = "msrps://intra.example.com:9000/jui787s2f;tcp"
    realm: str = "intra.example.com"
    expires: int | None = 900
    shortest: int = 0
    longest: int = 10_000
    wants_uri: bool | None = None
    proves: bool = True
    next_nonces: bool = False
    now: float = 0.0
    algorithms: tuple[Algorithm, ...] = (Algorithm.MD5,)
    seen: list[Written] = field(default_factory=list)
    outcomes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = DigestServer(
            self.realm,
            Passwords({"Alice": "secret"}),
            algorithms=self.algorithms,
            limits=ServerLimits(nonce_lifetime=100.0),
        )

    def take(self, octets: bytes) -> Answer:
        [request] = read_messages(octets)
        assert request.what == "AUTH"
        assert request.body is None
        self.seen.append(request)
        result = self._answer(request)
        self.outcomes.append(result.head.code)
        return result

    def _answer(self, request: Written) -> Answer:
        target = request.fields["to-path"].split(" ")[-1]
        given = request.fields.get("authorization")
        verdict = self.server.verify(
            [] if given is None else [given], "AUTH", target, now=self.now
        )
        stale = verdict.is_stale
        if given is not None and self.wants_uri is not None:
            has_uri = Credentials.parse(given).uri is not None
            if has_uri is not self.wants_uri:
                return self._challenge(stale=False)
        if verdict.username is None:
            return self._challenge(stale=stale)
        wish = request.fields.get("expires")
        if wish is not None and int(wish) < self.shortest:
            return answer(423, f"Min-Expires: {self.shortest}")
        if wish is not None and int(wish) > self.longest:
            return answer(423, f"Max-Expires: {self.longest}")
        fields = [f"Use-Path: {self.gives}"]
        if self.proves:
            next_nonce_at = self.now if self.next_nonces else None
            info = self.server.confirm(verdict, target, next_nonce_at=next_nonce_at)
            fields.append(f"Authentication-Info: {info}")
        if self.expires is not None:
            fields.append(f"Expires: {wish or self.expires}")
        return answer(200, *fields)

    def _challenge(self, *, stale: bool) -> Answer:
        challenges = self.server.challenges(self.now, stale=stale)
        return answer(401, *(f"WWW-Authenticate: {each}" for each in challenges))
