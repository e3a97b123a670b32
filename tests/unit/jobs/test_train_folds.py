"""Candidates that are trained once for each fold of training and validation part."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from benches import unit
from training_jobs import DIGITS, SPACE, Folders, candidate, repeatable, trainer

from evonas_cli.config.compose import compose
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import CHECKPOINT, WEIGHTS, Place
from evonas_cli.core.halting import Halted
from evonas_cli.core.types import Unit
from evonas_cli.data.digits import Digits
from evonas_cli.jobs.train import Train
from evonas_cli.run.confirming import confirming
from evonas_cli.training.folded import of_fold
from evonas_cli.training.state import checksum, parse

FEW = Digits(valid_fraction=0.25, test_fraction=0.2, limit=60, crop=0, flip=False, cutout=0)


class After:
    """A halt that is due when it was asked so often."""

    def __init__(self, epochs: int) -> None:
        self.left = epochs

    def due(self, seconds: float) -> bool:
        self.left -= 1
        return self.left < 0

    def overdue(self) -> bool:
        return False


def job(folds: int = 3, dataset: Any = FEW, full: bool = False, **changes: Any) -> Train:
    settings = {"epochs": 2, "batch_size": 8, **changes}
    return Train(SPACE, dataset, trainer(**settings), 5, "cpu", True, 1, folds=folds, full=full)


def run(what: Train, *candidates: Any, root: Path | None = None, halt: Any = None, together: bool = False) -> list[Any]:
    bench = what.open(Place() if halt is None else Place(halt=halt))
    bench.environment()
    asked = Unit(candidates, len(candidates), tuple(range(len(candidates)))) if together else unit(candidates)
    context = Folders(root)
    found = list(bench.evaluate(asked, context))
    assert all(1 <= training.epoch <= training.epochs for training in context.reported)
    assert {training.epochs for training in context.reported} <= {
        folds * epochs for folds in (1, 3) for epochs in (1, 2, 4)
    }
    return found


def test_metrics_are_means_over_folds_and_the_spread_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import evonas_cli.training.candidates.cross_validation as module

    seen: list[Any] = []
    combined = module.combined
    monkeypatch.setattr(module, "combined", lambda outcomes, kind: (seen.extend(outcomes), combined(outcomes, kind))[1])
    what = job()
    (result,) = run(what, candidate())
    assert set(result.metrics) == set(what.metrics)
    errors = [outcome["valid_error"] for outcome in seen]
    assert len(errors) == 3 and len(set(errors)) > 1
    assert result.metrics["valid_error"] == fmean(errors) and result.metrics["valid_error_sd"] == stdev(errors)
    (once,) = run(job(folds=1), candidate())
    assert result.metrics["epochs"] == once.metrics["epochs"] == 2
    assert result.metrics["cost"] == pytest.approx(3 * once.metrics["cost"] * 40 / 40)
    assert result.curves["epoch"] == [1, 2] and result.curves["valid_error"][-1] == result.metrics["valid_error"]


@pytest.mark.parametrize(("asked", "done", "files"), [(1, 1, 1), (3, 2, 1), (4, 3, 2), (7, 5, 3)])
def test_an_interrupted_candidate_trains_no_fold_again_and_ends_the_same(
    tmp_path: Path, asked: int, done: int, files: int
) -> None:
    """Halts are asked for at the start of each fold and after each of its two epochs."""
    what = job(checkpoint_seconds=3600, save_state=True, keep="best")
    (whole,) = run(what, candidate(), root=tmp_path / "whole")
    with pytest.raises(Halted):
        run(what, candidate(), root=tmp_path / "cut", halt=After(asked))
    assert len(list((tmp_path / "cut").rglob(CHECKPOINT))) == files
    (again,) = run(what, candidate(), root=tmp_path / "cut", halt=After(3 + 6 - done))
    assert repeatable(again) == repeatable(whole)
    assert [path.name for path in (tmp_path / "cut/0").iterdir()] == [WEIGHTS]


def test_a_candidate_continues_each_fold_of_another(tmp_path: Path) -> None:
    what = job(epochs=4, save_state=True)
    first, second = run(what, candidate(0, fidelity=0.5), candidate(1, continues=0), root=tmp_path)
    assert first.metrics["cost"] == second.metrics["cost"]
    states = [parse((tmp_path / str(id) / WEIGHTS).read_bytes()) for id in (0, 1)]
    assert [state["progress"].epoch for state in states] == [2, 4]
    assert [[fold["progress"].first_epoch for fold in state["folds"]] for state in states] == [[0, 0], [2, 2]]
    assert first.labels["state"] == checksum(states[0]) != checksum({**states[0], "folds": states[0]["folds"][:1]})
    with pytest.raises(ValueError, match="it has the states of 3 folds, and fold 4 is continued"):
        of_fold(states[0], 3)


def test_folds_in_a_stack_are_those_of_one_candidate_alone_in_its_data(tmp_path: Path) -> None:
    what = job(epochs=1)
    stacked = run(what, candidate(0), candidate(1), together=True)
    assert [result.status for result in stacked] == ["ok", "ok"]
    assert stacked[0].labels["stack"] == "0/2"
    alone = run(what, candidate(0), candidate(1))
    for one, other in zip(stacked, alone, strict=True):
        assert one.metrics["valid_loss"] == pytest.approx(other.metrics["valid_loss"], rel=1e-3)


def test_who_diverges_in_a_fold_has_failed_and_leaves_nothing(tmp_path: Path) -> None:
    (result,) = run(job(learning_rate=1e30, checkpoint_seconds=0, save_state=True), candidate(), root=tmp_path)
    assert result.error is not None and result.error.kind == "diverged"
    assert "(fold 1 of 3)" in result.error.text and not list(tmp_path.rglob("*.pt"))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"folds": 0}, "job.folds is 0; it must be an integer of at least 1"),
        ({"folds": 2, "full": True}, "set job.folds=1"),
    ],
)
def test_settings_that_do_not_go_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        job(**changes)


def test_what_builds_on_one_network_is_refused() -> None:
    with pytest.raises(UsageError, match="set job.folds=1"):
        job(save_state=True).check_demands(Demands(continues=True, jobs=("ensemble",)))
    job(save_state=True).check_demands(Demands(continues=True))


def test_more_folds_than_examples_of_a_class_are_refused_before_training() -> None:
    with pytest.raises(UsageError, match="the class . has 6 training and validation examples, fewer than job.folds=7"):
        job(folds=7).open(Place()).environment()
    assert job(folds=2, dataset=DIGITS).open(Place()).environment()["task"]


def test_a_retraining_on_all_data_has_no_folds() -> None:
    config = compose(["dataset=digits", "space=mlp", "job.folds=3", "strategy=random"]).config
    assert confirming(config, [], 1, [], (), full=True)["job"]["folds"] == 1
    assert confirming(config, [], 1, [], ())["job"]["folds"] == 3
