"""Apprenticeship learning: margins never rise, agents come nearer to the expert, and what mirror stimuli are."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.walks.apprenticeship import Mirror, learned
from evonas_cli.walks.table import Learner
from evonas_cli.walks.topology import Features, expectations

SPACE = NasBench201(channels=4, cells_per_stage=1)
EXPERT = ("nor_conv_3x3", "none", "nor_conv_3x3", "skip_connect", "none", "nor_conv_3x3")
"""Three convolutions in a row, and a skip over them."""


def topology(genome: Any) -> Features:
    return expectations(SPACE.decode(genome, Task((3, 8, 8), 10)).plan, 0.9)


def mirror(seed: int, rounds: int = 3, walks: int = 120) -> Mirror:
    return learned(Learner(space=SPACE, learning_rate=0.05), topology, topology(EXPERT), rounds, walks, Random(seed))


@pytest.mark.parametrize("seed", range(3))
def test_margins_never_rise_and_fall_in_the_end(seed: int) -> None:
    margins = mirror(seed).margins
    assert len(margins) == 4
    assert list(margins) == sorted(margins, reverse=True)
    assert margins[-1] < 0.9 * margins[0]


def test_the_stimulus_is_one_for_the_expert_and_orders_genomes() -> None:
    found = mirror(0)
    assert found.of(topology(EXPERT)) == pytest.approx(1.0)
    assert found.of(None) == 0.0
    near = ("nor_conv_3x3", "none", "nor_conv_3x3", "none", "none", "nor_conv_3x3")
    far = ("avg_pool_3x3",) * 6
    assert found.of(topology(near)) > found.of(topology(far))
    assert found.reward(topology(EXPERT)) == pytest.approx(1.0)


def test_an_expert_that_every_walk_repeats_leaves_nothing_to_learn() -> None:
    same = topology(EXPERT)
    found = learned(Learner(space=SPACE), lambda genome: same, same, 3, 4, Random(0))
    assert found.margins == (pytest.approx(0.0, abs=1e-12), *found.margins[1:])
    assert 0.0 <= found.of(same) <= 1.0
