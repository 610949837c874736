"""Relays and registrars, by options and by accounts."""

from __future__ import annotations

from pathlib import Path

import sip
from sip.aio import IncomingRequest
from tests.msrp.aio.relays.test_relay import make_trust
from tests.msrp.aio.small_relay import SmallRelay
from tests.samples.processes import Chats


async def test_a_call_goes_through_the_relays_of_both(
    chats: Chats, tmp_path: Path
) -> None:
    trust = make_trust(tmp_path, "localhost")
    async with SmallRelay(trust.server, trust.client) as relay:
        config = tmp_path / "config.toml"
        config.write_text(
            '[accounts.bob]\nuser = "Bob"\npassword = "hidden"\nca = "authority.pem"\n'
            f'relay = "{relay.uri}"\nrelay-unproven = true\n'
            '[accounts.alice]\nuser = "nobody"\npassword = "none"\n'
            'relay-user = "Alice"\nrelay-password = "secret"\n'
        )
        config.chmod(0o600)
        with_config = ("--config", config)
        listener, uri = await chats.listen("--echo", *with_config, "--account", "bob")
        (tmp_path / "talk").write_text("text Hello\nexpect Hello\nquit\n")
        caller = await chats.run(
            "call", uri, "--json", *with_config, "--account", "alice",
            "--relay", relay.uri, "--relay-unproven",
            "--ca", tmp_path / "authority.pem",
            "--script", tmp_path / "talk", "--trace",
        )  # fmt: skip
        listened = await listener.result()
        assert (caller.code, listened.code) == (0, 0), caller.stderr + listened.stderr
        assert [e["text"] for e in listened.every("text")] == ["Hello"]
        assert {head.method for head in relay.seen} >= {"AUTH", "SEND"}
        traced = "".join(e["text"] for e in caller.every("trace"))
        assert "Authorization: ******" in traced
        assert "Use-Path: " in traced

        refused = await chats.run(
            "call", uri, "--json", *with_config, "--account", "bob",
            "--text", "Hello", "--relay", "msrps://localhost:1;tcp",
        )  # fmt: skip
    assert refused.code == 3
    (complaint,) = refused.complaints
    assert "localhost:1" in complaint


async def test_a_listener_registers_and_says_so(chats: Chats, tmp_path: Path) -> None:
    contacts: list[str] = []
    async with sip.UserAgent(
        "sip:registrar@example.com",
        listen=["udp://127.0.0.1:0"],
        authenticator=sip.Authenticator.with_passwords(
            "example.com", {"alice": "secret"}
        ),
    ) as registrar:

        @registrar.on_request("REGISTER")
        async def register(incoming: IncomingRequest) -> sip.Reply:
            (contact,) = incoming.request.contacts
            if incoming.request.expires:
                contacts.append(str(contact.uri))
            return sip.Reply(headers=[("Contact", f"<{contact.uri}>;expires=600")])

        uri = f"sip:127.0.0.1:{registrar.listening[0].port}"
        config = tmp_path / "config.toml"
        account = (
            '[accounts.alice]\naddress = "alice@example.com"\nuser = "alice"\n'
            f'password = "{{}}"\nregistrar = "{uri}"\n'
        )
        config.write_text(account.format("secret"))
        config.chmod(0o600)
        listener = await chats.start("listen", "--json", "--config", config)
        notice = await listener.event("notice")
        assert notice["text"] == f"registered as sip:alice@example.com with {uri}"
        await listener.event("listening")
        listener.process.terminate()
        await listener.result()
        assert len(contacts) == 1

        config.write_text(account.format("guessed"))
        refused = await chats.run("listen", "--config", config)
    assert refused.code == 1
    (complaint,) = refused.complaints
    assert complaint.startswith(f"{uri} doesn't register us: ")
