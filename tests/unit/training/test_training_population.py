"""Members of a population train as they would alone, whatever becomes of the others."""

from __future__ import annotations

import pytest
import torch
from quadrants import SEED, Interrupted, InterruptedAfter, fit_all, network, resident, source, trainer, without_times

from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import CHECKPOINT, KEPT, Checkpoint
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.loop import Member

SETTINGS = [
    {"learning_rate": 0.02, "momentum": 0.9, "weight_decay": 5e-4},
    {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0, "schedule": "step", "gamma": 0.5, "step_size": 1},
    {"learning_rate": 0.01, "momentum": 0.0, "nesterov": True, "weight_decay": 0.01, "warmup": 1.0},
]


def settings(index: int, name: str = "sgd", **changes):
    chosen = {**SETTINGS[index], **changes}
    if chosen["momentum"] == 0:
        chosen["momentum"] = 0.1
    return trainer(name, **chosen)


def together(indices, epochs=4, width=None, name="sgd", checkpoints=None, places=None, **changes):
    places, checkpoints = places or range(len(indices)), checkpoints or [Checkpoint() for _ in indices]
    members, networks = [], [network(seed=77)] * (width or len(indices))
    for order, (i, place, checkpoint) in enumerate(zip(indices, places, checkpoints, strict=True)):
        own = epochs if isinstance(epochs, int) else epochs[order]
        members.append(Member(settings(i, name, **changes), own, checkpoint, place))
        networks[place] = network(seed=i)
    population = Population(networks)
    return population, fit_all(population, members, resident(), SEED)


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_stack_trains_as_its_members_do_alone(name):
    population, outcomes = together((0, 1, 2), epochs=1, name=name)
    x = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    scores = population.eval()(x)
    for index in range(3):
        alone, (outcome,) = together((index,), epochs=1, name=name)
        expected = alone.eval()(x)[0]
        assert ((scores[index] - expected).norm() / expected.norm()).item() < 1e-4
        assert outcome["valid_accuracy"] == pytest.approx(outcomes[index]["valid_accuracy"], abs=0.03)
        assert outcome["train_loss"] == pytest.approx(outcomes[index]["train_loss"], rel=1e-4)


def test_bits_do_not_depend_on_neighbours():
    population, outcomes = together((0, 1, 2))
    for left in ((1,), (2, 0)):
        partly, found = together(left, width=3, places=left)
        for outcome, index in zip(found, left, strict=True):
            assert without_times(outcome) == without_times(outcomes[index])
            assert same(partly.member(index), population.member(index))


def test_a_member_that_diverges_is_alone_with_it():
    members = [Member(settings(i, learning_rate=1e30 if i == 1 else 0.02), 3, Checkpoint(), i) for i in range(3)]
    networks = [network(seed=i) for i in range(3)]
    outcomes = fit_all(Population(networks), members, resident(), SEED)
    calm = [Member(settings(i, learning_rate=0.02), 3, Checkpoint(), i) for i in range(3)]
    expected = fit_all(Population([network(seed=i) for i in range(3)]), calm, resident(), SEED)
    assert isinstance(outcomes[1], Diverged) and "after epoch 1 of 3" in str(outcomes[1])
    for index in (0, 2):
        assert without_times(outcomes[index]) == without_times(expected[index])


def test_members_end_at_their_own_epochs():
    population, outcomes = together((0, 1, 2), epochs=(1, 4, 2))
    for place, epochs in enumerate((1, 4, 2)):
        whole, expected = together((0, 1, 2), epochs=epochs)
        assert outcomes[place]["epochs"] == epochs
        assert without_times(outcomes[place]) == without_times(expected[place])
        assert same(population.member(place), whole.member(place))


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("last", [1, 3])
def test_an_interrupted_stack_resumes_bit_for_bit(tmp_path, name, last):
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    _, expected = together((0, 1, 2), name=name)
    doomed = [Checkpoint(folders[0], 0), InterruptedAfter(last, folders[1]), Checkpoint(folders[2], 0)]
    with pytest.raises(Interrupted):
        together((0, 1, 2), name=name, checkpoints=doomed)
    assert (folders[0] / CHECKPOINT).exists() and (folders[2] / CHECKPOINT).exists() == (last > 1)
    _, found = together((0, 1, 2), name=name, checkpoints=[Checkpoint(folder, 0) for folder in folders])
    assert [without_times(outcome) for outcome in found] == [without_times(outcome) for outcome in expected]
    assert not any(list(folder.iterdir()) for folder in folders)


def test_survivors_are_stacked_again_and_go_on(tmp_path):
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    constant = {"schedule": "constant", "warmup": 0.0}
    together((0, 1, 2), epochs=2, checkpoints=[Checkpoint(folder, None, keep=True) for folder in folders], **constant)
    assert all([path.name for path in folder.iterdir()] == [KEPT] for folder in folders)
    heirs = [Checkpoint(source=source(folders[i])) for i in (2, 0)]
    _, found = together((2, 0), width=3, checkpoints=heirs, places=(2, 0), **constant)
    _, expected = together((0, 1, 2), **constant)
    for place, index in enumerate((2, 0)):
        assert found[place]["valid_loss"] == expected[index]["valid_loss"]
        assert found[place]["passes"] == expected[index]["passes"] / 2
