"""The gradient of a validation loss through one step of training (Liu, Simonyan and Yang, ICLR 2019, equations 7, 8).

w' = w - xi (momentum m + grad_w L_train(w, a) + decay w)
grad_a L_val(w', a) - xi (grad_a L_train(w+, a) - grad_a L_train(w-, a)) / (2 e)
with w+- = w +- e grad_w' L_val(w', a) and e = 0.01 / |grad_w' L_val(w', a)|
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

RADIUS = 0.01


def unrolled(
    train: Callable[[], Tensor],
    valid: Callable[[], Tensor],
    weights: Sequence[Tensor],
    alphas: Sequence[Tensor],
    xi: float,
    momenta: Sequence[Tensor] | None = None,
    decay: float = 0.0,
) -> list[Tensor]:
    """The gradients of `alphas`. `train` and `valid` compute the losses from the weights and alphas as they are now.

    `momenta` are the optimiser's momentum times its factor. The weights are as before in the end.
    """
    before = [weight.detach().clone() for weight in weights]
    steps = _gradients(train(), weights)
    with torch.no_grad():
        for number, (weight, step) in enumerate(zip(weights, steps, strict=True)):
            moved = step + decay * weight + (0.0 if momenta is None else momenta[number])
            weight.sub_(xi * moved)
    both = _gradients(valid(), [*alphas, *weights])
    direct, direction = both[: len(alphas)], both[len(alphas) :]
    norm = torch.stack([part.square().sum() for part in direction]).sum().sqrt()
    radius = RADIUS / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    sides = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for weight, old, part in zip(weights, before, direction, strict=True):
                weight.copy_(old + sign * radius * part)
        sides.append(_gradients(train(), alphas))
    with torch.no_grad():
        for weight, old in zip(weights, before, strict=True):
            weight.copy_(old)
    return [d - xi * (plus - minus) / (2 * radius) for d, plus, minus in zip(direct, *sides, strict=True)]


def _gradients(loss: Tensor, values: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(loss, list(values), allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for v, g in zip(values, found, strict=True)]


def curvature(gradients: Callable[[], Sequence[Tensor]], values: Sequence[Tensor], width: float = 1e-2) -> Tensor:
    """The Hessian, (n, n), of a loss by central differences of its gradients at `values`, which stay as they are."""
    rows = []
    for value in values:
        flat = value.detach().view(-1)
        for place in range(len(flat)):
            old = flat[place].clone()
            sides = []
            for sign in (1.0, -1.0):
                flat[place] = old + sign * width
                sides.append(torch.cat([gradient.reshape(-1) for gradient in gradients()]))
            flat[place] = old
            rows.append((sides[0] - sides[1]) / (2 * width))
    hessian = torch.stack(rows)
    return (hessian + hessian.T) / 2
