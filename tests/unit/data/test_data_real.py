"""Real data sets, where EVONAS_DATA_DIR says they are."""

from __future__ import annotations

import numpy as np
import pytest
from text_settings import READ

from evonas_cli.data.chorales import Chorales, floor
from evonas_cli.data.mnist import FashionMnist
from evonas_cli.data.npz import Npz
from evonas_cli.data.text_table import TextCsv
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


TEXTS = READ | dict(vocabulary=10000, least_count=2, valid_fraction=0.2, test_fraction=0.2)


def test_sms_spam(data_dir):
    dataset = TextCsv(path=str(data_dir / "text/sms_spam.csv.gz"), text="text", target="label", **TEXTS)
    splits = dataset.prepare(0)
    assert splits.task == Task((43,), 2, "classes", vocabulary=3240) and splits.names == ("ham", "spam")
    spam = sum(int(y.sum()) for y in (splits.y_train, splits.y_valid, dataset.test(0)[1]))
    assert spam == 747 and len(splits.x_train) + len(splits.x_valid) + 1115 == 5574


def test_toxic_comments(data_dir):
    labels = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
    path = str(data_dir / "text/toxic_comments_3k.csv.gz")
    dataset = TextCsv(path=path, text="comment_text", target=labels, **TEXTS)
    splits = dataset.prepare(0)
    assert (splits.task.outputs, splits.task.kind, splits.names) == (6, "labels", tuple(labels))
    ones = sum(y.sum(axis=0) for y in (splits.y_train, splits.y_valid, dataset.test(0)[1]))
    assert ones.tolist() == [307, 38, 167, 14, 164, 32]


def test_jsb_chorales(data_dir):
    path = str(data_dir / "music/jsb_chorales.json.gz")
    dataset = Chorales(path=path, steps=4, valid_fraction=None, test_fraction=None, limit=None)
    splits = dataset.prepare(0)
    # every frame but the first of each of the 229, 76 and 77 pieces
    assert (len(splits.y_train), len(splits.y_valid), len(dataset.test(0)[1])) == (13807 - 229, 4602 - 76, 4725 - 77)
    played = splits.y_train.sum(axis=1)
    assert played.max() == 4 and np.flatnonzero(splits.y_train.any(axis=0)).min() + 21 == 43
    assert floor(splits.y_train, splits.y_valid) == pytest.approx(10.98, abs=0.01)
