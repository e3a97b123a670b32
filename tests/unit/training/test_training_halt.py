"""Trainings that are asked to stop: between epochs with a checkpoint, within one without, and how they go on."""

from __future__ import annotations

import pytest
from quadrants import SEED, fit, network, resident, same_bits, small, trainer, without_times

from evonas_cli.core.halting import Halted
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training import loop
from evonas_cli.training.checkpoint import CHECKPOINT, Checkpoint
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.loop import Member

HOUR = 3600


class After:
    """Due when it was asked so often between epochs, overdue when it was asked so often within them."""

    def __init__(self, epochs: int = 1_000_000, steps: int = 1_000_000) -> None:
        self.epochs, self.steps, self.heard = epochs, steps, list[float]()

    def due(self, seconds: float) -> bool:
        self.heard.append(seconds)
        return len(self.heard) > self.epochs

    def overdue(self) -> bool:
        self.steps -= 1
        return self.steps < 0


def halted(population: Population, members: list[Member], halt: After) -> Halted:
    trainers = {member.place: member.trainer for member in members}
    exercise = FeedForward(population, trainers, resident(), SEED, halt=halt)
    with pytest.raises(Halted) as error:
        loop.fit(exercise, members, halt=halt)
    return error.value


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_stops_at_the_end_of_an_epoch_and_goes_on_bit_for_bit(tmp_path, epochs):
    """Though no checkpoint is due by the clock; the loop says how long its last epoch took."""
    settings = trainer(checkpoint_seconds=HOUR)
    whole = small()
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    halt = After(epochs)
    error = halted(small(), [Member(settings, 4, Checkpoint(tmp_path, HOUR))], halt=halt)
    assert not error.within and error.seconds == halt.heard[-1] > 0 and halt.heard[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    resumed = small(seed=99)
    found = fit(resumed, resident(), settings, SEED, 4, Checkpoint(tmp_path, HOUR))
    assert same_bits(whole, resumed) and without_times(found) == without_times(expected)
    assert list(tmp_path.iterdir()) == []


def test_before_its_first_epoch_it_leaves_nothing(tmp_path):
    error = halted(small(), [Member(trainer(), 4, Checkpoint(tmp_path, 0))], After(0))
    assert not error.within and error.seconds == 0 and list(tmp_path.iterdir()) == []


def test_a_training_whose_last_epoch_has_ended_ends(tmp_path):
    settings, halt = trainer(), After(4)
    exercise = FeedForward(small(), {0: settings}, resident(), SEED, halt=halt)
    [outcome] = loop.fit(exercise, [Member(settings, 4, Checkpoint(tmp_path, HOUR))], halt=halt)
    assert without_times(outcome) == without_times(fit(small(), resident(), settings, SEED, 4, Checkpoint()))
    assert list(tmp_path.iterdir()) == []


def test_within_an_epoch_the_last_checkpoint_stands(tmp_path):
    settings = trainer(checkpoint_seconds=0)
    steps = 100 // 16
    whole = small()
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    error = halted(small(), [Member(settings, 4, Checkpoint(tmp_path, 0))], After(steps=2 * steps + 3))
    assert error.within
    resumed = small(seed=99)
    found = fit(resumed, resident(), settings, SEED, 4, Checkpoint(tmp_path, 0))
    assert same_bits(whole, resumed) and without_times(found) == without_times(expected)


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_the_members_of_a_program_stop_together_and_go_on_where_they_were(tmp_path, epochs):
    """The first of them has but two epochs; stopped after the third, it is trained again."""

    def members(folder: str | None) -> list[Member]:
        places = [tmp_path / f"{folder}{place}" for place in range(2)]
        for place in places if folder else ():
            place.mkdir(exist_ok=True)
        return [
            Member(trainer(checkpoint_seconds=HOUR), own, Checkpoint(path, HOUR) if folder else Checkpoint(), place)
            for place, (own, path) in enumerate(zip((2, 4), places, strict=True))
        ]

    def population() -> Population:
        return Population([network(0), network(1)])

    def trained(folder: str | None):
        group = members(folder)
        exercise = FeedForward(population(), {m.place: m.trainer for m in group}, resident(), SEED)
        return [without_times(outcome) for outcome in loop.fit(exercise, group)]

    halted(population(), members("a"), After(epochs))
    assert trained("a") == trained(None)
