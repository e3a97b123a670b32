"""What the network cost: seconds of its training, the search and a pass, sizes, and energy where there is a counter.

Beside it stands what the search method cost in its paper, as far as the strategy says so (`original_cost`), so that
a small run is not taken for the paper's result.
"""

from __future__ import annotations

from typing import Any

import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.explain.subject import Subject
from evonas_cli.report.reading import Reading
from evonas_cli.training.measuring.latency import energy, latency
from evonas_cli.training.measuring.meters import meter
from evonas_cli.training.measuring.plan import Timing


def spending(subject: Subject, search: Reading) -> dict[str, Any]:
    """Of the candidate its size, seconds and cost; `latency_ms` and `energy_j` of a pass of one example on the CPU
    (`energy_said`: why there is no energy); of the search seconds, candidates, and `original`, the paper's cost."""
    metrics, plan = subject.entry["metrics"], subject.outgoing.plan
    model = subject.outgoing.deployed
    x = torch.tensor(subject.valid.x[:1]).to(torch.int64 if subject.task.vocabulary else torch.float32)
    with torch.inference_mode():
        median, spread = latency(model, x, Timing())
        joules, said = _energy(model, x)
    used = search.journal.spent
    return {
        "parameters": plan.parameters,
        "multiply_adds": plan.multiply_adds,
        "bytes": plan.model_bytes,
        "train_seconds": metrics.get("train_seconds"),
        "cost": metrics.get("cost"),
        "epochs": metrics.get("epochs"),
        "latency_ms": median,
        "latency_spread_ms": spread,
        "energy_j": joules,
        "energy_said": said,
        "search": {
            "run": search.run.root.name,
            "candidates": len(search.journal),
            "elapsed_seconds": search.run.elapsed(),
            "evaluation_seconds": round(used.seconds, 3),
        },
        "original": getattr(search.parts.strategy, "original_cost", None),
    }


def _energy(model: torch.nn.Module, x: torch.Tensor) -> tuple[float | None, str]:
    """Joules of a pass on the CPU, or why they cannot be measured."""
    try:
        counter = meter("cpu")
    except UsageError as error:
        return None, str(error)
    return energy(model, x, Timing(), counter), ""
