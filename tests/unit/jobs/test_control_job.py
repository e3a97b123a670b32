"""The control job: its metrics, its failures, and how it divides an ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from benches import bench, unit
from neural_space import Graphs

from evonas_cli.core.evaluating import Job, Stacking, Static
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.jobs.control import WIDEST, Control
from evonas_cli.network.neurons import Neurons
from evonas_cli.store.directory import RunDirectory

pytest.importorskip("gymnasium", reason="needs gymnasium: pip install 'evonas[control]'")

LEANING = Neurons(4, 2, ("add", "add"), ((2, 6), (3, 6)), (1.0, 1.0))
"""Pushes to where the pole falls."""
IDLE = Neurons(4, 2, ("add", "add"), (), ())


def job(**changes: Any) -> Control:
    given = {"environment": "CartPole-v1", "episodes": 3, "steps": 50, "threshold": None, **changes}
    return Control(space=Graphs(4, 2), seed=0, device="auto", deterministic=True, threads=1, **given)


def results(made: Control, graphs: Sequence[Any]) -> list[Result]:
    candidates = [Candidate(id, 0, 9 + id, Proposal(graph)) for id, graph in enumerate(graphs)]
    return sorted(bench(made).evaluate(unit(candidates), RunDirectory(Path())), key=lambda result: result.id)


def test_it_has_the_capabilities_of_its_kind() -> None:
    for capability in (Job, Static, Stacking, Placed):
        assert isinstance(job(), capability)


def test_policies_are_described_by_what_they_bring_about() -> None:
    mean_last, mean_seen = (results(job(descriptor=name, threshold=100), [LEANING, IDLE]) for name in ("end", "seen"))
    for leaning, idle in (mean_last, mean_seen):
        assert len(leaning.descriptor) == len(idle.descriptor) == 5 and leaning.descriptor != idle.descriptor
        assert leaning.descriptor[-1] == 0.5 and idle.descriptor[-1] == idle.metrics["return"] / 100
        assert abs(leaning.descriptor[2]) < 0.21, "the pole of a policy that stands to the end has not fallen"
    assert abs(mean_last[1].descriptor[2]) > 0.1, "the pole of the idle policy has fallen on average"
    [alone] = results(job(descriptor="end", threshold=100), [LEANING])
    assert alone.descriptor == mean_last[0].descriptor, "the neighbours change nothing"
    [plain] = results(job(threshold=100), [LEANING])
    assert plain.descriptor == () and plain.metrics == alone.metrics and job().descriptor == ()
    assert job(descriptor="seen").descriptor == ("mean observation", "return")


def test_return_solved_and_cost() -> None:
    leaning, idle = results(job(threshold=50), [LEANING, IDLE])
    assert leaning.metrics == {"return": 50.0, "solved": 1.0, "links": 2.0, "hidden": 0.0, "cost": 150.0}
    assert 8 <= idle.metrics["return"] <= 11 and idle.metrics["solved"] == 0
    assert idle.metrics["cost"] == pytest.approx(3 * idle.metrics["return"])
    [own] = results(job(), [LEANING])
    assert own.metrics["solved"] == 0, "the environment's own threshold is 475"


def test_a_genome_without_a_fitting_graph_fails_alone() -> None:
    good, other, again = results(job(), [LEANING, Neurons(2, 1, ("add",), (), ()), LEANING])
    assert other.status == "failed" and other.error is not None and other.error.kind == "unbuildable"
    assert good.metrics == again.metrics and good.status == "ok"


def test_outputs_that_are_no_numbers_are_divergence() -> None:
    wild = Neurons(4, 2, ("add", "add", "add"), ((4, 5), (5, 6), (5, 7)), (3e38, 1e30, -1e30))
    lost = Neurons(4, 2, ("add", "add", "add", "add"), ((4, 5), (5, 6), (5, 7), (6, 7)), (3e38, 1e30, -1e30, 1.0))
    sound, failed = results(job(), [wild, lost])
    assert sound.status == "ok", "an output may be infinite"
    assert failed.status == "failed" and failed.error is not None
    assert (failed.error.kind, failed.error.text) == ("diverged", "an output is no number at step 1 of episode 1")


def test_sizes_are_known_before_an_episode() -> None:
    made = job()
    environment = bench(made).environment()
    assert made.static_metrics(LEANING, environment) == {"links": 2.0, "hidden": 0.0}
    assert made.static_metrics(Neurons(2, 1, ("add",), (), ()), environment) is None
    assert environment["task"] == {"inputs": [4], "outputs": 2, "kind": "numbers", "vocabulary": 0}


def test_an_ask_is_divided_for_two_cores_and_by_width() -> None:
    made = job()
    asked = [Candidate(id, 0, id, Proposal(IDLE)) for id in range(2 * WIDEST + 1)]
    sizes = [len(one.candidates) for one in made.units(asked, {})]
    assert sum(sizes) == len(asked) and max(sizes) <= WIDEST
    assert [len(one.candidates) for one in made.units(asked[:4], {})] == [2, 2]
