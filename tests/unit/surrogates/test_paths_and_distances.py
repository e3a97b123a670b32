"""Path bits by hand, independence of how a network is written, and the axioms of every distance."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from evonas_cli.config.build import spaces
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.plan import Graph
from evonas_cli.spaces.hyperparameters import Hyperparameters
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201
from evonas_cli.surrogates.distances import DISTANCES, offer
from evonas_cli.surrogates.encodings import ENCODINGS, GeneEncoding, PathEncoding
from evonas_cli.surrogates.encodings import offer as offer_encoding
from evonas_cli.surrogates.path_bits import of_plan, of_sketch, path_bits
from evonas_cli.surrogates.plans import canonical_form, nominal_task

CELLS = NasBench201()
NONE, SKIP, ONE, THREE, POOL = OPERATIONS
SPACES = spaces()
NO_PATHS = ("hyperparameters", "fixed_network", "augmentation_policy", "backbone", "initialisation", "taylor_loss")
"""Spaces of one network, and of networks for boxes alone."""
PAIRS = [
    (name, label)
    for name, one in DISTANCES.items()
    for label in SPACES
    if isinstance(SPACES[label], one.needs)
    and not (name == "paths" and label in NO_PATHS)
    and (name != "otmann" or label in ("mlp", "chain_cnn"))  # small networks; test_otmann.py has its own tests
]


def test_the_bits_of_a_cell_are_its_paths_by_hand() -> None:
    # edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3
    bits = path_bits(CELLS)
    one, three, pool = "conv 1x1", "conv 3x3", "avg pool 3x3"
    assert bits((ONE, NONE, THREE, NONE, NONE, POOL)) == {("cell", one, three, pool)}
    assert bits((ONE, THREE, NONE, SKIP, POOL, NONE)) == {("cell",), ("cell", one, pool)}
    assert bits((ONE, NONE, SKIP, THREE, NONE, SKIP)) == {("cell", one), ("cell", three)}
    assert bits((NONE, NONE, ONE, NONE, THREE, POOL)) == frozenset(), "no way from input to output"


def test_a_space_of_cells_has_40_paths_at_most() -> None:
    bits, rng = path_bits(CELLS), Random(0)
    seen = frozenset[Any]().union(*[bits(CELLS.sample(rng)) for _ in range(4000)])
    assert 30 < len(seen) <= 1 + 3 + 3**2 + 3**3


def test_cells_of_one_function_have_one_form_and_are_no_distance_apart() -> None:
    form, paths = canonical_form(CELLS), offer("paths", CELLS).make(CELLS)
    dead, alive = (ONE, THREE, NONE, SKIP, POOL, NONE), (ONE, POOL, NONE, SKIP, POOL, NONE)
    assert form(dead) == form(alive) and paths.between([dead], [alive]) == 0
    assert form(dead) != form((ONE, THREE, NONE, SKIP, THREE, NONE))


def test_forms_tell_settings_of_the_trainer_apart() -> None:
    space = SPACES["hyperparameters"]
    assert isinstance(space, Hyperparameters)
    form, rng = canonical_form(space), Random(0)
    assert len({form(space.sample(rng)) for _ in range(20)}) == 20


def chain(widths: list[int], skip: bool = False) -> Any:
    graph = Graph((3, 8, 8))
    x = graph.input
    for width in widths:
        x = graph.add("relu", graph.add("conv", x, channels=width, kernel=3))
    if skip:
        x = graph.add("add", x, graph.add("identity", x))
    return graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=2))


def test_long_paths_give_their_windows() -> None:
    short, long = of_plan(chain([])), of_plan(chain([4, 8]))
    assert [[word.partition("(")[0] for word in path] for path in short] == [["global_avg_pool", "linear"]]
    assert {tuple(word.partition("(")[0] for word in path) for path in long} == {
        ("conv", "conv", "global_avg_pool"),
        ("conv", "global_avg_pool", "linear"),
    }
    assert of_plan(chain([4, 8])) != of_plan(chain([8, 4]))


def test_inputs_are_told_apart_where_there_are_several() -> None:
    first = Sketch("cell", ("h0", "h1", "conv", "sum", "concat"), ((0, 2), (1, 3), (2, 3), (3, 4)), ("sum",))
    second = Sketch("cell", ("h0", "h1", "conv", "sum", "concat"), ((1, 2), (0, 3), (2, 3), (3, 4)), ("sum",))
    assert of_sketch(first) == {("cell", "h0", "conv"), ("cell", "h1")}
    assert of_sketch(second) == {("cell", "h1", "conv"), ("cell", "h0")}


@pytest.mark.parametrize(("name", "label"), PAIRS)
def test_distances_keep_the_axioms(name: str, label: str) -> None:
    space, rng = SPACES[label], Random(3)
    distance = DISTANCES[name].make(space)
    genomes = [space.sample(rng) for _ in range(12)]
    genomes += [space.mutate(genome, rng) for genome in genomes[:4]]
    apart = distance.between(genomes, genomes)
    assert apart == pytest.approx(apart.swapaxes(0, 1), abs=1e-12)
    assert np.diagonal(apart) == pytest.approx(0, abs=1e-12)
    assert (apart >= -1e-12).all() and apart.max() > 0
    assert distance.between(genomes[:3], list(reversed(genomes)))[:, ::-1] == pytest.approx(apart[:3], abs=1e-12)
    if distance.definite:
        for parameters in distance.kernel.grid(apart):
            assert np.linalg.eigvalsh(distance.kernel.covariance(apart, parameters)).min() > -1e-9


@pytest.mark.parametrize("label", [label for label in SPACES if isinstance(SPACES[label], DISTANCES["hamming"].needs)])
def test_hamming_is_the_distance_that_spaces_of_independent_genes_declare(label: str) -> None:
    space, rng = SPACES[label], Random(4)
    genomes = [space.sample(rng) for _ in range(8)]
    ours, theirs = [DISTANCES[name].make(space).between(genomes, genomes) for name in ("hamming", "declared")]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_a_declared_distance_is_remembered_and_asked_for_new_pairs_alone() -> None:
    calls = []

    class Counted(NasBench201):
        def distance(self, first: Any, second: Any) -> float:
            calls.append((first, second))
            return super().distance(first, second)

    space, rng = Counted(), Random(5)
    genomes = [space.sample(rng) for _ in range(10)]
    distance, fresh = DISTANCES["declared"].make(space), DISTANCES["declared"].make(CELLS)
    for count, asked in ((6, 15), (10, 30), (3, 3)):
        calls.clear()
        part = genomes[:count]
        assert (distance.between(part, part) == fresh.between(part, list(part))).all() and len(calls) == asked


def test_a_space_without_networks_for_any_task_is_refused() -> None:
    class Empty(NasBench201):
        def decode(self, genome: Any, task: Any) -> Any:
            return Graph(task.inputs).add("conv", 0, channels=0)

    with pytest.raises(UsageError, match="Empty has no networks for any of: images 3x32x32, series 8x64"):
        nominal_task(Empty())


def test_paths_that_tell_nothing_are_refused_and_not_chosen() -> None:
    space = SPACES["hyperparameters"]
    with pytest.raises(UsageError, match="the networks of Hyperparameters all have the same paths"):
        DISTANCES["paths"].make(space)
    assert offer_encoding("auto", space) is ENCODINGS["genes"]
    assert offer_encoding("auto", SPACES["chain_cnn"]) is offer_encoding("auto", CELLS) is ENCODINGS["paths"]


def test_columns_are_paths_that_were_told_and_options_of_genes() -> None:
    told, other = [(ONE, NONE, THREE, NONE, NONE, POOL), (SKIP,) * 6], [(SKIP, NONE, NONE, SKIP, ONE, NONE)]
    learned, asked = PathEncoding(CELLS).features(told, other)
    assert learned.tolist() == [[0, 1], [1, 0]] and asked.tolist() == [[1, 0]]
    genes, _ = GeneEncoding(CELLS).features(told, other)
    assert genes.shape == (2, 30) and (genes.sum(axis=1) == 6).all()
    space = SPACES["parabola"]
    share, _ = GeneEncoding(space).features([(space.choices[0].high,) * len(space.choices)], [])
    assert (share == 1).all()
