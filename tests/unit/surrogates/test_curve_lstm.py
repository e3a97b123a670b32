"""The network that reads learning curves: its gradient, what it learns, and what it needs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evonas_cli.surrogates.curve_lstm import LEAST_CURVES, UNITS, slopes, trained


def curves(n: int, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    """Four losses of a + b / t, and the loss at t = 16; the decay says how far the curve still falls."""
    draws = np.random.RandomState(seed)
    limits, scales = draws.uniform(0.1, 0.5, n), draws.uniform(0.2, 2.0, n)
    found = [[a + b / t for t in (1, 2, 3, 4)] for a, b in zip(limits, scales, strict=True)]
    return found, [float(a + b / 16) for a, b in zip(limits, scales, strict=True)]


def test_the_gradient_is_torchs() -> None:
    draws = np.random.RandomState(1)
    shapes = (1, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,), (UNITS,)
    weights = [draws.normal(size=shape) for shape in shapes]
    inputs, targets = draws.normal(size=(6, 5)), draws.normal(size=6)
    cell = nn.LSTM(1, UNITS, batch_first=True).double()
    places = [*range(2 * UNITS), *range(3 * UNITS, 4 * UNITS), *range(2 * UNITS, 3 * UNITS)]
    order = np.argsort(places)
    with torch.no_grad():
        cell.weight_ih_l0.copy_(torch.tensor(weights[0].T[order]))
        cell.weight_hh_l0.copy_(torch.tensor(weights[1].T[order]))
        cell.bias_ih_l0.copy_(torch.tensor(weights[2][order]))
        cell.bias_hh_l0.zero_()
    _, (h, _) = cell(torch.tensor(inputs)[:, :, None])
    ((h[0] @ torch.tensor(weights[3]) - torch.tensor(targets)) ** 2).mean().backward()
    ours = slopes(weights, inputs, targets)
    for found, theirs in zip(ours[:3], (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0), strict=True):
        assert theirs.grad is not None
        assert np.allclose(found.T[order] if found.ndim == 2 else found[order], theirs.grad.numpy())
    assert np.allclose(ours[3], (2 / 6) * h[0].detach().numpy().T @ (h[0].detach().numpy() @ weights[3] - targets))


def test_it_learns_how_far_curves_fall() -> None:
    network = trained(*curves(40))
    new, finals = curves(20, seed=5)
    errors = [abs(network.predict(losses) - final) for losses, final in zip(new, finals, strict=True)]
    naive = [abs(losses[-1] - final) for losses, final in zip(new, finals, strict=True)]
    assert np.mean(errors) < 0.4 * np.mean(naive)
    assert 0 < network.deviation < np.mean(naive)


def test_equal_curves_give_equal_networks_and_untrained_ones_the_last_loss() -> None:
    first, second = trained(*curves(LEAST_CURVES), epochs=20), trained(*curves(LEAST_CURVES), epochs=20)
    assert first.predict([1.0, 0.8, 0.7, 0.6]) == second.predict([1.0, 0.8, 0.7, 0.6])
    assert trained(*curves(LEAST_CURVES), epochs=0).predict([1.0, 0.8, 0.7, 0.6]) == 0.6


def test_constant_curves_have_a_prediction() -> None:
    network = trained([[0.5] * 4] * 12, [0.5] * 12)
    assert network.predict([0.5] * 4) == pytest.approx(0.5) and network.deviation == pytest.approx(0.0)


def test_too_few_curves_are_refused() -> None:
    with pytest.raises(ValueError, match="9 curves; the network needs 10"):
        trained(*curves(9))
