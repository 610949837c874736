"""Processes to run, which never outlive their test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.samples.processes import Chats, open_chats


@pytest_asyncio.fixture
async def chats() -> AsyncIterator[Chats]:
    async with open_chats() as opened:
        yield opened
