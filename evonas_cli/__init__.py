"""evonas: evolutionary neural architecture search from the command line, and from Python.

`search`, `open` and `Run` are those of `evonas_cli.api`, which is imported when one of them is used for the first time:
importing this package loads none of torch, pandas and Hydra.
"""

import os

# Trainings take the cores. Threads of numpy's matrices, which a strategy's model needs for a moment, spin beside the
# trainings: a decomposition of a hundredth of a second took a quarter. Numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from evonas_cli.api import Run, search
    from evonas_cli.api import open_run as open

__all__ = ["RESULTS", "Run", "__version__", "open", "search"]

__version__ = "0.1.0"

RESULTS = 44
"""How many entries the changelog has under "Results change". A run records the number. A resume under another number
warns that the code may give other results; a test compares the number with the changelog."""

_OF_API = {"Run": "Run", "open": "open_run", "search": "search"}


def __getattr__(name: str) -> "Any":
    if name not in _OF_API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from evonas_cli import api

    return getattr(api, _OF_API[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_API})
