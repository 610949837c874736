"""Every line of the table, with what it is measured against and what it has to be."""

from __future__ import annotations

from benchmarks.figures import KIB, MIB, TIMES, Aim, Row

__all__ = ["ROWS", "row"]


def _at_least(bound: float) -> Aim:
    return Aim(bound, at_least=True)


def _at_most(bound: float) -> Aim:
    return Aim(bound, at_least=False)


_BARE = "bare asyncio"
_LINES = "split into lines and partition at the colon into a dict"
_SIPP = "SIPp to SIPp in the same run"
_SPLIT = "a `bytes.split` over the same octets"
_IMPORTS = "`python -c 'import asyncio, ssl'`"

_ALL = [
    Row(
        "bulk-tcp",
        "one 1 GiB message in long interruptible chunks, TCP, into a sink that counts",
        f"{_BARE} stream",
        aim=_at_least(0.40),
    ),
    Row(
        "bulk-tls", "the same over TLS", f"{_BARE} stream over TLS", aim=_at_least(0.85)
    ),
    Row(
        "chunks-2048",
        "one 100 MiB message in 2,048-octet chunks, each answered 200",
        f"{_BARE}, same records, same window",
        aim=_at_least(0.50),
    ),
    Row(
        "texts",
        "50,000 text messages of 100 octets, each answered, hooks called",
        f"{_BARE} lines, same window",
        aim=_at_least(0.40),
    ),
    Row(
        "ping-median",
        "one text, wait for its response, 5,000 times: median",
        f"{_BARE} ping",
        TIMES,
        _at_most(1.7),
    ),
    Row("ping-p99", "the same: p99", f"{_BARE} ping", TIMES, _at_most(3.0)),
    Row(
        "chat-in-bulk",
        "a chat line every 10 ms while 1 GiB goes the same way on the same"
        " connection: p99",
        "the same line on an idle connection",
        TIMES,
        _at_most(25.0),
    ),
    Row(
        "busy-sessions",
        "200 busy sessions on one listener: messages per second of all",
        "one session",
        aim=_at_least(0.8),
    ),
    Row(
        "idle-tcp",
        "5,000 idle sessions on one listener: memory per session in its process",
        "an idle asyncio connection",
        KIB,
        _at_most(12.0),
    ),
    Row(
        "idle-tls",
        "the same over TLS",
        "an idle asyncio TLS connection",
        KIB,
        _at_most(16.0),
    ),
    Row(
        "big-file",
        "4 GiB from disk to disk: growth of either process",
        "what it had before",
        MIB,
        _at_most(32.0),
    ),
    Row(
        "sender-peak",
        "peak memory of the sender of a 100 MiB file",
        "the same process idle",
        MIB,
        _at_most(24.0),
    ),
    Row(
        "receiver-peak",
        "peak memory of its receiver, to disk",
        "the same process idle",
        MIB,
        _at_most(24.0),
    ),
    Row(
        "sdp",
        "SDP of three m-lines: parse and serialise",
        _SPLIT,
        TIMES,
        more_is_better=False,
    ),
    Row(
        "cpim",
        "a text in CPIM: parse, read, make and serialise",
        _SPLIT,
        TIMES,
        more_is_better=False,
    ),
    Row(
        "multipart",
        "multipart with a 1 MB picture: parse and serialise",
        _SPLIT,
        TIMES,
        more_is_better=False,
    ),
    Row("import", "`import msrp`, whole process", _IMPORTS, TIMES, _at_most(2.0)),
    Row(
        "import-connection",
        "`import msrp; msrp.MsrpConnection`, whole process",
        _IMPORTS,
        TIMES,
        more_is_better=False,
    ),
    Row("help", "`msrp-chat --help`, whole process", _IMPORTS, TIMES, _at_most(3.0)),
    Row(
        "sip-read",
        "SIP: an INVITE of 12 header fields with SDP, parsed",
        _LINES,
        aim=_at_least(0.30),
    ),
    Row(
        "sip-read-headers",
        "SIP: the same, and ten typed header fields read",
        _LINES,
        aim=_at_least(0.11),
    ),
    Row(
        "sip-answering",
        "SIP calls (INVITE, 180, 200, ACK, BYE, 200 over UDP): ours answers SIPp",
        _SIPP,
        aim=_at_least(0.15),
    ),
    Row(
        "sip-calling",
        "SIP calls, the same: ours calls SIPp",
        _SIPP,
        aim=_at_least(0.11),
    ),
    Row(
        "scale-sizes",
        "what an octet of a 1 MiB text costs",
        "one of a smaller text, at its cheapest",
        TIMES,
        _at_most(1.25),
    ),
    Row(
        "scale-sessions",
        "what a text costs over 5,000 sessions, one at a time in each",
        "one over fewer sessions, at its cheapest",
        TIMES,
        _at_most(1.5),
    ),
    Row(
        "scale-per-read",
        "what a chunk costs where 1,000 come in a read",
        "where fewer do, at its cheapest",
        TIMES,
        _at_most(1.25),
    ),
    Row(
        "reassembly",
        "a message in 100,000 chunks in random order",
        "one in 10,000, and n log n",
        TIMES,
        _at_most(1.0),
    ),
]

ROWS = {one.name: one for one in _ALL}


def row(name: str) -> Row:
    """Return the row of this name."""
    return ROWS[name]
