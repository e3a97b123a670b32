"""Soft ordering of shared modules for several tasks (Meyerson and Miikkulainen, Beyond Shared Hierarchies, ICLR 2018).

    y_0 = encoder(x);   y_d = sum over k of softmax(s[t, d])_k module_k(y_{d-1});   classes of task t = decoder_t(y_D)

The scales s say how much of each module task t uses at depth d, and are learned. All tasks share the modules and, other
than in the paper, the encoder: their inputs are of one kind. What is searched are the functions of the modules, the
depth and the width, by any strategy: the co-evolution of modules (CM: Liang, Meyerson and Miikkulainen, GECCO 2018) is
a search of their genes. A data set that is one task has the same network with one decoder.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.named import Named
from evonas_cli.genomes.options import whole_numbers
from evonas_cli.genomes.shared_modules import module_choices
from evonas_cli.network.shared_modules import shared_plan
from evonas_cli.network.task import Phenotype, Task


class SoftOrdering(Named, Independent):
    """Networks of `modules` shared modules that each task orders softly, for vectors, series and images.

    `layer` is dense (inputs are flattened) or conv, with kernels of `kernel` x `kernel`. Genomes are a function for
    each module, a depth and a width. Raises UsageError for options that are no such things, or twice the same.
    """

    def __init__(
        self,
        modules: int = 4,
        functions: Sequence[str] = ("relu", "gelu", "tanh"),
        depths: Sequence[int] = (1, 2, 3, 4),
        widths: Sequence[int] = (32, 64, 128),
        layer: str = "dense",
        kernel: int = 3,
    ) -> None:
        self._layer, self._kernel = layer, kernel
        self.choices: Sequence[Choice] = [
            *module_choices(modules, functions, layer, kernel),
            Choice("depth", whole_numbers("depths", depths, least=1)),
            Choice("width", whole_numbers("widths", widths, least=1)),
        ]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for token ids, and for convolutions on anything but images."""
        *functions, depth, width = genome
        modules, shared = list(map(str, functions)), {"depth": int(depth), "kernel": self._kernel}
        return Phenotype(
            shared_plan("soft_ordering", task, self._layer, int(width), "soft_ordering", modules, **shared)
        )
