"""Every configured strategy that takes selection pressures keeps the contract of Strategy under each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strategy_pairs import NODES, PAIRS

from evonas_cli.config.build import build
from evonas_cli.evolution.pressure import BONUSES
from evonas_cli.testing import strategies as contract

SMALL = {
    **{"population_size": 8, "clusters": 2, "species": 2, "children": 4, "initial": 4, "proposed": 6, "trained": 4},
    **{"module_population": 6, "blueprint_population": 4, "assemblies": 8, "module_species": 2},
    **{"sequence_population": 4, "setting_population": 4, "novelty_neighbours": 3, "novelty_capacity": 5},
    **{"surprise_clusters": 3, "behaviour_cell": 0.2, "rho": 0.4},
}
"""Several generations within the runs of the laws, and an archive that loses its oldest."""
TAKING = sorted(name for name, node in NODES.items() if "pressure" in node)
LAWS = (contract.state_survives_the_codec_at_every_step, contract.a_run_in_which_everything_fails_still_ends)


def made(name: str, pressure: str) -> tuple[Any, Any]:
    """The strategy under the pressure, on the first space that it can serve."""
    space = next(space for (strategy, _), (_, space) in PAIRS.items() if strategy == name)
    small = {key: value for key, value in SMALL.items() if key in NODES[name]}
    return build({**NODES[name], **small, "pressure": pressure}, "strategy", space=space), space


def test_all_settings_of_pressures_are_there_by_the_same_defaults() -> None:
    assert len(TAKING) >= 11
    shared = [key for key in NODES["genetic"] if key.startswith(("pressure", "novelty", "surprise", "behaviour"))]
    assert len(shared) == 8
    for name in TAKING:
        assert {key: NODES[name].get(key) for key in shared} == {key: NODES["genetic"][key] for key in shared}, name


@pytest.mark.parametrize("pressure", BONUSES)
@pytest.mark.parametrize("name", TAKING)
@pytest.mark.parametrize("law", LAWS)
def test_the_law_holds_under_pressure(law: Callable[[Any, Any], None], name: str, pressure: str) -> None:
    strategy, space = made(name, pressure)
    assert strategy.demands.descriptor and not made(name, "fitness")[0].demands.descriptor
    law(strategy, space)


@pytest.mark.parametrize("name", TAKING)
def test_a_run_for_novelty_that_is_broken_off_ends_the_same(name: str, tmp_path: Path) -> None:
    """The archive draws from the generator of the step and grows with the run; the other states are smaller."""
    contract.broken_off_after_every_third_result_it_ends_the_same(*made(name, "novelty"), tmp_path)
