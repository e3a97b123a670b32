"""What the bits of a surrogate depend on beside its inputs."""

from __future__ import annotations

import platform
from importlib.metadata import version

from evonas_cli.core.types import Json


def environment() -> dict[str, Json]:
    """The processor's architecture, numpy and scipy.

    The number of threads is not among them: decisions compare scores up to rounding (`acquisition.ranking`).
    """
    versions = {name: version(name) for name in ("numpy", "scipy")}
    return {"strategy_machine": platform.machine(), **{f"strategy_{name}": found for name, found in versions.items()}}
