"""Augmentation against a loop over samples, and its random numbers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evonas_cli.data.splits import Augmentation
from evonas_cli.training.batches.augment import augment, draw


def one_by_one(x: Tensor, draws: Tensor, how: Augmentation) -> Tensor:
    """The definition, sample by sample."""
    result = []
    for image, (down, right, mirrored, row, column) in zip(x, draws.T.tolist(), strict=True):
        channels, height, width = image.shape
        if how.crop:
            padded = torch.zeros(channels, height + 2 * how.crop, width + 2 * how.crop)
            padded[:, how.crop : how.crop + height, how.crop : how.crop + width] = image
            image = padded[:, down : down + height, right : right + width].clone()
        if how.flip and mirrored:
            image = image.flip(2)
        if how.cutout:
            top, left = row - how.cutout // 2, column - how.cutout // 2
            image = image.clone()
            image[:, max(0, top) : max(0, top + how.cutout), max(0, left) : max(0, left + how.cutout)] = 0
        result.append(image)
    return torch.stack(result)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.booleans(), st.integers(0, 5), st.integers(0, 1000))
def test_a_batch_is_what_a_loop_makes(crop, flip, cutout, seed):
    how = Augmentation(crop=crop, flip=flip, cutout=cutout)
    x = torch.randn(9, 2, 6, 5, generator=torch.Generator().manual_seed(seed))
    draws = draw(how, 9, 6, 5, seed, 0)
    assert torch.equal(augment(x, draws, how), one_by_one(x, draws, how))


def test_the_input_is_left_alone():
    how = Augmentation(crop=2, flip=True, cutout=2)
    x = torch.randn(4, 1, 6, 6)
    before = x.clone()
    augment(x, draw(how, 4, 6, 6, 0, 0), how)
    assert torch.equal(x, before)


def test_draws_follow_seed_and_epoch_only():
    how = Augmentation(crop=2, flip=True, cutout=2)
    draws = draw(how, 50, 6, 6, 1, 2)
    torch.rand(5)
    assert torch.equal(draws, draw(how, 50, 6, 6, 1, 2))
    assert not torch.equal(draws, draw(how, 50, 6, 6, 1, 3))
    assert not torch.equal(draws, draw(how, 50, 6, 6, 2, 2))
    assert torch.equal(draws, draw(Augmentation(crop=2), 50, 6, 6, 1, 2))


def test_draws_cover_their_ranges_evenly():
    down, right, mirrored, row, column = draw(Augmentation(crop=2), 5000, 6, 4, 0, 0)
    for values, n in ((down, 5), (right, 5), (mirrored, 2), (row, 6), (column, 4)):
        counts = torch.bincount(values)
        assert len(counts) == n
        assert counts.min() > 0.8 * 5000 / n


@pytest.mark.parametrize(("how", "moves"), [(Augmentation(), False), (Augmentation(cutout=3), True)])
def test_moves(how, moves):
    assert how.moves is moves
