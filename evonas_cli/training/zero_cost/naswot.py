"""NASWOT: how well the ReLUs of a network tell examples apart (Mellor, Turner, Storkey and Crowley, ICML 2021).

The code c_n of an example says of each rectified unit whether it is active. The kernel is K_nm = N - d(c_n, c_m), with
N the number of units and d the Hamming distance (equation 2); the score is ln |K| (equation 3). Two examples of one
code make K singular, as in a network without ReLUs.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from evonas_cli.training.zero_cost.scores import Subject


@torch.no_grad()
def naswot(subject: Subject) -> float:
    """ln |K|; minus infinity for a singular kernel."""
    count = len(subject.inputs)
    kernel = torch.zeros(count, count, dtype=torch.float64, device=subject.inputs.device)

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        code = (inputs[0] > 0).flatten(1).double()
        kernel.add_(code @ code.T + (1 - code) @ (1 - code).T)

    for module in subject.network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(add)
    subject.network(subject.inputs)
    values = torch.linalg.eigvalsh(kernel)
    if float(values[0]) <= count * torch.finfo(torch.float64).eps * float(values[-1]):
        return -inf
    return float(values.log().sum())
