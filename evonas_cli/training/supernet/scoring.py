"""Scores of paths: their losses on the validation part, with the weights of a supernet.

The statistics of batch normalisation are measured anew for each path, by forward passes over training data (Guo et al.,
ECCV 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor

from evonas_cli.core.halting import Halt, Halted
from evonas_cli.data.resident import Resident
from evonas_cli.genomes.supernet import Scoring
from evonas_cli.network.relaxed import Path
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.training.criteria import Criterion
from evonas_cli.training.supernet.parts import measuring_batches


@torch.no_grad()
def score(
    network: Supernet, data: Resident, criterion: Criterion, order: Scoring, run_seed: int, batch: int, halt: Halt
) -> list[dict[str, float]]:
    """The metrics of each path by their names without the part: `loss`, `error`, ...; a metric that is not finite is
    left out, and a path above the limit of multiply-adds has none. `batch` is the size of validation batches. Raises
    Halted when the time is over."""
    network.eval()
    found = []
    for number, path in enumerate(order.paths):
        if halt.overdue():
            raise Halted(within=True)
        limit = order.max_multiply_adds
        if limit is not None and network.superplan.multiply_adds(path) > limit:
            measured: Mapping[str, float] = {}
        elif order.first_batch is not None:
            measured = _on_one_batch(network, data, criterion, path, order.first_batch + number, order.batch_size)
        else:
            measured = _on_all(network, data, criterion, path, order, run_seed, batch)
        found.append({name: value for name, value in measured.items() if isfinite(value)})
    return found


def _on_all(
    network: Supernet, data: Resident, criterion: Criterion, path: Path, order: Scoring, run_seed: int, batch: int
) -> Mapping[str, float]:
    with network.statistics("measure"):
        for x, _ in data.fed(measuring_batches(data, order.batch_size, run_seed, order.examples)):
            network.path(x, path)
    meter = criterion.meter(1)
    with network.statistics("measured"):
        for x, y in data.batches("valid", batch):
            meter.add(network.path(x, path)[None], y)
    return meter.measured()[0]


def _on_one_batch(
    network: Supernet, data: Resident, criterion: Criterion, path: Path, number: int, size: int
) -> Mapping[str, float]:
    """Mini-batch `number` of the validation part, which begins again when it is used up."""
    size = min(size, data.n_valid)
    wanted = number % (data.n_valid // size)
    x, y = _batch(data, wanted, size)
    meter = criterion.meter(1)
    meter.add(network.path(x, path)[None], y)
    return meter.measured()[0]


def _batch(data: Resident, wanted: int, size: int) -> tuple[Tensor, Tensor]:
    for number, batch in enumerate(data.batches("valid", size)):
        if number == wanted:
            return batch
    raise AssertionError(f"the validation part has no batch {wanted}")
