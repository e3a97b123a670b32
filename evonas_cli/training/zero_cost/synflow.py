"""Synaptic flow (Tanaka, Kunin, Yamins and Ganguli, NeurIPS 2020), summed over a network as a score (Abdelfattah,
Mehrotra, Dudziak and Lane, ICLR 2021, section 3.2).

R = 1^T |theta_L| ... |theta_1| 1 is the sum of the outputs for an input of ones, with the magnitudes of the weights in
their place. The score is the sum over all weights of theta dR/dtheta, which needs no data.

The product spans hundreds of orders of magnitude, so the logarithm ln(1 + S) is returned, which ranks alike. As in the
second paper's code normalisations pass their input on, and arithmetic is in float64. Biases, which R does not have, are
zero. Activations stay, since ReLU changes no sum of magnitudes; others do.
"""

from __future__ import annotations

from math import log1p
from typing import Any

import torch
from torch import Tensor, nn

from evonas_cli.nn.layers.normalisation import LayerNorm
from evonas_cli.training.zero_cost.scores import Subject

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, LayerNorm)


def synflow(subject: Subject) -> float:
    """ln(1 + S), at least 0."""
    network = subject.network.double().eval()
    for module in network.modules():
        if isinstance(module, NORMALISATIONS):
            module.register_forward_hook(_input)
    for name, tensor in network.named_parameters():
        tensor.data = torch.zeros_like(tensor) if name.endswith("bias") else tensor.data.abs()
    weights = list(network.parameters())
    flow = network(torch.ones_like(subject.inputs[:1], dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(flow, weights, allow_unused=True)
    parts = [(weight * slope).sum() for weight, slope in zip(weights, gradients, strict=True) if slope is not None]
    return log1p(float(torch.stack(parts).detach().sum()))


def _input(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> Tensor:
    return inputs[0]
