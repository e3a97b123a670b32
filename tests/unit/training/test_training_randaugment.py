"""RandAugment on batches against torchvision's kernels on single images, and its random numbers."""

from __future__ import annotations

from dataclasses import replace
from math import atan, degrees

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits, moments
from evonas_cli.network.task import Task
from evonas_cli.training.batches import randaugment
from evonas_cli.training.batches.batches import training_batches
from evonas_cli.training.batches.randaugment import OPERATIONS, Changes

SIDE = 12


def data(channels: int = 3, kind: type = np.uint8, **how: int) -> Resident:
    rng = np.random.default_rng(0)
    x = rng.integers(20, 230, (64, channels, SIDE, SIDE)).astype(kind)
    if kind is np.float32:
        x = x / 100 - 1
    mean, std = moments(x)
    y = np.arange(64) % 4
    task = Task(inputs=(channels, SIDE, SIDE), outputs=4)
    parts = dict(x_train=x, y_train=y, x_valid=x, y_valid=y, mean=mean, std=std)
    return Resident(Splits(**parts, task=task, augmentation=Augmentation(**how), fingerprint=""), torch.device("cpu"))


def only(operation: str, direction: int, n: int) -> Changes:
    """The draws of one batch in which each image gets the one operation."""
    code = 2 * OPERATIONS.index(operation) + direction
    order = torch.arange(n).view(1, 1, n)
    counts = [n if other == code else 0 for other in range(2 * len(OPERATIONS))]
    return Changes(torch.full((1, 1, n), code), order, order, [[counts]])


def one_by_one(x: Tensor, operation: str, strength: float, fill: list[float]) -> Tensor:
    """What torchvision makes of single images; `strength` has a sign."""
    shear, shift = degrees(atan(0.3 * strength)), int(150 / 331 * SIDE * strength)
    affine = dict(angle=0.0, scale=1.0, fill=fill)
    factor = 1 + 0.9 * strength
    kernels = {
        "shear_x": lambda x: V.affine(x, translate=[0, 0], shear=[shear, 0.0], center=[0, 0], **affine),
        "shear_y": lambda x: V.affine(x, translate=[0, 0], shear=[0.0, shear], center=[0, 0], **affine),
        "translate_x": lambda x: V.affine(x, translate=[shift, 0], shear=[0.0, 0.0], **affine),
        "translate_y": lambda x: V.affine(x, translate=[0, shift], shear=[0.0, 0.0], **affine),
        "rotate": lambda x: V.rotate(x, 30 * strength, fill=fill),
        "brightness": lambda x: V.adjust_brightness(x, factor),
        "colour": lambda x: V.adjust_saturation(x, factor),
        "contrast": lambda x: V.adjust_contrast(x, factor),
        "sharpness": lambda x: V.adjust_sharpness(x, factor),
        "posterize": lambda x: V.posterize(x, 8 - round(4 * abs(strength))),
        "solarize": lambda x: V.solarize(x, (255.0 if x.dtype == torch.uint8 else 1.0) * (1 - abs(strength))),
        "autocontrast": V.autocontrast,
        "equalize": V.equalize,
        "identity": lambda x: x,
    }
    return torch.stack([kernels[operation](image) for image in x])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("magnitude", [9, 30])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_torchvisions(operation: str, magnitude: int, channels: int) -> None:
    source = data(channels)
    x, _ = next(source.drawn([torch.arange(8)]))
    fill = source.mean.round().tolist()
    changed = [
        randaugment.change(x.clone(), only(operation, direction, 8), 0, magnitude, source) for direction in (0, 1)
    ]
    expected = [one_by_one(x, operation, sign * magnitude / 30, fill) for sign in (1, -1)]
    assert all(result.dtype == torch.uint8 and result.shape == x.shape for result in changed)
    if operation in ("shear_x", "shear_y", "translate_x", "translate_y", "rotate"):
        expected = expected if (changed[0] == expected[0]).float().mean() > 0.9 else expected[::-1]
        for result, wanted in zip(changed, expected, strict=True):
            assert (result == wanted).float().mean() > 0.97, "more differs than pixels half-way between two others"
        assert not torch.equal(*changed)
    else:
        assert all(torch.equal(result, wanted) for result, wanted in zip(changed, expected, strict=True))


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_keep_their_range(channels: int) -> None:
    source = data(channels, np.float32, randaugment=3, magnitude=30)
    low, high = source.bounds
    changes = randaugment.draw(source.augmentation, 4, 16, 5, 0)
    before, after = [], []
    for step, (x, _) in enumerate(source.drawn(torch.arange(64).split(16))):
        before.append(x.clone())
        after.append(randaugment.change(x, changes, step, 30, source))
    x, result = torch.cat(before), torch.cat(after)
    assert result.dtype == torch.float32 and result.shape == x.shape and torch.isfinite(result).all()
    assert low - 1e-5 <= result.min() and result.max() <= high + 1e-5
    assert (result - x).abs().max() > 0.1 * (high - low)


def test_brightness_of_floats_is_measured_from_their_least() -> None:
    source = data(3, np.float32)
    low = source.bounds[0]
    x, _ = next(source.drawn([torch.arange(8)]))
    darker = randaugment.change(x.clone(), only("brightness", 1, 8), 0, 10, source)
    assert torch.allclose(darker - low, 0.7 * (x - low), atol=1e-5)


def test_images_of_a_batch_get_operations_of_their_own() -> None:
    source = data(randaugment=1, magnitude=15)
    changes = randaugment.draw(source.augmentation, 1, 64, 5, 0)
    x, _ = next(source.drawn([torch.arange(64)]))
    result = randaugment.change(x.clone(), changes, 0, 15, source)
    codes = changes.codes[0, 0].gather(0, changes.unsorting[0, 0])
    for image, code, got in zip(x, codes.tolist(), result, strict=True):
        alone = randaugment.change(image[None].clone(), only(OPERATIONS[code // 2], code % 2, 1), 0, 15, source)
        assert torch.equal(got, alone[0])


def test_draws_follow_seed_and_epoch_only() -> None:
    two, three = Augmentation(randaugment=2), Augmentation(randaugment=3, crop=4, magnitude=3)
    first = randaugment.draw(two, 5, 40, 1, 2)
    torch.rand(5)
    assert torch.equal(first.codes, randaugment.draw(two, 5, 40, 1, 2).codes)
    assert torch.equal(first.sorting, randaugment.draw(three, 5, 40, 1, 2).sorting[:2])
    assert not torch.equal(first.sorting, randaugment.draw(two, 5, 40, 1, 3).sorting)
    assert not torch.equal(first.sorting, randaugment.draw(two, 5, 40, 2, 2).sorting)


def test_operations_are_drawn_evenly() -> None:
    counts = torch.tensor(randaugment.draw(Augmentation(randaugment=1), 50, 100, 0, 0).counts).sum((0, 1))
    assert len(counts) == 2 * len(OPERATIONS) == 28
    assert counts.min() > 0.7 * 5000 / 28


def test_the_other_changes_come_after_it_unchanged() -> None:
    source = data(crop=1, flip=True, cutout=3, randaugment=2)
    off = data(crop=1, flip=True, cutout=3)
    off.augmentation = replace(off.augmentation, randaugment=0)
    blank = [
        torch.cat([(x == 0).all(1) for x, _ in training_batches(each, 16, 3, 1)]).float().mean()
        for each in (source, off)
    ]
    assert blank[0] == pytest.approx(blank[1].item(), abs=0.02)
    orders = [torch.cat([y for _, y in training_batches(each, 16, 3, 1)]) for each in (source, off)]
    assert torch.equal(*orders)
