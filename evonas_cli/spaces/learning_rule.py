"""Rules of learning as genes (Neural Optimizer Search: Bello et al., ICML 2017), for one fixed network.

A genome is a formula of gradient and moments (network/learning_rules.py) and a learning rate, since rules differ by
orders of magnitude in the rate that suits them; the paper tries each rule with several rates. Half of the samples are
changes of gradient descent, momentum, Adam and PowerSign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.genomes.formula_trees import FormulaTrees
from evonas_cli.genomes.ranges import Real
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.learning_rules import ADAM, FUNCTIONS, LEAVES, MOMENTUM, POWER_SIGN, SGD, rule_fault
from evonas_cli.network.task import Phenotype
from evonas_cli.network.trees import Tree

Genome: TypeAlias = tuple[Tree, float]
STEP = 0.15
"""Standard deviation of a step of the rate, as a share of the range."""
RULE, RATE = "rule", "learning_rate"


class LearningRule(OnFixedNetwork[Genome]):
    """The direction of updates as a formula, and the learning rate.

    `depth` bounds the functions on a path; `functions` are those of new formulas; `low` and `high` bound the rate,
    which is drawn evenly in its logarithm. `network` is as in space=fixed_network. Raises UsageError for settings that
    fit no rule, and for what is no plan.
    """

    def __init__(
        self,
        depth: int = 4,
        functions: Sequence[str] = FUNCTIONS,
        low: float = 0.0001,
        high: float = 1.0,
        network: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(network)
        self._rules = FormulaTrees(depth, functions, FUNCTIONS, LEAVES, (ADAM, POWER_SIGN, MOMENTUM, SGD), rule_fault)
        try:
            self._rates = Real(RATE, low, high, log=True)
        except ValueError as error:
            raise UsageError(f"space.low and space.high: {error}") from error

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer's rule, and the ends of the rate."""
        return {RULE: (ADAM,), RATE: (self._rates.low, self._rates.high)}

    def sample(self, rng: Random) -> Genome:
        """A new or a changed rule, and a rate."""
        return self._rules.sample(rng), float(self._rates.draw(rng))

    def mutate(self, genome: Genome, rng: Random) -> Genome:
        """With equal chances the rule changes, or the rate takes a step."""
        rule, rate = genome
        if rng.random() < 0.5:
            return self._rules.mutate(rule, rng), rate
        return rule, float(self._rates.step(rate, rng, STEP))

    def recombine(self, parents: Sequence[Genome], rng: Random) -> Genome:
        """A rule of the parents' subtrees, and the rate of one of them."""
        rule = self._rules.recombine([parent[0] for parent in parents], rng)
        return rule, rng.choice([parent[1] for parent in parents])

    def distance(self, first: Genome, second: Genome) -> float:
        """The mean of the distances of rules and rates, in [0, 1]."""
        return (self._rules.distance(first[0], second[0]) + self._rates.distance(first[1], second[1])) / 2

    def sizes(self, genome: Genome) -> Mapping[str, int]:
        """Nodes with leaves, and depth."""
        return self._rules.sizes(genome[0])

    def sketches(self, genome: Genome) -> Sequence[Sketch]:
        """The tree of the rule."""
        return self._rules.sketches(genome[0])

    def to_json(self, genome: Genome) -> Json:
        """The rule as text, and the rate."""
        return {RULE: self._rules.to_json(genome[0]), RATE: genome[1]}

    def from_json(self, data: Json) -> Genome:
        """The inverse of `to_json`. Raises ValueError, in one line, for anything else."""
        if not isinstance(data, Mapping) or set(data) != {RULE, RATE}:
            raise ValueError(f"a genome here is an object with {RULE} and {RATE}")
        return self._rules.from_json(data[RULE]), float(self._rates.check(data[RATE]))

    def applied(self, genome: Genome, phenotype: Phenotype) -> Phenotype:
        """The network, trained by the rule."""
        rule, rate = genome
        return Phenotype(phenotype.plan, {**phenotype.hyper, RULE: str(rule), RATE: rate})
