"""Networks as people draw them, all with about the same number of parameters: what a search has to be better than.

The patterns and their sources are in `network/patterns.py`: plain, residual, dense, depthwise, inception and
transformer_small, for images. `evonas bench patterns` trains each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.network.patterns import BLOCKS, PATTERNS, scaled
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Phenotype, Task


class Patterns(Independent):
    """Networks as people draw them (ResNet, DenseNet, MobileNet, ...), scaled to equal numbers of parameters.

    Genomes are the name of one of `names`; its channels are those whose `parameters` are nearest, with `blocks` blocks
    in each stage, or fewer where these come nearer. Raises UsageError for unknown names and numbers below 1.
    """

    def __init__(self, parameters: int = 20_000, blocks: int = BLOCKS, names: Sequence[str] = tuple(PATTERNS)) -> None:
        for key, value in (("parameters", parameters), ("blocks", blocks)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{key} must be a whole number of at least 1; it is {value!r}")
        if not names or set(names) - set(PATTERNS) or len(set(names)) < len(names):
            raise UsageError(
                f"space.names must be different ones of {', '.join(PATTERNS)}; they are {', '.join(map(str, names))}"
            )
        self.parameters, self._blocks = parameters, blocks
        self.choices: Sequence[Choice] = [Choice("pattern", tuple(names))]

    def pattern_of(self, genome: Genes) -> str:
        """The name of the pattern."""
        return str(genome[0])

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for inputs that are no images, and where no size is within 10 %."""
        return Phenotype(_scaled(str(genome[0]), task, self.parameters, self._blocks))


@cache
def _scaled(name: str, task: Task, parameters: int, blocks: int) -> Plan:
    """Made once: a size is found by bisection over some 20 networks."""
    try:
        return scaled(name, task, parameters, blocks)
    except PlanError:
        raise
    except ValueError as error:
        raise PlanError(str(error)) from error
