"""The neurons job: what it measures, what it trains, what it gives back, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, log, sqrt
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from benches import bench, unit
from neural_space import random_neurons
from neurons_jobs import LINEAR, POINTS, SOLVED, asked, job, result, results, vectors

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Foreseeing, Job, Narrowing, Place, Preferring, Stacking, Static
from evonas_cli.core.halting import Deadline, Halted
from evonas_cli.core.sources import Placed
from evonas_cli.data.copying import Copy
from evonas_cli.data.planar import Gaussians, XorCorners
from evonas_cli.network.neurons import Neurons
from evonas_cli.store.directory import RunDirectory


def test_it_has_the_capabilities_of_its_kind() -> None:
    made = job()
    for capability in (Job, Narrowing, Preferring, Static, Stacking, Foreseeing, Placed):
        assert isinstance(made, capability)
    assert made.objectives == ("valid_error", "links") and made.honours == {"fidelity", "options"}


def test_evolved_weights_are_measured_as_they_are() -> None:
    found = result(job(weights="evolved"))
    splits = POINTS.prepare(0)
    outputs = splits.x_valid.astype(float) @ np.array([0.5, 0.25]) - 1.0
    against = np.where(splits.y_valid == 1, -1.0, 1.0) * outputs
    assert found.metrics["valid_loss"] == pytest.approx(np.log1p(np.exp(against)).mean())
    assert found.metrics["valid_error"] == np.mean((outputs > 0) != (splits.y_valid == 1))
    assert (found.metrics["updates"], found.metrics["links"], found.metrics["hidden"]) == (0, 3, 0)
    assert found.payload is None and found.metrics["cost"] == 3 * 40 / 1e9


def test_trained_weights_come_back() -> None:
    """Written into the genome they are what was measured."""
    found = result(job())
    assert set(found.metrics) == set(job().measured_on(bench(job()).environment()))
    assert (
        found.payload is not None and found.metrics["train_loss"] < result(job(weights="evolved")).metrics["train_loss"]
    )
    heir = replace(LINEAR, weights=tuple(found.payload["weights"]))  # type: ignore[index, call-overload]
    again = result(job(weights="evolved"), heir)
    for name in ("train_loss", "valid_loss", "valid_error", "squared_fitness"):
        assert again.metrics[name] == found.metrics[name]
    assert found.metrics["cost"] == pytest.approx(3 * (40 + 3 * 10 * found.metrics["updates"]) / 1e9)


def test_both_trains_as_gradient_does() -> None:
    assert result(job(weights="both")).payload == result(job(weights="gradient")).payload


def test_options_leave_a_candidate_untrained() -> None:
    [trained], [still] = (
        results(job(), asked([LINEAR])),
        results(job(), asked([LINEAR], options={"weights": "evolved"})),
    )
    assert trained.metrics["updates"] > 0 == still.metrics["updates"]
    assert still.payload == {"weights": list(LINEAR.weights)}
    with pytest.raises(UsageError, match="job=neurons has no options {'start': 'weights'}"):
        result(job(), options={"start": "weights"})


def test_fidelity_is_a_share_of_the_updates() -> None:
    made = job(steps=40, check_every=None)
    assert [result(made, fidelity=fidelity).metrics["updates"] for fidelity in (1.0, 0.5, 0.01)] == [40, 20, 1]


def test_a_candidates_bits_are_its_own() -> None:
    rng, made = Random(2), job()
    graphs = [random_neurons(rng, 2, 1, rng.randrange(5), rng.randrange(2, 12)) for _ in range(6)]
    together = results(made, asked(graphs))
    for candidate, found in zip(asked(graphs), together, strict=True):
        [alone] = results(job(), [candidate])
        kept = {name: value for name, value in found.metrics.items() if name != "train_seconds"}
        assert kept == {name: value for name, value in alone.metrics.items() if name != "train_seconds"}
        assert alone.payload == found.payload


@pytest.mark.parametrize(
    ("form", "p", "wanted"),
    [
        ("multiplicative", 0.03, lambda loss: loss * (1 + 0.03 * sqrt(3))),
        ("additive", 0.03, lambda loss: loss + 0.03 * sqrt(3)),
        ("additive", 0.0, lambda loss: loss),
        ("multiplicative", 0.0, lambda loss: loss),
    ],
)
def test_links_add_to_the_fitness(form: str, p: float, wanted: Any) -> None:
    for part in ("valid", "train"):
        metrics = result(job(weights="evolved", penalty=p, penalty_form=form, fitness=part)).metrics
        assert metrics["fitness_loss"] == pytest.approx(wanted(metrics[f"{part}_loss"]), rel=1e-12)


def test_the_four_corners() -> None:
    """(4 - sum of |error|)^2: 16 for a perfect answer, 4 for one half everywhere."""
    made = job(XorCorners(), weights="evolved")
    solved, nothing = (result(made, graph).metrics for graph in (SOLVED, Neurons(2, 1, ("add",), (), ())))
    assert solved["valid_error"] == 0 and solved["squared_fitness"] == pytest.approx((4 - 4 / (1 + exp(5))) ** 2)
    assert nothing["squared_fitness"] == 4.0 and nothing["valid_error"] == 0.5
    assert nothing["valid_loss"] == pytest.approx(log(2))


def test_inputs_can_be_standardised() -> None:
    splits = POINTS.prepare(0)
    scaled = (splits.x_valid - splits.mean) / splits.std
    outputs = scaled @ np.array([0.5, 0.25]) - 1.0
    found = result(job(weights="evolved", standardise=True)).metrics
    assert found["valid_error"] == np.mean((outputs > 0) != (splits.y_valid == 1))


def test_more_classes_have_an_output_each(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 2)) * 0.3 + np.array([[0, 0], [3, 0], [0, 3]])[y]
    made = job(vectors(tmp_path, x, y, "classes"), steps=200, batch=None, learning_rate=0.05, optimizer="adam")
    links = tuple([(source, target) for target in (3, 4, 5) for source in (0, 1, 2)])
    found = result(made, Neurons(2, 3, ("add",) * 3, links, (0.1,) * 9))
    assert found.metrics["valid_error"] < 0.1 and found.metrics["valid_loss"] < 0.4
    assert "squared_fitness" not in found.metrics and set(found.metrics) == set(made.foreseen())


def test_numbers_are_the_outputs_themselves(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(80, 2))
    y = np.stack([3 * x[:, 0] - x[:, 1], x[:, 1] + 0.5], axis=1)
    made = job(
        vectors(tmp_path, x, y, "numbers"),
        steps=300,
        batch=None,
        learning_rate=0.05,
        optimizer="adam",
        weight_decay=0.0,
    )
    links = tuple([(source, target) for target in (3, 4) for source in (0, 1, 2)])
    found = result(made, Neurons(2, 2, ("add",) * 2, links, (0.1,) * 6))
    assert found.metrics["valid_loss"] < 0.01 and "valid_error" not in found.metrics
    assert made.objectives == ("valid_loss", "links") and set(found.metrics) == set(made.metrics)


def test_the_test_part_is_measured_when_asked_for() -> None:
    plain, tested = result(job()).metrics, result(job(test=True)).metrics
    assert "test_error" not in plain and {"test_error", "test_loss"} < set(tested)
    assert job(test=True).tests and job(test=True).metrics["test_error"].test
    assert tested["valid_loss"] == plain["valid_loss"]


def test_a_search_never_reads_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gaussians, "test", lambda *given: pytest.fail("the test part was read"))
    assert result(job()).status == "ok"


def test_who_fails_fails_alone() -> None:
    """A graph of another task, and one whose loss is no number."""
    other = Neurons(3, 1, ("add",), ((0, 4),), (1.0,))
    wild = Neurons(
        2, 1, ("multiply", "multiply", "add"), ((0, 3), (1, 3), (2, 4), (3, 4), (4, 5)), (9.0,) * 4 + (3e38,)
    )
    first, second, third = results(job(), asked([other, LINEAR, wild]))
    assert first.error is not None and (first.error.kind, first.error.text) == (
        "unbuildable",
        "the graph has 3 inputs and 1 outputs",
    )
    assert third.error is not None and third.error.kind == "diverged" and "after 10 updates" in third.error.text
    assert second.status == "ok" and second.payload == result(job()).payload


def test_what_is_known_before_training() -> None:
    made = job()
    environment = bench(made).environment()
    assert made.static_metrics(SOLVED, environment) == {"links": 6.0, "hidden": 1.0}
    assert made.static_metrics(Neurons(3, 1, ("add",), (), ()), environment) is None
    one, two = (made.work(unit(asked([graph])), environment) for graph in (LINEAR, SOLVED))
    assert one is not None and two == 2 * one
    assert made.work(unit(asked([Neurons(3, 1, ("add",), (), ())])), environment) is None


def test_an_ask_is_divided_for_two_cores() -> None:
    made = job()
    environment = bench(made).environment()
    for count, sizes in ((1, [1]), (3, [3]), (100, [50, 50]), (300, [75] * 4)):
        units = made.units(asked([LINEAR] * count), environment)
        assert [len(each.candidates) for each in units] == sizes == [each.width for each in units]
        assert [candidate.id for each in units for candidate in each.candidates] == list(range(count))


@pytest.mark.parametrize(
    ("dataset", "changes", "line"),
    [
        (POINTS, {"weights": "learned"}, "job.weights is 'learned'; it must be one of evolved, gradient, both"),
        (POINTS, {"fitness": "test"}, "job.fitness is 'test'; it must be one of valid, train"),
        (POINTS, {"penalty": -0.1}, "job.penalty is -0.1; it must be a number of at least 0"),
        (POINTS, {"penalty_form": "l1"}, "job.penalty_form is 'l1'; it must be multiplicative or additive"),
        (POINTS, {"steps": 0}, "job.steps is 0"),
        (
            Copy(symbols=3, length=2, blanks=1, n_train=5, n_valid=2, n_test=1),
            {},
            "job=neurons reads vectors, which the dataset Copy has not",
        ),
    ],
)
def test_wrong_settings_are_refused(dataset: Any, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        job(dataset, **changes)
    assert str(caught.value).startswith(line)


def test_a_training_that_is_overdue_stops() -> None:
    bench = job().open(Place(halt=Deadline(-inf, -inf)))
    with pytest.raises(Halted) as error:
        list(bench.evaluate(unit(asked([LINEAR])), RunDirectory(Path())))
    assert error.value.within
