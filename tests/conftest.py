"""What every test gets: leaked tasks, sockets and files make it fail."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

pytest_plugins = ["tests.compliance.plugin"]


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
