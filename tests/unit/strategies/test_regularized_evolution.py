"""Aging evolution: traces by hand, life spans, the role of failures, and the figures on noisy one-max."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.capabilities import Mutable
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.regularized_evolution import Member, Queue, RegularizedEvolution

SPACE = Bits(100)
Loss = Callable[[int, Genes], float | None]


@dataclass
class History:
    """What a run proposed, and the population after each tell."""

    proposals: list[Proposal[Genes]] = field(default_factory=list)
    populations: list[tuple[int, ...]] = field(default_factory=list)
    losses: list[float | None] = field(default_factory=list)
    state: Queue[Genes] | None = None

    @property
    def parents(self) -> list[tuple[int, ...]]:
        return [proposal.parents for proposal in self.proposals]

    @property
    def operators(self) -> list[str]:
        return [proposal.operator for proposal in self.proposals]


def evolution(population_size: int = 3, sample_size: int = 3, **rest: Any) -> RegularizedEvolution[Genes]:
    return RegularizedEvolution(
        **({"space": SPACE, "population_size": population_size, "sample_size": sample_size} | rest)
    )


def run(strategy: RegularizedEvolution[Genes], n_steps: int, loss: Loss, seed: int = 0, window: int = 1) -> History:
    """Asks and tells under the window rule: before step s, the results up to s - window have been told."""
    history, pending, state = History(), deque[int](), strategy.init(stream(seed, "init"))
    for step in range(n_steps):
        if len(pending) == window:
            told = pending.popleft()
            value = history.losses[told]
            evaluation = Evaluation(told, history.proposals[told].genome, None if value is None else (value, 99.0))
            state = strategy.tell(state, [evaluation], stream(seed, "tell", told))
            history.populations.append(strategy.population(state))
        [proposal], state = strategy.ask(state, stream(seed, "ask", step))
        history.proposals.append(proposal)
        history.losses.append(loss(step, proposal.genome))
        pending.append(step)
    history.state = state
    return history


def one_max(strategy: RegularizedEvolution[Genes], seed: int, noise: float, window: int = 1) -> float:
    """True fitness of the genome with the best observed fitness after 1,000 evaluations."""

    def loss(id: int, genome: Genes) -> float:
        return -min(1.0, max(0.0, SPACE.score(genome) + stream(seed, "noise", id).gauss(0, noise)))

    history = run(strategy, 1_000, loss, seed, window)
    best = min(range(1_000), key=lambda id: history.losses[id] or 0.0)
    return SPACE.score(history.proposals[best].genome)


def fixed(*losses: float | None) -> Loss:
    return lambda id, genome: losses[id]


def test_queue_and_parents_by_hand() -> None:
    """P = S = 3 without replacement: the parent is the best of the queue. Candidate 4 dies though nobody is better."""
    losses = fixed(0.5, 0.2, 0.9, 0.4, 0.1, 0.6, 0.7, 0.8, 0.9)
    history = run(evolution(replacement=False), 9, losses)
    assert history.populations == [(0,), (0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 6), (5, 6, 7)]
    assert history.parents == [(), (), (), (1,), (1,), (4,), (4,), (4,), (5,)]
    assert history.operators == ["sample"] * 3 + ["mutation"] * 6


def test_queue_without_aging_by_hand() -> None:
    """The same losses when the worst leaves: newcomers that are worse than everyone leave at once."""
    losses = fixed(0.5, 0.2, 0.9, 0.4, 0.1, 0.6, 0.7, 0.8, 0.9)
    history = run(evolution(replacement=False, remove="worst"), 9, losses)
    assert history.populations == [(0,), (0, 1), (0, 1, 2), (0, 1, 3)] + [(1, 3, 4)] * 4
    assert history.parents == [(), (), (), (1,), (1,), (4,), (4,), (4,), (4,)]


def test_failures_age_but_are_no_parents_by_hand() -> None:
    losses = fixed(0.5, None, 0.9, None, None, None, 0.3, 0.8, 0.2)
    history = run(evolution(replacement=False), 9, losses)
    assert history.populations[3:] == [(1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 6), (5, 6, 7)]
    assert history.parents == [(), (), (), (0,), (2,), (2,), (), (6,), (6,)]
    assert history.operators[6] == "sample"  # 3, 4 and 5 have failed: nobody can be a parent


def test_failures_leave_first_where_the_worst_is_removed() -> None:
    history = run(evolution(replacement=False, remove="worst"), 6, fixed(0.5, None, 0.9, 0.95, None, 0.1))
    assert history.populations[2:] == [(0, 1, 2), (0, 2, 3), (0, 2, 3)]


def test_ties_for_the_worst_are_broken_by_the_stream() -> None:
    strategy = evolution(population_size=2, remove="worst")
    for loss in (None, 0.5):
        members = tuple(Member(id, SPACE.sample(Random(id)), loss) for id in (0, 1))
        newcomer = [Evaluation(2, SPACE.sample(Random(2)), None if loss is None else (loss,))]
        left = Counter(strategy.tell(Queue(2, members), newcomer, Random(seed)).members for seed in range(600))
        assert len(left) == 3
        assert all(140 < count < 260 for count in left.values())


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("window", [1, 4])
def test_nobody_lives_longer_than_the_population_size(window: int, replacement: bool) -> None:
    strategy = evolution(5, 3, replacement=replacement)
    history = run(strategy, 60, lambda id, genome: -SPACE.score(genome), window=window)
    assert history.populations == [tuple(range(max(0, told - 4), told + 1)) for told in range(61 - window - 1)]
    for step, parents in enumerate(history.parents):
        if step >= 5:
            assert all(step - window - 5 < parent <= step - window for parent in parents)


def test_window_draws_among_those_told_and_samples_while_there_is_none() -> None:
    history = run(evolution(2, 2), 8, fixed(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), window=4)
    assert history.operators == ["sample"] * 4 + ["mutation"] * 4
    assert history.parents[4] == (0,)  # the only one told
    assert set(history.parents[5]) <= {0, 1}
    without = run(evolution(3, 3, replacement=False), 5, fixed(0.1, 0.2, 0.3, 0.4, 0.5), window=2)
    assert without.parents == [(), (), (), (0,), (0,)]  # two told: the tournament is between those two


def test_failures_in_a_window_before_anything_worked_lead_to_samples() -> None:
    assert set(run(evolution(2, 2), 10, lambda id, genome: None, window=3).operators) == {"sample"}


def test_sample_of_one_ignores_fitness() -> None:
    strategy, members = evolution(10, 1), tuple(Member(id, SPACE.sample(Random(id)), float(id)) for id in range(10))
    draws = Counter(strategy.ask(Queue(10, members), Random(seed))[0][0].parents[0] for seed in range(5_000))
    assert all(400 < draws[id] < 600 for id in range(10))


@pytest.mark.parametrize(("replacement", "p_best"), [(True, 1 - 0.9**3), (False, 0.3)])
def test_the_best_is_parent_as_often_as_it_is_drawn(replacement: bool, p_best: float) -> None:
    strategy = evolution(10, 3, replacement=replacement)
    members = tuple(Member(id, SPACE.sample(Random(id)), float(id)) for id in range(10))
    wins = sum(strategy.ask(Queue(10, members), Random(seed))[0][0].parents == (0,) for seed in range(5_000))
    assert abs(wins / 5_000 - p_best) < 4 * (p_best * (1 - p_best) / 5_000) ** 0.5


class Still(Bits):
    """A space whose only mutation is identity."""

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        return genome


def test_a_child_equal_to_its_parent_is_marked() -> None:
    history = run(evolution(space=Still(4)), 5, fixed(1.0, 2.0, 3.0, 4.0, 5.0))
    assert history.operators == ["sample"] * 3 + ["identity"] * 2


def test_one_max_gives_the_known_figure_far_above_random() -> None:
    """0.889 over 30 seeds, sd 0.020; random search has 0.658. The mean of 8 is within four standard errors."""
    assert abs(fmean(one_max(evolution(100, 10), seed, 0.01) for seed in range(8)) - 0.889) < 0.028


def test_aging_beats_keeping_the_elite_under_noise() -> None:
    """0.709 against 0.660 over 100 seeds at noise 0.05, sd 0.038; means of 12 are within four standard errors."""
    aging = fmean(one_max(evolution(100, 10), seed, 0.05) for seed in range(12))
    elite = fmean(one_max(evolution(100, 10, remove="worst"), seed, 0.05) for seed in range(12))
    assert aging - elite > 0.02
    assert abs(aging - 0.709) < 0.044
    assert abs(elite - 0.660) < 0.044


def test_state_survives_the_codec() -> None:
    strategy = evolution(4, 2)
    state = run(strategy, 9, fixed(*[0.5, None, 0.25] * 3)).state
    written = encode(state_hint(strategy), state, SPACE.to_json)
    assert decode(state_hint(strategy), written, SPACE.from_json) == state


def test_conforms() -> None:
    strategy = evolution(7)
    assert isinstance(strategy, Strategy)
    assert strategy.demands.space == (Mutable,)
    assert strategy.least_evaluations == 7


@pytest.mark.parametrize(
    ("key", "value", "others"),
    [
        ("population_size", 1, {}),
        ("population_size", 10.0, {}),
        ("population_size", "10", {}),
        ("sample_size", 0, {}),
        ("sample_size", None, {}),
        ("sample_size", 11, {"replacement": False}),
        ("replacement", "yes", {}),
        ("remove", "youngest", {}),
    ],
)
def test_bad_settings_are_refused(key: str, value: object, others: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"^strategy\.{key} must be .*; it is {value!r}$"):
        evolution(**({"population_size": 10, "sample_size": 3} | others | {key: value}))  # type: ignore[arg-type]


def test_a_sample_larger_than_the_population_is_allowed_with_replacement() -> None:
    assert evolution(10, 11).sample_size == 11


def test_a_tournament_larger_than_the_population_warns(caplog):
    RegularizedEvolution(space=Bits(4), population_size=3, sample_size=5)
    assert "sample_size=5 exceeds population_size=3" in caplog.text
