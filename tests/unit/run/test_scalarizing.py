"""The root key `scalarize` is read, and refused in one line; the goals that follow from it."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.core.scalarize import Floor, Limit, Mixed, Weighted
from evonas_cli.core.types import Metric
from evonas_cli.run.assembly import assemble
from evonas_cli.run.identity import identity
from evonas_cli.run.scalarizing import named, reward

METRICS = {
    "accuracy": Metric("max"),
    "error": Metric("min"),
    "parameters": Metric("min"),
    "energy_j": Metric("min", measured=True, lasting=True),
    "test_accuracy": Metric("max", test=True),
}
MIXED = {"form": "mixed", "a": 0.75, "accuracy": "accuracy", "cost": "parameters", "bounds": [0, 1e7]}
FLOOR = {"form": "floor", "accuracy": "accuracy", "cost": "parameters", "bounds": [1, 2], "floor": 0.5}
LIMIT = {"form": "limit", "accuracy": "accuracy", "cost": "parameters", "limit": 5}
WEIGHTED = {"form": "weighted", "weights": {"error": 1, "accuracy": 0.5}}


def test_each_form_is_read() -> None:
    assert reward(None, METRICS, True) is None
    assert reward(MIXED, METRICS, True) == Mixed("accuracy", "parameters", 0.75, (0.0, 1e7))
    assert reward(FLOOR, METRICS, True) == Floor("accuracy", "parameters", (1.0, 2.0), 0.5)
    assert reward(LIMIT, METRICS, True) == Limit("accuracy", "parameters", 5.0)
    assert reward(WEIGHTED, METRICS, True) == Weighted({"error": 1.0, "accuracy": 0.5}, frozenset({"accuracy"}))
    assert reward({**MIXED, "cost": "energy_j"}, METRICS, deterministic=False) is not None
    assert [named(each) for each in (None, MIXED, WEIGHTED)] == [(), ("accuracy", "parameters"), ("error", "accuracy")]


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({}, "scalarize.form is None (it may be weighted, mixed, limit, floor)"),
        ({"form": "mixd"}, "scalarize.form is 'mixd'; did you mean mixed?"),
        ({"form": ["mixed"]}, "scalarize.form is ['mixed']"),
        ({**MIXED, "b": 1}, "form mixed has no key b (known: a, accuracy, cost, bounds)"),
        ({"form": "limit", "accuracy": "accuracy"}, "scalarize.cost must be given: form limit has the keys"),
        ({**MIXED, "a": 1.5}, "scalarize.a is 1.5; it must be from 0 to 1"),
        ({**MIXED, "a": "x"}, "scalarize.a is 'x'; it must be a number"),
        ({**MIXED, "a": True}, "scalarize.a is True; it must be a number"),
        ({**MIXED, "bounds": [5, 5]}, "scalarize.bounds is [5, 5]; the lower must be below the upper"),
        ({**MIXED, "bounds": [-1, 5]}, "scalarize.bounds is [-1, 5]; a cost is never negative"),
        ({**MIXED, "bounds": 5}, "scalarize.bounds is 5; it must be two numbers"),
        ({**MIXED, "bounds": [1, "x"]}, "scalarize.bounds[1] is 'x'; it must be a number"),
        ({**MIXED, "cost": "parameter"}, "no parameter; did you mean parameters? (known: accuracy, energy_j, error,"),
        ({**MIXED, "cost": 3}, "scalarize.cost is 3; it must be the name of a metric"),
        ({**MIXED, "cost": "accuracy"}, "scalarize.cost is accuracy; it must be a metric that less is better of"),
        ({**MIXED, "accuracy": "error"}, "scalarize.accuracy is error; it must be a metric that more is better of"),
        ({**MIXED, "accuracy": "test_accuracy"}, "test_accuracy is measured on the test part, which no search may see"),
        ({**MIXED, "cost": "energy_j"}, "energy_j is measured, so the run could not resume exactly"),
        ({**LIMIT, "limit": 0}, "scalarize.limit is 0; a cost is never negative, so it must be above 0"),
        ({"form": "weighted", "weights": {}}, "scalarize.weights is {}; it must name metrics with their weights"),
        ({"form": "weighted", "weights": {"error": 0}}, "scalarize.weights.error is 0; a weight must be above 0"),
        ({"form": "weighted", "weights": {"error": -1}}, "scalarize.weights.error is -1; a weight must be above 0"),
    ],
)
def test_what_is_no_reward_is_refused_in_one_line(stated: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        reward(stated, METRICS, True)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_job_with_a_reward_of_its_own_is_left_alone() -> None:
    with pytest.raises(UsageError, match="the job has a metric named reward of its own"):
        reward(MIXED, {**METRICS, "reward": Metric("max")}, True)


BASE = ("space=chain_landscape", "job=landscape")
STATED = "scalarize={form: weighted, weights: {valid_error: 1.0}}"


def test_the_reward_is_the_objective_unless_another_one_is_given() -> None:
    assert compose(BASE).config["objectives"] == ["valid_error"]
    parts = assemble(compose([*BASE, STATED]).config)
    assert parts.config["objectives"] == ["reward"]
    assert [(one.name, one.direction) for one in parts.objectives] == [("reward", "max")]
    assert parts.goals.asked == [("scalarize", "valid_error")]
    both = assemble(compose([*BASE, STATED, "objectives=[reward,cost]"]).config)
    assert both.config["objectives"] == ["reward", "cost"]
    assert both.goals.asked == [("objectives", "cost"), ("scalarize", "valid_error")]


def test_the_reward_belongs_to_the_identity_and_older_runs_have_none() -> None:
    assert "scalarize" not in identity(compose(BASE).config)
    assert identity(compose([*BASE, STATED]).config)["scalarize.form"] == "weighted"


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(UsageError, match="scalarize is 'mixed'; it must be null or a mapping"):
        compose([*BASE, "scalarize=mixed"])
