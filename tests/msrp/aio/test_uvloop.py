"""A session works the same on uvloop, whose transports are of its own kind."""

from __future__ import annotations

import asyncio

import pytest

import msrp

uvloop = pytest.importorskip("uvloop")


@pytest.mark.parametrize(
    "secure", [pytest.param(False, id="tcp"), pytest.param(True, id="tls")]
)
def test_messages_of_any_size_arrive(secure: bool) -> None:
    contents = bytes(range(256)) * 4096

    async def main() -> list[bytes]:
        certificate = msrp.LocalCertificate.self_signed() if secure else None
        async with msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate) as here:
            uri = msrp.MsrpUri("msrps" if secure else "msrp", "127.0.0.1", 9, "there")
            offered = msrp.offer_media(
                uri,
                setup="active",
                accept_types=["*"],
                fingerprints=[certificate.fingerprint] if certificate else [],
            )
            answered = here.answer(offered, accept_types=["*"])
            assert answered is not None
            taker = msrp.MsrpConnection.create_from_sdp(
                offered,
                answered,
                is_incoming=True,
                listener=here,
                config=msrp.SessionConfig(max_message_length=len(contents)),
            )
            sender = msrp.MsrpConnection.create_from_sdp(
                offered, answered, is_incoming=False, local_cert=certificate
            )
            async with taker, sender:
                for body in (b"hello", contents):
                    sent = await sender.send_message("application/data", body)
                    await sent.delivered()
                return [(await anext(taker)).contents for _ in range(2)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == [b"hello", contents]
