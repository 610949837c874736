"""Two programs, listen and call, as separate processes."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import signal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.samples.processes import PICTURE, Chats, Result

DIGEST = hashlib.sha256(PICTURE.read_bytes()).hexdigest()


def both(*, tls: bool) -> list[str]:
    return ["--tls"] if tls else []


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
async def test_pictures_go_both_ways_at_once_while_texts_pass(
    chats: Chats, tmp_path: Path, tls: bool
) -> None:
    for party, other in (("ann", "bob"), ("bob", "ann")):
        # The texts are said when the picture is on its way already.
        (tmp_path / party).write_text(
            f"text {party} is ready\nexpect {other} is ready\n"
            f"file {PICTURE}\ntext {party} is sending\ncpim {party} goes on\n"
            f"expect {other} goes on\nexpect picture.jpg\ntext {party} has got it\n"
            f"expect {other} has got it\n" + ("quit\n" if party == "ann" else "")
        )
    listener, uri = await chats.listen(
        "--script", tmp_path / "bob", "--save", tmp_path / "to bob", *both(tls=tls)
    )
    ann = await chats.run(
        "call", uri, "--script", tmp_path / "ann", "--save", tmp_path / "to ann",
        "--json", *both(tls=tls),
    )  # fmt: skip
    bob = await listener.result()

    assert (ann.code, bob.code) == (0, 0), ann.stderr + bob.stderr
    sent, delivered = {}, {}
    for name, result, other in (("ann", ann, "bob"), ("bob", bob, "ann")):
        assert [event["tls"] for event in result.every("opened")] == [tls]
        (file,) = result.every("file")
        assert file["sha256"] == DIGEST
        assert file["path"].endswith(f"/to {name}/picture.jpg")
        saved = tmp_path / f"to {name}" / "picture.jpg"
        assert saved.read_bytes() == PICTURE.read_bytes()
        texts = [event["text"] for event in result.every("text")]
        assert texts == [
            f"{other} {does}"
            for does in ("is ready", "is sending", "goes on", "has got it")
        ]  # fmt: skip
        # A line of text isn't stuck behind a picture.
        (text,) = (e for e in result.every("text") if "sending" in e["text"])
        assert result.events.index(text) < result.events.index(file)
        (sending,) = (e for e in result.every("sending") if e["kind"] == "file")
        sent[name] = sending["time"]
        (done,) = (
            e for e in result.every("delivered")
            if e["message_id"] == sending["message_id"]
        )  # fmt: skip
        delivered[name] = done["time"]
    assert max(sent.values()) < min(delivered.values()), "not at the same time"


async def test_a_call_is_told_from_invite_to_bye(chats: Chats, tmp_path: Path) -> None:
    listener, uri = await chats.listen()
    caller = await chats.run(
        "call", uri, "--json", "--from", "Ann <ann@example.com>", "--text", "Hello"
    )
    listened = await listener.result()
    assert caller.code == listened.code == 0
    told = [e["event"] for e in caller.events]
    assert told == [
        "calling", "ringing", "answered", "opened", "sending", "delivered", "ended",
        "summary",
    ]  # fmt: skip
    assert caller.every("ringing")[0]["status"] == 180
    assert caller.every("ended")[0]["reason"] == "we hung up"
    assert listened.every("invited")[0]["sender"] == "sip:ann@example.com"
    assert listened.every("text")[0]["text"] == "Hello"
    assert listened.every("ended")[0]["reason"] == "the peer hung up"
    assert caller.complaints == listened.complaints == []


def write_certificate(path: Path) -> None:
    """Write a certificate for 127.0.0.1, and its key, that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "console")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(pem) + private)


async def test_sip_goes_over_tls_too(chats: Chats, tmp_path: Path) -> None:
    pem = tmp_path / "console.pem"
    write_certificate(pem)
    listener, _ = await chats.listen("--tls", "--cert", pem, "--sips-port", "0")
    hop = (await listener.line("transport=tls")).partition("console@")[2]
    sips = "sips:console@" + hop.partition(";")[0]

    stranger = await chats.run("call", sips, "--tls", "--text", "secret")
    assert stranger.code == 3
    assert stranger.complaints[0].startswith(f"cannot reach {sips}")
    caller = await chats.run(
        "call", sips, "--json", "--tls", "--ca", pem, "--text", "Hello"
    )
    listened = await listener.result()
    assert caller.code == listened.code == 0
    assert [e["uri"] for e in listened.every("invited")] == [sips]
    assert [e["text"] for e in listened.every("text")] == ["Hello"]


