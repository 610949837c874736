"""What every test gets: leaked tasks, sockets and files make it fail."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.clock import skipped_silence

pytest_plugins = ["tests.compliance.plugin"]

_COMPILED = Path(__file__).parent.parent / "build" / "compiled"


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is compiled, where the environment lets nobody keep it.

    To rewrite the asserts takes a quarter of a minute, and there are hundreds of
    programs to start, which would compile all of it again.
    """
    if sys.dont_write_bytecode:
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(_COMPILED))
        # There is none beside the sources: that is what was wished for.
        patch.setattr(sys, "dont_write_bytecode", False)
        patch.setattr(sys, "pycache_prefix", str(_COMPILED))


def pytest_collection_finish() -> None:
    """Have garbage collected after each test, and seldom in the middle of one.

    Nor does anybody look again and again through all that there is already.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True)
def _no_leaked_sockets_or_files() -> Iterator[None]:
    """Turn what was left open into a ResourceWarning now, in the guilty test."""
    yield
    # An unclosed socket or file warns when it is collected, and pytest makes an
    # error of that (filterwarnings); a collection of the young ones is enough
    # and far cheaper than a full one.
    gc.collect(1)


@pytest.fixture(autouse=True)
def _no_leaked_tasks(request: pytest.FixtureRequest) -> None:
    """Watch the tasks of an asynchronous test; others need no event loop."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_watched_tasks")


@pytest_asyncio.fixture
async def _watched_tasks() -> AsyncIterator[None]:
    """Fail an asynchronous test that leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    assert not left, f"tasks left behind: {left}"


@pytest_asyncio.fixture
async def time_flies(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Skip the time in which nothing happens, in an asynchronous test."""
    marker = request.node.get_closest_marker("timeout")
    timeout = marker.args[0] if marker else request.config.getini("timeout")
    with skipped_silence(float(timeout)):
        yield
