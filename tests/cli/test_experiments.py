"""Experiments laid over the defaults, options replaced beside them, and weights handed from candidate to candidate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import entries

from evonas_cli.cli.app import run
from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError

GA = (
    *("experiment=hyperparameter_ga_run2", "dataset=digits", "dataset.limit=300", "evaluator=serial", "device=cpu"),
    *("trainer.epochs=2", "trainer.save_state=true", "strategy.population_size=4", "strategy.archive=false"),
)


def test_an_experiment_is_laid_over_the_defaults() -> None:
    composed = compose(["experiment=amoebanet_cifar10", "trainer.epochs=3"])
    config = composed.config
    assert composed.choices["experiment"] == "amoebanet_cifar10" and composed.choices["dataset"] == "cifar10"
    assert (config["strategy"]["population_size"], config["strategy"]["sample_size"]) == (100, 25)
    assert (config["space"]["normal_cells"], config["space"]["channels"]) == (3, 24)
    assert config["trainer"]["epochs"] == 3 and config["budget"]["evaluations"] == 20000
    assert "experiment" not in compose([]).choices


def test_an_option_beside_an_experiment_replaces_what_it_says() -> None:
    config = compose(["experiment=amoebanet_small", "strategy=genetic", "space.channels=6", "dataset.limit=99"]).config
    assert config["strategy"]["population_size"] == 20 and "sample_size" not in config["strategy"]
    assert (config["space"]["combinations"], config["space"]["channels"]) == (3, 6)
    assert config["dataset"]["limit"] == 99 and config["trainer"]["epochs"] == 2
    assert (
        compose(["experiment=amoebanet_small", "strategy=regularized_evolution"]).config["strategy"]
        == (compose(["experiment=amoebanet_small"]).config["strategy"])
    ), "the experiment's own option, named again, is no other one"
    beside = compose(["experiment=amoebanet_small", "dataset=npz", "dataset.path=x.npz", "trainer=sgd"]).config
    assert beside["dataset"]["path"] == "x.npz" and beside["trainer"]["epochs"] == 2
    assert compose(["experiment=null"]).config == compose([]).config
    with pytest.raises(UsageError, match="strategy has no key population_size"):
        compose(["experiment=amoebanet_small", "strategy=random", "strategy.population_size=3"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budgets:\n  evaluations: 3\n", "the configuration has no key budgets; did you mean budget?"),
        ("budget:\n  evaluation: 3\n", "budget has no key evaluation"),
        ("strategy:\n  popsize: 3\n", "strategy has no key popsize; did you mean population_size?"),
        ("budget: [\n", "mine"),
    ],
)
def test_an_experiment_of_ones_own_is_checked_like_the_rest(
    refused: Callable[..., str], tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_text(f"# @package _global_\n{text}")
    assert message in refused(2, "search", "experiment=mine", "--config-dir", "conf", "--dry-run")
    (tmp_path / "conf/experiment/mine.yaml").write_text("# @package _global_\nbudget:\n  evaluations: 33\n")
    assert run(["search", "experiment=mine", "--config-dir", "conf", "--dry-run"]) == 0
    assert "did you mean mine?" in refused(2, "search", "experiment=mime", "--config-dir", "conf")
    (tmp_path / "conf/experiment/amoebanet_small.yaml").write_text("# @package _global_\n")
    assert "has the name of one of evonas' own" in refused(2, "search", "--config-dir", "conf")


def test_one_model_many_optimisers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "weights"
    assert run(["search", *GA, "strategy.inherit=weights", "budget.evaluations=12", "--run-dir", str(root), "-q"]) == 0
    found = entries(root)
    assert all("continues" not in entry for entry in found[:4])
    for first in (4, 8):
        losses = {e["id"]: e["metrics"]["valid_loss"] for e in found[:first] if e["status"] == "ok"}
        best = min(losses, key=losses.__getitem__)
        batch = found[first : first + 4]
        assert all(e["continues"] == best and e["options"] == {"start": "weights"} for e in batch)
        assert {e["metrics"]["epochs"] for e in batch if e["status"] == "ok"} == {2}
    capsys.readouterr()
    assert run(["verify", str(root), "--replay", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    shown = json.loads((root / "figures.jsonl").read_text().splitlines()[-1])
    assert shown["generation"] == 2 and 0 <= shown["diversity"] <= 1
    assert run(["show", str(root)]) == 0
    assert "diversity 0" in capsys.readouterr().out


def test_population_based_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "schedule"
    words = ("strategy.inherit=schedule", "strategy.generations=3", "trainer.epochs=3", "trainer.schedule=constant")
    settings = [word for word in GA if word != "trainer.epochs=2"]
    assert run(["search", *settings, *words, "budget.evaluations=12", "--run-dir", str(root), "-q"]) == 0
    found = entries(root)
    assert [e["metrics"]["epochs"] for e in found if e["status"] == "ok"] == sorted(
        e["id"] // 4 + 1 for e in found if e["status"] == "ok"
    )
    for entry in found[4:]:
        ancestor = found[entry["continues"]]
        assert ancestor["id"] // 4 == entry["id"] // 4 - 1
        if entry["operator"] == "train_on":
            assert entry["genome"] == ancestor["genome"]
    operators = [entry["operator"] for entry in found[4:]]
    assert "train_on" in operators and any(operator.startswith("exploit") for operator in operators)
    capsys.readouterr()
    assert run(["verify", str(root), "--replay", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
