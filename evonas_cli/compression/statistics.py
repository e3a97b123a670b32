"""The statistics of batch normalisation, measured anew on a network whose units have changed."""

from __future__ import annotations

import torch
from torch import nn

from evonas_cli.data.resident import Resident
from evonas_cli.nn.build import Network

EXAMPLES = 10_000
"""Training examples that are enough for means and variances."""
BATCH = 256


@torch.no_grad()
def refresh(network: Network, data: Resident) -> None:
    """Means and variances of all normalisations as plain averages over batches of the training part, forward only.

    At most EXAMPLES examples are read, as they are without augmentation; dropout is off. The network is left in
    evaluation mode, and its trained weights as they were.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    network.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    order = data.epoch_order(0, 0)[:EXAMPLES]
    size = min(BATCH, len(order))
    for x, _ in data.fed(torch.split(order[: len(order) // size * size], size)):
        network(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
