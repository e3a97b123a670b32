"""Property tests have no deadline (the machine may be busy) and keep no database; tests may ask for one thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("evonas", deadline=None, database=None)
settings.load_profile("evonas")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch as in a worker: some of its numbers are wrong on one thread only."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
