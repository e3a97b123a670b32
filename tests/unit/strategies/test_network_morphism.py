"""Network morphism: what is proposed and handed on, by whose weights; what ends the search; what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.blocks import planned
from evonas_cli.network.morphs.morph import Morph, replayed
from evonas_cli.network.task import Task
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.strategies.network_morphism import NetworkMorphism

SPACE: Any = LayeredCnn()
TASK = Task((1, 32, 32), 10)


def loss(genome: Any) -> float:
    """Better with more layers, worse with many parameters."""
    return 1 / sum(map(len, genome)) + planned(genome, TASK)[0].parameters / 1e5


def run(strategy: Any, steps: int, fails: tuple[int, ...] = ()) -> tuple[list[Proposal[Any]], Any]:
    state, proposals = strategy.init(Random(0)), []
    for step in range(steps):
        new, state = strategy.ask(state, stream(7, "ask", step))
        told = [Evaluation(step, p.genome, None if step in fails else (loss(p.genome),)) for p in new]
        proposals += new
        state = strategy.tell(state, told, stream(7, "tell", step)) if new else state
    return proposals, state


def test_each_child_grows_from_a_trained_network_and_carries_all_morphs() -> None:
    strategy: Any = NetworkMorphism(space=SPACE, neighbours=2, coldest=0.45)
    proposals, state = run(strategy, 7)
    assert (proposals[0].genome, proposals[0].continues) == (SPACE.start(), None)
    several = 0
    for id, one in enumerate(proposals[1:], 1):
        options: Any = one.options
        assert one.continues is not None and one.continues < id and one.parents == (one.continues,)
        assert set(options) == {"start", "morphs"} and options["start"] == "inherited"
        parent = planned(proposals[one.continues].genome, TASK)[0]
        after = replayed(parent, [Morph.from_json(morph) for morph in options["morphs"]])
        assert after.nodes == planned(one.genome, TASK)[0].nodes
        several += len(options["morphs"]) > 2
    assert several, "children more than one morph away were found"
    assert len({planned(one.genome, TASK)[0].nodes for one in proposals}) == 7
    assert strategy.keeps(state) == tuple(range(7))


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (run(NetworkMorphism(space=SPACE, neighbours=2, coldest=0.5), 5)[0] for _ in range(2))
    assert first == second


def test_failures_are_told_to_the_model_and_never_continued() -> None:
    proposals, _ = run(NetworkMorphism(space=SPACE, neighbours=2, coldest=0.5), 8, fails=(0, 3, 5))
    assert proposals[1].genome == SPACE.start() and proposals[1].continues is None, "the start is tried again"
    assert not {one.continues for one in proposals} & {0, 3, 5}


def test_the_search_ends_where_nothing_may_grow() -> None:
    full: Any = LayeredCnn(blocks=1, layers=1, filters=[4], max_filters=4, kernels=[3], start_blocks=1, start_filters=4)
    assert len(run(NetworkMorphism(space=full), 3)[0]) == 1
    proposals, _ = run(NetworkMorphism(space=SPACE, most_layers=5, neighbours=2, coldest=0.5), 5)
    assert all(sum(map(len, one.genome)) <= 2 for one in proposals), "two convolutions, two pools, and the last layer"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"neighbours": 0}, "strategy.neighbours must be a whole number of at least 1; it is 0"),
        ({"coldest": 1.0}, "strategy.coldest must be"),
        ({"beta": -1.0}, "strategy.beta must be"),
        ({"most_layers": 0}, "strategy.most_layers must be"),
    ],
)
def test_what_is_refused(settings: Any, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        NetworkMorphism(space=SPACE, **settings)
