"""An emergency call with audio, real-time text and messages; we do the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import msrp
import sdp
from recording import Direction, WireRecord

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]

OFFER = """\
v=0
o=- 3960000001 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
m=text 40002 RTP/AVP 100 98
a=rtpmap:98 t140/1000
m=message {0.port} TCP/TLS/MSRP *
a=path:{0}
a=accept-types:message/cpim text/plain application/im-iscomposing+xml
a=accept-wrapped-types:*
a=max-size:10485760
a=setup:actpass
a=msrp-cema
a=fingerprint:{1}
a=hlang-send:es en
a=hlang-recv:es en
"""

ANSWER = """\
v=0
o=psap 77001 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 0 RTP/AVP 0
m=text 0 RTP/AVP 98
m=message {0.port} TCP/TLS/MSRP *
a=path:{0}
a=accept-types:message/cpim text/plain
a=accept-wrapped-types:text/plain image/jpeg application/im-iscomposing+xml
a=setup:passive
a=msrp-cema
a=fingerprint:{1}
a=hlang-send:es
a=hlang-recv:es
"""


def read(
    text: str, uri: msrp.MsrpUri, certificate: msrp.LocalCertificate
) -> sdp.SessionDescription:
    filled = text.format(uri, str(certificate.fingerprint).replace("sha", "SHA"))
    return sdp.SessionDescription.parse(filled.replace("\n", "\r\n").encode())


@pytest.mark.rule("OA-36")
@pytest.mark.parametrize("whose", ["announced", "other"])
async def test_the_caller_connects_over_tls_and_says_what_the_other_side_takes(
    board: Board, certs: Certs, whose: str
) -> None:
    log: list[WireRecord] = []
    caller = await board.listener(local_cert=certs[0])
    tap = caller.add_wire_tap(log.append)
    called = await board.listener(local_cert=certs[1])
    offered = read(OFFER, caller.new_uri(), certs[0])
    announced = certs[1] if whose == "announced" else certs[0]
    answered = read(ANSWER, called.new_uri(), announced)
    active = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=False, listener=caller
    )
    passive = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=True, listener=called
    )
    assert active.negotiated.is_active
    assert active.negotiated.connect_to == ("127.0.0.1", called.port)
    async with passive:
        if whose == "other":
            with pytest.raises(msrp.CertificateRejected, match="does not match"):
                await active.start()
            assert log == []
            return
        async with active:
            await (await active.send_text("My house is on fire.")).delivered()
            with pytest.raises(msrp.LocalProtocolError):
                await active.send_message("image/png", b"\x89PNG")
            message = await anext(passive)
    assert message.text == "My house is on fire."
    assert await tap.drained()
    sent = [each.octets for each in log if each.direction is Direction.SENT]
    assert [octets.split()[2] for octets in sent] == [b"SEND", b"SEND"]
    binding, text = sent
    assert b"Content-Type" not in binding
    assert b"\r\nByte-Range: 1-0/0\r\n" in binding
    assert b"\r\nContent-Type: message/cpim\r\n" in text
