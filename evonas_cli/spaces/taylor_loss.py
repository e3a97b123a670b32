"""Losses as Taylor polynomials (TaylorGLO: Gonzalez and Miikkulainen, GECCO 2021), for one fixed network.

A genome is the eight coefficients theta0 to theta7 of network/losses.py: where the polynomial is developed (theta0 for
the target, theta1 for the prediction), then its slopes. The paper searches them by CMA-ES from a mean of 0 with a
standard deviation of 1.2; here they are real genes in [-bound, bound], for any strategy that varies such genes. Few
polynomials train a network, so half of the samples are steps from the cross-entropy's own polynomial (`START`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.declared import Declared
from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.network.losses import COEFFICIENTS, check_fit, taylor
from evonas_cli.network.task import Phenotype, Task

START = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.0)
"""-y log p up to the second order at p = 1."""
STEP = 0.1
"""Standard deviation of a step, as a share of a gene's range."""


class TaylorLoss(OnFixedNetwork[Genes], Declared):
    """The coefficients of a training's loss as genes; validation measures what it always does.

    `bound` is the largest magnitude of a coefficient. `network` is as in space=fixed_network. Raises UsageError for a
    bound that is no number above 0, and for what is no plan.
    """

    def __init__(self, bound: float = 2.0, network: Mapping[str, Any] | None = None) -> None:
        if type(bound) not in (int, float) or not 0 < bound < 1e6:
            raise UsageError(f"space.bound is {bound!r}; it must be a number above 0 and below a million")
        names = [f"theta{index}" for index in range(COEFFICIENTS)]
        Declared.__init__(self, {name: {"low": -bound, "high": bound} for name in names}, "coefficient")
        self._bound = float(bound)
        super().__init__(network)

    def sample(self, rng: Random) -> Genes:
        """Uniform in the ranges, or with equal chance a Gaussian step of each gene from the cross-entropy's."""
        if rng.random() < 0.5:
            return Declared.sample(self, rng)
        starts = [min(self._bound, max(-self._bound, theta)) for theta in START]
        return tuple([locus.step(theta, rng, STEP) for locus, theta in zip(self.choices, starts, strict=True)])

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer's loss, at both ends of all ranges."""
        low, high = zip(*self.extremes.values(), strict=True)
        return {"loss": (taylor(low), taylor(high))}

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network, trained by the polynomial. Raises PlanError for boxes and for several tasks."""
        check_fit(task, "taylor_loss")
        return super().decode(genome, task)

    def applied(self, genome: Genes, phenotype: Phenotype) -> Phenotype:
        """The network with the polynomial as its loss."""
        return Phenotype(phenotype.plan, {**phenotype.hyper, "loss": taylor([float(gene) for gene in genome])})
