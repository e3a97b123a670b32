"""Candidates of one structure are trained together, with the results that they have alone, whatever happens."""

from __future__ import annotations

import logging
import weakref
from math import prod

import pytest
import torch
from benches import bench
from benches import unit as apart
from hypothesis import given, settings
from hypothesis import strategies as st
from training_jobs import Folders, candidate, job, repeatable

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import LOST, Heir, Origin, Unit
from evonas_cli.jobs.stacks import Machine, units, width
from evonas_cli.network.task import Task
from evonas_cli.nn.stacked.population import Population
from evonas_cli.spaces.hyperparameters import Hyperparameters
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.training.candidates import fitting as module
from evonas_cli.training.checkpoint import KEPT

GENES = {
    "learning_rate": {"low": 0.001, "high": 0.5},
    "momentum": {"low": 0.0, "high": 0.9},
    "optimizer": {"options": ["sgd", "adamw"]},
}
SPACE = Hyperparameters(genes=GENES, channels=[4, 6], hidden=16, dropout=0.25)
RATES = (0.02, 0.05, 0.1, 0.01, 0.03)


def asked(count: int = 5, optimizer: str = "sgd"):
    return [candidate(i, (RATES[i % 5], 0.9, optimizer)) for i in range(count)]


def plain(**changes):
    return job(space=SPACE, nesterov=False, **changes)


def divided(what, candidates):
    return what.units(candidates, bench(what).environment())


def evaluated(what, found, root=None):
    results = [result for unit in found for result in bench(what).evaluate(unit, Folders(root))]
    return sorted(results, key=lambda result: result.id)


@settings(max_examples=60, deadline=None)
@given(
    genomes=st.lists(st.tuples(st.sampled_from([0.1, 0.2]), st.just(0.5), st.sampled_from(["sgd", "adamw"]))),
    stack=st.one_of(st.none(), st.integers(1, 7)),
    device=st.sampled_from(["cpu", "cuda"]),
)
def test_units_are_a_partition_into_stacks_of_equals(genomes, stack, device):
    what = plain(stack=stack)
    trainer = what.equipment.trainer
    candidates = [candidate(i, genome) for i, genome in enumerate(genomes)]
    found = units(candidates, SPACE, trainer, Task((1, 8, 8), 10), Machine(device))
    assert sorted(c.id for unit in found for c in unit.candidates) == list(range(len(genomes)))
    for unit in found:
        assert unit.places == tuple(range(len(unit.candidates))) and unit.width == len(unit.candidates)
        assert len({c.proposal.genome[2] for c in unit.candidates}) == 1
        assert stack is None or unit.width <= stack


def test_equal_shares_for_workers():
    assert [unit.width for unit in divided(plain(), asked(10))] == [5, 5]
    assert [unit.width for unit in divided(plain(stack=4), asked(10))] == [2, 3, 2, 3]
    assert [unit.width for unit in divided(plain(stack=1), asked(3))] == [1, 1, 1]
    assert [unit.width for unit in divided(plain(), asked(3))] == [3]


def test_the_first_candidate_of_a_run_is_alone_where_its_network_is_large():
    space = Hyperparameters(genes=GENES, channels=[32, 64], hidden=16)
    there = {**bench(job(space=space, nesterov=False)).environment(), "device_name": "x86_64 AVX512"}
    what = job(space=space, nesterov=False)
    assert [[c.id for c in unit.candidates] for unit in what.units(asked(6), there)] == [[0], [1, 2], [3, 4, 5]]
    assert [unit.width for unit in what.units(asked(7)[1:], there)] == [3, 3], "a later ask has no first result"
    given_width = job(space=space, nesterov=False, stack=6)
    assert [unit.width for unit in given_width.units(asked(6), there)] == [3, 3]


def test_other_structures_stay_alone():
    what = job(space=NasBench201(channels=4, cells_per_stage=1))
    genome = ("nor_conv_3x3", "none", "none", "skip_connect", "none", "nor_conv_1x1")
    other = (*genome[:3], "nor_conv_3x3", *genome[4:])
    found = divided(what, [candidate(0, genome), candidate(1, other), candidate(2, genome)])
    assert [[c.id for c in unit.candidates] for unit in found] == [[0, 2], [1]]


def test_a_stack_measures_what_its_members_measure_alone():
    what = plain()
    results = evaluated(what, divided(what, asked()))
    alone = list(bench(what).evaluate(apart(asked()), Folders()))
    for together, single in zip(results, alone, strict=True):
        assert together.labels["stack"] in {f"{place}/{width}" for width in (2, 3) for place in range(width)}
        assert "stack" not in single.labels
        for name in ("train_loss", "valid_loss"):
            assert together.metrics[name] == pytest.approx(single.metrics[name], rel=2e-3)
        assert together.metrics["cost"] == single.metrics["cost"]


