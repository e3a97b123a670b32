"""The networks of the race: each space decodes for the data set that the race is run on."""

from __future__ import annotations

from random import Random

import pytest
from benchmarks.contenders import NETWORKS

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.network.task import Task


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_reads_fashion_mnist(network: str) -> None:
    space = build(compose([*NETWORKS[network]]).config["space"], "space")
    task = Task((1, 28, 28), 10, "classes")
    assert space.decode(space.sample(Random(0)), task).plan is not None
