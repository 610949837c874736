"""A telephone that knows nothing of us, nor of message sessions: baresip.

It is Debian's package ``baresip-core``; without it these tests are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import msrp
import sdp
import sip
from tests.interop.programs import free_port, listening, running

BARESIP = shutil.which("baresip")

pytestmark = pytest.mark.skipif(
    BARESIP is None,
    reason="baresip is missing; it is in Debian's package baresip-core",
)

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
sip_trans_def udp
call_max_calls 4
audio_path /usr/share/baresip
audio_player aufile,{directory}/out.wav
audio_source aufile,{directory}/none.wav
audio_alert aufile,{directory}/alert.wav
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module uuid.so
module account.so
module_app menu.so
"""
ACCOUNT = "<sip:callee@127.0.0.1>;regint=0;answermode=auto;audio_codecs=pcmu\n"


@asynccontextmanager
async def baresip(directory: Path) -> AsyncIterator[str]:
    """Run it; give the URI by which it is called."""
    assert BARESIP is not None
    port = free_port(more=1)  # The next one is where it listens for TLS.
    config = CONFIG.format(port=port, directory=directory)
    (directory / "config").write_text(config)
    (directory / "accounts").write_text(ACCOUNT)
    async with running(directory, BARESIP, "-f", str(directory)) as program:
        await listening(program, "udp", port)
        yield f"sip:callee@127.0.0.1:{port}"


@pytest.mark.rule("SIP-52")
async def test_it_answers_our_options(tmp_path: Path) -> None:
    async with (
        baresip(tmp_path) as uri,
        sip.UserAgent("sip:psap@127.0.0.1", listen=["udp://127.0.0.1:0"]) as agent,
    ):
        response = await agent.options(uri)
        assert response.status == 200
        assert {"INVITE", "ACK", "BYE"} <= set(response.allow)
        described = sdp.SessionDescription.parse(response.body)
        assert described.origin.username == "-"


@pytest.mark.rule("SIP-49")
async def test_it_refuses_a_message_stream_and_our_caller_says_so(
    tmp_path: Path,
) -> None:
    async with (
        baresip(tmp_path) as uri,
        sip.UserAgent("sip:psap@127.0.0.1", listen=["udp://127.0.0.1:0"]) as agent,
        msrp.MsrpListener("127.0.0.1", 0) as listener,
    ):
        with pytest.raises(sip.CallRefused, match=r"488 \(Not Acceptable Here\)") as e:
            await agent.invite(uri, media=[msrp.MsrpMedia(listener)], timeout=10)
        assert e.value.status == 488
        assert agent.calls == ()
