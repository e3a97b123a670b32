"""Log records that are kept from the terminal for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced(level: int) -> Iterator[None]:
    """Drops log records of this level and of lower ones in the block: `silenced(logging.WARNING)` keeps errors."""
    before = logging.root.manager.disable
    logging.disable(level)
    try:
        yield
    finally:
        logging.disable(before)
