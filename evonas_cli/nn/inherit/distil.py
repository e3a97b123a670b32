"""A short distillation of a child to its parent's outputs (Hinton, Vinyals and Dean, 2015; by logits: Ba and Caruana,
NeurIPS 2014, equation 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.weights import Weights, network

RATE = 1e-3
"""Adam's learning rate."""


def distilled(
    before: Plan, weights: Mapping[str, Tensor], after: Plan, start: Weights, batches: Sequence[Tensor], steps: int
) -> Weights:
    """The child's weights after so many steps of Adam on the mean squared difference of the outputs, on the CPU.

    The batches are taken in turn. Both networks are in evaluation mode, so that running statistics stay.
    """
    parent, child = network(before, weights), network(after, start)
    optimizer = torch.optim.Adam(child.parameters(), lr=RATE)
    for step in range(steps):
        x = batches[step % len(batches)]
        with torch.no_grad():
            target = parent(x)
        optimizer.zero_grad()
        torch.autograd.backward(F.mse_loss(child(x), target))
        optimizer.step()
    return {key: value.detach().clone() for key, value in child.state_dict().items()}
