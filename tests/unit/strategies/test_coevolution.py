"""Coevolution of sequences and settings: who meets whom, what a loss is, the bound on lengths, what ends a search."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Evaluation, Failure, Objective, Proposal, Result
from evonas_cli.spaces.sequences import Composition, Sequences
from evonas_cli.strategies.coevolution import Coevolution, Generation, Member, SequenceCoevolution

PLAIN = {"gains": [1.0], "target_gains": [1.0] * 3}
Loss = Callable[[Composition], float | None]


def played(
    strategy: Any, budget: int, loss: Loss | None = None, seed: int = 0, window: int = 1
) -> tuple[Fold[Any], list[Proposal[Any]]]:
    """The fold at its end, and all proposals."""
    space: Any = strategy.space
    judge = loss or (lambda genome: 1 - space.score(genome))
    fold: Fold[Any] = Fold(strategy, [Objective("loss", "min")], seed, window, Budget(evaluations=budget))
    asked: list[Proposal[Any]] = []
    while fold.wants_ask():
        for candidate in fold.ask():
            asked.append(candidate.proposal)
            found = judge(candidate.proposal.genome)
            failed = Result(candidate.id, "failed", {}, None, Failure("error", "no"))
            fold.add(candidate, failed if found is None else Result(candidate.id, "ok", {"loss": found}))
        while fold.ready() and (fold.position.asked - fold.told >= window or not fold.wants_ask()):
            fold.tell()
    return fold, asked


def test_it_finds_the_enumerated_optimum_within_a_quarter_of_the_sequences() -> None:
    """1,554 sequences; the search ends by itself, as epsilon is reached, before the budget of 388."""
    for seed in range(5):
        strategy = SequenceCoevolution(space=Sequences(**PLAIN), epsilon=1e-6)
        fold, asked = played(strategy, 388, seed=seed)
        assert fold.finished and len(asked) < 388
        figures = strategy.figures(fold.state)
        assert figures["reached"] is True and figures["least_loss"] == 0


def test_without_epsilon_the_budget_ends_it() -> None:
    strategy = SequenceCoevolution(space=Sequences(**PLAIN))
    fold, asked = played(strategy, 500)
    assert not fold.finished and len(asked) >= 500
    assert strategy.figures(fold.state)["reached"] is False
    hard = SequenceCoevolution(space=Sequences(components=["tanh", "negate"], **PLAIN), epsilon=1e-6)
    assert not hard.figures(played(hard, 32)[0].state)["reached"]


def test_no_genome_is_evaluated_twice_and_what_is_used_up_ends_the_search() -> None:
    """Two components in up to two places are six sequences."""
    strategy = SequenceCoevolution(space=Sequences(components=["sin", "add"], max_length=2, **PLAIN))
    fold, asked = played(strategy, 60)
    assert fold.finished and len({p.genome for p in asked}) == len(asked) == 6
    assert strategy.figures(fold.state)["reached"] is False


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 3))
def test_no_sequence_exceeds_the_bound(seed: int, most: int, window: int) -> None:
    _, asked = played(SequenceCoevolution(space=Sequences(max_length=most)), 150, seed=seed, window=window)
    assert max(len(p.genome.sequence) for p in asked) == most
    assert min(len(p.genome.sequence) for p in asked) == 1


def test_every_sequence_meets_the_best_setting_and_others_and_every_setting_a_sequence() -> None:
    strategy = SequenceCoevolution(space=Sequences(), partners=3, sequence_population=8, setting_population=6)
    fold, _ = played(strategy, 60)
    best = fold.state.judged.settings[0]
    _, state = strategy.ask(fold.state, Random(0))
    generation = state.pending[-1]
    assert generation.settings[0].genes == best.genes
    for place in range(8):
        met = [setting for sequence, setting in generation.pairs if sequence == place]
        assert len(met) == len(set(met)) == 3 and met[0] == 0
    assert {setting for _, setting in generation.pairs} == set(range(6))


def test_a_loss_is_the_mean_over_the_pairs_that_did_not_fail() -> None:
    strategy = SequenceCoevolution(space=Sequences(), sequence_population=2, setting_population=2)
    members = [Member(("sin",)), Member(("add",))]
    gains = [Member((1.0,) * 6), Member((2.0,) * 6)]
    generation = Generation(tuple(members), tuple(gains), ((0, 0), (0, 1), (1, 0), (1, 1)))
    losses = {0: 0.4, 1: 0.2, 2: None, 3: 0.6}
    told = [
        Evaluation(id, strategy.space.compose(members[id // 2].genes, gains[id % 2].genes), None if x is None else (x,))
        for id, x in losses.items()
    ]
    judged = strategy.tell(Coevolution(pending=(generation,)), told, Random(0)).judged
    assert [(m.genes, m.best) for m in judged.sequences] == [(("sin",), 1), (("add",), 3)]
    assert [m.loss for m in judged.sequences] == pytest.approx([0.3, 0.6])
    assert [m.loss for m in judged.settings] == pytest.approx([0.4, 0.4])
    assert [m.best for m in judged.settings] == [0, 1]


def test_what_always_fails_is_no_parent() -> None:
    """Sequences with sin fail; later ones that have it are mutants of others."""
    strategy = SequenceCoevolution(space=Sequences(), mutation_probability=0.0)
    loss: Loss = lambda genome: None if "sin" in genome.sequence else float(len(genome.sequence))  # noqa: E731
    fold, asked = played(strategy, 400, loss)
    failed = {id for id, p in enumerate(asked) if "sin" in p.genome.sequence}
    assert failed and not failed & {parent for p in asked for parent in p.parents}
    assert not any("sin" in p.genome.sequence for p in asked[100:])
    assert all(asked[id].genome.sequence for id in strategy.population(fold.state))


def test_settings_evolve_beside_the_sequences() -> None:
    """The loss counts gains other than 2, and components that are missing: settings of nothing but 2 are the best."""
    strategy = SequenceCoevolution(space=Sequences(components=["sin", "add", "tanh"], max_length=5))
    loss: Loss = lambda genome: 3.0 - sum(gain == 2 for _, gain in genome.gains)  # noqa: E731
    fold, _ = played(strategy, 400, loss)
    assert fold.state.judged.settings[0].genes == (2.0, 2.0, 2.0)
    assert set(fold.state.judged.sequences[0].genes) == {"sin", "add", "tanh"}


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"epsilon": -1e-9}, r"strategy.epsilon must be a number in \[0, inf\) or null"),
        ({"sequence_population": 1}, "strategy.sequence_population must be a whole number of at least 2"),
        ({"setting_population": 1}, "strategy.setting_population must be"),
        ({"elitism": 16}, "strategy.elitism=16 is not below strategy.sequence_population=16"),
        ({"partners": 1}, "strategy.partners must be a whole number of at least 2"),
        ({"partners": 17}, "strategy.partners=17 is more than strategy.setting_population=16"),
        ({"tournament_size": 0}, "strategy.tournament_size must be"),
        ({"crossover_probability": 1.1}, "strategy.crossover_probability must be"),
        ({"mutation_probability": -0.1}, "strategy.mutation_probability must be"),
    ],
)
def test_settings_that_are_refused(refused: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SequenceCoevolution(space=Sequences(), **refused)
