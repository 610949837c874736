"""Who may import whom, read from the source.

The rooms below know nothing of those above, and what is pure stays pure: no
socket, clock or event loop outside of the ``aio`` packages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = ("sdp", "mime", "cpim", "digest", "markup", "recording", "msrp", "sip")
ROOMS = (*BELOW, "samples", "msrp_chat")
IO = {
    "asyncio", "socket", "socketserver", "ssl", "selectors", "select", "threading",
    "multiprocessing", "concurrent", "time", "subprocess", "sched", "signal",
    "aiofiles", "OpenSSL", "dns",
}  # fmt: skip
VALUES = {
    "msrp.errors", "msrp.events", "msrp.config", "msrp.uri", "msrp.headers",
    "msrp.status", "msrp.accept_types", "msrp.policy",
}  # fmt: skip

# A room, what of ours it may import, and whether it may do I/O.  The longest
# prefix that fits a module decides.
RULES: dict[str, tuple[set[str], bool]] = {
    "sdp": ({"sdp"}, False),
    "mime": ({"mime"}, False),
    "cpim": ({"cpim", "mime"}, False),
    "digest": ({"digest"}, False),
    "markup": ({"markup"}, False),
    "recording": ({"recording"}, False),
    "recording.aio": ({"recording"}, True),
    **{value: (VALUES, False) for value in VALUES},
    "msrp": ({"msrp"}, True),  # The package itself, which gathers public names.
    "msrp.chatroom": ({"msrp.chatroom", *VALUES}, False),
    "msrp.profile": ({"msrp.chatroom", "msrp.negotiation", *VALUES}, False),
    "msrp.sansio": ({"msrp.sansio", "msrp.chatroom", "digest", *VALUES}, False),
    "msrp.tap": (
        {"msrp.tap", "msrp.sansio.parser", "msrp.content", "msrp.imdn", "recording"}
        | VALUES,
        False,
    ),
    "msrp.content": ({"msrp.content", "cpim", "mime", *VALUES}, False),
    "msrp.composing": ({"msrp.composing", "cpim", "markup", *VALUES}, False),
    "msrp.imdn": (
        {"msrp.imdn", "msrp.content", "cpim", "markup", "mime", *VALUES},
        False,
    ),
    "msrp.addresses": ({"cpim", "msrp.content", *VALUES}, False),
    "msrp.negotiation": ({"msrp.negotiation", "msrp.chatroom", "sdp", *VALUES}, False),
    "msrp.file_transfer": ({"msrp.file_transfer", "sdp", "mime", *VALUES}, False),
    "msrp.testing": ({"msrp.testing"}, False),
    "msrp.testing.cores": ({"msrp.sansio", *VALUES}, False),
    "msrp.testing.plan": (set(), True),  # An event of asyncio's, and no socket.
    "msrp.testing.carrying": ({"msrp.testing.plan"}, True),
    "msrp.testing.network": ({"msrp.testing.plan", "msrp.testing.carrying"}, True),
    "msrp.aio": ({"msrp", "digest", "markup", "recording"}, True),
    "sip": ({"sip", "sdp", "mime", "digest", "markup", "recording"}, False),
    "sip.aio": ({"sip", "sdp", "mime", "digest", "markup", "recording"}, True),
    "msrp_chat": (set(ROOMS), True),
}
NEVER = {
    "sip": "sip.aio",
    "recording": "recording.aio",
}  # What a prefix above would allow.


def modules() -> Iterator[tuple[str, Path]]:
    for room in (*BELOW, "samples/msrp_chat"):
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts[1:] if parts[0] == "samples" else parts
            yield ".".join(parts).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module
            # `from sip import aio` is an import of sip.aio too.
            found |= {node.module} | {
                f"{node.module}.{alias.name}"
                for alias in node.names
                if (ROOT / node.module.replace(".", "/") / alias.name).exists()
            }
    return found


def within(module: str, prefixes: set[str]) -> bool:
    return any(module == p or module.startswith(p + ".") for p in prefixes)


def violations(name: str, imported: set[str]) -> list[str]:
    rule = max((r for r in RULES if within(name, {r})), key=len)
    allowed, does_io = RULES[rule]
    wrong = [
        f"{name} imports {module}"
        for module in sorted(imported)
        if within(module, set(ROOMS)) and not within(module, allowed)
    ]
    is_package_itself = name in ("msrp", "sip", "recording")
    if rule in NEVER and not is_package_itself:
        wrong += [f"{name} imports {m}" for m in imported if within(m, {NEVER[rule]})]
    if not does_io:
        wrong += [f"{name} does I/O: {m}" for m in imported if within(m, IO)]
    return wrong


@pytest.mark.parametrize(
    ("name", "path"), [pytest.param(*m, id=m[0]) for m in modules()]
)
def test_imports_go_one_way(name: str, path: Path) -> None:
    assert violations(name, imports(path)) == []


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("sdp.reader", "mime"),
        ("cpim.message", "sdp"),
        ("digest.client", "sip"),
        ("digest.server", "time"),
        ("markup.document", "sip"),
        ("msrp.uri", "msrp.sansio.session"),
        ("msrp.sansio.stream", "asyncio"),
        ("msrp.sansio.stream", "msrp.negotiation"),
        ("msrp.testing.cores", "msrp.testing.network"),
        ("msrp.testing.cores", "asyncio"),
        ("msrp.aio.streams.stream", "sip"),
        ("msrp.tap.messages", "msrp.sansio.session"),
        ("recording.records", "msrp"),
        ("recording.packets", "threading"),
        ("recording.packets", "recording.aio.tap"),
        ("msrp.aio.streams.stream", "sdp"),
        ("msrp.content", "sdp"),
        ("msrp.file_transfer", "msrp.negotiation"),
        ("msrp.file_transfer", "aiofiles"),
        ("msrp.chatroom.nickname", "msrp.sansio"),
        ("msrp.composing.composer", "time"),
        ("msrp.imdn.request", "msrp.sansio"),
        ("sip.message", "msrp"),
        ("sip.sansio.dialog", "sip.aio.agent"),
        ("sip.sansio.dialog", "time"),
        ("sip.aio.agent", "msrp"),
    ],
)
def test_a_wrong_import_would_be_seen(name: str, imported: str) -> None:
    assert violations(name, {imported})
