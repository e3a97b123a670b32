"""What is composed in two steps, options and then values, is what Hydra composes in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from omegaconf import OmegaConf

from evonas_cli.config.compose import compose
from evonas_cli.config.folders import hydra_paths


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["seed=7", "window=3"],
        ["job=landscape", "space=bits", "space.length=5", "strategy=random", "objectives=[valid_error]"],
        ["budget.evaluations=${seed}", "strategy.population_size=4"],
        ["experiment=amoebanet_small", "strategy.population_size=4", "run.name=other"],
    ],
)
def test_it_is_what_hydra_composes_at_once(overrides: list[str]) -> None:
    with hydra_paths(()):
        at_once = OmegaConf.to_container(hydra_compose("config", overrides), resolve=True)
    assert compose(overrides).config == at_once


def test_a_composed_configuration_is_its_owners() -> None:
    first: Any = compose(["strategy=genetic", "seed=3", "constraints.depth='<= 3'"]).config
    first["strategy"]["population_size"] = "changed"
    second = compose(["strategy=genetic", "seed=4"]).config
    assert (second["seed"], second["constraints"], second["strategy"]["population_size"]) == (4, {}, 20)


def test_a_users_file_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    for noise in (0.25, 0.5):
        (tmp_path / "job/own.yaml").write_text(f"_target_: evonas_cli.jobs.landscape.Landscape\nnoise: {noise}\n")
        assert compose(["job=own", "space=bits"], [tmp_path]).config["job"]["noise"] == noise
