"""Optimisers of the weights of all members in one vector, (links,).

They use single additions, multiplications, divisions and roots, which IEEE 754 rounds in one way: a member's bits do
not depend on where its links lie in the vector.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from evonas_cli.training.neurons.settings import Descent

RMS_DECAY, ADAM_DECAY, EPSILON = 0.999, (0.9, 0.999), 1e-8


class Optimizer(ABC):
    """Updates weights in place; `state` has what is remembered of each link."""

    def __init__(self, settings: Descent, weights: Tensor, names: tuple[str, ...]) -> None:
        self.settings, self.weights = settings, weights
        self.state = {name: torch.zeros_like(weights) for name in names}

    def take(self, weights: Tensor, links: Tensor) -> None:
        """Goes on with some of the links alone, whose weights are `weights`."""
        self.weights = weights
        self.state = {name: memory.index_select(0, links) for name, memory in self.state.items()}

    def step(self, gradient: Tensor) -> None:
        """One update: w - direction(g) - decay x w, within the weights' bound. The gradient may be overwritten."""
        settings, weights = self.settings, self.weights
        direction = self.direction(gradient)
        if settings.weight_decay:
            direction.add_(weights * settings.weight_decay)
        weights.sub_(direction)
        if settings.weight_limit is not None:
            weights.clamp_(-settings.weight_limit, settings.weight_limit)

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """What is taken off the weights, learning rate included."""

    def clipped(self, gradient: Tensor) -> Tensor:
        """The gradient, each component within the settings' bound."""
        clip = self.settings.clip
        return gradient if clip is None else gradient.clamp(-clip, clip)


class RMSProp(Optimizer):
    """RMSProp (Hinton, 2012) as in backprop NEAT (Ha, 2016): s <- 0.999 s + 0.001 g^2, g / sqrt(max(s, 1e-8)).

    g is clipped after s has taken it. s begins at 0 and is not corrected for that, so that first updates are large.
    """

    def __init__(self, settings: Descent, weights: Tensor) -> None:
        super().__init__(settings, weights, ("square",))

    def direction(self, gradient: Tensor) -> Tensor:
        """As Optimizer.direction."""
        square = self.state["square"]
        square.mul_(RMS_DECAY).add_((gradient * gradient).mul_(1.0 - RMS_DECAY))
        return self.clipped(gradient).mul_(self.settings.learning_rate).div_(square.clamp_min(EPSILON).sqrt_())


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015) with decays 0.9 and 0.999; both moments take the clipped gradient."""

    def __init__(self, settings: Descent, weights: Tensor) -> None:
        super().__init__(settings, weights, ("first", "second"))
        self._left = [torch.ones((), device=weights.device) for _ in ADAM_DECAY]

    def direction(self, gradient: Tensor) -> Tensor:
        """As Optimizer.direction."""
        gradient = self.clipped(gradient)
        terms = (gradient, gradient * gradient)
        corrected = []
        for moment, term, decay, left in zip(self.state.values(), terms, ADAM_DECAY, self._left, strict=True):
            moment.mul_(decay).add_(term * (1.0 - decay))
            left.mul_(decay)
            corrected.append(moment / (1.0 - left))
        first, second = corrected
        return first.mul_(self.settings.learning_rate).div_(second.sqrt_().add_(EPSILON))


MADE: Mapping[str, Callable[[Descent, Tensor], Optimizer]] = {"rmsprop": RMSProp, "adam": Adam}
