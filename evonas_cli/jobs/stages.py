"""Whether a training can be divided as a strategy demands it, which hands trained weights on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.capabilities import Tuning
from evonas_cli.training.trainer import Trainer


def check(demands: Demands, trainer: Trainer, space: Any) -> None:
    """Raises UsageError where weights are not kept, or where a stage or a fidelity would train nothing."""
    if not demands.continues:
        return
    if not trainer.save_state:
        raise UsageError("this strategy hands trained weights on; set trainer.save_state=true so that they are kept")
    if trainer.keep != "last":
        raise UsageError(
            "this strategy continues trainings where they ended, so their last state has to be kept; set "
            "trainer.keep=last, and choose the best epoch when a candidate is trained again (`evonas retrain`)"
        )
    tuned: Mapping[str, Any] = space.tuned if isinstance(space, Tuning) else {}
    epochs = min(tuned.get("epochs") or [trainer.epochs])
    if demands.stages > epochs:
        raise UsageError(
            f"this strategy divides a training into {demands.stages} stages, of which some would train nothing: there "
            f"are {epochs} epochs; set trainer.epochs to at least {demands.stages}, or fewer strategy.generations"
        )
    rungs = [max(1, round(epochs * fidelity)) for fidelity in demands.fidelities]
    if len(set(rungs)) < len(rungs):
        raise UsageError(
            f"of {epochs} epochs the rungs of this strategy, which continue each other, have "
            f"{', '.join(map(str, rungs))}, so that some train nothing; raise trainer.epochs"
        )
    rows = 1 if trainer.validate_every is None else rungs[0] // trainer.validate_every
    if rows < demands.curve:
        raise UsageError(
            f"this strategy extrapolates learning curves, which needs {demands.curve} measured epochs; the first of "
            f"its stages has {rows}: raise trainer.epochs (now {epochs}) or strategy.start, or set "
            "trainer.validate_every=1"
        )
