"""Samples made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Sample

Make = Callable[..., Sample]


@pytest.fixture
def sample() -> Make:
    """A run whose evaluations have these errors (None failed), one second and one cost each."""

    def make(
        strategy: str = "random",
        seed: int = 0,
        errors: Sequence[float | None] = (0.5,),
        name: str = "",
        finished: bool = True,
        environment: dict[str, Any] | None = None,
        limit: float | None = None,
        seconds: float = 1.0,
        **settings: Any,
    ) -> Sample:
        identity = {"seed": seed, "strategy._target_": f"evonas_cli.strategies.{strategy}.X", "window": 1}
        identity |= {"evaluator.threads": 1, "space._target_": "evonas_cli.spaces.bits.Bits", "dataset.limit": None}
        identity |= {key.replace("__", "."): value for key, value in settings.items()}
        track = Track("valid_error", "min", limit=limit)
        for error in errors:
            metrics = {"cost": 1.0} if error is None else {"cost": 1.0, "valid_error": error}
            track.add(error is not None, metrics, seconds)
        choices = {"strategy": strategy, "space": str(identity["space._target_"]).split(".")[2]}
        name = name or f"{strategy}-{seed}"
        return Sample(name, seed, identity, choices, track, environment or {}, finished)

    return make
