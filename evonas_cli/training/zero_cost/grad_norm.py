"""The norm of the first gradient (Abdelfattah, Mehrotra, Dudziak and Lane, ICLR 2021, section 3.2).

The Euclidean norms of dL/dtheta over a batch, summed over the tensors theta of trainable numbers.
"""

from __future__ import annotations

import torch

from evonas_cli.training.zero_cost.scores import Subject


def grad_norm(subject: Subject) -> float:
    """The sum of the norms, at least 0."""
    weights = list(subject.network.parameters())
    loss = subject.loss(subject.network(subject.inputs))
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return float(torch.stack([slope.norm() for slope in gradients if slope is not None]).sum())