def test_what_is_left_of_a_unit_gives_the_same_bits():
    what = plain()
    unit = Unit(tuple(asked()), 5, tuple(range(5)))
    whole = evaluated(what, [unit])
    part = evaluated(what, [unit.among({1, 4}), unit.among({2})])
    assert [repeatable(result) for result in part] == [repeatable(whole[index]) for index in (1, 2, 4)]


def test_a_candidate_that_cannot_be_built_harms_nobody():
    what = plain(max_parameters=10_000)
    unit = Unit((*asked(2), candidate(2, (float("nan"), 0.9, "sgd"))), 3, (0, 1, 2))
    first, second, third = evaluated(what, [unit])
    assert (first.status, second.status, third.error.kind) == ("ok", "ok", "unbuildable")
    expected = evaluated(what, [Unit(tuple(asked(2)), 3, (0, 1))])
    assert [repeatable(first), repeatable(second)] == [repeatable(result) for result in expected]


def failing(monkeypatch, fails):
    class Failing(Population):
        def forward(self, x):
            fails(self)
            return super().forward(x)

    monkeypatch.setattr(module, "Population", Failing)


def test_memory_that_does_not_suffice_halves_the_stack(monkeypatch, caplog):
    def fails(population):
        if population.width > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    failing(monkeypatch, fails)
    what = plain()
    with caplog.at_level(logging.WARNING):
        results = evaluated(what, [Unit(tuple(asked()), 5, tuple(range(5)))])
    assert [result.status for result in results] == ["ok"] * 5
    assert [result.labels.get("stack") for result in results] == ["0/2", "1/2", None, "0/2", "1/2"]
    assert "5 networks side by side need too much memory" in caplog.text


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), ValueError("out of luck")])
def test_what_has_failed_is_gone_from_memory_when_its_parts_are_tried(monkeypatch, error):
    class Known(Population):
        def __init__(self, *given):
            assert not [left for left in (known() for known in begun) if left is not None]
            super().__init__(*given)
            begun.append(weakref.ref(self))

        def forward(self, x):
            y = super().forward(x)
            if self.width > 1:
                raise type(error)(str(error))
            return y

    begun = []
    monkeypatch.setattr(module, "Population", Known)
    results = evaluated(plain(), [Unit(tuple(asked()), 5, tuple(range(5)))])
    assert [result.status for result in results] == ["ok"] * 5
    assert len(begun) > 5


def test_an_error_finds_its_owner(monkeypatch, caplog, tmp_path):
    what, guilty = plain(), bench(plain())._build(asked()[3], {}).network.state_dict()["layers.1_conv.weight"]

    def fails(population):
        places = population.state_dict()["layers.1_conv.weight"].chunk(population.width)
        if any(torch.equal(place, guilty) for place in places):
            raise ValueError("out of luck")

    failing(monkeypatch, fails)
    with caplog.at_level(logging.WARNING):
        results = evaluated(what, [Unit(tuple(asked()), 5, tuple(range(5)))], tmp_path)
    assert [result.status for result in results] == ["ok", "ok", "ok", "failed", "ok"]
    assert results[3].error.text.endswith(": ValueError: out of luck")
    assert (tmp_path / "3/traceback.txt").exists()
    assert "5 candidates failed together, dividing them: out of luck" in caplog.text


def test_neither_memory_nor_a_neighbours_error_fails_the_others(monkeypatch, tmp_path):
    guilty = bench(plain())._build(asked()[3], {}).network.state_dict()["layers.1_conv.weight"]

    def fails(population):
        places = population.state_dict()["layers.1_conv.weight"].chunk(population.width)
        if any(torch.equal(place, guilty) for place in places):
            raise ValueError("out of luck")
        if population.width > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    failing(monkeypatch, fails)
    results = evaluated(plain(), [Unit(tuple(asked()), 5, tuple(range(5)))], tmp_path)
    assert [result.status for result in results] == ["ok", "ok", "ok", "failed", "ok"]
    assert results[3].error.kind == "error"


