"""Images as tasks of CPPNs: coordinates, targets, what is refused, and that even functions make symmetric images."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.data.pattern import Pattern, grid
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph, NodeGene, marked_graph, terminals
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled
from evonas_cli.run.assembly import assemble
from evonas_cli.spaces.neurons import NeuronGraphs

X, Y, RADIUS, BIAS, OUT = range(5)
SPACE = NeuronGraphs(inputs=3, outputs=1, functions=("sigmoid", "tanh", "gaussian", "sine", "abs", "add"))


def brightness(data: Pattern) -> NDArray[np.float64]:
    splits = data.prepare(0)
    return (splits.y_train * splits.target_std + splits.target_mean).reshape(data.side, data.side)


def image(genome: MarkedGraph, side: int) -> NDArray[np.float32]:
    neurons = SPACE.decode_neurons(genome, 3, 1)
    columns = torch.zeros(3, filled(side * side))
    columns[:, : side * side] = torch.tensor(grid(side).T)
    program = Program(order([neurons]), columns.shape[1], torch.device("cpu"), gradients=False)
    return program.forward(columns, torch.tensor(neurons.weights))[0, : side * side].view(side, side).numpy()


def test_coordinates_reach_the_edges_row_by_row() -> None:
    found = grid(3)
    assert found[:, :2].tolist() == [[x, y] for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert found[:, 2] == pytest.approx(np.sqrt([2, 1, 2, 1, 0, 1, 2, 1, 2]))


@given(st.integers(2, 40))
def test_opposite_pixels_have_exactly_opposite_coordinates(side: int) -> None:
    x, y, radius = grid(side).reshape(side, side, 3).transpose(2, 0, 1)
    assert (x == -x[:, ::-1]).all() and (y == -y[::-1]).all() and (x == y.T).all()
    assert (radius == radius[::-1]).all() and (radius == radius[:, ::-1]).all()
    assert (x[:, 0] == -1).all() and (x[:, -1] == 1).all()


def test_a_ring_is_white_between_two_radii() -> None:
    data = Pattern(target="ring", side=16)
    radius = grid(16)[:, 2].reshape(16, 16)
    assert brightness(data) == pytest.approx(((radius >= 0.4) & (radius <= 0.8)).astype(float), abs=1e-6)


def test_chequered_fields_alternate() -> None:
    found = brightness(Pattern(target="checkered", side=16))
    assert found[:4, :4] == pytest.approx(np.zeros((4, 4)), abs=1e-6)
    assert found == pytest.approx(1 - np.roll(found, 4, axis=0), abs=1e-6)
    assert found == pytest.approx(1 - np.roll(found, 4, axis=1), abs=1e-6)
    assert brightness(Pattern(target="checkered", side=2)) == pytest.approx(np.array([[0, 1], [1, 0]]), abs=1e-6)


def test_an_image_file_is_made_grey_and_resized(tmp_path: Path) -> None:
    """Left half red, right half white; twice as large as the target."""
    colours = np.full((16, 16, 3), 255, dtype=np.uint8)
    colours[:, :8, 1:] = 0
    Image.fromarray(colours).save(tmp_path / "halves.png")
    found = brightness(Pattern(target=str(tmp_path / "halves.png"), side=8))
    assert found[:, :3] == pytest.approx(np.full((8, 3), 0.299), abs=1e-3)
    assert found[:, 5:] == pytest.approx(np.ones((8, 3)), abs=1e-6)


def test_all_parts_are_the_same_pixels() -> None:
    data = Pattern(target="ring", side=8)
    splits, (x_test, y_test) = data.prepare(3), data.test(3)
    assert splits.x_train.shape == (64, 3) and (splits.task.kind, splits.task.outputs) == ("numbers", 1)
    for x, y in ((splits.x_valid, splits.y_valid), (x_test, y_test)):
        assert (x == splits.x_train).all() and (y == splits.y_train).all()
    assert data.fingerprint(0) == data.fingerprint(9) != Pattern(target="ring", side=9).fingerprint(0)


@pytest.mark.parametrize("side", [1, 0, -3, 2.5, True])
def test_sides_below_two_are_refused(side: float) -> None:
    with pytest.raises(UsageError, match=f"^dataset.side is {side!r}; it must be an integer of at least 2$"):
        Pattern(target="ring", side=side)  # type: ignore[arg-type]


def test_targets_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dataset.target is 'rnig', no name of an image file; pass dataset.target=rin"):
        Pattern(target="rnig", side=8)
    missing = Pattern(target=str(tmp_path / "none.png"), side=8)
    with pytest.raises(UsageError, match="none.png not found; pass dataset.target=ring"):
        missing.check_there()
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UsageError, match=r"text.png cannot be read as an image .*; repair or remove it"):
        Pattern(target=str(tmp_path / "text.png"), side=8).prepare(0)


def test_an_image_of_one_brightness_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 255).save(tmp_path / "white.png")
    with pytest.raises(UsageError, match="all targets in y_train are 1; there is nothing to predict"):
        Pattern(target=str(tmp_path / "white.png"), side=8).prepare(0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 17))
def test_even_functions_of_x_alone_make_symmetric_images(seed: int, side: int) -> None:
    """x is read by gaussian and abs nodes alone; whatever comes behind them, and y, radius and bias, are free."""
    rng = Random(seed)
    even, later = (10, 11), (12, 13)
    nodes = [NodeGene(mark, (rng.choice(("gaussian", "abs")),)) for mark in even]
    nodes += [NodeGene(mark, (rng.choice(("sigmoid", "tanh", "sine", "add")),)) for mark in later]
    ends = [(X, mark) for mark in even] + [(mark, after) for mark in even for after in later]
    ends += [(source, mark) for source in (Y, RADIUS, BIAS) for mark in (*later, OUT) if rng.random() < 0.5]
    ends += [(mark, OUT) for mark in (*even, *later)]
    links = [LinkGene(source, target, genes=(rng.gauss(0, 2),)) for source, target in ends]
    found = image(marked_graph(nodes, links, (), terminals(4, 1)), side)
    assert np.array_equal(found, found[:, ::-1])


def test_odd_functions_of_x_do_not() -> None:
    """What the law above would miss if images did not depend on x."""
    links = [LinkGene(X, OUT, genes=(1.0,))]
    found = image(marked_graph([], links, (), terminals(4, 1)), 8)
    assert not np.array_equal(found, found[:, ::-1]) and np.array_equal(found, -found[:, ::-1])


def test_the_experiment_fits_its_space_to_the_data() -> None:
    parts = assemble(compose(["experiment=cppn", "evaluator=serial", "device=cpu"]).config)
    assert [objective.name for objective in parts.objectives] == ["valid_loss"]
    assert parts.space.decode_neurons(parts.space.sample(Random(0)), 3, 1).parameters == 4
