"""Real data sets, where EVONAS_DATA_DIR says they are."""

from __future__ import annotations

import numpy as np
import pytest

from evonas_cli.data.mnist import FashionMnist
from evonas_cli.data.npz import Npz
from evonas_cli.network.task import Task

pytestmark = pytest.mark.data
COMMON = dict(valid_fraction=0.1, test_fraction=None, limit=None, crop=0, flip=False, cutout=0)


def test_fashion_mnist(data_dir):
    before = sorted((data_dir / "FashionMNIST").rglob("*"))
    dataset = FashionMnist(root=str(data_dir), download=True, **COMMON)
    splits = dataset.prepare(0)
    assert splits.task == Task(inputs=(1, 28, 28), outputs=10)
    assert np.bincount(splits.y_train).tolist() == [5400] * 10
    assert np.bincount(splits.y_valid).tolist() == [600] * 10
    assert splits.mean / 255 == pytest.approx(0.2860, abs=0.002)
    assert splits.std / 255 == pytest.approx(0.3530, abs=0.002)
    assert sorted((data_dir / "FashionMNIST").rglob("*")) == before


def test_cifar10_small(data_dir):
    dataset = Npz(path=str(data_dir / "cifar10_small.npz"), **COMMON)
    splits = dataset.prepare(0)
    assert splits.task == Task(inputs=(3, 32, 32), outputs=10)
    assert splits.mean / 255 == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.02)
    assert np.bincount(dataset.test(0)[1]).tolist() == [50] * 10