async def test_people_read_lines_and_no_json(chats: Chats) -> None:
    listener = await chats.start("listen", "--once", "--text", "Hi")
    uri = (await listener.line("waiting at ")).split()[3]
    caller = await chats.run("call", uri, "--text", "Hello")
    listened = await listener.result()
    assert caller.code == listened.code == 0
    assert caller.stderr == listened.stderr == ""
    assert "you      Hello  (text/plain)" in caller.stdout
    assert "peer     Hello  (text/plain)" in listened.stdout
    assert "{" not in caller.stdout + listened.stdout
    assert "\x1b" not in caller.stdout + listened.stdout


async def test_every_message_comes_back_from_an_echo(
    chats: Chats, tmp_path: Path
) -> None:
    small = tmp_path / "small.bin"
    small.write_bytes(bytes(range(256)))
    (tmp_path / "script").write_text(
        f"text one\nexpect one\ncpim two\nexpect two\nfile {small}\n"
        f"expect small.bin\nmultipart three | {small}\nexpect small.bin\nquit\n"
    )
    listener, uri = await chats.listen("--echo", "--save", tmp_path / "there")
    caller = await chats.run(
        "call", uri, "--json", "--script", tmp_path / "script", "--save", tmp_path
    )
    assert caller.code == (await listener.result()).code == 0
    assert [e["text"] for e in caller.every("text")] == ["one", "two", "three"]
    assert [e["path"] for e in caller.every("file")] == [
        str(tmp_path / "small-1.bin"), str(tmp_path / "small-2.bin"),
    ]  # fmt: skip
    assert (tmp_path / "small-2.bin").read_bytes() == small.read_bytes()


async def test_what_is_too_large_is_refused_and_the_call_goes_on(
    chats: Chats, tmp_path: Path
) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(5000))
    listener, uri = await chats.listen("--max-size", "4K")
    caller = await chats.run("call", uri, "--json", "--text", "A", "--file", big)
    listened = await listener.result()
    assert caller.code == 1
    assert "4096 octets" in caller.complaints[0]
    assert listened.every("file") == []
    assert [e["text"] for e in listened.every("text")] == ["A"]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
async def test_whoever_is_interrupted_says_goodbye(
    chats: Chats, number: signal.Signals, code: int
) -> None:
    listener, uri = await chats.listen()
    caller = await chats.start("call", uri, "--json")
    await caller.event("opened")
    caller.send_signal(number)
    result = await caller.result()
    assert result.code == code
    assert result.complaints == ["interrupted" if code == 130 else "terminated"]
    assert "Traceback" not in result.stderr
    assert result.every("ended")[0]["reason"] == "we hung up"
    listened = await listener.result()
    assert listened.every("ended")[0]["reason"] == "the peer hung up"
    assert listened.code == 0


async def test_ctrl_c_ends_all_calls_of_a_listener(chats: Chats) -> None:
    listener = await chats.start("listen", "--json")
    uri = str((await listener.event("listening"))["uri"])
    callers = [await chats.start("call", uri, "--json") for _ in range(2)]
    for caller in callers:
        await caller.event("opened")
    listener.send_signal(signal.SIGINT)
    assert (await listener.result()).code == 130
    for caller in callers:
        result = await caller.result()
        assert result.every("ended")[0]["reason"] == "the peer hung up"
        assert result.code == 0


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a file that takes longer to send than a test to look at it."""
    path = tmp_path / "film.bin"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    return path


def assert_lost(result: Result) -> None:
    """Check that it is told in one line; which is chance, as the system closes."""
    assert len(result.stderr.splitlines()) == 1
    assert any(
        words in result.stderr
        for words in ("connection to the other side was lost", "without hanging up")
    )


async def test_a_caller_that_is_killed_leaves_what_it_has_sent(
    chats: Chats, tmp_path: Path, film: Path
) -> None:
    saved = tmp_path / "saved"
    listener = await chats.start("listen", "--once", "--save", saved)
    uri = (await listener.line("waiting at ")).split()[3]
    caller = await chats.start(
        "call", uri, "--json", "--file", PICTURE, "--text", "Look", "--file", film
    )
    await listener.line("picture.jpg")
    await caller.event("progress", filename="film.bin")
    caller.send_signal(signal.SIGKILL)

    listened = await listener.result()
    assert listened.code == 1
    assert_lost(listened)
    assert (saved / "picture.jpg").read_bytes() == PICTURE.read_bytes()
    assert "Look" in listened.stdout
    assert "a message broke off after" in listened.stdout
    assert len(list(saved.glob("incomplete-*"))) == 1


async def test_a_listener_that_is_killed_is_told_in_one_line(
    chats: Chats, film: Path
) -> None:
    listener, uri = await chats.listen()
    caller = await chats.start("call", uri, "--file", film)
    await caller.line("25 %")
    listener.send_signal(signal.SIGKILL)
    result = await caller.result()
    assert result.code == 1
    assert_lost(result)
