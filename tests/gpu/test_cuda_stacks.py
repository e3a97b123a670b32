"""On a CUDA device: stacks train as their members do alone, replay bit for bit, and do not wait within an epoch."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

SEARCH = (
    *("space=hyperparameters", "space.dropout=0.25", "trainer.nesterov=false"),
    *("trainer.precision=fp32", "trainer.epochs=1", "device=cuda", "evaluator=serial", "seed=3"),
    "space.genes.learning_rate={low: 0.001, high: 0.05, log: true, points: null}",
)


def evonas(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "evonas_cli", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_unit_trains_on_the_card_as_its_members_do_alone() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training"))
    from quadrants import SEED, fit_all, network, resident, trainer

    from evonas_cli.nn.stacked.population import Population
    from evonas_cli.training.checkpoint import Checkpoint
    from evonas_cli.training.device.setup import resolve
    from evonas_cli.training.loop import Member

    device = resolve("cuda", True, 1)
    for name in ("sgd", "adamw"):
        rates = [0.01 * (i + 1) for i in range(3)]
        settings = [trainer(name, learning_rate=rate, precision="fp32") for rate in rates]
        members = [Member(each, 1, Checkpoint(), place) for place, each in enumerate(settings)]
        stack = Population([network(seed=i) for i in range(3)])
        fit_all(stack, members, resident(device=device), SEED)
        x = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(3)).to(device)
        scores = stack.eval()(x)
        for place, member in enumerate(members):
            alone = Population([network(seed=place)])
            fit_all(alone, [Member(member.trainer, 1, Checkpoint())], resident(device=device), SEED)
            expected = alone.eval()(x)[0]
            assert ((scores[place] - expected).norm() / expected.norm()).item() < 1e-4


def test_a_stacked_search_replays_bit_for_bit(tmp_path: Path) -> None:
    words = (*SEARCH, "strategy=genetic", "budget.evaluations=20")
    evonas("search", *words, "--run-dir", str(tmp_path / "run"))
    entries = [json.loads(line) for line in (tmp_path / "run/journal.jsonl").read_text().splitlines()]
    assert any("stack" in entry["labels"] for entry in entries)
    evonas("verify", str(tmp_path / "run"), "--replay")


@pytest.mark.parametrize("graph", [True, False])
def test_an_epoch_waits_for_the_host_no_more_often_when_it_is_longer(graph: bool) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training"))
    from quadrants import SEED, network, resident, trainer

    from evonas_cli.nn.stacked.population import Population
    from evonas_cli.training.device.setup import resolve
    from evonas_cli.training.optimizers import OPTIMIZERS
    from evonas_cli.training.steps import Steps

    device = resolve("cuda", True, 1)
    counts = []
    for n in (96, 192):
        data, settings = resident(n=n, device=device), trainer("sgd", graph=graph)
        for width in (1, 3):
            population = Population([network(seed=i) for i in range(width)]).to(device)
            optimizer = OPTIMIZERS["sgd"](list(population.parameters()), [settings] * width)
            rates = [[0.01] * width] * (n // 16)
            steps = Steps(population, data, settings, optimizer, SEED)
            steps.epoch(rates, 0)
            torch.cuda.set_sync_debug_mode("warn")
            with warnings.catch_warnings(record=True) as waits:
                warnings.simplefilter("always")
                steps.epoch(rates, 1)
            torch.cuda.set_sync_debug_mode("default")
            counts.append((width, len(waits)))
    assert counts[:2] == counts[2:]


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("large", [1, 1 << 18])
def test_a_replayed_epoch_trains_as_an_eager_one(
    width: int, precision: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members are updated one by one where a layer has `large` numbers, in both ways."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training"))
    from quadrants import SEED, network, resident, trainer

    from evonas_cli.nn.stacked.population import Population
    from evonas_cli.training.device.setup import resolve
    from evonas_cli.training.optimizers import OPTIMIZERS
    from evonas_cli.training.steps import Steps

    monkeypatch.setattr("evonas_cli.training.optimizers.LARGE", large)
    device, found = resolve("cuda", True, 1), []
    for graph in (True, False):
        settings = trainer("sgd", graph=graph, precision=precision)
        population = Population([network(seed=i) for i in range(width)]).to(device)
        optimizer = OPTIMIZERS["sgd"](list(population.parameters()), [settings] * width)
        steps = Steps(population, resident(device=device), settings, optimizer, SEED)
        losses = [steps.epoch([[0.02] * width] * 6, epoch) for epoch in range(3)]
        found.append((losses, torch.cat([parameter.flatten() for parameter in population.parameters()])))
    (replayed, weights), (eager, expected) = found
    assert replayed == eager
    assert torch.equal(weights, expected)


@pytest.mark.parametrize("deterministic", ["true", "false"])
def test_different_networks_in_flight_score_as_each_does_alone(tmp_path: Path, deterministic: str) -> None:
    search = (
        *("space=nasbench201", "space.channels=4", "strategy=random", "budget.evaluations=6", "window=6"),
        *("trainer.precision=fp32", "trainer.epochs=1", "device=cuda", "evaluator=serial", "seed=5"),
    )
    scores = []
    for most in ("6", "1"):
        run = tmp_path / most
        evonas("search", *search, f"deterministic={deterministic}", f"job.in_flight={most}", "--run-dir", str(run))
        entries = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
        scores.append([entry["metrics"]["valid_loss"] for entry in entries])
    if deterministic == "true":
        assert scores[0] == scores[1]
    else:
        assert scores[0] == pytest.approx(scores[1], rel=0.05)


def test_a_recording_that_fails_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training"))
    from quadrants import SEED, network, resident, trainer

    from evonas_cli.nn.stacked.population import Population
    from evonas_cli.training.device import cuda_graph
    from evonas_cli.training.device.setup import resolve
    from evonas_cli.training.optimizers import OPTIMIZERS
    from evonas_cli.training.steps import Steps

    device, found = resolve("cuda", True, 1), []

    class Waiting(Steps):
        def _numbered(self) -> None:
            super()._numbered()
            self._total.sum().item()

    monkeypatch.setattr(cuda_graph, "_failed", False)
    for kind, graph in ((Steps, False), (Waiting, None), (Steps, None)):
        settings = trainer("sgd", graph=graph)
        population = Population([network(seed=i) for i in range(2)]).to(device)
        optimizer = OPTIMIZERS["sgd"](list(population.parameters()), [settings] * 2)
        steps = kind(population, resident(device=device), settings, optimizer, SEED)
        losses = [steps.epoch([[0.02] * 2] * 6, epoch) for epoch in range(2)]
        found.append((losses, torch.cat([parameter.flatten() for parameter in population.parameters()])))
    assert cuda_graph._failed
    for losses, weights in found[1:]:
        assert losses == found[0][0] and torch.equal(weights, found[0][1])
