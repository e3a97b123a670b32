"""What the benchmark trains is trained by populations as by the networks themselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from evonas_cli.bench.workloads import WORKLOADS, Workload
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.criteria import cross_entropies


def gradients(modules: Sequence[nn.Module], x: Tensor, y: Tensor, bf16: bool) -> Tensor:
    """Of the mean losses, all in one row, members one after the other in each parameter; no dropout's noise differs."""
    for module in modules:
        for layer in module.modules():
            if hasattr(layer, "generator"):
                layer.generator = torch.Generator().manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            scores = module(x).float()
        cross_entropies(scores.view(-1, len(y), scores.shape[-1]), y).mean(1).sum().backward()
    together = zip(*[module.parameters() for module in modules], strict=True)
    given = [each for parameters in together for each in parameters if each.grad is not None]
    return torch.cat([parameter.grad.flatten() for parameter in given])


BATCH = 8
NETWORKS = {workload.make(1)[0]: workload for workload in reversed(WORKLOADS)}
"""A workload for each network: two train the same cells."""


@pytest.mark.parametrize("workload", NETWORKS.values(), ids=lambda workload: workload.name)
def test_a_step_of_a_population_is_that_of_its_members(workload: Workload) -> None:
    """In float32, but for gradients that flow or not by a last bit; in bfloat16 it is about as near to it as that of
    the members in bfloat16."""

    def members() -> list[nn.Module]:
        networks = [Network(plan, torch.Generator().manual_seed(place)) for place in range(3)]
        return [network.to(memory_format=torch.channels_last) for network in networks]

    def stack() -> list[nn.Module]:
        return [Population(members()).to(memory_format=torch.channels_last)]

    (plan, *_), generator = workload.make(1), torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, *workload.task.inputs, generator=generator).to(memory_format=torch.channels_last)
    y = torch.arange(BATCH) % workload.task.outputs
    exact = gradients(members(), x, y, bf16=False)
    assert (gradients(stack(), x, y, bf16=False) - exact).norm() < 1e-2 * exact.norm()
    apart = [(gradients(way(), x, y, bf16=True) - exact).norm() / exact.norm() for way in (stack, members)]
    assert 0 < apart[0] < 1.5 * apart[1] + 0.01
