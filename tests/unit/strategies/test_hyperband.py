"""Hyperband: the paper's table, who is promoted, and what the proposer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import build
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Candidate, Evaluation, Objective, Proposal, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.hyperband import Hyperband
from evonas_cli.strategies.random import RandomSearch

SPACE: Any = Bits(12)
OBJECTIVES = (Objective("loss", "min"),)


def hyperband(**settings: Any) -> Hyperband[Any]:
    return Hyperband(space=SPACE, **{"proposer": RandomSearch(space=SPACE), **settings})


def run(
    strategy: Any, evaluations: int, window: int = 1, objectives: Sequence[Objective] = OBJECTIVES
) -> list[tuple[Candidate[Any], Result]]:
    """All candidates with their results: the loss is the candidate's number of ones, the size that of zeros."""
    fold: Fold[Any] = Fold(strategy, objectives, 3, window, Budget(evaluations=evaluations))
    found = []
    while fold.wants_ask():
        for candidate in fold.ask():
            ones = sum(candidate.proposal.genome)
            result = Result(candidate.id, "ok", {"loss": ones + 0.001 * candidate.id, "size": 12.0 - ones})
            fold.add(candidate, result)
            found.append((candidate, result))
        while fold.ready():
            fold.tell()
    return found


def test_the_brackets_are_those_of_the_papers_table_1() -> None:
    shapes = hyperband(reduction=3, least_fidelity=1 / 81)._shapes
    seats = [[rung.seats for rung in shape] for shape in shapes]
    assert seats == [[81, 27, 9, 3, 1], [34, 11, 3, 1], [15, 5, 1], [8, 2], [5]]
    epochs = [[round(81 * rung.fidelity, 9) for rung in shape] for shape in shapes]
    assert epochs == [[1, 3, 9, 27, 81], [3, 9, 27, 81], [9, 27, 81], [27, 81], [81]]


def test_levels_state_the_fidelities_in_epochs() -> None:
    shapes = hyperband(reduction=8, levels=[12, 200])._shapes
    assert [[tuple(rung) for rung in shape] for shape in shapes] == [[(8, 0.06), (1, 1.0)], [(2, 1.0)]]


@pytest.mark.parametrize("window", [1, 4])
def test_a_rung_lets_its_best_go_on(window: int) -> None:
    strategy = hyperband(reduction=3, least_fidelity=1 / 9, continues=True)
    found = {candidate.id: (candidate, result) for candidate, result in run(strategy, 22 * 3, window)}
    first = [id for id, (c, _) in found.items() if c.proposal.fidelity == 1 / 9][:9]
    promoted = [c for c, _ in found.values() if c.proposal.continues in first]
    best = sorted(first, key=lambda id: found[id][1].metrics["loss"])[:3]
    assert [c.proposal.continues for c in promoted] == best
    assert {c.proposal.fidelity for c in promoted} == {1 / 3}
    for candidate, _ in found.values():
        source = candidate.proposal.continues
        if source is not None:
            assert candidate.proposal.genome == found[source][0].proposal.genome
            assert candidate.proposal.fidelity == pytest.approx(3 * found[source][0].proposal.fidelity)


def test_the_next_bracket_begins_while_a_rung_waits() -> None:
    strategy = hyperband(reduction=3, least_fidelity=1 / 3)
    state = strategy.init(Random(0))
    fidelities = []
    for _ in range(5):
        [proposal], state = strategy.ask(state, Random(0))
        fidelities.append(proposal.fidelity)
    assert fidelities == [1 / 3, 1 / 3, 1 / 3, 1.0, 1.0], "nothing was told: a bracket of three, then one of two"
    assert strategy.figures(state)["brackets"] == 2


