"""Benches that train tell of each epoch whose training it is: of one candidate, of those of a stack, of a model."""

from __future__ import annotations

import language_jobs
import pytest
import training_jobs
from benches import bench, unit
from training_jobs import Folders

from evonas_cli.core.types import Training, Unit
from evonas_cli.spaces.hyperparameters import Hyperparameters
from evonas_cli.training import reporter


@pytest.fixture(autouse=True)
def _each_epoch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "SECONDS", 0.0)


def begun(reported: list[Training]) -> list[tuple[tuple[int, ...], int, int]]:
    """Whose epochs began, without what is told within long ones."""
    return [(one.ids, one.epoch, one.epochs) for one in reported if not one.share]


def test_each_candidate_that_is_trained_alone() -> None:
    context = Folders()
    asked = unit([training_jobs.candidate(3), training_jobs.candidate(8, fidelity=0.5)])
    first, _ = bench(training_jobs.job()).evaluate(asked, context)
    assert begun(context.reported) == [((3,), 1, 2), ((3,), 2, 2), ((8,), 1, 1)]
    values = next(one.values for one in context.reported if one.epoch == 2 and not one.share)
    assert values["valid_error"] == first.curves["valid_error"][0]


def test_a_stack_tells_once_for_all_its_members() -> None:
    context = Folders()
    space = Hyperparameters(genes={"learning_rate": {"low": 0.001, "high": 0.5}}, channels=[4, 6], hidden=16)
    asked = tuple(training_jobs.candidate(id, (rate,)) for id, rate in ((4, 0.02), (6, 0.1), (7, 0.3)))
    results = list(bench(training_jobs.job(space=space)).evaluate(Unit(asked, 4, (0, 1, 3)), context))
    assert begun(context.reported) == [((4, 6, 7), 1, 2), ((4, 6, 7), 2, 2)]
    values = next(one.values for one in context.reported if one.epoch == 2 and not one.share)
    curves = [result.curves for result in results]
    assert values["valid_error"] == min(curve["valid_error"][0] or 0.0 for curve in curves)
    assert values["train_loss"] == min(curve["train_loss"][0] or 0.0 for curve in curves)


def test_a_language_model() -> None:
    context = language_jobs.Folders()
    [found] = bench(language_jobs.job(epochs=2)).evaluate(unit([language_jobs.candidate()]), context)
    assert begun(context.reported) == [((7,), 1, 2), ((7,), 2, 2)] and found.status == "ok"
