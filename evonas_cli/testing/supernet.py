"""What the contract of strategies has in the place of the job `supernet`: scores and strengths derived from orders."""

from __future__ import annotations

import json
from typing import Any

from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.genomes.supernet import Training, parse


def pretended(candidate: Candidate[Any], space: Any) -> Result:
    """A result with the metrics and the payload that the job gives for such an order, without any training."""
    order = parse(candidate.proposal.options)
    rng = stream(0, json.dumps(candidate.proposal.options))
    payload: dict[str, Json]
    if isinstance(order, Training):
        strengths = [[rng.random() for _ in edge.operations] for edge in space.relaxed.edges]
        payload = {"steps": 3, "strengths": strengths, "entropy": rng.random(), "eigenvalue": rng.random()}
        metrics = {"supernet_loss": rng.random(), "epochs": order.epoch + 1.0, "cost": 1.0}
    else:
        losses = [rng.random() for _ in order.paths]
        payload = {"losses": losses, "errors": [loss / 2 for loss in losses]}
        metrics = {"supernet_loss": rng.random(), "epochs": 1.0, "cost": 1.0}
    return Result(candidate.id, "ok", metrics, payload, None, 0.1)
