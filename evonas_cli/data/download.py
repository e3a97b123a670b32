"""Downloads through torchvision, with one clear line when they fail."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from evonas_cli.core.errors import EnvironmentFailure

T = TypeVar("T")


def download(fetch: Callable[[], T], name: str, root: Path) -> T:
    """What `fetch` gives; what it prints goes to stderr. Raises EnvironmentFailure when it cannot fetch or store."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return fetch()
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EnvironmentFailure(
            f"{name} could not be downloaded into {root} ({type(error).__name__}: {reason}); "
            "check the network, or put its files there by hand and resume"
        ) from error
