"""How a budget of time is divided among the steps of an auto, and how many seeds fit at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor

SEARCH, TUNE_NAIVE, TUNE_EVOLVED = "2-search", "3-tune-naive", "4-tune-evolved"
NAIVE = "1-naive"
FINALS = ("5-final-naive", "6-final-naive-tuned", "7-final-evolved", "8-final-evolved-tuned")
"""The trainings of each network on training and validation part, of which the test figures are."""
STEPS = (NAIVE, SEARCH, TUNE_NAIVE, TUNE_EVOLVED, *FINALS)
SHARES: Mapping[str, float] = {SEARCH: 0.45, TUNE_NAIVE: 0.15, TUNE_EVOLVED: 0.15, **dict.fromkeys(FINALS, 0.0625)}
"""Shares of what is left after the plain network was trained. Both networks are tuned for equally long."""

START = 8.0
"""Seconds that starting worker processes takes a step, until that has been measured."""
LARGEST_EXPORT = 0.2
"""Largest share of the budget that is kept for the export and the report."""
RESERVE = 0.03
"""Share of the budget that is kept for what is between the steps."""
LEAST = 0.2
WANTED, SLOWER = 24, 3.0
"""Trainings that should fit into the share of the search, each of which takes SLOWER times as long as one of the plain
network. Where they do not fit, epochs are cut, and the search refuses large networks."""
UPDATES, FEW_EPOCHS, MOST_EPOCHS = 2000, 8, 60
"""Updates of the weights that a training should make, within these numbers of epochs."""
LEAST_UPDATES, LEAST_EPOCHS = 300, 3
"""Updates and epochs below which epochs are not cut to make place for more trainings."""
VALID, LARGEST_VALID = 500, 0.3
"""Examples that a validation part should have, at most that share of the examples which are not for the test: the end
of an auto trains on them, too."""
MOST_TUNINGS = 100
"""Trainings after which a tuning ends, however much time is left: Bayesian optimisation has a model to fit for each."""
MOST_SEEDS = 10
POPULATION = 4
"""Individuals of the smallest population, all of which should be trained within the search."""
SLACK = 1.3
"""How many times longer than foreseen the final trainings may take before the number of seeds was too large."""
PATIENCE = 2.0
"""How many times longer than foreseen one final training may take before it is cut, however late it is: a network
without a test figure has cost the budget for nothing."""


def seconds_for(step: str, left: float, start: float) -> float:
    """The seconds that a step may train, where `left` are left for it and all later ones, each of which takes `start`
    seconds to begin: `seconds_for("2-search", 100.0, 0.0)` is 45.

    Starts that would take nearly everything leave a share of LEAST for training, and the budget is not held.
    """
    later = [name for name in SHARES if STEPS.index(name) >= STEPS.index(step)]
    training = max(LEAST * left, left - start * len(later), 1.0)
    return training * SHARES[step] / sum(SHARES[name] for name in later)


def available(budget: float, export: float) -> float:
    """Seconds of a budget that the steps may use, where export and report take `export`: of 100 and 8 these are 89."""
    return budget * (1 - RESERVE) - min(export, LARGEST_EXPORT * budget)


def least_seconds(training: float, growth: float, slots: int, start: float) -> float:
    """The least time in which each step ends what it has to: one training of the plain network, a population of four of
    the search, two trainings of each tuning, and one seed of each of four networks, which sees `growth` times as many
    examples."""
    return training * _least_trainings(growth, slots) + start * len(STEPS)


def _least_trainings(growth: float, slots: int) -> float:
    finals = len(FINALS) * SLACK * growth / sum(SHARES[name] for name in FINALS)
    return 1 + max(POPULATION / (SHARES[SEARCH] * slots), 2 / (SHARES[TUNE_NAIVE] * slots), finals)


def budget_for(steps: float, export: float) -> float:
    """The least budget of which so many seconds are available for the steps: the inverse of `available`."""
    return min(steps / (1 - RESERVE - LARGEST_EXPORT), (steps + export) / (1 - RESERVE))


def epochs_for(left: float, epoch: float, batches: int, slots: int, growth: float, start: float) -> int:
    """Epochs of a training, of `epoch` seconds each: enough for UPDATES updates of `batches` an epoch, and so few that
    WANTED trainings fit into the search's share of what is left. Below LEAST_EPOCHS and LEAST_UPDATES they are as many
    as the steps can do with."""
    wanted = min(MOST_EPOCHS, max(FEW_EPOCHS, ceil(UPDATES / max(1, batches))))
    least = min(wanted, max(LEAST_EPOCHS, ceil(LEAST_UPDATES / max(1, batches))))
    fitting = floor(left * SHARES[SEARCH] * slots / (WANTED * SLOWER * epoch))
    bare = floor((left - start * len(STEPS)) / (epoch * _least_trainings(growth, slots)))
    return max(1, min(wanted, max(fitting, min(least, bare))))


def valid_fraction_for(examples: int) -> float:
    """The share for validation of so many examples that are not for the test: `valid_fraction_for(1000)` is 0.3."""
    return round(min(LARGEST_VALID, VALID / examples), 4)


def trainings_for(seconds: float, naive: float, slots: int) -> float:
    """How many trainings a search of so many seconds has, where one of the plain network takes `naive` seconds."""
    return seconds * slots / (SLOWER * naive)


def population_for(trainings: float) -> int:
    """Individuals of a generation: so many that about four generations or more are evaluated, from 4 to 12."""
    return min(12, max(POPULATION, int(trainings // 4)))


def samples_for(trainings: float) -> int:
    """Samples with which Bayesian optimisation begins: a third of the trainings, from 2 to 10."""
    return min(10, max(2, int(trainings // 3)))


def most_training(left: float, naive: float) -> float:
    """The longest training of a found network with which each network, untuned and tuned, can be trained once at the
    end, where `left` seconds are left for the search and later steps and the plain network takes `naive`."""
    finals = left * sum(SHARES[name] for name in FINALS)
    return finals / 2 - naive


def largest_network(seconds: float, naive: float, most: float) -> float | None:
    """How many times the arithmetic of the plain network one of a search of `seconds` on all slots may need, None: any.

    There is a limit only where fewer than WANTED trainings fit into the search, and one of the plain network takes
    `naive` seconds. Then a training of average speed takes a share of it that leaves time for a population, and at most
    `most` seconds.
    """
    if trainings_for(seconds, naive, 1) >= WANTED:
        return None
    return max(1.0, min(most, seconds / POPULATION) / naive)


def seeds_for(left: float, trainings: Sequence[float], start: float, slots: int) -> int:
    """How often each network is trained at the end, where one training of each takes the given seconds and `slots` of
    them run at once; at least once in each slot: `seeds_for(100.0, [5.0, 5.0], 0.0, 2)` is 10, the most there are."""
    each = SLACK * sum(trainings)
    rounds = max(1, floor((left - start * len(trainings)) / max(each, 1e-9)))
    return min(MOST_SEEDS, rounds * slots)
