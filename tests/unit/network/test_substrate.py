"""Substrates: whom the small network is asked about, what becomes of its answers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.network.neuron_values import outputs
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.substrate import Points, Substrate, square

X1, Y1, X2, Y2, BIAS, WEIGHT, PROPORTION = range(7)
TWO, ONE = ((-1.0, 0.0), (1.0, 0.0)), ((0.5, 0.0),)


def substrate(*layers: Points, threshold: float = 0.2, largest: float = 3.0) -> Substrate:
    return Substrate(layers, "tanh", threshold, largest)


def constant(weight: float, bias: float = 0.0) -> Neurons:
    """Says the same of every pair."""
    return Neurons(4, 2, ("add", "add"), ((BIAS, 5), (BIAS, 6)), (weight, bias))


def only(weight: float, **settings: float) -> float:
    """The weight of the one link between two neurons; 0 where there is none."""
    found = substrate(ONE, ONE, **settings).written(constant(weight))  # type: ignore[arg-type]
    assert len(found.links) <= 1
    return sum(found.weights)


def test_a_grid_reaches_the_edges_row_by_row() -> None:
    assert square(3) == tuple([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    assert square(1) == ((0.0, 0.0),)


@pytest.mark.parametrize(
    ("said", "weight"), [(0.2, 0), (-0.2, 0), (0.1, 0), (0.6, 1.5), (-0.6, -1.5), (1.0, 3.0), (-1.0, -3.0), (7.0, 3.0)]
)
def test_weights_are_cut_off_and_scaled(said: float, weight: float) -> None:
    assert only(said) == pytest.approx(weight)


@given(st.floats(-2, 2), st.floats(0, 1e-3))
def test_weights_grow_without_a_jump(said: float, step: float) -> None:
    """The slope is 3 / 0.8 at most, also at the threshold and at 1."""
    change = only(said + step) - only(said)
    assert -1e-12 <= change <= 3 / 0.8 * step + 1e-9


def test_each_pair_is_asked_with_its_own_places() -> None:
    """The small network says 0.25 x1 + 0.5 x2 of a link and 0.5 x2 of a bias."""
    asked = Neurons(4, 2, ("add", "add"), ((X1, 5), (X2, 5), (X2, 6)), (0.25, 0.5, 0.5))
    found = substrate(TWO, (*ONE, (1.0, 0.5)), threshold=0.0, largest=1.0).written(asked)
    assert dict(zip(found.links, found.weights, strict=True)) == pytest.approx(
        {(1, 3): 0.5, (2, 3): 0.25, (0, 4): 0.25, (1, 4): 0.75, (2, 4): 0.5}
    ), "x1 = -1 and x2 = 0.5 cancel, so that link is not there"


def test_each_pair_of_layers_has_outputs_of_its_own() -> None:
    """Inputs to hidden neurons 1 and bias 0.5, hidden neurons to the output -1 and bias 0.25; unscaled."""
    asked = Neurons(4, 4, ("add",) * 4, tuple([(BIAS, 5 + n) for n in range(4)]), (1.0, 0.5, -1.0, 0.25))
    found = substrate(TWO, TWO, ONE, threshold=0.0, largest=1.0).written(asked)
    assert found.functions == ("tanh", "tanh", "add") and len(set(found.links)) == len(found.links) == 9
    values = outputs(found, np.array([[0.3, -0.1]]))
    assert values == pytest.approx(np.array([[0.25 - 2 * np.tanh(0.3 - 0.1 + 0.5)]]))


def test_more_pixels_have_the_weights_of_their_places() -> None:
    """A grid of 5 contains the places of a grid of 3, and its neurons have the same weights there."""
    asked = Neurons(4, 2, ("add", "add"), ((X1, 5), (Y1, 5), (X2, 5), (BIAS, 6)), (0.5, 0.3, 0.1, 0.6))
    small, large = (substrate(square(side), TWO).written(asked) for side in (3, 5))
    weights = dict(zip(large.links, large.weights, strict=True))
    for (source, target), weight in zip(small.links, small.weights, strict=True):
        column, row = source % 3, source // 3
        place = 25 if source == 9 else 2 * column + 10 * row
        assert weights[place, target + 16] == pytest.approx(weight)


def test_without_answers_there_are_no_links() -> None:
    found = substrate(TWO, TWO, ONE).written(Neurons(4, 4, ("add",) * 4, (), ()))
    assert found.links == () and outputs(found, np.ones((2, 2))).tolist() == [[0.0]] * 2


@pytest.mark.parametrize(
    ("layers", "line"),
    [
        ((TWO, (*ONE, *ONE)), r"layer 2 has two neurons at \[0.5, 0.0\]; give each one its own place"),
        ((TWO,), "a substrate has two layers or more, not 1"),
        ((TWO, ()), "layer 2 has no neuron"),
    ],
)
def test_wrong_layers_are_refused(layers: tuple[Points, ...], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        substrate(*layers)


def test_two_layers_may_lie_at_the_same_places() -> None:
    assert len(substrate(TWO, TWO).written(constant(1.0)).links) == 4


def test_networks_that_cannot_be_asked_are_refused() -> None:
    with pytest.raises(ValueError, match="the network that is asked has 4 inputs and 2 outputs"):
        substrate(TWO, ONE).written(Neurons(3, 2, ("add", "add"), (), ()))
    wild = Neurons(4, 2, ("multiply", "add", "add"), ((BIAS, 5), (5, 6)), (1e308, 1e308))
    with pytest.raises(ValueError, match="the network writes weights that are not finite"):
        substrate(TWO, ONE).written(wild)
