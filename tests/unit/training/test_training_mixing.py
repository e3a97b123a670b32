"""mixup: its arithmetic, its random numbers, and that it leaves everything else alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quadrants import SEED, fit, resident, same_bits, small, trainer
from torch.nn import functional as F

from evonas_cli.data.splits import Augmentation
from evonas_cli.training.batches import mixup
from evonas_cli.training.batches.batches import training_batches
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.criteria import cross_entropies


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1]), st.sampled_from([0.2, 1.0]))
def test_the_loss_is_the_mixture_of_both_losses(seed, smoothing, alpha):
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(8, 1, 2, 2, generator=generator), torch.randint(5, (8,), generator=generator)
    scores = torch.randn(3, 8, 5, generator=generator)
    mixes = mixup.draw(alpha, 2, 8, seed, 0)
    share, partners = mixes.shares[1], mixes.partners[1]
    mixed, labels = mixup.mix(x, y, mixes, 1, 5)
    assert torch.allclose(mixed, share * x + (1 - share) * x[partners], atol=1e-6)
    assert torch.allclose(labels.sum(1), torch.ones(8))
    for member, losses in zip(scores, cross_entropies(scores, labels, smoothing), strict=True):
        own = F.cross_entropy(member, y, reduction="none", label_smoothing=smoothing)
        other = F.cross_entropy(member, y[partners], reduction="none", label_smoothing=smoothing)
        assert torch.allclose(losses, share * own + (1 - share) * other, atol=1e-5)


def test_draws_follow_seed_and_epoch_only():
    first, again = mixup.draw(0.2, 5, 8, 1, 2), mixup.draw(0.2, 5, 8, 1, 2)
    assert first.shares == again.shares and torch.equal(first.partners, again.partners)
    for other in (mixup.draw(0.2, 5, 8, 1, 3), mixup.draw(0.2, 5, 8, 2, 2)):
        assert first.shares != other.shares and not torch.equal(first.partners, other.partners)
    assert torch.equal(first.partners, mixup.draw(1.0, 5, 8, 1, 2).partners)
    assert torch.equal(first.partners.sort(dim=1).values, torch.arange(8).expand(5, 8))


def test_shares_are_beta_distributed():
    shares = torch.tensor(mixup.draw(0.2, 4000, 1, 0, 0).shares)
    assert shares.mean().item() == pytest.approx(0.5, abs=0.02)
    assert shares.var().item() == pytest.approx(0.25 / 1.4, abs=0.01)


def test_it_mixes_what_would_have_been_without_it():
    plain, mixed = (
        resident(augmentation=Augmentation(crop=1, flip=True, cutout=2, mixup=alpha)) for alpha in (0.0, 0.3)
    )
    mixes = mixup.draw(0.3, 6, 16, SEED, 1)
    pairs = zip(training_batches(plain, 16, SEED, 1), training_batches(mixed, 16, SEED, 1), strict=True)
    for step, ((x, y), (x_mixed, labels)) in enumerate(pairs):
        expected = mixup.mix(x, y, mixes, step, 4)
        assert torch.equal(x_mixed, expected[0]) and torch.equal(labels, expected[1])


def test_a_network_learns_from_mixtures():
    metrics = fit(small(), resident(augmentation=Augmentation(mixup=0.2)), trainer(epochs=8), SEED, 8, Checkpoint())
    assert metrics["valid_accuracy"] >= 0.9


@pytest.mark.parametrize("how", [Augmentation(), Augmentation(crop=1, cutout=2, mixup=0.2, randaugment=2)])
def test_streamed_batches_train_the_same_bits(how):
    networks = small(), small()
    metrics = [
        fit(network, resident(augmentation=how, memory=memory), trainer(), SEED, 2, Checkpoint())
        for network, memory in zip(networks, ("device", "host"), strict=True)
    ]
    assert same_bits(*networks)
    assert metrics[0]["valid_loss"] == metrics[1]["valid_loss"]


def test_every_image_is_seen_at_most_once_an_epoch():
    data = resident(augmentation=Augmentation())
    seen = torch.cat([x.flatten(1) for x, _ in training_batches(data, 16, SEED, 0)])
    assert len(seen) == 96 == len(seen.unique(dim=0))
