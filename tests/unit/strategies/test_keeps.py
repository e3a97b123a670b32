"""Whose weights a strategy says it keeps: nobody else is ever continued, and the others are many."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Keeping
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.run import contracts
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.strategies.genetic import Genetic
from evonas_cli.strategies.halving import SuccessiveHalving
from evonas_cli.strategies.hill_climbing import HillClimbing
from evonas_cli.strategies.hyperband import Hyperband
from evonas_cli.strategies.lemonade import Lemonade
from evonas_cli.strategies.population_based_training import PopulationBasedTraining
from evonas_cli.strategies.random import RandomSearch
from evonas_cli.strategies.regularized_evolution import RegularizedEvolution

SPACE: Any = Bits(12)
STRATEGIES: dict[str, Any] = {
    "weights": Genetic(space=SPACE, population_size=6, archive=False, inherit="weights"),
    "schedule": Genetic(space=SPACE, population_size=6, archive=False, inherit="schedule", generations=8),
    "population_based_training": PopulationBasedTraining(space=SPACE, population_size=6, generations=8),
    "matching": Genetic(space=NasBench201(), population_size=6, archive=False, inherit="weights"),
    "aging": RegularizedEvolution(space=NasBench201(), population_size=3, sample_size=2, inherit="weights"),
    "hill_climbing": HillClimbing(space=LayeredCnn(), children=4, morphs=1),
    "lemonade": Lemonade(space=LayeredCnn(), proposed=6, trained=4),
    "hyperband": Hyperband(
        space=SPACE, proposer=RandomSearch(space=SPACE), least_fidelity=0.25, reduction=2, continues=True
    ),
    "halving": SuccessiveHalving(space=SPACE, candidates=8, least_fidelity=0.25, continues=True),
}


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("seed", range(5))
def test_only_kept_candidates_are_continued(name: str, seed: int) -> None:
    strategy = STRATEGIES[name]
    assert isinstance(strategy, Keeping)
    state, next_id, continued, dropped = strategy.init(Random(0)), 0, set(), set()
    for step in range(8 if name != "hyperband" else 60):  # one candidate a step
        dropped |= {id for id in range(next_id) if id not in strategy.keeps(state)}
        proposals, state = strategy.ask(state, stream(seed, "ask", step))
        sources = {proposal.continues for proposal in proposals} - {None}
        assert not sources & dropped, "a candidate was continued whose weights had been given up"
        continued |= sources
        ids = range(next_id, next_id + len(proposals))
        next_id += len(proposals)
        rng = stream(seed, "loss", step)
        losses = [None if rng.random() < 0.2 else (rng.random(),) for _ in ids]
        told = [Evaluation(id, p.genome, loss) for id, p, loss in zip(ids, proposals, losses, strict=True)]
        state = strategy.tell(state, told, stream(seed, "tell", step))
    assert continued
    assert len(dropped) > next_id / 3


class Counts(SuccessiveHalving[Any]):
    """A user's strategy that says how many it keeps instead of whom."""

    def keeps(self, state: Any) -> Any:
        return 3


def test_a_number_of_kept_candidates_is_refused() -> None:
    strategy = Counts(space=SPACE, candidates=2, least_fidelity=1.0, continues=True)
    with pytest.raises(UsageError, match="strategy Counts: keeps must return a collection of ids, but gave 3"):
        contracts.try_out(SPACE, strategy, 0, ("test_keeps",))
