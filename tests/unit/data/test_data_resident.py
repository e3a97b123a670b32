"""Resident tensors: normalisation, shared orders, batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits, moments
from evonas_cli.network.task import Task


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
        task=Task(inputs=(3, 4, 4), outputs=2),
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


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_streamed_batches_are_the_resident_ones(kind):
    held, streamed = (Resident(splits(kind), torch.device("cpu"), memory) for memory in ("device", "host"))
    assert streamed.streams and not held.streams
    order = held.epoch_order(5, 2)
    assert torch.equal(order, streamed.epoch_order(5, 2))
    for part in ("train", "valid"):
        pairs = list(zip(held.batches(part, 7), streamed.batches(part, 7), strict=True))
        assert len(pairs) == (6 if part == "train" else 2)
        assert all(torch.equal(a, b) for pair in pairs for a, b in zip(*pair, strict=True))
    ours, theirs = list(held.drawn(order.split(8))), list(streamed.drawn(order.split(8)))
    assert len(ours) == len(theirs) == 5
    assert all(torch.equal(a, b) for pair in zip(ours, theirs, strict=True) for a, b in zip(*pair, strict=True))


@pytest.mark.parametrize("memory", ["device", "host"])
def test_drawn_images_may_be_changed(memory):
    data = Resident(splits(np.float32), torch.device("cpu"), memory)
    index = torch.tensor([2, 5])
    before = data.batch(index)[0].clone()
    next(data.drawn([index]))[0].zero_()
    data.normalised(next(data.batches("train", 40))[0])
    assert torch.equal(data.batch(index)[0], before)


def test_batches_are_in_channels_last_order():
    data = Resident(splits(np.uint8), torch.device("cpu"))
    for x in (data.batch(torch.arange(5))[0], next(data.batches("valid", 5))[0]):
        assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_streamed_batches_are_the_resident_ones_on_cuda():
    held, streamed = (Resident(splits(np.uint8), torch.device("cuda"), memory) for memory in ("device", "host"))
    indices = [part for epoch in range(20) for part in streamed.epoch_order(5, epoch).split(8)]
    for (x, y), (z, w) in zip(held.drawn([i.cuda() for i in indices]), streamed.drawn(indices), strict=True):
        assert z.is_cuda and torch.equal(x, z) and torch.equal(y, w)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_order_is_the_same_on_cuda():
    cpu, cuda = (Resident(splits(np.uint8), torch.device(name)) for name in ("cpu", "cuda"))
    assert torch.equal(cuda.epoch_order(5, 2).cpu(), cpu.epoch_order(5, 2))
    index = torch.arange(40)
    assert torch.allclose(cuda.batch(index.cuda())[0].cpu(), cpu.batch(index)[0], atol=1e-5)
