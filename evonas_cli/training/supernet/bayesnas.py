"""BayesNAS: operations with switches under a hierarchical sparse prior (Zhou et al., ICML 2019).

The share of operation k of an edge is s_all s_k: a switch for the edge, shared by equal cells, and one for each
operation. With H the diagonal of the loss's Hessian over a switch, over lambda, after each epoch

    C = 1 / (1/gamma + H),  omega = sqrt(|-C/gamma^2 + 1/gamma|),  gamma = |s| / omega

and for the switch of an operation gamma <- 1 / (1/gamma + 1/gamma_all), so that operations die with their edge. Weights
and switches step down loss + lambda_origin sum omega |s_all| + lambda_child sum omega |s|.

The update is that of the authors' code. Beside it: the diagonal of H is the absolute value of second differences of the
training loss over one batch; the penalty is a proximal step (soft thresholding), so that switches reach 0; and after
each step switches are rescaled, since normalisation hides a factor that all of them share from the loss, so that
penalties alone would bring all of them to 0 together. An operation dies when its switch is 0 or its gamma is below
`least_gamma`, but the strongest one of an edge stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.types import Json
from evonas_cli.network.relaxed import Active
from evonas_cli.training.batches.batches import Batch
from evonas_cli.training.supernet.rule import Step
from evonas_cli.training.supernet.weights import Weights

WIDTH = 0.05
"""How far a switch is moved for the second difference."""
TINY = 1e-12


class BayesNas:
    """Switches with their gammas and omegas: for each edge the one of the edge, then those of its operations.

    Settings: `lambda_origin`, `lambda_child`, `switch_learning_rate` and `least_gamma`.
    """

    halves, passes = False, 1

    def __init__(self, weights: Weights, settings: Mapping[str, Any], seed: int, rounds: int) -> None:
        self._weights, self._settings = weights, settings
        device = weights.parameters[0].device
        counts = [1 + len(edge.operations) for edge in weights.relaxed.edges]
        self.switches = [torch.ones(count, device=device).requires_grad_() for count in counts]
        self.gammas = [torch.ones(count, device=device) for count in counts]
        self.omegas = [torch.ones(count, device=device) for count in counts]
        self.alive = [torch.ones(count, device=device) for count in counts]
        for edge, alive in zip(weights.relaxed.edges, self.alive, strict=True):
            for place, role in enumerate(edge.roles):
                alive[1 + place] = float(role != "none" or set(edge.roles) == {"none"})
        self._last: Batch | None = None

    def step(self, train: Batch, valid: Batch | None, step: Step) -> Tensor:
        """Weights and switches by the training loss; then the penalties shrink the switches."""
        self._last = train
        loss = self._loss(train)
        found = torch.autograd.grad(loss, [*self._weights.parameters, *self.switches], allow_unused=True)
        count = len(self._weights.parameters)
        self._weights.update(found[:count], step.rate)
        self._shrink(found[count:])
        return loss.detach()

    @torch.no_grad()
    def _shrink(self, gradients: Sequence[Tensor | None]) -> None:
        rate = self._settings["switch_learning_rate"]
        for switch, gradient, omega, alive in zip(self.switches, gradients, self.omegas, self.alive, strict=True):
            if gradient is not None:
                switch.sub_(rate * gradient)
            switch.copy_(switch.sign() * (switch.abs() - rate * self._lambdas(switch) * omega).clamp_min(0.0))
            switch.mul_(alive)
        self._rescale()

    def _rescale(self) -> None:
        """The greatest operation switch of each edge becomes 1, and so does the greatest switch of an edge."""
        for switch in self.switches:
            greatest = switch[1:].abs().max()
            if greatest > 0:
                switch[1:] /= greatest
                switch[0] *= greatest
        greatest = torch.stack([switch[0].abs() for switch in self.switches]).max()
        if greatest > 0:
            for switch in self.switches:
                switch[0] /= greatest

    def _lambdas(self, like: Tensor) -> Tensor:
        """Of the switch of an edge, then of those of its operations."""
        found = torch.full_like(like, self._settings["lambda_child"])
        found[0] = self._settings["lambda_origin"]
        return found

    def _loss(self, batch: Batch) -> Tensor:
        x, y = batch
        shares = [switch[0] * switch[1:] for switch in self.switches]
        return self._weights.loss(self._weights.network.mixture(x, shares, self._active()), y)

    def _active(self) -> Active:
        return tuple([tuple([bool(alive) for alive in edge[1:]]) for edge in self.alive])

    @torch.no_grad()
    def update_prior(self) -> None:
        """Precisions and weights of the penalty after an epoch, and who dies of them."""
        for number, switch in enumerate(self.switches):
            lambdas = self._lambdas(switch).clamp_min(TINY)
            omega, gamma = prior(switch, self.gammas[number], self._curvature(number) / lambdas)
            self.omegas[number].copy_(omega)
            self.gammas[number].copy_(gamma)
            self._prune(number)

    def _curvature(self, number: int) -> Tensor:
        """The diagonal of the Hessian of the training loss over the switches of an edge, as absolute values."""
        assert self._last is not None
        switch, middle = self.switches[number], self._loss(self._last)
        found = torch.zeros_like(switch)
        for place in range(len(switch)):
            if not self.alive[number][place]:
                continue
            old, sides = switch[place].clone(), []
            for sign in (1.0, -1.0):
                switch[place] = old + sign * WIDTH
                sides.append(self._loss(self._last))
            switch[place] = old
            found[place] = (sides[0] - 2 * middle + sides[1]) / WIDTH**2
        return found.abs()

    def _prune(self, number: int) -> None:
        alive, gamma, switch = self.alive[number], self.gammas[number], self.switches[number]
        strength = gamma[1:] * alive[1:]
        strongest = int(strength.argmax())
        alive[1:] *= ((gamma[1:] >= self._settings["least_gamma"]) & (switch[1:] != 0)).float()
        alive[1 + strongest] = 1.0
        switch.mul_(alive)

    def tensors(self) -> Sequence[Tensor]:
        """Switches, gammas, omegas, and who is left."""
        return [*[switch.detach() for switch in self.switches], *self.gammas, *self.omegas, *self.alive]

    def told(self, epochs: int) -> dict[str, Json]:
        """The gammas of operations, 0 for those that died, and how many of them are left on all edges.

        The prior is updated first: an epoch ends with it.
        """
        self.update_prior()
        strengths = [(gamma * alive)[1:].tolist() for gamma, alive in zip(self.gammas, self.alive, strict=True)]
        return {"strengths": strengths, "live": int(sum(float(alive[1:].sum()) for alive in self.alive))}


def prior(switch: Tensor, gamma: Tensor, hessian: Tensor) -> tuple[Tensor, Tensor]:
    """New omegas and gammas, (1 + operations,), from switches, gammas before, and H; the first is that of the edge."""
    before = gamma.clamp_min(TINY)
    c = 1.0 / (1.0 / before + hessian)
    omega = (-c / before.square() + 1.0 / before).abs().sqrt()
    after = switch.abs() / omega.clamp_min(TINY)
    after[1:] = 1.0 / (1.0 / after[1:].clamp_min(TINY) + 1.0 / after[0].clamp_min(TINY))
    return omega, after
