"""The work that is measured is done: small amounts of it, and no figure is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from benchmarks import idle, octets, profiling
from benchmarks.channel import BenchmarkFailed, Pair, Worker
from benchmarks.groups import GROUPS, in_turn
from benchmarks.rows import ROWS
from benchmarks.traffic import check, seconds, write_certificate
from benchmarks.values import VALUES, timed


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    async with Pair() as pair:
        yield pair


def test_every_row_is_measured_by_one_group() -> None:
    assert sorted(name for group in GROUPS for name in group.rows) == sorted(ROWS)


def test_what_is_of_time_has_the_machine_for_itself() -> None:
    turns = list(in_turn(GROUPS))
    assert sorted(group.name for turn in turns for group in turn) == sorted(
        group.name for group in GROUPS
    )
    together = next(turn for turn in turns if len(turn) > 1)
    assert [group.name for group in together] == ["idle", "big-file", "file-peaks"]
    assert all(turn[0].is_of_time for turn in turns if len(turn) == 1)
    assert list(in_turn([])) == []


async def test_the_bare_peers_move_what_they_are_told_to(pair: Pair) -> None:
    said, got = await pair.run(
        "bare:answer", "bare:send", records=100, record=300, answer=150, window=32
    )
    check(got, "records", 100)
    assert seconds(said) > 0
    said, got = await pair.run(
        "bare:answer", "bare:send", records=1, record=200_000, answer=150, window=32
    )
    check(got, "records", 1)
    said, got = await pair.run(
        "bare:answer", "bare:ping", times=10, record=300, answer=150
    )
    check(got, "records", 10)
    assert isinstance(said, dict)
    latencies = said["latencies"]
    assert isinstance(latencies, list)
    assert len(latencies) == 10


async def test_the_sessions_move_what_they_are_told_to(pair: Pair) -> None:
    _, got = await pair.run(
        "sessions:take_bulk", "sessions:bulk", size=100_000, chunk_size=2048
    )
    check(got, "octets", 100_000)
    _, got = await pair.run(
        "sessions:take_texts", "sessions:texts", texts=61, sessions=3, size=10
    )
    check(got, "texts", 61)
    check(got, "octets", 610)
    _, got = await pair.run("sessions:take_texts", "sessions:ping", times=10)
    check(got, "texts", 10)
    _, got = await pair.run(
        "sessions:take_bulk", "sessions:chat", size=1 << 20, lines=3, interval=0.001
    )
    check(got, "octets", 1 << 20)


async def test_a_peer_written_by_hand_is_understood(pair: Pair) -> None:
    _, got = await pair.run(
        "wire:take_chunks", "wire:send_batches", per_read=7, chunks=50
    )
    check(got, "octets", 50 * 16)
    _, got = await pair.run("wire:take_whole", "wire:send_shuffled", chunks=250)
    check(got, "whole", 1)


async def test_octets_are_counted_on_the_wire() -> None:
    small, big = await octets.count(100), await octets.count(1100)
    # The head says the size, in three digits or four, twice.
    assert 1000 <= big.request - small.request <= 1002
    assert small.request > 200
    assert small.response > 100


@pytest.mark.parametrize("secure", [False, True], ids=["TCP", "TLS"])
async def test_idle_sessions_and_bare_connections_are_held(
    secure: bool, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    write_certificate(certificate)
    pem = str(certificate) if secure else None
    # As many as take more than what else a process gives back or needs meanwhile.
    assert await idle.growth("ours", 100, pem) > 0
    assert await idle.growth("bare", 100, pem) > 0


def test_work_that_was_not_done_is_no_figure() -> None:
    with pytest.raises(BenchmarkFailed, match="9 texts arrived, and not 10"):
        check({"texts": 9}, "texts", 10)


def command_line(pid: int) -> str:
    """Return the words of a command with a NUL behind each."""
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="asks Linux")
async def test_the_collector_of_garbage_can_be_set_for_many_sessions() -> None:
    async with Pair(collect_after=50_000) as pair:
        for worker in (pair.sender, pair.receiver):
            assert "--collect-after\x0050000" in command_line(worker.pid)
        _, got = await pair.run(
            "sessions:take_texts",
            "sessions:rounds_of_waves",
            texts=6,
            sessions=3,
            rounds=2,
        )
    check(got, "texts", 3 + 6 * 2)


async def test_a_worker_that_fails_is_noticed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with Worker() as worker:
        await worker.begin("sessions:no_such_job")
        with pytest.raises(BenchmarkFailed, match="has ended"):
            await worker.hear()
    assert "no_such_job" in capfd.readouterr().err


async def test_a_profile_says_where_the_time_goes_at_both_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = ("sessions:take_texts", "sessions:texts", {"texts": 10})
    monkeypatch.setitem(profiling.WORKS, "texts", work)
    profile = await profiling.profile("texts", tmp_path, lines=5)
    assert set(profile) == {"sender", "receiver"}
    assert all("tottime" in text for text in profile.values())


@pytest.mark.parametrize("name", list(VALUES))
def test_a_value_is_read_and_written(name: str) -> None:
    value = VALUES[name]()
    assert value.size > 0
    assert value.ours()
    assert value.split()


def test_time_is_taken_of_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0

    def work() -> None:
        nonlocal clock
        clock += 0.03

    monkeypatch.setattr("time.perf_counter", lambda: clock)
    assert timed(work) == pytest.approx(0.03)
