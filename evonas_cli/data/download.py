"""Downloads through torchvision, with one clear line when they fail."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from evonas_cli.core.errors import EnvironmentFailure, EvonasError

T = TypeVar("T")


@contextlib.contextmanager
def alone(root: Path, wanted: bool) -> Iterator[None]:
    """While files may be fetched into `root` only one process of this machine looks at them.

    The lock lies in the folder for temporary files, so that reading never writes into `root`.
    """
    if not wanted:
        yield
        return
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    with open(Path(tempfile.gettempdir()) / f"evonas-{os.getuid()}-{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def download(fetch: Callable[[], T], name: str, root: Path) -> T:
    """What `fetch` gives; what it prints goes to stderr. Raises EnvironmentFailure when it cannot fetch or store."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return fetch()
    except EvonasError:
        raise
    except Exception as error:  # a connection that breaks off may end in an archive that no reader knows what to call
        reason = " ".join(str(error).split())[:200]
        raise EnvironmentFailure(
            f"{name} could not be downloaded into {root} ({type(error).__name__}: {reason}); "
            "check the network, or put its files there by hand and resume"
        ) from error