def test_several_objectives_promote_the_front() -> None:
    strategy = hyperband(reduction=3, least_fidelity=1 / 3)
    objectives = (Objective("loss", "min"), Objective("size", "max"))
    single = run(strategy, 4)
    both = run(strategy, 4, objectives=objectives)
    assert [c.proposal.genome for c, _ in single[:3]] == [c.proposal.genome for c, _ in both[:3]]
    vectors = [(r.metrics["loss"], -r.metrics["size"]) for _, r in both[:3]]
    chosen = both[3][0].proposal.parents[0]
    assert not any(
        all(a <= b for a, b in zip(one, vectors[chosen], strict=True)) for one in vectors if one != vectors[chosen]
    )


@dataclass(frozen=True)
class Listening:
    """Proposes batches of four and remembers what it is told, which no real strategy may."""

    heard: list[Any] = field(default_factory=list)
    demands: Demands = Demands()
    least_evaluations: int = 4

    def init(self, rng: Random) -> int:
        return 0

    def ask(self, state: int, rng: Random) -> tuple[list[Proposal[Any]], int]:
        return [Proposal(SPACE.sample(rng), operator=f"batch {state}") for _ in range(4)], state + 1

    def tell(self, state: int, told: Sequence[Evaluation[Any]], rng: Random) -> int:
        self.heard.append(list(told))
        return state

    def population(self, state: int) -> tuple[int, ...]:
        return ()


@pytest.mark.parametrize("window", [1, 5])
def test_the_proposer_is_told_whole_steps_in_its_order_at_the_highest_fidelity(window: int) -> None:
    proposer = Listening()
    found = run(hyperband(proposer=proposer, reduction=3, least_fidelity=1 / 9), 66, window)
    first = [c for c, _ in found if c.proposal.operator.startswith("batch")]
    results = {candidate.id: result for candidate, result in found}
    reached = {candidate.id: candidate.id for candidate in first}
    for candidate, _ in found:
        if candidate.proposal.operator == "promotion":
            [source] = candidate.proposal.parents
            reached[next(id for id, last in reached.items() if last == source)] = candidate.id
    assert len(proposer.heard) >= 3
    for number, batch in enumerate(proposer.heard):
        asked = [c for c in first if c.proposal.operator == f"batch {number}"]
        assert [e.genome for e in batch] == [c.proposal.genome for c in asked]
        assert [e.id for e in batch] == [reached[c.id] for c in asked]
        assert [e.losses for e in batch] == [(results[e.id].metrics["loss"],) for e in batch]


def test_a_proposer_that_ends_leaves_seats_empty_and_the_rest_is_decided() -> None:
    genomes = [SPACE.to_json(SPACE.sample(Random(seed))) for seed in range(7)]
    proposer = build(
        {"_target_": "evonas_cli.strategies.listed.Listed", "genomes": genomes, "repeats": 1}, "strategy", space=SPACE
    )
    found = run(hyperband(proposer=proposer, reduction=3, least_fidelity=1 / 3), 100)
    fidelities = [candidate.proposal.fidelity for candidate, _ in found]
    assert fidelities == [1 / 3, 1 / 3, 1 / 3, 1.0, 1.0, 1.0, 1 / 3, 1 / 3, 1.0], "the third bracket has two of three"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"proposer": "halving"}, "strategy.proposer SuccessiveHalving itself decides how candidates are trained"),
        ({"proposer": "randm"}, "strategy.proposer: there is no strategy 'randm'; did you mean random?"),
        ({"proposer": 3}, "strategy.proposer is 3; it must be the name of a strategy"),
        ({"proposer": {"name": "random", "bach": 3}}, "strategy.proposer has no key bach; did you mean batch?"),
        ({"proposer": {"name": "random", "batch": 0}}, "strategy.proposer: strategy.batch is 0"),
        ({"levels": [12, 4]}, "strategy.levels must be ascending epochs"),
        ({"reduction": 1}, "strategy.reduction must be a whole number of at least 2"),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    node = {"_target_": "evonas_cli.strategies.hyperband.Hyperband", "proposer": "random", **settings}
    with pytest.raises(UsageError) as caught:
        build(node, "strategy", space=SPACE)
    assert message in str(caught.value) and "\n" not in str(caught.value)
