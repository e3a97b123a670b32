"""An optimiser whose updates follow a formula (network/learning_rules.py), each member's its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from evonas_cli.network.learning_rules import rule_of
from evonas_cli.nn.formulas import computed
from evonas_cli.training.optimizers import ADAM_BETA2, AdamW, wide

if TYPE_CHECKING:
    from evonas_cli.training.trainer import Trainer


class Rule(AdamW):
    """w <- w (1 - rate decay) - rate u(g, m, v), with both moments corrected for their start at 0.

    The memory is that of Adam. Raises ValueError for a member whose trainer has no rule.
    """

    name = "Rule"

    def __init__(self, parameters: Sequence[nn.Parameter], trainers: Sequence[Trainer]) -> None:
        super().__init__(parameters, trainers)
        rules = [rule_of(trainer.rule) for trainer in trainers]
        self._rules = [rule for rule in rules if rule is not None]
        if len(self._rules) < len(rules):
            raise ValueError("members with a rule and members without cannot be one program")

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], rates: Tensor) -> None:
        """One update; a member's numbers depend on its own rule, gradients and memory alone."""
        for index, g in enumerate(self._of.gradients(gradients)):
            if g is None:
                continue
            w, steps, m, v = self._of.values[index], *self._moments(index, g)
            mean = m / wide(1.0 - self._beta1**steps, w)
            square = v / wide(1.0 - ADAM_BETA2**steps, w)
            w.mul_(wide(1.0 - rates * self._decay, w))
            for member, rule in enumerate(self._rules):
                u = computed(rule, {"g": g[member], "m": mean[member], "v": square[member]})
                w[member].addcmul_(u, -rates[member])
