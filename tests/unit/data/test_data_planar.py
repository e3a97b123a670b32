"""Sets of points in the plane: how each is made, and that their parts are apart."""

from __future__ import annotations

from math import atan2, hypot, pi
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.planar import Circles, Drawn, Gaussians, Spirals, Xor, XorCorners
from evonas_cli.data.splits import Splits

SETS: list[type[Drawn]] = [Xor, Circles, Gaussians, Spirals]


def make(kind: type[Drawn], **changes: Any) -> Drawn:
    return kind(**{"noise": 0.5, "seed": 0, "n_train": 200, "n_valid": 100, "n_test": 400, **changes})


def radii(splits: Splits) -> np.ndarray:
    return np.hypot(splits.x_train[:, 0], splits.x_train[:, 1])


@pytest.mark.parametrize("kind", SETS)
def test_parts_have_their_sizes_and_both_classes(kind: type[Drawn]) -> None:
    data = make(kind)
    splits, (x_test, y_test) = data.prepare(3), data.test(3)
    assert splits.x_train.shape == (200, 2) and splits.x_train.dtype == np.float32
    assert splits.x_valid.shape == (100, 2) and x_test.shape == (400, 2)
    assert (splits.task.inputs, splits.task.outputs, splits.task.kind) == ((2,), 2, "classes")
    for y in (splits.y_train, splits.y_valid, y_test):
        assert 0.4 < y.mean() < 0.6


@pytest.mark.parametrize("kind", SETS)
def test_no_point_is_in_two_parts(kind: type[Drawn]) -> None:
    """Not even without noise."""
    for noise in (0.0, 0.5):
        data = make(kind, noise=noise, n_valid=200, n_test=200)
        splits = data.prepare(0)
        points = [tuple(point) for x in (splits.x_train, splits.x_valid, data.test(0)[0]) for point in x.tolist()]
        assert len(set(points)) >= 599  # the two spirals begin at one point


@pytest.mark.parametrize("kind", SETS)
def test_points_depend_on_their_own_seed_alone(kind: type[Drawn]) -> None:
    data, other = make(kind), make(kind, seed=1)
    assert (data.prepare(0).x_train == make(kind).prepare(9).x_train).all()
    assert data.fingerprint(0) == data.fingerprint(9) == data.prepare(0).fingerprint != other.fingerprint(0)
    assert (data.prepare(0).x_train != other.prepare(0).x_train).any()
    assert (data.test(0)[0] == make(kind, n_train=50, n_valid=7).test(0)[0]).all()


def test_xor_has_the_label_of_the_noisy_point() -> None:
    splits = make(Xor, noise=1.0).prepare(0)
    x = splits.x_train
    assert (((x[:, 0] > 0) != (x[:, 1] > 0)) == splits.y_train).all()
    assert np.abs(x).max() > 5 and np.abs(make(Xor, noise=0).prepare(0).x_train).max() <= 5


def test_circles_have_the_label_from_before_the_noise() -> None:
    clean = make(Circles, noise=0.0, n_train=2000).prepare(0)
    inner = clean.y_train == 1
    assert radii(clean)[inner].max() <= 2.5 and radii(clean)[~inner].min() > 3.74 and radii(clean).max() <= 5.001
    noisy = make(Circles, n_train=2000).prepare(0)
    assert radii(noisy)[noisy.y_train == 1].max() > radii(noisy)[noisy.y_train == 0].min(), "the classes overlap"
    assert 0.8 < np.abs(noisy.x_train - clean.x_train).max() <= 5 * 0.5 / 3 + 1e-5


def test_gaussians_lie_around_their_centres() -> None:
    splits = make(Gaussians, n_train=5000).prepare(0)
    for label, centre in ((1, 2.0), (0, -2.0)):
        own = splits.x_train[splits.y_train == label]
        assert own.mean(0) == pytest.approx([centre, centre], abs=0.15)
        assert own.std(0) == pytest.approx([1.5, 1.5], abs=0.1)


def test_spirals_turn() -> None:
    """Radius 6 i / n at 1.75 turns x i / n, the second one half a turn further."""
    splits = make(Spirals, noise=0.0).prepare(0)
    for label in (0, 1):
        own = splits.x_train[splits.y_train == label]
        assert len(own) == 100
        for i, (x, y) in enumerate(own.tolist()):
            assert hypot(x, y) == pytest.approx(6 * i / 100, abs=1e-5)
            turned = atan2(x, y) - 1.75 * 2 * pi * i / 100 - label * pi
            assert i == 0 or abs((turned + pi) % (2 * pi) - pi) < 1e-4
    noisy = make(Spirals, noise=0.25).prepare(0)
    assert 0.2 < np.abs(noisy.x_train - splits.x_train).max() <= 0.25001


def test_the_corners() -> None:
    data = XorCorners()
    splits = data.prepare(0)
    assert splits.x_train.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] and splits.y_train.tolist() == [0, 1, 1, 0]
    assert (splits.x_valid == splits.x_train).all() and (data.test(0)[0] == splits.x_train).all()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"noise": -0.1}, "dataset.noise is -0.1; it must be a number of at least 0"),
        ({"noise": float("inf")}, "dataset.noise is inf"),
        ({"seed": -1}, "dataset.seed is -1; it must be an integer from 0 to 2^63 - 1"),
        ({"n_valid": 1}, "dataset.n_valid is 1; it must be an integer of at least 2"),
        ({"n_train": 2.5}, "dataset.n_train is 2.5"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(Spirals, **changes)
    assert str(caught.value).startswith(line)
