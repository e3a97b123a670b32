"""Every configured space keeps the contract of Space and of the capabilities it claims."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import spaces
from evonas_cli.config.folders import options
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.plan import PlanError
from evonas_cli.spaces.bits import Bits
from evonas_cli.testing import spaces as contract

CURES = {
    contract.VECTORS: "space=mlp reads vectors",
    contract.TEXTS: "space=sequence_net reads token ids",
    contract.SERIES: "space=sequence_net reads series",
    contract.IMAGES: "space=chain_cnn reads images",
}
READS = {
    **{
        name: list(CURES) for name in ("taylor_loss", "loss_tree", "activation_tree", "initialisation", "learning_rule")
    },
    "backbone": [],
    "fpn": [],
    "cmtr": [contract.IMAGES, contract.VECTORS, contract.SERIES],
    "fixed_network": list(CURES),
    "joint": [contract.IMAGES, contract.VECTORS, contract.SERIES],
    "mlp": [contract.IMAGES, contract.VECTORS, contract.SERIES],
    "mlp_ensemble": [contract.IMAGES, contract.VECTORS, contract.SERIES],
    "sequence_net": [contract.SERIES, contract.TEXTS],
    "soft_ordering": [contract.IMAGES, contract.VECTORS, contract.SERIES],
    "transformer": [contract.IMAGES, contract.SERIES, contract.TEXTS],
}
"""Tasks that spaces have networks for, where they are not those of images in classes."""
REFUSES = {"joint": "mlp"}
"""Spaces whose part refuses inputs."""
BUILT = spaces()
CASES = [
    pytest.param(law, space, id=f"{law.__name__}-{name}")
    for name, space in BUILT.items()
    for law in contract.laws(space)
]


def test_every_space_is_covered() -> None:
    assert len(BUILT) >= 4
    assert sorted(BUILT) == list(options("space"))
    assert all(isinstance(space, Space) for space in BUILT.values())


@pytest.mark.parametrize(("law", "space"), CASES)
def test_the_law_holds(law: Callable[[Any], None], space: Any) -> None:
    law(space)


@pytest.mark.parametrize("name", [name for name, space in BUILT.items() if isinstance(space, Buildable)])
def test_a_space_reads_its_inputs_and_refuses_others_with_a_cure(name: str) -> None:
    genome = BUILT[name].sample(Random(4))
    for tasks, cure in CURES.items():
        for task in tasks:
            if tasks in READS.get(name, [contract.IMAGES]):
                assert BUILT[name].decode(genome, task).plan.shapes[0] == task.inputs
                continue
            with pytest.raises(PlanError) as refused:
                BUILT[name].decode(genome, task)
            assert str(refused.value).startswith(f"{REFUSES.get(name, name)} needs ") and str(refused.value).endswith(
                cure
            )
            assert task.examples in str(refused.value) and "\n" not in str(refused.value)


class Unread(Bits):
    """A space that has no network, whatever the inputs."""

    def decode(self, genome: Any, task: Any) -> Any:
        raise PlanError("unread needs inputs of no kind")


class Wavering(Bits):
    """Sampling draws from a generator of its own."""

    own = Random(1)

    def sample(self, rng: Random) -> Any:
        return super().sample(self.own)


class InPlace(Bits):
    """A child is the first parent, whose genes are overwritten."""

    def sample(self, rng: Random) -> Any:
        return list(super().sample(rng))

    def from_json(self, data: Any) -> Any:
        return list(super().from_json(data))

    def recombine(self, parents: Any, rng: Random) -> Any:
        parents[0][:] = parents[1]
        return parents[0]


class Misspelt(Bits):
    """A capability with a letter missing."""

    def distanc(self, first: Any, second: Any) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("law", "space"),
    [
        (contract.sampling_depends_on_the_generator_alone, Wavering()),
        (contract.children_are_genomes_and_parents_stay, InPlace()),
        (contract.every_public_name_is_a_capability, Misspelt()),
        (contract.networks_fit_the_task, Unread()),
    ],
)
def test_a_space_that_breaks_the_law_is_found(law: Callable[[Any], None], space: Any) -> None:
    with pytest.raises(AssertionError):
        law(space)
