"""Networks as people draw them, with about a wanted number of parameters: what a search has to be better than.

The patterns and their sources are in `network/patterns.py`: plain, residual, dense, depthwise, inception and
transformer_small, for images. `evonas bench patterns` trains each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.patterns import BLOCKS, PATTERNS, scaled
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Phenotype, Task


class Patterns(Independent):
    """Networks as people draw them (ResNet, DenseNet, MobileNet, ...), scaled to equal numbers of parameters.

    Genomes are the name of one of `names` and one of `sizes`, a share of `parameters`. Its channels are those whose
    parameters are nearest to that, with `blocks` blocks in each stage, or fewer where these come nearer, and at most
    `tolerance`, a share, apart. Raises UsageError for unknown names, and for numbers out of range.
    """

    def __init__(
        self,
        parameters: int = 20_000,
        sizes: Sequence[float] = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0),
        blocks: int = BLOCKS,
        names: Sequence[str] = tuple(PATTERNS),
        tolerance: float = 0.25,
    ) -> None:
        for key, value in (("parameters", parameters), ("blocks", blocks)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{key} must be a whole number of at least 1; it is {value!r}")
        if not names or set(names) - set(PATTERNS) or len(set(names)) < len(names):
            raise UsageError(
                f"space.names must be different ones of {', '.join(PATTERNS)}; they are {', '.join(map(str, names))}"
            )
        shares = tuple(map(float, sizes))
        if not shares or min(shares) <= 0 or len(set(shares)) < len(shares):
            raise UsageError(f"space.sizes must be different numbers above 0; they are {list(sizes)}")
        if not 0 < tolerance < 1:
            raise UsageError(f"space.tolerance is {tolerance!r}; it must lie between 0 and 1")
        self._parameters, self._blocks, self._tolerance = parameters, blocks, tolerance
        self.choices: Sequence[Choice] = [Choice("pattern", tuple(names)), Choice("size", shares)]

    def pattern_of(self, genome: Genes) -> str:
        """The name of the pattern, with its size where it is not 1."""
        return str(genome[0]) if genome[1] == 1 else f"{genome[0]} x{genome[1]:g}"

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for inputs that are no images, and where no size is within `tolerance`."""
        check_maps("patterns", task)
        wanted = round(self._parameters * float(genome[1]))
        return Phenotype(_scaled(str(genome[0]), task, wanted, self._blocks, self._tolerance))


@cache
def _scaled(name: str, task: Task, parameters: int, blocks: int, tolerance: float) -> Plan:
    """Made once: a size is found by bisection over some 20 networks."""
    try:
        return scaled(name, task, parameters, blocks, tolerance)
    except PlanError:
        raise
    except ValueError as error:
        raise PlanError(str(error)) from error
