"""A network for the tests of the core, and messages to put on it."""

from __future__ import annotations

import pytest

from sip.testing import Network


@pytest.fixture
def network() -> Network:
    return Network()
