"""Processes to run, which never outlive their test and leave nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.samples.forking import ForkServer, run_server
from tests.samples.processes import Chats, open_chats


@pytest.fixture(autouse=True)
def temporary(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give the directory for what nobody has told programs to put elsewhere."""
    directory = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(directory))
    # Nor is anybody's account to be used.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp()))
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with run_server() as server:
        yield server


@pytest_asyncio.fixture
async def chats(fork_server: ForkServer) -> AsyncIterator[Chats]:
    async with open_chats(fork_server) as opened:
        yield opened
