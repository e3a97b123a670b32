"""Every operation in its plain PyTorch form gives what evonas' own module gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import networks
import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.export import source
from evonas_cli.export.forms import FORMS
from evonas_cli.export.network_source import network_source
from evonas_cli.network import ops
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph
from evonas_cli.network.signature import Signature
from evonas_cli.network.source import Source
from evonas_cli.network.task import Task

CASES = networks.cases()


def test_each_operation_of_evonas_has_a_case() -> None:
    own = {name for name, op in OPS.items() if op.build.startswith("evonas_cli.")}
    assert {name.partition("-")[0] for name in CASES} == own


@pytest.mark.parametrize("name", CASES)
def test_an_operation_computes_the_same_in_its_plain_form(name: str, tmp_path: Path) -> None:
    outgoing = networks.outgoing(CASES[name])
    source.write(outgoing, tmp_path)
    signature, model = source.read(tmp_path / source.FILE)
    x = networks.inputs(CASES[name])
    with torch.inference_mode():
        torch.testing.assert_close(model(x), outgoing.deployed(x), rtol=1e-5, atol=1e-5)
    assert signature == outgoing.signature
    assert "evonas" not in (tmp_path / source.FILE).read_text()


def test_an_operation_without_a_plain_form_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain = replace(OPS["relu"], source=None)
    monkeypatch.setitem(ops._table, "relu", plain)
    outgoing = networks.outgoing(CASES["relu-1-0"])
    for form in ("py", "dir"):
        with pytest.raises(UsageError, match="the operation relu has no plain PyTorch form"):
            FORMS[form].write(outgoing, tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_that_the_plain_form_does_not_hold_are_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = replace(OPS["linear"], source=lambda shapes, settings: Source(call="{0}"))
    monkeypatch.setitem(ops._table, "linear", wrong)
    with pytest.raises(UsageError, match="the operation linear has weights that its plain form"):
        source.write(networks.outgoing(CASES["relu-1-0"]), tmp_path)


def test_layers_are_named_and_variables_used_again() -> None:
    graph = Graph((1, 8, 8))
    x = graph.add("relu", graph.add("batch_norm", graph.add("conv", graph.input, channels=4, kernel=3)))
    x = graph.add("add", x, graph.add("conv", x, channels=4, kernel=3, bias=1))
    plan = graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=2))
    text = network_source(plan, Signature(Task((1, 8, 8), 2), (0.0,), (1.0,))).text
    assert text.splitlines()[3:] == [
        "    def __init__(self) -> None:",
        "        super().__init__()",
        "        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=False)",
        "        self.batch_norm1 = nn.BatchNorm2d(4)",
        "        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)",
        "        self.linear1 = nn.Linear(4, 2)",
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        "        x = self.conv1(x)",
        "        x = self.batch_norm1(x)",
        "        x = F.relu(x)",
        "        x1 = self.conv2(x)",
        "        x = x + x1",
        "        x = x.mean((2, 3))",
        "        x = self.linear1(x)",
        "        return x",
    ]
