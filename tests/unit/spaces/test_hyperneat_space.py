"""HyperNEAT's space: capabilities, what genomes decode to at several sizes, and settings that are refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.capabilities import Aligned, Crossable, Lamarckian, Measured, Mutable, Neural, Sized
from evonas_cli.run.assembly import assemble
from evonas_cli.spaces.hyperneat import HyperNeat

WILD = {"add_link_probability": 0.5, "add_node_probability": 0.5, "function_probability": 0.5}


def test_it_varies_as_neurons_do_and_inherits_no_weights() -> None:
    space = HyperNeat()
    for capability in (Neural, Mutable, Crossable, Aligned, Measured, Sized):
        assert isinstance(space, capability)
    assert not isinstance(space, Lamarckian), "trained weights would be those of another network than the genome's"


@pytest.mark.parametrize(("hidden", "n_outputs"), [(4, 4), (0, 2)])
def test_the_genomes_network_has_two_outputs_for_each_pair_of_layers(hidden: int, n_outputs: int) -> None:
    space = HyperNeat(hidden=hidden)
    genome = space.sample(Random(0))
    assert genome.nodes == () and len(genome.links) == 5 * n_outputs
    found = space.decode_neurons(genome, 64, 10)
    assert (found.n_inputs, found.n_hidden, found.n_outputs) == (64, hidden**2, 10)


def test_one_genome_decodes_at_every_size() -> None:
    small, large = (HyperNeat(side=side, **WILD) for side in (8, 11))  # type: ignore[arg-type]
    rng = Random(1)
    genome = small.sample(rng)
    for _ in range(12):
        genome = small.mutate(genome, rng)
    assert large.from_json(small.to_json(genome)) == genome
    first, second = small.decode_neurons(genome, 64, 10), large.decode_neurons(genome, 121, 10)
    assert second.n_inputs == 121 and second.parameters > first.parameters > 0
    assert max(map(abs, second.weights)) <= 3
    into_outputs = [
        [w for (_, t), w in zip(one.links, one.weights, strict=True) if t > one.n_inputs + 16]
        for one in (first, second)
    ]
    assert into_outputs[0] == pytest.approx(into_outputs[1]), "what lies behind the pixels stays as it is"


def test_data_of_another_size_is_refused() -> None:
    space = HyperNeat()
    genome = space.sample(Random(0))
    with pytest.raises(ValueError, match="space.side=8 reads 64 numbers, but an example has 121"):
        space.decode_neurons(genome, 121, 10)
    with pytest.raises(ValueError, match="space.places has 10 outputs, but the data asks for 3"):
        space.decode_neurons(genome, 64, 3)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"places": [[0, 0], [1, 0], [0, 0.0]]}, "space.places has two outputs at [0.0, 0.0]; give each one its own"),
        ({"places": []}, "space.places is empty"),
        ({"places": [[0, 0, 1]]}, "space.places has [0, 0, 1], which is no pair of numbers x and y"),
        ({"places": [[float("nan"), 0]]}, "space.places has [nan, 0], which is no pair"),
        ({"side": 1}, "space.side must be a whole number of at least 2; it is 1"),
        ({"hidden": -1}, "space.hidden must be a whole number of at least 0; it is -1"),
        ({"threshold": 1.0}, "space.threshold must be a number in [0, 1); it is 1.0"),
        ({"largest_weight": 0.0}, "space.largest_weight must be a number above 0; it is 0.0"),
        ({"weight_sd": 0.0}, "space.weight_sd must be a number above 0; it is 0.0"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        HyperNeat(**changes)
    assert str(caught.value).startswith(line)


def test_the_experiment_fits_its_space_to_the_data() -> None:
    parts = assemble(compose(["experiment=hyperneat", "evaluator=serial", "device=cpu"]).config)
    assert [objective.name for objective in parts.objectives] == ["valid_error"]
    assert parts.space.decode_neurons(parts.space.sample(Random(0)), 64, 10).n_hidden == 16
