"""Validations between epochs: points of a learning curve that change no bit; and the best epoch, where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from quadrants import (
    SEED,
    InterruptedAfter,
    fit_all,
    interrupt,
    network,
    resident,
    same_bits,
    small,
    source,
    trainer,
    without_times,
)

from evonas_cli.core.errors import UsageError
from evonas_cli.data.resident import Resident
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import KEPT, Checkpoint
from evonas_cli.training.exercise import Diverged, Outcome, Part
from evonas_cli.training.feed_forward import FeedForward, validate
from evonas_cli.training.loop import Member, fit
from evonas_cli.training.state import parse
from evonas_cli.training.trainer import Trainer

NOISY: dict[str, Any] = {"learning_rate": 0.3, "schedule": "constant", "warmup": 0.0}
"""Settings under which the last epoch is not the best one."""


def train(
    settings: Trainer, population: Population, epochs: int = 4, checkpoint: Checkpoint | None = None
) -> tuple[Member, Any]:
    member = Member(settings, epochs, checkpoint or Checkpoint())
    return member, fit_all(population, [member], resident(random_labels=settings.learning_rate > 0.1), SEED)[0]


@pytest.mark.parametrize("every", [1, 3, 9])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_validations_change_no_bit(every: int, optimizer: str) -> None:
    plain, watched = small(), small()
    alone, expected = train(trainer(optimizer, validate_every=None), plain)
    member, found = train(trainer(optimizer, validate_every=every), watched)
    assert same_bits(plain, watched) and without_times(found) == without_times(expected)
    assert member.curves["epoch"] == {1: [1, 2, 3, 4], 3: [3, 4], 9: [4]}[every]
    assert alone.curves == {name: column[-1:] for name, column in member.curves.items()}
    last = {name: column[-1] for name, column in member.curves.items() if name != "epoch"}
    assert last == {name: found[name] for name in last} and "valid_error" in last and "train_loss" in last


def test_a_point_is_what_a_training_of_so_many_epochs_ends_with() -> None:
    settings = trainer(schedule="constant")
    member, _ = train(settings, small())
    for epochs in (1, 2, 3):
        _, shorter = train(settings, small(), epochs)
        point = {name: column[epochs - 1] for name, column in member.curves.items() if name != "epoch"}
        assert point == {name: shorter[name] for name in point}


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("last", [1, 3, 6])
def test_an_interrupted_training_has_the_same_curve(tmp_path: Path, last: int, keep: str) -> None:
    settings = trainer(epochs=6, keep=keep, **NOISY)
    whole, resumed = small(), small(seed=99)
    expected, outcome = train(settings, whole, 6, Checkpoint(tmp_path / "whole", 0, keep=True))
    interrupt(small(), settings, 6, InterruptedAfter(last, tmp_path / "run"), random_labels=True)
    found, again = train(settings, resumed, 6, Checkpoint(tmp_path / "run", 0, keep=True))
    assert found.curves == expected.curves and len(found.curves["epoch"]) == 6
    assert without_times(again) == without_times(outcome) and same_bits(whole, resumed)
    assert found.checkpoint.labels == expected.checkpoint.labels


def test_members_of_a_stack_have_curves_of_their_own() -> None:
    settings = [trainer(learning_rate=rate) for rate in (0.02, 0.05, 1e30)]
    members = [Member(each, epochs, Checkpoint(), place) for place, (each, epochs) in
               enumerate(zip(settings, (4, 2, 3), strict=True))]  # fmt: skip
    outcomes = fit_all(Population([network(seed) for seed in range(3)]), members, resident(), SEED)
    assert [member.curves.get("epoch") for member in members] == [[1, 2, 3, 4], [1, 2], None]
    assert isinstance(outcomes[2], Diverged)
    for member, outcome in zip(members[:2], outcomes, strict=False):
        assert not isinstance(outcome, Diverged) and member.curves["valid_loss"][-1] == outcome["valid_loss"]
    assert members[0].curves["valid_loss"][:2] != members[1].curves["valid_loss"]


def test_a_continued_training_has_the_points_of_its_own_epochs(tmp_path: Path) -> None:
    settings = trainer(schedule="constant")
    whole, _ = train(settings, small())
    train(settings, small(), 2, Checkpoint(tmp_path, None, keep=True))
    child, _ = train(settings, small(seed=9), 4, Checkpoint(source=source(tmp_path)))
    assert child.curves == {name: column[2:] for name, column in whole.curves.items()}
    idle, _ = train(settings, small(seed=9), 2, Checkpoint(source=source(tmp_path)))
    assert idle.curves == {}


class Failing(FeedForward):
    """Its validations after some epochs find what is no number."""

    def __init__(self, population: Population, settings: Trainer, data: Resident, broken: set[int]) -> None:
        super().__init__(population, {0: settings}, data, SEED)
        self.broken, self.seen = broken, 0

    def validate(self, places: Any, part: Part) -> dict[int, Outcome]:
        self.seen += 1
        return {0: Diverged("nan")} if self.seen in self.broken else super().validate(places, part)


def test_a_validation_that_is_no_number_leaves_its_point_empty() -> None:
    member = Member(trainer(), 4, Checkpoint())
    [outcome] = fit(Failing(small(), member.trainer, resident(), {2}), [member])
    assert not isinstance(outcome, Diverged)
    assert [value is None for value in member.curves["valid_error"]] == [False, True, False, False]
    assert None not in member.curves["train_loss"]
    doomed = Member(trainer(), 4, Checkpoint())
    [outcome] = fit(Failing(small(), doomed.trainer, resident(), {4}), [doomed])
    assert isinstance(outcome, Diverged)
    assert [value is None for value in doomed.curves["valid_error"]] == [False, False, False, True]


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    settings, data = trainer(epochs=6, keep="best", measure_train=True, **NOISY), resident(random_labels=True)
    population, shorter = small(), small()
    member, outcome = train(settings, population, 6, Checkpoint(tmp_path, None, keep=True))
    errors: Any = member.curves["valid_error"]
    best = errors.index(min(errors))
    assert best < 5, "another test is needed where the last epoch is the best"
    assert member.checkpoint.labels["best_epoch"] == str(best + 1)
    point = {name: column[best] for name, column in member.curves.items() if name != "epoch"}
    assert point == {name: outcome[name] for name in point}
    assert (outcome["epochs"], outcome["passes"]) == (6, 6 * outcome["passes"] / 6)
    _, expected = train(trainer(epochs=6, measure_train=True, **NOISY), shorter, best + 1)
    assert same_bits(population, shorter)
    assert outcome["train_eval_loss"] == expected["train_eval_loss"]
    state = parse((tmp_path / KEPT).read_bytes())
    assert (state["progress"].epoch, state["progress"].kept, "best" in state) == (6, best + 1, False)
    again = small(seed=5)
    again.load_member(0, state["model"])
    assert validate(again, data, settings, [0])[0] == {
        name.removeprefix("valid_"): value for name, value in point.items() if name != "train_loss"
    }


def test_a_later_epoch_that_is_no_number_costs_nothing_where_the_best_is_kept() -> None:
    member = Member(trainer(keep="best"), 4, Checkpoint())
    [outcome] = fit(Failing(small(), member.trainer, resident(), {4}), [member])
    assert not isinstance(outcome, Diverged) and outcome["valid_error"] == min(member.curves["valid_error"][:3])  # type: ignore[type-var]


class Given(FeedForward):
    """Its validations find errors that are given."""

    def __init__(self, population: Population, settings: Trainer, errors: list[float]) -> None:
        super().__init__(population, {0: settings}, resident(), SEED)
        self.errors = iter(errors)

    def validate(self, places: Any, part: Part) -> dict[int, Outcome]:
        return {0: {"error": next(self.errors), "loss": 1.0}}


@pytest.mark.parametrize(("errors", "epoch"), [((0.5, 0.25, 0.25, 0.5), "2"), ((0.5, 0.4, 0.3, 0.2), "4")])
def test_the_best_of_equals_is_the_earliest(errors: Any, epoch: str) -> None:
    member = Member(trainer(keep="best"), 4, Checkpoint())
    [outcome] = fit(Given(small(), member.trainer, errors), [member])
    assert not isinstance(outcome, Diverged) and outcome["valid_error"] == min(errors)
    assert member.checkpoint.labels == {"best_epoch": epoch}


def test_the_best_needs_validations() -> None:
    with pytest.raises(UsageError, match=r"trainer.keep=best chooses among validated epochs; set trainer.validate_ev"):
        trainer(keep="best", validate_every=None)
