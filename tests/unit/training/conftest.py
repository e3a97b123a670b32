"""One thread for all tests of training."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def as_in_a_worker(one_thread: None) -> None:
    """Asks for it."""
