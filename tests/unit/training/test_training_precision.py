"""In which precision networks compute on a CPU that is faster in bf16, where `trainer.precision` is auto."""

from __future__ import annotations

import pytest
import torch
from quadrants import trainer
from torch import Tensor

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.device import setup
from evonas_cli.training.steps import forward


def connected() -> Plan:
    graph = Graph((1, 4, 4))
    return graph.plan(graph.add("linear", graph.add("flatten", graph.input), features=3))


def convolved() -> Plan:
    graph = Graph((1, 4, 4))
    maps = graph.add("conv", graph.input, channels=2, kernel=3)
    return graph.plan(graph.add("linear", graph.add("flatten", maps), features=3))


class Watched(Population):
    """Notes whether autocast was on."""

    seen: bool

    def forward(self, x: Tensor) -> Tensor:
        self.seen = torch.is_autocast_enabled("cpu")
        return super().forward(x)


@pytest.mark.parametrize(
    ("plan", "width", "bf16"),
    [(connected(), 1, False), (connected(), 2, True), (convolved(), 1, True), (convolved(), 2, True)],
    ids=["connected", "connected, two", "convolved", "convolved, two"],
)
def test_bf16_where_products_are_large(plan: Plan, width: int, bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "gains_by_bf16", lambda capabilities: True)
    networks = Watched([Network(plan, torch.Generator().manual_seed(k)) for k in range(width)])
    outputs = forward(networks, torch.rand(5, 1, 4, 4), trainer(precision="auto"))
    assert networks.seen is bf16 and outputs.dtype == torch.float32
    forward(networks, torch.rand(5, 1, 4, 4), trainer(precision="bf16"))
    assert networks.seen, "what the user says is kept"


def test_networks_of_vectors_have_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "gains_by_bf16", lambda capabilities: True)
    graph = Graph((6,))
    plan = graph.plan(graph.add("linear", graph.input, features=3))
    networks = Watched([Network(plan, torch.Generator().manual_seed(k)) for k in range(2)])
    forward(networks, torch.rand(5, 6), trainer(precision="auto"))
    assert not networks.seen