def test_what_fails_by_its_width_alone_is_trained_in_a_program_of_its_own(monkeypatch, caplog, tmp_path):
    def fails(population):
        if population.width > 1:
            raise RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED")

    failing(monkeypatch, fails)
    with caplog.at_level(logging.WARNING):
        results = evaluated(plain(), [Unit(tuple(asked(2)), 2, (0, 1))], tmp_path)
    assert [(result.status, "stack" in result.labels) for result in results] == [("ok", False)] * 2
    assert "candidate 1 failed in a program of 2 places, trying it in its own: cuDNN error" in caplog.text
    assert not list(tmp_path.rglob("traceback.txt"))


@pytest.mark.parametrize("stack", [None, 5])
def test_maps_stay_within_what_can_be_indexed(stack, monkeypatch):
    what, task = plain(stack=stack, batch_size=16), Task((1, 8, 8), 10)
    assert width(what.equipment.trainer, SPACE.decode(asked(1)[0].proposal.genome, task).plan, Machine("cuda")) >= 5
    largest = max(prod(shape) for shape in SPACE.decode(asked(1)[0].proposal.genome, task).plan.shapes)
    monkeypatch.setattr("evonas_cli.jobs.stacks.INDEXED", 16 * largest * 3 + 1)
    found = units(asked(), SPACE, what.equipment.trainer, task, Machine("cuda"))
    assert max(unit.width for unit in found) == 3
    monkeypatch.setattr("evonas_cli.jobs.stacks.INDEXED", 16 * largest - 1)
    assert {unit.width for unit in units(asked(), SPACE, what.equipment.trainer, task, Machine("cuda"))} == {1}
    assert max(unit.width for unit in units(asked(), SPACE, what.equipment.trainer, task, Machine("cpu"))) > 1


def test_what_can_be_indexed_depends_on_the_candidates_own_batch(monkeypatch):
    space = Hyperparameters(genes={"batch_size": {"options": [16, 64]}}, channels=[4, 6], hidden=16, dropout=0.25)
    what, task = job(space=space, batch_size=16), Task((1, 8, 8), 10)
    candidates = [candidate(i, (64,)) for i in range(6)]
    largest = max(prod(shape) for shape in space.decode((64,), task).plan.shapes)
    monkeypatch.setattr("evonas_cli.jobs.stacks.INDEXED", 64 * largest * 2)
    assert [unit.width for unit in units(candidates, space, what.equipment.trainer, task, Machine("cuda"))] == [
        1,
        2,
        1,
        2,
    ]


def test_the_machines_errors_are_nobodys(monkeypatch):
    def fails(population):
        raise OSError(28, "No space left on device")

    failing(monkeypatch, fails)
    with pytest.raises(EnvironmentFailure, match="candidates 0, 1, 2, 3, 4 stopped: .*No space left"):
        evaluated(plain(), [Unit(tuple(asked()), 5, tuple(range(5)))])


@given(st.integers(2, 9), st.data())
def test_units_are_divided_without_loss(width, data):
    places = sorted(data.draw(st.sets(st.integers(0, width - 1), min_size=1)))
    unit = Unit(tuple(candidate(i) for i in places), width, tuple(places))
    for parts in (unit.bisected(), unit.narrowed()):
        assert [c.id for part in parts for c in part.candidates] == places
        assert all(0 <= place < part.width for part in parts for place in part.places)
    assert all(part.width < width for part in unit.narrowed())
    assert all(part.width == width for part in unit.bisected())


def test_who_continues_lost_weights_is_left_out_of_a_stack(tmp_path):
    what = plain(epochs=2, save_state=True)
    (unit,) = divided(what, asked(3))
    parents = evaluated(what, [unit], tmp_path)
    assert len({result.labels["state"] for result in parents}) == 3

    def heirs():
        children = [candidate(3 + c.id, c.proposal.genome, continues=c.id) for c in unit.candidates]
        told = [Origin(1000 + i, 2, result.labels["state"]) for i, result in enumerate(parents)]
        rows = zip(children, told, strict=True)
        return tuple(Heir(c.id, c.step, c.seed, c.proposal, origin) for c, origin in rows)

    follow = Unit(heirs(), 3, (0, 1, 2))
    whole = evaluated(what, [follow], tmp_path)
    (tmp_path / "1" / KEPT).unlink()
    left = evaluated(what, [follow], tmp_path)
    assert [result.error and result.error.kind for result in left] == [None, LOST, None]
    assert "1/state.pt is missing" in left[1].error.text
    assert [repeatable(left[i]) for i in (0, 2)] == [repeatable(whole[i]) for i in (0, 2)]
    (again,) = evaluated(what, [unit.among({1})], tmp_path)
    assert repeatable(again) == repeatable(parents[1])
    assert repeatable(evaluated(what, [follow.among({4})], tmp_path)[0]) == repeatable(whole[1])
