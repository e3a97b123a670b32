"""The neurons job: what it measures, what it trains, what it gives back, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, inf, log, sqrt
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from benches import bench, unit
from neural_space import Graphs, random_neurons

from evonas_cli.config.folders import conf_root, read
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Foreseeing, Job, Narrowing, Place, Preferring, Stacking, Static
from evonas_cli.core.halting import Deadline, Halted
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.data.copying import Copy
from evonas_cli.data.digits import Digits
from evonas_cli.data.npz import Npz
from evonas_cli.data.planar import Gaussians, XorCorners
from evonas_cli.jobs.neurons import TrainNeurons
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import BANDS, Charting
from evonas_cli.store.directory import RunDirectory

SETTINGS = {
    key: value for key, value in read(conf_root() / "job/neurons.yaml").items() if key[0] != "_" and key != "defaults"
}
SETTINGS |= {"steps": 20, "check_every": 10}
POINTS = Gaussians(noise=0.5, seed=0, n_train=40, n_valid=30, n_test=20)
LINEAR = Neurons(2, 1, ("add",), ((0, 3), (1, 3), (2, 3)), (0.5, 0.25, -1.0))
SOLVED = Neurons(2, 1, ("multiply", "add"), ((0, 3), (1, 3), (0, 4), (1, 4), (2, 4), (3, 4)), (1, 1, 10, 10, -5, -20))
"""The four corners: 10 x + 10 y - 20 x y - 5."""


def job(dataset: Any = POINTS, space: Any = None, seed: int = 0, **changes: Any) -> TrainNeurons:
    return TrainNeurons(
        space=space or Graphs(),
        dataset=dataset,
        seed=seed,
        device="cpu",
        deterministic=True,
        threads=1,
        **{**SETTINGS, **changes},
    )


def asked(graphs: Sequence[Neurons], **proposal: Any) -> list[Candidate[Neurons]]:
    return [Candidate(id, 0, 100 + id, Proposal(graph, **proposal)) for id, graph in enumerate(graphs)]


def results(made: TrainNeurons, candidates: Sequence[Candidate[Neurons]]) -> list[Result]:
    found = bench(made).evaluate(unit(candidates), RunDirectory(Path()))
    return sorted(found, key=lambda result: result.id)


def result(made: TrainNeurons, graph: Neurons = LINEAR, **proposal: Any) -> Result:
    [found] = results(made, asked([graph], **proposal))
    return found


def vectors(tmp_path: Path, x: Any, y: Any, kind: str) -> Npz:
    path = tmp_path / "vectors.npz"
    np.savez(path, x_train=np.asarray(x, dtype=np.float32), y_train=y)
    node = read(conf_root() / "dataset/npz.yaml")
    given = {key: value for key, value in node.items() if key != "_target_"}
    return Npz(**{**given, "path": str(path), "kind": kind, "valid_fraction": 0.25, "test_fraction": 0.25})


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


def digits(**changes: Any) -> Digits:
    none = {"valid_fraction": 0.25, "test_fraction": 0.2, "limit": None, "crop": 0, "flip": False, "cutout": 0}
    return Digits(**{**none, **changes})


def test_images_are_vectors_of_their_pixels_row_by_row() -> None:
    """A network that reads one pixel, 3 rows down and 4 columns right, as evidence for class 0."""
    data, pixel = digits(limit=400), 3 * 8 + 4
    graph = Neurons(64, 10, ("add",) * 10, ((pixel, 65),), (0.01,))
    made = job(data, weights="evolved")
    found = result(made, graph)
    splits = data.prepare(0)
    logits = np.zeros((len(splits.y_valid), 10))
    logits[:, 0] = 0.01 * splits.x_valid[:, 0, 3, 4]
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), splits.y_valid]
    assert found.metrics["valid_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    standard = (0.01 * (splits.x_valid[:, 0, 3, 4] - splits.mean[0]) / splits.std[0])[:, None] * np.eye(10)[0]
    losses = np.log(np.exp(standard).sum(1)) - standard[np.arange(len(logits)), splits.y_valid]
    found = result(job(data, weights="evolved", standardise=True), graph)
    assert found.metrics["valid_loss"] == pytest.approx(losses.mean(), rel=1e-5)


def test_images_are_not_augmented() -> None:
    with pytest.raises(UsageError, match="job=neurons changes no images; set dataset.crop, cutout, mixup, randaugment"):
        job(digits(crop=1)).open(Place()).environment()


def test_data_of_another_shape_is_refused(tmp_path: Path) -> None:
    node = read(conf_root() / "dataset/npz.yaml")
    given = {key: value for key, value in node.items() if key != "_target_"}
    np.savez(
        tmp_path / "series.npz", x_train=np.random.default_rng(0).normal(size=(40, 2, 6)), y_train=np.arange(40) % 2
    )
    series = Npz(**{**given, "path": str(tmp_path / "series.npz"), "kind": "classes", "layout": "series"})
    series = replace(series, valid_fraction=0.25, test_fraction=0.25)
    with pytest.raises(UsageError, match="neurons read vectors or images; the task has series 2x6; pass"):
        job(series).open(Place()).environment()
    x = np.arange(20).reshape(10, 2)
    with pytest.raises(UsageError, match="job=neurons tells classes or numbers, not labels; use job=train"):
        job(vectors(tmp_path, x, np.eye(10, 3), "labels"))


def test_a_training_that_is_overdue_stops() -> None:
    bench = job().open(Place(halt=Deadline(-inf, -inf)))
    with pytest.raises(Halted) as error:
        list(bench.evaluate(unit(asked([LINEAR])), RunDirectory(Path())))
    assert error.value.within


@pytest.mark.parametrize("standardise", [False, True])
def test_a_plane_has_the_classes_that_the_network_tells(standardise: bool) -> None:
    """A line: what lies on one side of it is of one class, whatever the inputs are scaled by."""
    made, splits = job(standardise=standardise), POINTS.prepare(0)
    assert isinstance(made, Charting)
    found = made.plane(LINEAR, 20)
    mean, std = (splits.mean, splits.std) if standardise else (np.zeros(2), np.ones(2))
    for row, bands in enumerate(found.bands):
        for column, band in enumerate(bands):
            cell = [
                low + (place + 0.5) / 20 * (high - low) for place, (low, high) in ((column, found.x), (row, found.y))
            ]
            output = ((np.array(cell) - mean) / std) @ np.array([0.5, 0.25]) - 1.0
            assert abs(output) < 1e-5 or (band >= BANDS // 2) == (output > 0)
    assert [sum(point.part == part for point in found.points) for part in ("train", "valid")] == [40, 30]
    assert found.fingerprint == splits.fingerprint


def test_a_plane_needs_two_inputs(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    made = job(dataset=vectors(tmp_path, x, np.arange(40) % 2, "classes"))
    with pytest.raises(UsageError, match="decision regions are drawn of two inputs"):
        made.plane(Neurons(3, 1, ("add",), ((0, 4),), (1.0,)), 5)
