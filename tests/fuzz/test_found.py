"""The properties that are fuzzed, on all inputs that are kept and on some new ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msrp.headers import RequestHead
from msrp.sansio.session import Session
from msrp.sansio.underway import Underway
from tests.fuzz.catalogue import TARGETS, Target, inputs_of, load
from tests.fuzz.rehearsal import Rehearsal
from tests.fuzz.weight import weigh

LOADED = [load(name) for name in TARGETS]
RULES = {
    "msrp_stream": ("MSRP-17", "MSRP-18", "MSRP-22"),
    "msrp_session": ("MSRP-18", "MSRP-36", "MSRP-37", "MSRP-71"),
    "msrp_headers": ("MSRP-22",),
    "cpim": ("CPIM-33",),
    "sip_framer": ("SIP-68",),
}
"""Those that what is drawn shows."""
KEPT = [(target, path) for target in LOADED for path in inputs_of(target.name)]


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Draw what may be anything, but mostly looks like something."""
    fragments = st.sampled_from(target.words) | st.binary(max_size=4)
    composed = st.lists(fragments, max_size=20).map(b"".join)
    return composed | mutants([path.read_bytes() for path in inputs_of(target.name)])


@st.composite
def mutants(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """Draw a seed with a few octets cut out, put in, or moved from elsewhere."""
    octets = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        stop = start + draw(st.sampled_from([0, 0, 1, 1, 4, 40]))
        source = draw(st.integers(0, len(octets)))
        new = draw(st.binary(max_size=3) | st.just(octets[source : source + 60]))
        octets = octets[:start] + new + octets[stop:]
    return octets


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(
            target, path, id=f"{target.name}-{path.parent.parent.name}-{path.name}"
        )
        for target, path in KEPT
    ],
)
def test_the_property_holds_for_what_is_kept(target: Target, path: Path) -> None:
    target.fuzz(path.read_bytes())


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(
            target,
            id=target.name,
            marks=[pytest.mark.rule(*RULES[target.name])]
            if target.name in RULES
            else [],
        )
        for target in LOADED
    ],
)
@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_the_property_holds_for_what_is_drawn(
    target: Target, data: st.DataObject
) -> None:
    target.fuzz(data.draw(inputs(target)))


@pytest.mark.parametrize("target", LOADED, ids=lambda target: target.name)
def test_every_target_has_seeds(target: Target) -> None:
    assert any(path.parent.parent.name == "corpus" for path in inputs_of(target.name))


def test_every_target_is_in_the_catalogue() -> None:
    folder = Path(__file__).parent / "targets"
    assert {path.stem for path in folder.glob("*.py")} == set(TARGETS)


# A property that can't fail shows nothing: these break the code on purpose.


def test_a_session_that_never_ends_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Session, "handle_timeout", lambda self, now: None)
    with pytest.raises(AssertionError, match="a timer that changes nothing"):
        Rehearsal(b"@~w~T").play()


def test_memory_that_grows_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(underway: Underway, head: RequestHead) -> None:
        vars(underway._session).setdefault("kept", []).append(head)

    monkeypatch.setattr(Underway, "report_received", keep)
    [seed] = [path for _, path in KEPT if path.name == "chunks_and_reports"]
    with pytest.raises(AssertionError, match="memory grows"):
        Rehearsal(leaking(seed.read_bytes())).play()


def leaking(script: bytes) -> bytes:
    """Return the script with its REPORT sent again and again."""
    start = script.index(b"MSRP efgh")
    stop = script.index(b"~", start)
    report = script[start:stop].replace(b"Message-ID: m000", b"Message-ID: m@@@@")
    return script[:start] + b"~." + report + b"~*"


def test_shared_objects_weigh_once() -> None:
    text = "x" * 1000
    assert 1000 < weigh([text, text], {text: text}) < 2000
    assert weigh([text], without=[text]) < 200
