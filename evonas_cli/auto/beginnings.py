"""With what the search of an auto begins: the plain network (`network/baselines.py`), or what is most like it.

Networks drawn at random differ much, and few of them learn well in few epochs. Where a budget has time for few
trainings, evolution would have nothing else to select from.
"""

from __future__ import annotations

from evonas_cli.auto.kinds import blocks_for
from evonas_cli.core.types import Json
from evonas_cli.network.baselines import CHANNELS, HIDDEN, RATE, WIDTH
from evonas_cli.network.task import Task

KERNEL = 3


def beginnings(task: Task) -> list[Json]:
    """Genomes, as JSON, of the space that fits the task (`kinds.fitting`), each one once.

    texts, series   the plain network itself, as `sequence_net` writes it
    vectors         the plain network's two layers, with dropout after each, as `mlp` writes it
    images          chains of `layered_cnn` whose filters double from block to block: one with a layer in each block but
                    the last, which has two; one with two layers in each block but the first, which has one
    """
    if task.vocabulary or len(task.inputs) == 2:
        genome: dict[str, Json] = {"embedding": WIDTH, "pooling": "max", "head": 0, "dropout": RATE}
        for place, operation in enumerate(("conv1d", "none", "none"), start=1):
            genome |= {f"operation {place}": operation, f"width {place}": WIDTH, f"kernel {place}": KERNEL}
        return [genome]
    if len(task.inputs) == 1:
        return [[HIDDEN, HIDDEN, 0, "relu", "none", RATE]]
    blocks = blocks_for(task)
    slim = _chain([1] * (blocks - 1) + [2])
    full = _chain([1] + [2] * (blocks - 1))
    return [slim] if slim == full else [slim, full]


def _chain(layers: list[int]) -> Json:
    """Blocks of so many layers each."""
    return [[_layer(CHANNELS[0] * 2**place)] * count for place, count in enumerate(layers)]


def _layer(filters: int) -> Json:
    return {"filters": filters, "kernel": KERNEL, "separable": False, "skip": "none", "source": 0}
