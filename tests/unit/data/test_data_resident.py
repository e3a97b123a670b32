"""Resident tensors: normalisation, shared orders, batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas_cli.core.types import Task
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits, moments


def splits(kind: type) -> Splits:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (50, 3, 4, 4)).astype(kind)
    mean, std = moments(x[:40])
    return Splits(
        x_train=x[:40],
        y_train=np.arange(40) % 2,
        x_valid=x[40:],
        y_valid=np.arange(10) % 2,
        mean=mean,
        std=std,
        task=Task(shape=(3, 4, 4), classes=2),
        augmentation=Augmentation(),
        fingerprint="",
    )


def test_bytes_and_floats_are_normalised_alike():
    as_bytes, as_floats = (
        Resident(splits(np.uint8), torch.device("cpu")),
        Resident(splits(np.float32), torch.device("cpu")),
    )
    index = torch.arange(40)
    x, y = as_bytes.batch(index)
    assert torch.equal(x, as_floats.batch(index)[0])
    assert torch.allclose(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(x.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5)
    assert y.tolist() == [0, 1] * 20


def test_batches_are_the_rows_asked_for():
    data = Resident(splits(np.uint8), torch.device("cpu"))
    whole = data.batch(torch.arange(40))[0]
    index = torch.tensor([7, 3, 39])
    assert torch.equal(data.batch(index)[0], whole[index])


def test_valid_batches_cover_the_part_once_in_order():
    data = Resident(splits(np.uint8), torch.device("cpu"))
    batches = list(data.batches("valid", 4))
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert torch.cat([y for _, y in batches]).tolist() == [0, 1] * 5
    assert torch.equal(torch.cat([x for x, _ in batches]), next(data.batches("valid", 100))[0])


def test_the_order_is_a_permutation_of_seed_and_epoch():
    data = Resident(splits(np.uint8), torch.device("cpu"))
    order = data.epoch_order(5, 2)
    assert sorted(order.tolist()) == list(range(40))
    torch.rand(3)
    assert torch.equal(order, data.epoch_order(5, 2))
    assert not torch.equal(order, data.epoch_order(5, 3))
    assert not torch.equal(order, data.epoch_order(6, 2))


def test_the_source_is_not_shared_with_read_only_memory():
    source = splits(np.uint8)
    source.x_valid.flags.writeable = False
    data = Resident(source, torch.device("cpu"))
    assert data.n_valid == 10


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_order_is_the_same_on_cuda():
    cpu, cuda = (Resident(splits(np.uint8), torch.device(name)) for name in ("cpu", "cuda"))
    assert torch.equal(cuda.epoch_order(5, 2).cpu(), cpu.epoch_order(5, 2))
    index = torch.arange(40)
    assert torch.allclose(cuda.batch(index.cuda())[0].cpu(), cpu.batch(index)[0], atol=1e-5)
