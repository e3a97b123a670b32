"""Human patterns: parameters near a request, one step of training, and what is refused."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.network.patterns import PATTERNS, pattern, scaled
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network

TASK = Task((1, 8, 8), 10)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("parameters", [5_000, 60_000, 2_000_000])
def test_parameters_are_near_the_request(name: str, parameters: int) -> None:
    for task in (TASK, Task((3, 32, 20), 3)):
        plan = scaled(name, task, parameters)
        assert abs(plan.parameters - parameters) <= 0.1 * parameters
        assert plan.shapes[plan.output] == (task.outputs,)


@pytest.mark.parametrize("name", PATTERNS)
def test_one_step_lowers_the_loss(name: str) -> None:
    plan = scaled(name, TASK, 20_000)
    network = Network(plan, torch.Generator().manual_seed(0))
    x, y = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(16) % 10
    losses = []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02)
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(network(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        optimizer.step()
    assert losses[1] < losses[0]


def test_what_tells_the_patterns_apart() -> None:
    ops = {name: [node.op for node in pattern(name, TASK).nodes] for name in PATTERNS}
    assert {name for name in ops if "add" in ops[name]} == {"residual", "transformer_small"}
    assert {name for name in ops if "conv1d" in ops[name]} == {"transformer_small"}
    assert pattern("transformer_small", TASK, channels=8, blocks=1).shapes[1:4] == ((8, 2, 2), (8, 4), (8, 4))
    assert pattern("transformer_small", Task((3, 6, 8), 2), channels=6).shapes[2] == (6, 3 * 4)
    assert {name for name in ops if "concat" in ops[name]} == {"dense", "inception"}
    assert ops["plain"].count("conv") == 1 + 3 * 2 * 2
    assert Plan.from_json(pattern("residual", TASK).to_json()) == pattern("residual", TASK)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no pattern 'vgg'; there are plain, residual"):
        pattern("vgg", TASK)
    with pytest.raises(ValueError, match="4 channels and 1 block or more, not 3 and 2"):
        pattern("plain", TASK, channels=3)
    with pytest.raises(PlanError, match="the pattern plain needs"):
        pattern("plain", Task((8,), 2))
    with pytest.raises(ValueError, match="no network of about 100 parameters; the nearest has"):
        scaled("plain", TASK, 100)
