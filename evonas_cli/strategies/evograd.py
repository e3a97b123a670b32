"""EvoGrad: a Gaussian over real genes, moved by the gradient of its expected fitness (Uber AI, 2019).

    x_i = mean + sigma e_i,  e_i ~ N(0, 1) for each gene, i = 1 .. n, in pairs of e and -e
    F_i = fitness of x_i, standardised to mean 0 and standard deviation 1 over the n
    mean      += learning_rate x sigma x (1/n) sum_i F_i e_i
    log sigma += learning_rate / 2 x (1/n) sum_i F_i (e_i^2 - 1)         (only with `learn_sigma`)

The sums are score-function estimates (Williams 1992), F x the gradient of log N(x; mean, sigma): e / sigma by the mean,
e^2 - 1 by log sigma. EvoGrad has them by automatic differentiation. They are multiplied by the inverse Fisher
information, sigma^2 and 1/2, as in natural evolution strategies (Wierstra et al., JMLR 2014), so that one learning rate
fits every sigma: EvoGrad's own steps with a fixed sigma are those of learning_rate = its rate / sigma^2. Pairs are the
antithetic samples of Salimans et al. (2017). EvoGrad's maximisation of evolvability is not here.

Genes are shares of their ranges, on the range's own scale: 0 is the lower end, 1 the upper end, and on a logarithmic
range equal steps are equal factors. A share outside of [0, 1] stands for the nearer end; the mean stays inside. Fitness
is minus the first objective. A failed candidate counts as the worst of its step. Under a window above 1 a step is told
to a mean that has moved on since it was asked; the gradient is that at the mean and sigma of the asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from random import Random
from statistics import fmean, pstdev

from evonas_cli.core.checks import require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, Json, Proposal
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.ranges import Real

LEAST_SIGMA, MOST_SIGMA = 1e-3, 1.0
"""The ends between which a learned sigma stays, as shares of the range."""
NAMED = 6
"""Discrete genes that a refusal names."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was asked and not yet told: the noise e of each candidate, (n, genes), and the sigma that scaled it."""

    noise: tuple[tuple[float, ...], ...]
    sigma: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """The distribution, each gene for itself, in shares of the ranges."""

    mean: tuple[float, ...]
    sigma: tuple[float, ...]
    pending: tuple[Batch, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EvoGrad:
    """A Gaussian over real genes, moved by gradients of its expected fitness (EvoGrad; Uber AI, 2019).

    `n` candidates are drawn a step, with `antithetic` in pairs around the mean, which begins in the middle of each
    range. `sigma` is a share of the range. Spaces with options or whole numbers among their genes are refused.
    """

    space: Linear
    n: int = 10
    learning_rate: float = 0.5
    sigma: float = 0.1
    learn_sigma: bool = False
    antithetic: bool = True

    def __post_init__(self) -> None:
        whole("n", self.n, least=2)
        within("learning_rate", self.learning_rate, interval="(0, inf)")
        within("sigma", self.sigma, interval="(0, 1]")
        switch("learn_sigma", self.learn_sigma)
        switch("antithetic", self.antithetic)
        require(not self.antithetic or self.n % 2 == 0, "n", self.n, "must be even where strategy.antithetic=true")

    @property
    def demands(self) -> Demands:
        """Independent genes."""
        return Demands(space=(Linear,))

    @property
    def least_evaluations(self) -> int:
        """One step."""
        return self.n

    def check_space(self) -> None:
        """Raises UsageError for genes that are no real ranges, naming them."""
        discrete = [locus.name for locus in self.space.choices if not isinstance(locus, Real)]
        if discrete:
            named = discrete if len(discrete) <= NAMED else [*discrete[:NAMED], f"{len(discrete) - NAMED} more"]
            raise UsageError(
                f"strategy evograd moves real genes, and these of the space are discrete: {', '.join(named)}; "
                "make real ranges of them, or use strategy=genetic"
            )

    def init(self, rng: Random) -> Gaussian:
        """The middle of each range. Raises as `check_space`."""
        self.check_space()
        genes = len(self.space.choices)
        return Gaussian((0.5,) * genes, (self.sigma,) * genes)

    def ask(self, state: Gaussian, rng: Random) -> tuple[list[Proposal[Genes]], Gaussian]:
        """`n` draws from the Gaussian."""
        noise: list[tuple[float, ...]] = []
        while len(noise) < self.n:
            drawn = tuple([rng.gauss(0.0, 1.0) for _ in state.mean])
            noise += [drawn, tuple([-e for e in drawn])] if self.antithetic else [drawn]
        proposals = []
        for drawn in noise:
            shares = [mean + sigma * e for mean, sigma, e in zip(state.mean, state.sigma, drawn, strict=True)]
            proposals.append(Proposal(self._genes(shares), operator="gaussian"))
        return proposals, replace(state, pending=(*state.pending, Batch(tuple(noise), state.sigma)))

    def tell(self, state: Gaussian, told: Sequence[Evaluation[Genes]], rng: Random) -> Gaussian:
        """One step up the gradient."""
        batch, *pending = state.pending
        fitness = standardised([None if one.losses is None else one.losses[0] for one in told])
        mean, sigma = list(state.mean), list(state.sigma)
        for gene, column in enumerate(zip(*batch.noise, strict=True)):
            slope = fmean([f * e for f, e in zip(fitness, column, strict=True)])
            mean[gene] = min(1.0, max(0.0, mean[gene] + self.learning_rate * batch.sigma[gene] * slope))
            if self.learn_sigma:
                slope = fmean([f * (e * e - 1) for f, e in zip(fitness, column, strict=True)])
                moved = sigma[gene] * exp(self.learning_rate / 2 * slope)
                sigma[gene] = min(MOST_SIGMA, max(LEAST_SIGMA, moved))
        return Gaussian(tuple(mean), tuple(sigma), tuple(pending))

    def population(self, state: Gaussian) -> tuple[int, ...]:
        """Empty: the population is the distribution."""
        return ()

    def figures(self, state: Gaussian) -> Mapping[str, Json]:
        """By gene the mean, in the gene's own unit, and sigma, as a share of the range."""
        names = [locus.name for locus in self.space.choices]
        return {
            "mean": dict(zip(names, self._genes(state.mean), strict=True)),
            "sigma": dict(zip(names, state.sigma, strict=True)),
        }

    def _genes(self, shares: Sequence[float]) -> Genes:
        """The genes at these shares; a share outside of [0, 1] stands for the nearer end."""
        loci = [locus for locus in self.space.choices if isinstance(locus, Real)]
        return tuple([locus.at(share) for locus, share in zip(loci, shares, strict=True)])


def standardised(losses: Sequence[float | None]) -> list[float]:
    """Fitnesses of mean 0 and standard deviation 1; all 0 where they are equal. None, a failure, is the worst loss."""
    known = [loss for loss in losses if loss is not None]
    filled = [max(known) if loss is None else loss for loss in losses] if known else []
    deviation = pstdev(filled) if filled else 0.0
    if not deviation:
        return [0.0] * len(losses)
    centre = fmean(filled)
    return [(centre - loss) / deviation for loss in filled]
